//! What a document knows, in parts that know nothing of the document.

mod history;
mod holder;
mod holders;
mod loading;
mod log;
mod lost_ops;
mod reads;
mod results;
mod retention;
mod storage;
mod subscription;
mod tab_ops;
mod uncommitted;
mod unplaced;

pub(super) use history::History;
pub(super) use holder::Holder;
pub(super) use holders::Holders;
pub(super) use loading::Loading;
pub(super) use log::Log;
pub(super) use lost_ops::LostOps;
pub(super) use reads::Reads;
pub(super) use retention::Retention;
pub(super) use storage::Storage;
pub(super) use subscription::Subscription;
pub(super) use uncommitted::{Uncommitted, UncommittedOp, as_lost};
pub(super) use unplaced::{Unplaced, WaitingSubmit};
