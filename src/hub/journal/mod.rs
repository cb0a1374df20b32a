//! What the hub writes down of each document, so that a hub that comes after it can go on.
//!
//! A document has a checkpoint, which is its whole state, and a log of what happened after that.
//! The log is in the hub's own order, so that the tabs that outlive a hub keep their revisions.

mod commits;
mod departed;
mod events;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod kept_tests;
mod record;
mod stored;

pub(crate) use commits::{Batch, Journal, Outgoing};
pub(crate) use departed::Departed;
pub(crate) use record::{
    Checkpoint, Failure, KnownTab, LogEntry, Lost, Placed, from_bytes, to_bytes,
};
pub use record::{PendingOp, Sent};
pub(crate) use stored::{Recalled, recall};
pub use stored::{Restored, read_stored};
