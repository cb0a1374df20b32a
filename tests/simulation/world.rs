//! Everything there is in a simulation: a server, a hub, tabs, a client beside the hub, the links
//! between them, and one clock.

use std::rc::Rc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tabmux::Error;
use tabmux::codecs::{Codecs, Limits};
use tabmux::hub::{Hub, HubEvent, HubSettings, PeerId, UpstreamEvent};
use tabmux::middleware::LayerConfig;
use tabmux::protocol::DocId;
use tabmux::store::Opened;
use tabmux::transports::{Faults, FaultyLink, Frame, FrameKind, Guarantees};

use super::client::Client;
use super::client::Shared;
use super::disk::Disk;
use super::ledger::Ledger;
use super::party::Party;
use super::presence::Presences;
use super::server::Server;
use super::tab::{Common, TabDriver, Trace};
use crate::support::Registry;

/// How long the hub keeps what no tab wants.
pub const LINGER: u64 = 1000;

/// How the tabs reach the hub.
#[derive(Clone)]
pub struct Setup {
    pub faults: Faults,
    pub layers: Vec<LayerConfig>,
    /// How long a message between a client and the server travels.
    pub server_delay: u64,
    /// A tab's timers run at multiples of this.
    pub timer_step: u64,
    /// How many ops listeners submit while changes are applied.
    pub reentrant_edits: u32,
}

pub fn guarantees(faults: &Faults) -> Guarantees {
    Guarantees {
        ordered: faults.reordering == 0.0,
        reliable: faults.loss == 0.0 && faults.duplication == 0.0,
        carries: vec![FrameKind::Text],
        addressed: false,
    }
}

/// A transport between a tab and the hub.
struct Wire {
    peer: PeerId,
    up: FaultyLink<Frame>,
    down: FaultyLink<Frame>,
}

struct Seat {
    driver: TabDriver,
    wire: Wire,
    /// Nothing of the tab runs until then.
    frozen_until: u64,
}

impl Seat {
    /// When the tab's timer runs.
    fn due(&self, timer_step: u64) -> Option<u64> {
        let deadline = self.driver.tab.deadline()?;
        Some(deadline.next_multiple_of(timer_step).max(self.frozen_until))
    }
}

pub struct World {
    pub setup: Setup,
    pub common: Common,
    pub server: Server,
    pub hub: Hub,
    /// If the hub has a store.
    pub disk: Option<Disk>,
    /// The hub's store keeps only some documents.
    pub keeps_some: bool,
    pub upstream: Party,
    pub outside: Party,
    pub outside_presences: Presences,
    /// What the hub said of frames it dropped.
    pub faults: Vec<Error>,
    /// The tabs that left or vanished.
    pub gone: Vec<String>,
    epoch: u64,
    next_tab: u32,
    tabs: Vec<Seat>,
    /// Transports that their tabs gave up; what was sent on them still arrives.
    old_wires: Vec<Wire>,
    /// Tabs whose end the hub will be told of.
    pub(super) ends: Vec<(u64, String)>,
    /// Tabs that will notice that their hub is gone.
    pub(super) losses: Vec<(u64, String)>,
    steps: u32,
}

/// How many steps a simulation takes at most.
const STEPS: u32 = 100_000;

impl World {
    pub fn new(seed: u64, setup: Setup, trace: bool) -> Self {
        let common = Common {
            now: 0,
            rng: ChaCha8Rng::seed_from_u64(seed),
            ledger: Ledger::default(),
            left: Vec::new(),
            trace: Trace { wanted: trace, lines: Vec::new() },
            reentrant_edits: setup.reentrant_edits,
        };
        let upstream = Party::new(Client::guarded("upstream-1"));
        let hub = new_hub(1, None, &upstream);
        let mut world = World {
            setup,
            common,
            server: Server::default(),
            hub,
            disk: None,
            keeps_some: false,
            upstream,
            outside: Party::new(Client::new("outside")),
            outside_presences: Presences::new("outside"),
            faults: Vec::new(),
            gone: Vec::new(),
            epoch: 1,
            next_tab: 0,
            tabs: Vec::new(),
            old_wires: Vec::new(),
            ends: Vec::new(),
            losses: Vec::new(),
            steps: 0,
        };
        world.connect_upstream();
        world.connect_outside();
        world
    }

