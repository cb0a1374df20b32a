//! Two stacks over a link that loses, doubles, delays and reorders. `TABMUX_SEED=7` runs seed 7
//! alone.

mod support;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use support::{Note, transport};
use tabmux_middleware::{Environment, LayerConfig, Millis, Packet, Stack, defaults};

/// Longer than any run takes unless something is resent for ever.
const PATIENCE: Millis = 10 * 60 * 1000;

/// Says which seed failed.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("run it alone with TABMUX_SEED={}", self.0);
        }
    }
}

fn for_each_seed(test: impl Fn(u64)) {
    let only = std::env::var("TABMUX_SEED").ok().map(|seed| seed.parse().expect("a number"));
    let seeds: Range<u64> = only.map_or(0..500, |seed| seed..seed + 1);
    for seed in seeds {
        let seed = Seed(seed);
        test(seed.0);
    }
}

struct Simulation {
    rng: ChaCha8Rng,
    now: Millis,
    ends: [Stack<Note>; 2],
    /// What each application has still to send, and when.
    plans: [VecDeque<(Millis, Note)>; 2],
    got: [Vec<Note>; 2],
    /// Packets under way by time of arrival (and a number that keeps them apart), with the end
    /// they go to.
    link: BTreeMap<(Millis, u64), (usize, Packet<Note>)>,
    packets: u64,
}

impl Simulation {
    fn new(seed: u64, layers: &[LayerConfig], plans: [VecDeque<(Millis, Note)>; 2]) -> Self {
        let lossy = transport(false, false);
        let environment = Environment::new(seed);
        let near = Stack::build(layers, &lossy, environment).expect("the layers fit");
        let far = Stack::counterpart(layers, u64::MAX, &lossy, Environment::new(!seed))
            .expect("so do their like");
        Simulation {
            rng: ChaCha8Rng::seed_from_u64(seed),
            now: 0,
            ends: [near, far],
            plans,
            got: [vec![], vec![]],
            link: BTreeMap::new(),
            packets: 0,
        }
    }

    /// Runs until nothing is under way and neither end wants to be woken.
    fn run(&mut self) {
        while let Some(next) = self.next_event() {
            self.now = self.now.max(next);
            assert!(self.now < PATIENCE, "the ends never come to rest");
            while let Some(entry) = self.link.first_entry()
                && entry.key().0 <= self.now
            {
                let (to, packet) = entry.remove();
                self.ends[to].receive(packet, self.now);
            }
            for end in [0, 1] {
                while self.plans[end].front().is_some_and(|(at, _)| *at <= self.now) {
                    let (_, message) = self.plans[end].pop_front().expect("it is there");
                    self.ends[end].send(message, self.now);
                }
                self.ends[end].wake(self.now);
                self.transfer(end);
            }
        }
    }

    fn next_event(&self) -> Option<Millis> {
        let arrival = self.link.keys().next().map(|(at, _)| *at);
        let sending = self.plans.iter().filter_map(|plan| plan.front()).map(|(at, _)| *at);
        let waking = self.ends.iter().filter_map(|end| end.deadline());
        arrival.into_iter().chain(sending).chain(waking).min()
    }

    fn transfer(&mut self, from: usize) {
        while let Some(packet) = self.ends[from].poll_transmit() {
            let copies = match self.rng.random_range(0..100) {
                0..30 => 0,
                30..45 => 2,
                _ => 1,
            };
            for _ in 0..copies {
                let usual = self.rng.random_range(1..50);
                let delay = if self.rng.random_bool(0.02) { usual * 40 } else { usual };
                self.packets += 1;
                self.link.insert((self.now + delay, self.packets), (1 - from, packet.clone()));
            }
        }
        self.got[from].extend(std::iter::from_fn(|| self.ends[from].poll_delivery()));
        assert_eq!(self.ends[from].poll_fault(), None);
    }
}

/// Up to 200 messages of each end at times within two seconds, often several in one turn.
fn plans(seed: u64, message: impl Fn(u64) -> Note) -> [VecDeque<(Millis, Note)>; 2] {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(1);
    [(); 2].map(|()| {
        let mut times: Vec<Millis> =
            (0..rng.random_range(0..200)).map(|_| rng.random_range(0..40) * 50).collect();
        times.sort();
        times.into_iter().zip((0..).map(&message)).collect()
    })
}

fn messages(plan: &VecDeque<(Millis, Note)>) -> Vec<Note> {
    plan.iter().map(|(_, message)| message.clone()).collect()
}

fn every_message_arrives_exactly_once_in_order(seed: u64, layers: &[LayerConfig]) {
    let plans = plans(seed, Note::Text);
    let expected = [messages(&plans[1]), messages(&plans[0])];
    let mut simulation = Simulation::new(seed, layers, plans);
    simulation.run();
    assert_eq!(simulation.got, expected);
}

#[test]
fn the_default_stack_delivers_every_message_exactly_once_in_order_and_comes_to_rest() {
    let layers = defaults(&transport(false, false));
    for_each_seed(|seed| every_message_arrives_exactly_once_in_order(seed, &layers));
}

#[test]
fn so_does_a_stack_with_the_narrowest_bounds() {
    let layers = [
        LayerConfig::Coalescing { window: 3 },
        LayerConfig::Batching { max_messages: 2 },
        LayerConfig::Ordering { max_held: 1 },
        LayerConfig::Retries { initial: 60, max: 240, ack_delay: 5 },
    ];
    for_each_seed(|seed| every_message_arrives_exactly_once_in_order(seed, &layers));
}

#[test]
fn merged_messages_never_go_back_and_end_at_the_newest() {
    let layers = [
        LayerConfig::Coalescing { window: 4 },
        LayerConfig::BATCHING,
        LayerConfig::ORDERING,
        LayerConfig::RETRIES,
    ];
    let topics = 3;
    for_each_seed(|seed| {
        let plans = plans(seed, |value| Note::State { topic: (value % topics) as u8, value });
        let sent = [messages(&plans[1]), messages(&plans[0])];
        let mut simulation = Simulation::new(seed, &layers, plans);
        simulation.run();
        for (sent, got) in sent.iter().zip(&simulation.got) {
            for wanted in 0..topics as u8 {
                let of_topic = |notes: &[Note]| -> Vec<u64> {
                    let value = |note: &Note| match note {
                        Note::State { topic, value } if *topic == wanted => Some(*value),
                        _ => None,
                    };
                    notes.iter().filter_map(value).collect()
                };
                let values = of_topic(got);
                assert!(values.is_sorted_by(|a, b| a < b), "{values:?}");
                assert_eq!(values.last(), of_topic(sent).last());
            }
        }
    });
}
