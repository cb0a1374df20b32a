use crate::protocol::DocId;

/// One change of a transaction. The store does not look into records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Adds a record to the end of a document's log.
    Append {
        /// The document; it need not be in the store yet.
        doc: DocId,
        /// The number of the new entry: [`StoredDoc::next`](super::StoredDoc::next), then one more
        /// each time. A document's first entry is 0.
        n: u64,
        /// What to keep.
        record: Vec<u8>,
        /// Whether the document has uncommitted ops after this write.
        pending: bool,
    },
    /// Replaces a document's checkpoint, and drops the log entries it contains.
    Checkpoint {
        /// The document; it need not be in the store yet.
        doc: DocId,
        /// What to keep.
        record: Vec<u8>,
        /// The first log entry that the checkpoint does not contain: those below are dropped.
        next: u64,
        /// Whether the document has uncommitted ops after this write.
        pending: bool,
    },
    /// Drops all records of a document, uncommitted ops included. One that is pinned stays so.
    Remove {
        /// The document.
        doc: DocId,
    },
    /// Moves all records of a document to the quarantine, as some of them can't be read. One that is
    /// pinned stays so.
    SetAside {
        /// The document.
        doc: DocId,
    },
    /// Says whether a document is to be kept however long it is not used.
    Pin {
        /// The document; it need not be in the store yet.
        doc: DocId,
        /// Whether it is to be kept.
        pinned: bool,
    },
    /// Says when a document was last used. Does nothing if it is not in the store.
    Use {
        /// The document.
        doc: DocId,
        /// When, in milliseconds of the caller's clock.
        at: u64,
    },
}

impl Write {
    /// The document this changes.
    pub fn doc(&self) -> &DocId {
        match self {
            Write::Append { doc, .. }
            | Write::Checkpoint { doc, .. }
            | Write::Remove { doc }
            | Write::SetAside { doc }
            | Write::Pin { doc, .. }
            | Write::Use { doc, .. } => doc,
        }
    }
}

/// What a transaction that succeeded survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The end of the browser, also by a crash. Much quicker.
    #[default]
    Relaxed,
    /// A power failure or a crash of the operating system, too.
    Strict,
}
