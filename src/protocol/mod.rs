//! What tabs and hubs say to each other; `docs/protocol.md` describes it for other languages.

mod by_hand;
mod envelope;
mod layered;
mod layers;
mod link;
mod messages;
mod names;
mod proof;
mod to_hub;
mod to_tab;

pub use envelope::{Envelope, EnvelopeToHub, EnvelopeToTab};
pub use layered::{HubLayers, Layered, TabLayers};
pub use layers::layer_spec;
pub use link::{HubLink, Link, TabLink};
pub use messages::*;
pub use proof::tab_id;
pub use to_hub::{OPENING, ToHub};
pub use to_tab::ToTab;

pub(crate) use by_hand::check_by_hand;
pub(crate) use proof::proves;

/// JavaScript's numbers are exact up to here.
pub(crate) const MAX_NUMBER: u64 = (1 << 53) - 1;

/// The version of the protocol. Both ends must speak the same one.
pub const PROTOCOL: u32 = 1;

/// A position in the hub's own sequence of changes of one document, from 1.
pub type Rev = u64;

/// Names a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocId {
    /// Its collection.
    pub collection: String,
    /// Its id within the collection.
    pub id: String,
}

crate::wire::wire!(open DocId { collection, id });

impl DocId {
    /// The document `id` of `collection`.
    pub fn new(collection: impl Into<String>, id: impl Into<String>) -> Self {
        DocId { collection: collection.into(), id: id.into() }
    }
}

impl std::fmt::Display for DocId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.collection, self.id)
    }
}
