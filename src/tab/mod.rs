//! A tab's end of the connection: its session with the hub, its requests and its documents.

mod changes;
mod documents;
mod event;
mod session;
mod settings;

pub use documents::DocKey;
pub use event::TabEvent;
pub use session::Tab;
pub use settings::{MakeTracer, TabSettings};
