//! Random lives: what happens is drawn from a seed, and so is how the links fail.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tabmux::middleware::{LayerConfig, defaults};
use tabmux::protocol::DocId;
use tabmux::tab::TabEvent;
use tabmux::transports::Faults;

use super::world::{LINGER, Setup, World, guarantees};
use crate::support::Registry;

/// What happens beside edits, faulty links and tabs that come and go.
#[derive(Clone, Copy, PartialEq)]
pub struct Life {
    /// Documents are created and deleted.
    pub creations: bool,
    /// The server refuses some ops.
    pub refusals: bool,
    /// The hub is replaced by one without memory.
    pub restarts: bool,
}

pub const EDITS: Life = Life { creations: false, refusals: false, restarts: false };

/// Lives through one seed, and checks all invariants at its end.
pub fn live(world: &mut World, life: Life) {
    let docs: Vec<DocId> = (1..=3).map(|n| DocId::new("docs", n.to_string())).collect();
    for (doc, type_name) in docs.iter().zip(Registry::ALL) {
        if !life.creations || world.common.rng.random_bool(0.5) {
            world.seed_doc(doc, type_name);
        }
    }
    if life.refusals {
        world.server.refusals = 0.05;
    }
    for _ in 0..world.common.rng.random_range(2..=4) {
        world.add_tab();
    }
    for doc in &docs {
        world.outside.client.borrow_mut().subscribe(doc);
    }
    for _ in 0..world.common.rng.random_range(50..250) {
        let pause = world.common.rng.random_range(0..60);
        world.run_for(pause);
        act(world, &docs, life);
    }
    come_to_rest(world, &docs);
    check(world, &docs, life);
    leave(world);
}

fn act(world: &mut World, docs: &[DocId], life: Life) {
    let place = world.common.rng.random_range(0..docs.len());
    let doc = &docs[place];
    let type_name = Registry::ALL[place];
    let soon = world.common.rng.random_range(1..3000);
    let chance = world.common.rng.random_range(0..100);
    match chance {
        0..10 => return world.edit_outside(doc),
        10..12 if !world.upstream.client.borrow().creates_blindly() => {
            return world.disconnect_upstream(Some(soon));
        }
        12 if !world.outside.client.borrow().creates_blindly() => {
            return world.disconnect_outside(Some(soon));
        }
        13 if life.restarts => return world.restart_hub(),
        14..18 if life.creations => return world.create_or_delete_outside(doc, type_name),
        18 if world.tab_count() < 5 => {
            world.add_tab();
            return;
        }
        _ => {}
    }
    if world.tab_count() == 0 {
        return;
    }
    let at = world.common.rng.random_range(0..world.tab_count());
    match chance {
        20..30 => world.tab(at, |tab, common| tab.subscribe(doc, common)),
        30..33 => world.tab(at, |tab, common| tab.unsubscribe(doc, common)),
        33..38 => world.tab(at, |tab, common| tab.fetch(doc, common)),
        38..40 => world.tab(at, |tab, common| tab.get_bulk(docs, common)),
        40..43 => {
            let paused = world.common.rng.random_bool(0.4);
            world.tab(at, |tab, common| tab.pause(doc, paused, common));
        }
        43..46 => {
            if world.common.rng.random_bool(0.5) {
                world.detach(at);
                let pause = soon / 10;
                world.run_for(pause);
            }
            if world.common.rng.random_bool(0.5) {
                world.rewire(at);
            }
            world.attach(at);
        }
        46..48 => world.freeze(at, world.now() + soon),
        48 => world.remove_tab(at, soon % 2 == 0, soon / 3),
        49..52 => {
            world.tab(at, |tab, common| {
                if tab.can_close(doc) {
                    tab.close(doc, common);
                }
            });
        }
        52..56 if life.creations => {
            world.tab(at, |tab, common| tab.create_or_delete(doc, type_name, common));
        }
        56..60 => world.tab(at, |tab, common| {
            for _ in 0..10 {
                tab.edit(doc, common);
            }
        }),
        _ => world.tab(at, |tab, common| {
            tab.edit(doc, common);
        }),
    }
}

/// Ends all disturbances, and lets everyone hear of everything.
fn come_to_rest(world: &mut World, docs: &[DocId]) {
    world.calm_down();
    world.settle();
    for at in 0..world.tab_count() {
        // What watches over the hub has noticed what the tab may not have: no frame came.
        if world.driver(at).was_left_alone() {
            world.attach(at);
        }
        world.tab(at, |tab, common| tab.reload(common));
        for doc in docs {
            world.tab(at, |tab, common| {
                tab.pause(doc, false, common);
                tab.subscribe(doc, common);
            });
        }
    }
    world.settle();
    // Says which revision each tab is at, so that the hub can forget the changes before.
    for at in 0..world.tab_count() {
        for doc in docs {
            world.tab(at, |tab, common| tab.fetch(doc, common));
        }
    }
    world.settle();
}

