//! Random lives: what happens is drawn from a seed, and so is how the links fail.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tabmux::middleware::{LayerConfig, defaults};
use tabmux::protocol::DocId;
use tabmux::transports::Faults;

use super::rest;
use super::server::MODULI;
use super::world::{Setup, World, guarantees};
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
    /// Tabs ask queries.
    pub queries: bool,
    /// Tabs and the client beside the hub show themselves on channels.
    pub presence: bool,
    /// The hub has a store, and crashes.
    pub crashes: bool,
    /// The hub has a store, which refuses to write at times.
    pub refusing_disk: bool,
    /// The store keeps only some of the documents.
    pub keeps_some: bool,
    /// At crashes, records of the store are damaged.
    pub damage: bool,
}

impl Life {
    pub fn has_store(&self) -> bool {
        self.crashes || self.refusing_disk
    }
}

pub const EDITS: Life = Life {
    creations: false,
    refusals: false,
    restarts: false,
    queries: false,
    presence: false,
    crashes: false,
    refusing_disk: false,
    keeps_some: false,
    damage: false,
};

/// The channels of presence.
pub const CHANNELS: [&str; 2] = ["left", "right"];

/// The documents from here on are subscribed by nobody for good: queries bring their changes.
pub const FOUND_FROM: usize = 3;

/// After how long a request of a tab runs out. In a million lives some frame is lost ten times in a
/// row, which takes half a minute; only a hub that says nothing takes longer than this.
const PATIENCE: u64 = 120_000;

/// Lives through one seed, and checks all invariants at its end.
pub fn live(world: &mut World, life: Life) {
    let count = FOUND_FROM + if life.queries { 2 } else { 0 };
    let docs: Vec<DocId> = (1..=count).map(|n| DocId::new("docs", n.to_string())).collect();
    for (doc, type_name) in docs.iter().zip(Registry::ALL.iter().cycle()) {
        if !life.creations || world.common.rng.random_bool(0.5) {
            world.seed_doc(doc, type_name);
        }
    }
    if life.refusals {
        world.server.refusals = 0.05;
    }
    if life.has_store() {
        world.keeps_some = life.keeps_some;
        world.add_disk();
    }
    for _ in 0..world.common.rng.random_range(2..=4) {
        world.add_tab();
    }
    for doc in &docs {
        world.outside.client.borrow_mut().subscribe(doc);
    }
    for channel in CHANNELS.iter().filter(|_| life.presence) {
        world.listen_outside(channel);
    }
    // Many short lives see more crashes than a few long ones.
    let acts = if life.crashes { 20..120 } else { 50..250 };
    for _ in 0..world.common.rng.random_range(acts) {
        let pause = world.common.rng.random_range(0..60);
        world.run_for(pause);
        act(world, &docs, life);
    }
    rest::come_to_rest(world, &docs);
    rest::check(world, &docs, life);
    rest::leave(world);
    if life.has_store() {
        rest::reload_offline(world, &docs);
    }
}

fn act(world: &mut World, docs: &[DocId], life: Life) {
    let place = world.common.rng.random_range(0..docs.len());
    let doc = &docs[place];
    let type_name = Registry::ALL[place % Registry::ALL.len()];
    if life.queries && world.common.rng.random_bool(0.2) {
        return act_on_queries(world);
    }
    if life.presence && world.common.rng.random_bool(0.2) {
        return act_on_presence(world);
    }
    if life.creations && life.refusals && world.common.rng.random_bool(0.05) {
        return quarrel(world, doc, type_name);
    }
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
        13..16 if life.crashes && !world.upstream.client.borrow().creates_blindly() => {
            let is_damaged = life.damage && world.common.rng.random_bool(0.5);
            world.crash_hub_and_damage(is_damaged);
            while life.damage && world.common.rng.random_bool(0.3) {
                let pause = world.common.rng.random_range(0..100);
                world.run_for(pause);
                world.crash_hub();
            }
            return;
        }
        14..17 if life.refusing_disk && !life.crashes => return world.refuse_to_write(1),
        16 if life.refusing_disk => return world.refuse_to_write(1),
        18 if life.refusing_disk && world.common.rng.random_bool(0.5) => {
            return world.close_disk();
        }
        19 if life.has_store() => {
            let is_full = world.common.rng.random_bool(0.5);
            return world.fill_disk(is_full);
        }
        17 if life.refusing_disk && life.crashes => return world.refuse_to_write(4),
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
    if !world.common.left.is_empty() && world.common.rng.random_bool(0.1) {
        let left = world.common.rng.random_range(0..world.common.left.len());
        return world.tab(at, |tab, common| tab.pass_on(left, common));
    }
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

fn act_on_queries(world: &mut World) {
    if world.tab_count() == 0 {
        return;
    }
    let at = world.common.rng.random_range(0..world.tab_count());
    let modulus = MODULI[world.common.rng.random_range(0..MODULI.len())];
    match world.common.rng.random_range(0..10) {
        0..3 => world.tab(at, |tab, common| tab.query(modulus, false, common)),
        3..7 => world.tab(at, |tab, common| tab.query(modulus, true, common)),
        _ => world.tab(at, |tab, common| tab.end_query(common)),
    }
}

fn act_on_presence(world: &mut World) {
    let channel = CHANNELS[world.common.rng.random_range(0..CHANNELS.len())];
    let chance = world.common.rng.random_range(0..20);
    match chance {
        0..3 => return world.show_outside(channel),
        3 => return world.end_presence_outside(channel),
        4 => return world.listen_outside(channel),
        _ => {}
    }
    if world.tab_count() == 0 {
        return;
    }
    let at = world.common.rng.random_range(0..world.tab_count());
    match chance {
        5..12 => world.tab(at, |tab, common| tab.show(channel, common)),
        12..15 => world.tab(at, |tab, common| tab.end_presence(channel, common)),
        _ => world.tab(at, |tab, common| tab.listen(channel, common)),
    }
}

/// All tabs write to a document at once, while it is deleted and made anew by another client.
fn quarrel(world: &mut World, doc: &DocId, type_name: &str) {
    for _ in 0..world.common.rng.random_range(1..4) {
        for at in 0..world.tab_count() {
            world.tab(at, |tab, common| {
                for _ in 0..common.rng.random_range(1..5) {
                    tab.edit(doc, common);
                }
                if common.rng.random_bool(0.2) {
                    tab.create_or_delete(doc, type_name, common);
                    tab.edit(doc, common);
                }
            });
        }
        if world.common.rng.random_bool(0.5) {
            world.create_or_delete_outside(doc, type_name);
        }
        let pause = world.common.rng.random_range(0..100);
        world.run_for(pause);
    }
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
    for layer in &mut layers {
        match layer {
            LayerConfig::Coalescing { window } if seed.is_multiple_of(3) => *window = 4,
            LayerConfig::Timeouts { after } => *after = PATIENCE,
            _ => {}
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
