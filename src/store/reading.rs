//! Puts a document together from its records; the same for every store.

use super::{Damage, Flaw, RecordKey, StoredDoc, Summary, frame};
use crate::protocol::DocId;

/// A document as read.
pub(super) struct Reading {
    pub doc: StoredDoc,
    /// The summary it is to have, if the one there is does not fit intact records.
    pub summary: Option<Summary>,
}

/// Reads the records of a document, which must be in order.
pub(super) fn read(
    doc: &DocId,
    summary: Option<Summary>,
    records: &[(RecordKey, Vec<u8>)],
) -> Reading {
    let mut stored = StoredDoc::default();
    if summary.is_none() && records.is_empty() {
        return Reading { doc: stored, summary: None };
    }
    let Err((record, flaw)) = fill(&mut stored, summary, records) else {
        let counted = recount(&stored, summary.unwrap_or_default());
        let fits = |it: Summary| (it.first, it.next) == (counted.first, counted.next);
        return Reading { doc: stored, summary: (!summary.is_some_and(fits)).then_some(counted) };
    };
    let after = records.iter().filter(|(it, _)| *it > record);
    let intact = after.filter_map(|(_, bytes)| frame::unwrap(bytes).ok());
    let rest = intact.map(|(n, payload)| (n, payload.to_vec())).collect();
    stored.damage = Some(Damage { doc: doc.clone(), record, flaw, rest });
    Reading { doc: stored, summary: None }
}

/// Fills in the good records, up to the first bad one.
fn fill(
    stored: &mut StoredDoc,
    summary: Option<Summary>,
    records: &[(RecordKey, Vec<u8>)],
) -> Result<(), (RecordKey, Flaw)> {
    let unwrap = |record, bytes| frame::unwrap(bytes).map_err(|flaw| (record, flaw));
    let mut records = records.iter().peekable();
    if let Some((_, bytes)) = records.next_if(|(record, _)| *record == RecordKey::Checkpoint) {
        let (next, payload) = unwrap(RecordKey::Checkpoint, bytes)?;
        stored.next = next;
        stored.checkpoint = Some(payload.to_vec());
    } else if summary.is_some_and(|it| it.checkpoint.is_some()) {
        return Err((RecordKey::Checkpoint, Flaw::Missing));
    }
    // What the checkpoint contains is long dropped; storage that fails may bring it back.
    let first = RecordKey::Entry(stored.next);
    for (record, bytes) in records.filter(|(record, _)| *record >= first) {
        let expected = RecordKey::Entry(stored.next);
        if *record != expected {
            return Err((expected, Flaw::Missing));
        }
        match unwrap(expected, bytes)? {
            (number, payload) if number == stored.next => stored.log.push(payload.to_vec()),
            _ => return Err((expected, Flaw::Corrupt)),
        }
        stored.next += 1;
    }
    match summary {
        Some(it) if it.next > stored.next => Err((RecordKey::Entry(stored.next), Flaw::Missing)),
        _ => Ok(()),
    }
}

/// The summary of what could be read. Whether ops are uncommitted is not known any more: a document
/// with records may have some.
fn recount(stored: &StoredDoc, before: Summary) -> Summary {
    let size = |payload: &Vec<u8>| frame::size(payload);
    Summary {
        first: stored.next - stored.log.len() as u64,
        next: stored.next,
        checkpoint: stored.checkpoint.as_ref().map(size),
        log: stored.log.iter().map(size).sum(),
        pending: stored.checkpoint.is_some() || !stored.log.is_empty(),
        ..before
    }
}
