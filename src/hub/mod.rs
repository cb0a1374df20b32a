//! The hub: the single owner of the real ShareDB connection.
//!
//! [`Hub`] keeps the sessions with the tabs, [`Upstream`] is the real connection as the hub sees
//! it, and each document has its own order of changes.

mod document;
mod documents;
mod peers;
mod queries;
mod relay;
mod sessions;
mod settings;
mod upstream;

pub use peers::PeerId;
pub use sessions::{Hub, HubEvent};
pub use settings::HubSettings;
pub use upstream::{QueryResults, Submission, Untold, Upstream, UpstreamEvent};