fn check(world: &mut World, docs: &[DocId], life: Life) {
    let mut expected = Vec::new();
    if life.creations {
        expected.extend([
            "ERR_DOC_WAS_DELETED",
            "ERR_DOC_ALREADY_CREATED",
            "ERR_DOC_DOES_NOT_EXIST",
            "ERR_DOC_IN_HARD_ROLLBACK",
        ]);
    }
    if life.refusals {
        expected.extend([
            "ERR_OP_SUBMIT_REJECTED",
            "ERR_TEST_REFUSED",
            "ERR_DOC_IN_HARD_ROLLBACK",
            "ERR_DOC_DOES_NOT_EXIST",
        ]);
    }
    if life.creations || life.refusals {
        expected.push("ERR_PENDING_OP_REMOVED_BY_OP_SUBMIT_REJECTED");
        expected.push("ERR_TEST_DROPPED_BY_LOAD");
    }
    if life.restarts {
        expected.push("ERR_TABMUX_HUB_LOST");
    }
    world.common.ledger.check_answers(&world.gone, &expected);
    world.common.ledger.check_log(&world.server, life.refusals || life.restarts);
    for doc in docs {
        converged(world, doc);
    }
    for at in 0..world.tab_count() {
        let driver = world.driver(at);
        assert!(life.restarts || !driver.was_left_alone(), "L1: {} had no answer", driver.id);
        assert_eq!(driver.requests.len(), 0, "L1: requests of {} never ended", driver.id);
        assert_eq!(driver.tab.deadline(), None, "{} waits for nothing", driver.id);
        for note in &driver.notes {
            assert!(!matches!(note, TabEvent::Fault(_)), "{}: {note:?}", driver.id);
        }
    }
    assert!(life.restarts || world.faults.is_empty(), "a tab sent {:?}", world.faults);
    assert_eq!(world.hub.deadline(), None, "the hub waits for nothing");
    assert_eq!(world.hub.size().1, 0, "every tab has every change, so none is kept");
}

/// I1: everyone who holds the document holds the same.
fn converged(world: &mut World, doc: &DocId) {
    let server = world.server.doc(doc);
    let (copy, version) = (server.copy.clone(), Some(server.version()));
    let clients = [("upstream", &world.upstream), ("outside", &world.outside)];
    for (name, party) in clients {
        let client = party.client.borrow();
        if client.holds(doc) {
            assert_eq!(client.copy(doc), copy, "I1: {name} and the server differ on {doc}");
            assert_eq!(client.version(doc), version, "I1: {name} and the server differ on {doc}");
        }
    }
    for at in 0..world.tab_count() {
        let driver = world.driver(at);
        let (id, held) = (&driver.id, &driver.docs[doc]);
        let replica = driver.tab.replica(held.key).expect("it is open");
        assert_eq!(replica.pending().count(), 0, "{id} has ops pending on {doc}");
        assert_eq!(held.copy, copy, "I1: {id} and the server differ on {doc}");
        assert_eq!(replica.version(), version, "I1: {id} and the server differ on {doc}");
    }
}

/// All tabs leave: nothing of them may remain.
fn leave(world: &mut World) {
    for _ in 0..world.tab_count() {
        world.remove_tab(0, true, 500);
    }
    world.settle();
    world.run_for(LINGER);
    assert_eq!(world.hub.size(), (0, 0), "the hub holds no documents for nobody");
    let client = world.upstream.client.borrow();
    assert_eq!(client.size(), 0, "the hub's connection holds no documents for nobody");
    assert_eq!(world.server.subscriptions(client.src()), [], "the server sends changes to nobody");
}

/// How the links of a seed are.
pub fn setup(seed: u64) -> Setup {
    let mut rng = ChaCha8Rng::seed_from_u64(!seed);
    let perfect = seed.is_multiple_of(4);
    let faults = if perfect {
        Faults { delay: 0..=rng.random_range(0..50), ..Faults::default() }
    } else {
        Faults {
            loss: rng.random_range(0.0..0.2),
            duplication: rng.random_range(0.0..0.2),
            reordering: rng.random_range(0.0..0.3),
            delay: 0..=rng.random_range(1..100),
        }
    };
    let mut layers = defaults(&guarantees(&faults));
    if seed.is_multiple_of(3) {
        for layer in &mut layers {
            if let LayerConfig::Coalescing { window } = layer {
                *window = 4;
            }
        }
    }
    Setup {
        faults,
        layers,
        server_delay: rng.random_range(0..200),
        timer_step: if seed.is_multiple_of(5) { 1000 } else { 1 },
        reentrant_edits: if seed.is_multiple_of(2) { 50 } else { 0 },
    }
}
