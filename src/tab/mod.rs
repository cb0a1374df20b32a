//! A tab's end of the connection: its session with the hub, its requests and its documents.

mod answers;
mod changes;
mod documents;
mod editing;
mod event;
mod last_words;
mod offline;
mod queries;
mod requests;
mod settings;
#[expect(clippy::module_inception, reason = "a tab's own file, as a hub has one")]
mod tab;

pub use documents::DocKey;
pub use event::TabEvent;
pub use settings::{MakeTracer, TabSettings};
pub use tab::Tab;
