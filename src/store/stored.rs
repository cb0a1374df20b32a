use std::fmt;

use crate::protocol::DocId;

/// A document as stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredDoc {
    /// The record of its last checkpoint.
    pub checkpoint: Option<Vec<u8>>,
    /// The records of the log entries after the checkpoint, oldest first.
    pub log: Vec<Vec<u8>>,
    /// The number of the next entry to append.
    pub next: u64,
    /// What can't be read: until the document is [set aside](super::Write::SetAside), every reading
    /// says so.
    pub damage: Option<Damage>,
}

/// A record that can't be read. The records before it are the document as it was before that record
/// was written: nobody may go on from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The document.
    pub doc: DocId,
    /// The first record that can't be read.
    pub record: RecordKey,
    /// What is wrong with it.
    pub flaw: Flaw,
    /// The numbers and records of the intact log entries after it, oldest first. They can't be
    /// applied any more, but may hold ops that are nowhere else.
    pub rest: Vec<(u64, Vec<u8>)>,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damage { doc, record, flaw, rest } = self;
        write!(f, "the stored {record} of {doc} {flaw}")?;
        match rest.len() {
            0 => Ok(()),
            count => write!(f, ", with {count} after it"),
        }
    }
}

/// Which record of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordKey {
    /// The checkpoint.
    Checkpoint,
    /// The log entry of this number.
    Entry(u64),
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordKey::Checkpoint => write!(f, "checkpoint"),
            RecordKey::Entry(n) => write!(f, "log entry {n}"),
        }
    }
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It is not there.
    #[error("is missing")]
    Missing,
    /// Its bytes are not those that were written.
    #[error("is corrupt")]
    Corrupt,
    /// Its format is not known here.
    #[error("has the unknown format {0}")]
    Format(u8),
}
