//! What a transaction changes, worked out before anything is changed; the same for every store.

use tabmux_middleware::SortedMap;

use super::{RecordKey, StoreError, Summary, Write, frame};
use crate::protocol::DocId;

/// A change of a document's records.
#[derive(Debug)]
pub(super) enum Change {
    Put(RecordKey, Vec<u8>),
    /// Drops the log entries below this one, which is never the first.
    DropBelow(u64),
    DropAll,
    SetAllAside,
}

/// What a transaction does to one document.
pub(super) struct Plan {
    /// In the order in which they are to be made.
    pub changes: Vec<Change>,
    /// The document's summary from now on; none if it is gone.
    pub summary: Option<Summary>,
}

/// The writes of each document, in their order.
pub(super) fn by_document(writes: &[Write]) -> SortedMap<&DocId, Vec<&Write>> {
    let mut documents: SortedMap<_, Vec<_>> = SortedMap::default();
    for write in writes {
        documents.get_or_insert_with(write.doc(), Vec::new).push(write);
    }
    documents
}

/// What the writes of one document change.
pub(super) fn plan(known: Option<Summary>, writes: &[&Write]) -> Result<Plan, StoreError> {
    let mut plan = Plan { changes: Vec::new(), summary: known };
    for write in writes {
        plan.add(write)?;
    }
    Ok(plan)
}

impl Plan {
    fn add(&mut self, write: &Write) -> Result<(), StoreError> {
        match write {
            Write::Append { doc, n, record, pending } => {
                let summary = self.summary.get_or_insert_default();
                if *n != summary.next {
                    return Err(StoreError::Gap { doc: doc.clone(), n: *n, next: summary.next });
                }
                let bytes = frame::wrap(*n, record);
                summary.next += 1;
                summary.log += bytes.len() as u64;
                summary.pending = *pending;
                self.changes.push(Change::Put(RecordKey::Entry(*n), bytes));
            }
            Write::Checkpoint { doc, record, next, pending } => {
                let summary = self.summary.get_or_insert_default();
                if *next < summary.first {
                    let (next, first) = (*next, summary.first);
                    return Err(StoreError::OldCheckpoint { doc: doc.clone(), next, first });
                }
                let bytes = frame::wrap(*next, record);
                if *next > summary.first {
                    self.changes.push(Change::DropBelow(*next));
                }
                let entries = summary.next - summary.first;
                let kept = summary.next.saturating_sub(*next);
                summary.log = summary.log.checked_div(entries).unwrap_or(0) * kept;
                summary.first = *next;
                summary.next = summary.next.max(*next);
                summary.checkpoint = Some(bytes.len() as u64);
                summary.pending = *pending;
                self.changes.push(Change::Put(RecordKey::Checkpoint, bytes));
            }
            Write::Remove { .. } => self.empty(Change::DropAll),
            Write::SetAside { .. } => self.empty(Change::SetAllAside),
            Write::Pin { pinned, .. } => self.summary.get_or_insert_default().pinned = *pinned,
            Write::Use { at, .. } => {
                if let Some(summary) = &mut self.summary {
                    summary.used = Some(*at);
                }
            }
        }
        Ok(())
    }

    fn empty(&mut self, change: Change) {
        let pinned = self.summary.is_some_and(|it| it.pinned);
        self.summary = pinned.then(|| Summary { pinned, ..Summary::default() });
        self.changes.push(change);
    }
}
