use tabmux_codecs::Codecs;
use tabmux_middleware::Millis;

use crate::protocol::{DocId, HubLayers};
use crate::store;

/// How long the tabs of an earlier hub may take to come back with what they hold, and the unload journal of a
/// tab that has ended.
pub(super) const GRACE: Millis = 60_000;

/// What a [`super::Hub`] is made of.
#[derive(Clone, Debug)]
pub struct HubSettings {
    /// Whose data this hub holds.
    pub identity: String,
    /// Grows with each hub of the identity; fences off older ones.
    pub epoch: u64,
    /// Names the hub and all that come after it with the same store; random without a store.
    pub lineage: String,
    /// With a store: the documents that have uncommitted ops there.
    pub stored: Option<Vec<DocId>>,
    /// How much the store is to hold at most.
    pub store_limits: store::Limits,
    /// Whether tabs may leave ops outside of the store: they are not encrypted there.
    pub unload_journals: bool,
    /// How long a document that no tab wants any more stays subscribed upstream.
    pub linger: Millis,
    /// The codecs that tabs may use.
    pub codecs: Codecs,
    /// The application's own layers, for tabs that have those of the same name.
    pub layers: HubLayers,
    /// Seeds the jitter of `retries`.
    pub seed: u64,
}