    pub fn now(&self) -> u64 {
        self.common.now
    }

    // Tabs

    /// A new tab, which attaches to the hub. Returns its place.
    pub fn add_tab(&mut self) -> usize {
        self.next_tab += 1;
        let id = format!("tab-{}", self.next_tab);
        let guarantees = guarantees(&self.setup.faults);
        let seed = self.common.rng.random();
        let driver = TabDriver::new(&id, &self.setup.layers, &guarantees, seed);
        let wire = self.new_wire();
        self.tabs.push(Seat { driver, wire, frozen_until: 0 });
        let at = self.tabs.len() - 1;
        self.attach(at);
        at
    }

    fn new_wire(&mut self) -> Wire {
        let peer = self.hub.connect(guarantees(&self.setup.faults));
        let mut link = || FaultyLink::new(self.common.rng.random(), self.setup.faults.clone());
        Wire { peer, up: link(), down: link() }
    }

    pub fn tab_count(&self) -> usize {
        self.tabs.len()
    }

    /// Does something with a tab, and lets it run.
    pub fn tab<T>(&mut self, at: usize, act: impl FnOnce(&mut TabDriver, &mut Common) -> T) -> T {
        let result = act(&mut self.tabs[at].driver, &mut self.common);
        self.run_tab(at);
        result
    }

