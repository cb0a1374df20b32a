use crate::protocol::DocId;

/// What a store holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Every document, in the order of their ids.
    pub docs: Vec<DocInfo>,
    /// How many records were set aside because they, or others of their document, could not be
    /// read, and are still kept.
    pub quarantined: u64,
}

/// What the store knows of a document without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocInfo {
    /// The document.
    pub doc: DocId,
    /// The size of its records. After a checkpoint that left log entries in place, their part is an
    /// estimate, until a checkpoint contains them.
    pub bytes: u64,
    /// How many log entries there are after its checkpoint.
    pub entries: u64,
    /// Whether it has uncommitted ops.
    pub pending: bool,
    /// Whether it is to be kept however long it is not used.
    pub pinned: bool,
    /// When it was last used, if ever: the `at` of the last [`Write::Use`](super::Write::Use).
    pub used: Option<u64>,
}
