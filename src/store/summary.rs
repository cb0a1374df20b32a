use super::DocInfo;
use crate::protocol::DocId;

/// What is kept of a document beside its records: small, so that rewriting it with every op costs
/// little, and so that an inventory need not read the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    /// The first log entry, and the one that comes next.
    pub first: u64,
    pub next: u64,
    /// The sizes of the checkpoint and of the log.
    pub checkpoint: Option<u64>,
    pub log: u64,
    pub pending: bool,
    pub pinned: bool,
    pub used: Option<u64>,
}

crate::wire::wire!(open Summary { first, next, checkpoint, log, pending, pinned, used });

impl Summary {
    /// What it adds to the cost of a transaction.
    pub const SIZE: u64 = size_of::<Summary>() as u64;

    pub fn info(&self, doc: DocId) -> DocInfo {
        DocInfo {
            doc,
            bytes: self.checkpoint.unwrap_or(0) + self.log,
            entries: self.next - self.first,
            pending: self.pending,
            pinned: self.pinned,
            used: self.used,
        }
    }
}
