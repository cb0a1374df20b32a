//! A tab's end of the connection: its session with the hub, its requests and its documents.

mod answers;
mod changes;
mod editing;
mod event;
mod offline;
mod queries;
mod requests;
mod settings;
#[expect(clippy::module_inception, reason = "a tab's own file, as a hub has one")]
mod tab;
mod tab_docs;
mod unload_journal;

pub use event::TabEvent;
pub use settings::{MakeTracer, TabSettings};
pub use tab::Tab;
pub use tab_docs::DocKey;
