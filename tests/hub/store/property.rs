//! Whatever happens, a hub finds what the one before it had.

use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tabmux::ot::Op;
use tabmux::{Error, Payload};

use super::two_with_a_text;
use crate::script::ClientDoc;
use crate::stage::{Stage, create, doc};
use crate::support::{Copy, Text};

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A tab edits the text so many times, or creates it; the hub hears of all at once.
    Edit {
        at: usize,
        times: usize,
        seed: u64,
    },
    Delete {
        at: usize,
    },
    EditOutside {
        seed: u64,
    },
    Connection {
        connected: bool,
    },
    /// From now on, the server acknowledges what it commits, or not.
    Acknowledge {
        acknowledges: bool,
    },
    /// The server refuses the next op.
    Refuse,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..2usize, 1..4usize, any::<u64>())
            .prop_map(|(at, times, seed)| Step::Edit { at, times, seed }),
        1 => (0..2usize).prop_map(|at| Step::Delete { at }),
        3 => any::<u64>().prop_map(|seed| Step::EditOutside { seed }),
        2 => any::<bool>().prop_map(|connected| Step::Connection { connected }),
        1 => any::<bool>().prop_map(|acknowledges| Step::Acknowledge { acknowledges }),
        1 => Just(Step::Refuse),
        1 => Just(Step::Crash),
    ]
}

/// A stage, and the tokens of each tab's submits.
struct Story {
    stage: Stage,
    tokens: Vec<(usize, u64)>,
    is_connected: bool,
}

impl Story {
    fn take(&mut self, step: Step) {
        let (stage, id) = (&mut self.stage, doc("a"));
        match step {
            Step::Edit { at, times, seed } => {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                for _ in 0..times {
                    let op = match stage.text(at, &id) {
                        Some(text) => {
                            let insert = Text::letters(&mut rng);
                            Op::Edit(Payload(Text::edit_of(&text, &insert, &mut rng)))
                        }
                        None => create("new"),
                    };
                    let token = stage.submit(at, &id, op);
                    self.tokens.extend(token.map(|token| (at, token)));
                }
                stage.flush(at, &id);
            }
            Step::Delete { at } => {
                let token = stage.submit(at, &id, Op::Del);
                self.tokens.extend(token.map(|token| (at, token)));
                stage.flush(at, &id);
            }
            Step::EditOutside { seed } => {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let text = stage.script.borrow().text(&id);
                if let Some(text) = text {
                    let insert = Text::letters(&mut rng);
                    stage.edit_outside(&id, Text::edit_of(&text, &insert, &mut rng));
                }
            }
            Step::Connection { connected } => self.connect(connected),
            Step::Acknowledge { acknowledges } => {
                stage.script.borrow_mut().is_mute = !acknowledges;
            }
            Step::Refuse => {
                let error = Error::new("ERR_TEST_REFUSED", "no");
                stage.script.borrow_mut().refusal = Some(error);
            }
            Step::Crash => self.crash(),
        }
    }

    fn connect(&mut self, connected: bool) {
        if std::mem::replace(&mut self.is_connected, connected) != connected {
            self.stage.connection(if connected { "connected" } else { "disconnected" });
        }
    }

    /// The hub that comes after gives the document the very state it had.
    fn crash(&mut self) {
        let id = doc("a");
        let before = self.stage.script.borrow_mut().docs.remove(&id).expect("it is subscribed to");
        self.stage.script.borrow_mut().restored.clear();
        self.stage.replace_hub("disconnected");
        self.is_connected = false;
        let restored = self.stage.script.borrow().restored.clone();
        assert_eq!(restored.len(), 1);
        let restored = &restored[0].1;
        let data = restored.snapshot.data.clone().map(|data| data.0);
        let mut copy = Copy { type_name: restored.snapshot.type_name.clone(), data };
        restored.ops.iter().for_each(|op| copy.apply(op).expect("the op fits"));
        let ClientDoc { version, copy: copy_before, pending, .. } = before;
        assert_eq!(copy, copy_before);
        assert_eq!(restored.snapshot.version, version);
        assert_eq!(restored.pending, Vec::from(pending));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 100, ..Default::default() })]

    #[test]
    fn a_hub_restores_the_state_and_the_ops_that_the_one_before_it_had(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let mut story = Story { stage: two_with_a_text(), tokens: Vec::new(), is_connected: true };
        for step in steps {
            story.take(step);
        }
        story.crash();
        story.stage.script.borrow_mut().is_mute = false;
        story.connect(true);
        let Story { mut stage, tokens, .. } = story;
        for (at, token) in tokens {
            assert_eq!(stage.answers(at, token).len(), 1, "tab-{at} has its answer for {token}");
        }
        let text = stage.script.borrow().text(&doc("a"));
        for at in 0..2 {
            assert_eq!(stage.text(at, &doc("a")), text);
        }
    }
}

#[test]
fn what_comes_before_an_op_that_is_to_be_deleted_is_made_after_what_others_did() {
    let mut story = Story { stage: two_with_a_text(), tokens: Vec::new(), is_connected: true };
    story.connect(false);
    story.take(Step::Edit { at: 1, times: 1, seed: 24147468561357705 });
    story.take(Step::EditOutside { seed: 1101463196108747918 });
    story.take(Step::Acknowledge { acknowledges: false });
    story.take(Step::Delete { at: 0 });
    story.take(Step::Edit { at: 0, times: 1, seed: 0 });
    story.connect(true);
    story.take(Step::Edit { at: 0, times: 1, seed: 0 });
    story.crash();
    story.stage.script.borrow_mut().is_mute = false;
    story.connect(true);
    assert_eq!(story.stage.text(0, &doc("a")), story.stage.script.borrow().text(&doc("a")));
}
