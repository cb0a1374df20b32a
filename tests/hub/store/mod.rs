//! A hub with a store.

use crate::stage::{Stage, doc};

mod durable;
mod lost;
mod offline;
mod outdated;
mod policy;
mod property;
mod reading;
mod successor;
mod unload_journal;
mod upkeep;

/// Two tabs that are subscribed to the same text, which is in the store.
fn two_with_a_text() -> Stage {
    let (mut stage, id) = (Stage::with_store(2), doc("a"));
    stage.seed(&id, "hello");
    stage.subscribe(0, &id);
    stage.subscribe(1, &id);
    stage
}
