use super::StoreError;
use crate::protocol::DocId;

/// What whoever opens a store brings along.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// The epoch is at least this, even if the store is new. The caller's clock in milliseconds
    /// makes sure that no epoch comes again after the user has cleared the site's data.
    pub floor: u64,
    /// The lineage of the store if it has none yet.
    pub lineage: String,
    /// The epoch that the store must still have, unless it is new or was cleared: for one who has
    /// lost it and opens it again.
    pub succeeds: Option<u64>,
    /// What tells that the key is the right one, if records are encrypted; see
    /// [`Encrypted`](super::Encrypted), which fills it in.
    pub key_check: Option<Vec<u8>>,
}

/// What [`open`](super::Store::open) found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The epoch of whoever opened the store.
    pub epoch: u64,
    /// The name of what the store has gone through since it was new or cleared: who opens a store of
    /// the same lineage knows the same revisions.
    pub lineage: String,
    /// The documents with uncommitted ops, in the order of their ids.
    pub pending: Vec<DocId>,
}

/// Refuses to open a store again that someone else has opened since; `known`: it has a lineage.
pub(super) fn check_succession(
    known: bool,
    current: u64,
    succeeds: Option<u64>,
) -> Result<(), StoreError> {
    match succeeds {
        Some(epoch) if known && epoch != current => Err(StoreError::Fenced { epoch, current }),
        _ => Ok(()),
    }
}

/// Refuses to open a store with another key check than its own. One without records takes any.
pub(super) fn check_key(
    name: &str,
    stored: Option<&[u8]>,
    given: Option<&[u8]>,
    has_records: bool,
) -> Result<(), StoreError> {
    let reason = match (stored, given) {
        (None, Some(_)) if has_records => {
            "what it holds is not encrypted: open it without a key, or clear it first"
        }
        (Some(_), None) => "it is encrypted: give the key it was encrypted with",
        (Some(stored), Some(given)) if stored != given => OTHER_KEY,
        _ => return Ok(()),
    };
    Err(StoreError::Key { name: name.to_owned(), reason: reason.to_owned() })
}

pub(super) const OTHER_KEY: &str = "it was encrypted with another key: give that one";