    /// That of the hub there is.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    pub fn driver(&self, at: usize) -> &TabDriver {
        &self.tabs[at].driver
    }

    pub fn attach(&mut self, at: usize) {
        self.tab(at, |driver, common| driver.attach(common));
    }

    pub fn detach(&mut self, at: usize) {
        self.tab(at, |driver, common| driver.detach(common));
    }

    /// Gives the tab another transport.
    pub fn rewire(&mut self, at: usize) {
        let wire = self.new_wire();
        self.old_wires.push(std::mem::replace(&mut self.tabs[at].wire, wire));
    }

    pub fn freeze(&mut self, at: usize, until: u64) {
        let id = &self.tabs[at].driver.id;
        self.common.trace(|| format!("{id} is frozen until {until}"));
        self.tabs[at].frozen_until = until;
    }

    /// The tab says goodbye, or vanishes; the hub is told of its end a little later.
    pub fn remove_tab(&mut self, at: usize, says_bye: bool, noticed_after: u64) {
        if says_bye {
            self.tab(at, |driver, common| driver.tab.leave(common.now));
        }
        let Seat { mut driver, wire, .. } = self.tabs.remove(at);
        driver.leave_unload_journal(&mut self.common);
        self.common.trace(|| format!("{} is gone", driver.id));
        self.old_wires.push(wire);
        self.ends.push((self.now() + noticed_after, driver.id.clone()));
        self.gone.push(driver.id);
    }

    fn run_tab(&mut self, at: usize) {
        let seat = &mut self.tabs[at];
        if seat.frozen_until <= self.common.now {
            for frame in seat.driver.run(&mut self.common) {
                self.common.trace(|| format!("{} sends {}", seat.driver.id, text(&frame)));
                seat.wire.up.send(self.common.now, frame);
            }
        }
    }

    // The hub

    /// A hub without memory takes the place of the present one, on the same transports.
    pub fn restart_hub(&mut self) {
        self.disk = None;
        self.replace_hub();
    }

    pub(super) fn replace_hub(&mut self) {
        let opened = self.disk.as_ref().map(|disk| &disk.opened);
        self.epoch = opened.map_or(self.epoch + 1, |opened| opened.epoch);
        self.common.trace(|| format!("the hub restarts with epoch {}", self.epoch));
        self.upstream.disconnect(&mut self.server, None, &mut self.common);
        self.hand_out();
        let src = format!("upstream-{}", self.epoch);
        self.upstream = Party::new(match self.disk {
            Some(_) => Client::holding(&src),
            None => Client::guarded(&src),
        });
        let opened = self.disk.as_ref().map(|disk| &disk.opened);
        self.hub = new_hub(self.epoch, opened, &self.upstream);
        if self.keeps_some {
            self.hub.keep_only(Box::new(is_kept));
        }
        self.old_wires.clear();
        self.ends.clear();
        for at in 0..self.tabs.len() {
            let peer = self.hub.connect(guarantees(&self.setup.faults));
            self.tabs[at].wire.peer = peer;
        }
        if self.disk.is_some() {
            let tabs: Vec<String> = self.tabs.iter().map(|seat| seat.driver.id.clone()).collect();
            self.hub.await_tabs(&tabs, self.common.now);
        }
        self.connect_upstream();
    }

    pub(super) fn run_hub(&mut self) {
        let now = self.common.now;
        for _ in 0..10_000 {
            if let Some((peer, frame)) = self.hub.poll_transmit() {
                self.transmit(peer, frame);
            } else if let Some(event) = self.hub.poll_event() {
                self.common.trace(|| format!("the hub says {event:?}"));
                match event {
                    HubEvent::Fault(error) => self.faults.push(error),
                    // The Web Lock of a tab that is gone is free.
                    HubEvent::Joined { tab, .. } if self.gone.contains(&tab) => {
                        self.ends.push((now, tab));
                    }
                    event => self.expect(&event),
                }
            } else if self.take_held() || self.ask_disk() || self.hear_disk() {
                // What happened upstream meanwhile is told before what tabs said.
            } else if !self.hub.is_stalled()
                && let Some((event, head)) = self.upstream.poll_event()
            {
                self.common.trace(|| format!("the hub is told {event:?}"));
                if let UpstreamEvent::Answered(_, origin, Some(_)) = &event {
                    self.common.ledger.refuse(origin);
                }
                self.hub.upstream_event(event, head, now);
            } else if self.hub.has_arrivals() && !self.hub.is_stalled() {
                self.hub.proceed(now);
            } else if self.hub.deadline().is_some_and(|at| at <= now) {
                self.hub.wake(now);
            } else if !self.upstream.client.borrow_mut().end_turn() || self.hub.is_stalled() {
                self.check_heads();
                return self.upstream.send(now);
            }
        }
        panic!("the hub never comes to rest: its deadline is {:?}", self.hub.deadline());
    }

    /// What the hub holds of each upstream document's version and type is what that has.
    fn check_heads(&self) {
        let client = self.upstream.client.borrow();
        for (id, head) in client.told_heads() {
            assert_eq!(self.hub.head(id), head, "the head of {id}");
        }
    }

    fn transmit(&mut self, peer: PeerId, frame: Frame) {
        let seat = self.tabs.iter_mut().find(|seat| seat.wire.peer == peer);
        if let Some(seat) = seat {
            self.common.trace(|| format!("the hub sends {} {}", seat.driver.id, text(&frame)));
            seat.wire.down.send(self.common.now, frame);
        }
    }

    // Time

    /// When something happens next.
    fn next_time(&self) -> Option<u64> {
        let of_tabs = self.tabs.iter().flat_map(|seat| {
            let arrival = seat.wire.down.next_arrival().map(|at| at.max(seat.frozen_until));
            seat.due(self.setup.timer_step)
                .into_iter()
                .chain(arrival)
                .chain(seat.wire.up.next_arrival())
        });
        let of_wires = self.old_wires.iter().filter_map(|wire| wire.up.next_arrival());
        let of_parties = [&self.upstream, &self.outside].into_iter().flat_map(Party::next_time);
        let of_ends = self.ends.iter().chain(&self.losses).map(|(at, _)| *at);
        of_tabs
            .chain(of_wires)
            .chain(of_parties)
            .chain(of_ends)
            .chain(self.disk.as_ref().and_then(Disk::next_time))
            .chain(self.hub.deadline())
            .min()
            .map(|at| at.max(self.now()))
    }

    /// Does what is due next, up to a time. Returns whether there was something.
    fn step(&mut self, until: u64) -> bool {
        let Some(now) = self.next_time().filter(|at| *at <= until) else { return false };
        self.common.now = now;
        self.steps += 1;
        assert!(self.steps < STEPS, "it never comes to rest");
        for end in self.ends.extract_if(.., |(at, _)| *at <= now).collect::<Vec<_>>() {
            self.hub.tab_gone(&end.1, now);
        }
        for (_, id) in self.losses.extract_if(.., |(at, _)| *at <= now).collect::<Vec<_>>() {
            if let Some(at) = self.tabs.iter().position(|seat| seat.driver.id == id) {
                self.attach(at);
            }
        }
        let mut frames = Vec::new();
        for wire in self.old_wires.iter_mut().chain(self.tabs.iter_mut().map(|seat| &mut seat.wire))
        {
            frames.extend(wire.up.receive(now).into_iter().map(|frame| (wire.peer, frame)));
        }
        for (peer, frame) in frames {
            self.hub.receive(peer, frame, now);
            self.run_hub();
        }
        for at in 0..self.tabs.len() {
            let seat = &mut self.tabs[at];
            if seat.frozen_until > now {
                continue;
            }
            for frame in seat.wire.down.receive(now) {
                self.tabs[at].driver.tab.receive(frame, now);
                self.run_tab(at);
            }
            if self.tabs[at].due(self.setup.timer_step).is_some_and(|at| at <= now) {
                self.run_tab(at);
            }
        }
        self.serve();
        self.run_hub();
        self.run_outside();
        true
    }

    pub fn run_until(&mut self, time: u64) {
        while self.step(time) {}
        self.common.now = time;
    }

    pub fn run_for(&mut self, span: u64) {
        self.run_until(self.now() + span);
    }

    /// Runs until nothing is on its way and nobody waits for a time.
    pub fn settle(&mut self) {
        let limit = self.now() + 10 * 60_000;
        while self.step(limit) {}
        assert_eq!(self.next_time(), None, "it never comes to rest");
    }

    /// From now on nobody is frozen, throttled, refused or disturbed; the links stay as they are.
    pub fn calm_down(&mut self) {
        self.setup.timer_step = 1;
        self.fill_disk(false);
        self.server.refusals = 0.0;
        for at in 0..self.tabs.len() {
            self.tabs[at].frozen_until = 0;
            self.run_tab(at);
        }
        self.connect_upstream();
        self.connect_outside();
    }
}

/// Whether a store that keeps only some documents keeps this one.
pub fn is_kept(doc: &DocId) -> bool {
    doc.id.parse::<u32>().is_ok_and(|n| n % 2 == 1)
}

fn text(frame: &Frame) -> &str {
    match frame {
        Frame::Text(text) => text,
        _ => "no text",
    }
}

fn new_hub(epoch: u64, opened: Option<&Opened>, upstream: &Party) -> Hub {
    let settings = HubSettings {
        identity: "someone".to_owned(),
        epoch,
        lineage: opened.map_or(epoch.to_string(), |opened| opened.lineage.clone()),
        stored: opened.map(|opened| opened.pending.clone()),
        store_limits: tabmux::store::Limits::default(),
        unload_journals: opened.is_some(),
        linger: LINGER,
        codecs: Codecs::built_in(Limits::default()),
        layers: Default::default(),
        seed: epoch,
    };
    Hub::new(settings, Rc::new(Registry), Box::new(Shared(Rc::clone(&upstream.client))))
}
