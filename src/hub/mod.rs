//! The hub: the single owner of the real ShareDB connection.
//!
//! [`Hub`] keeps the sessions with the tabs, [`Upstream`] is the real connection as the hub sees
//! it, and each document has its own order of changes.

mod arrival_queue;
mod arrivals;
mod away;
mod bulks;
mod by_ids;
mod caps;
mod checks;
mod context;
mod deadlines;
mod delivery;
mod doc_table;
mod document;
mod documents;
mod found;
mod handle;
mod handshake;
#[expect(clippy::module_inception, reason = "the hub's own file, as a tab has one")]
mod hub;
mod journal;
mod lineage;
mod needs;
mod peers;
mod queries;
mod reachable;
mod relay;
mod settings;
mod storage;
mod stored_docs;
mod tabs;
mod unload_journal;
mod upkeep;
mod upstream;

pub use hub::{Hub, HubEvent, MakeHubLayer};
pub use journal::{PendingOp, Restored, Sent, read_stored};
pub use peers::PeerId;
pub use settings::HubSettings;
pub use storage::StoreRequest;
pub use upkeep::Room;
pub use upstream::{
    Head, QueryResults, Reapplied, Submission, Submitted, Untold, Upstream, UpstreamEvent,
};
