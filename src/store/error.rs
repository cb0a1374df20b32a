use crate::protocol::DocId;
use crate::{Error, codes};

/// What can go wrong with a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another hub has opened the store since, or it was cleared. Nothing was written.
    #[error(
        "epoch {epoch} no longer owns the store, epoch {current} does: \
         stop, and open the store again for a new epoch"
    )]
    Fenced {
        /// The epoch that asked.
        epoch: u64,
        /// The store's epoch now.
        current: u64,
    },
    /// The store was made by newer code. It was left as it is.
    #[error(
        "the store \"{name}\" has schema {found}, and this code knows schemas up to {known}: \
         reload the page to get the newer code"
    )]
    NewerSchema {
        /// Which store.
        name: String,
        /// The store's schema.
        found: u32,
        /// The newest schema this code knows.
        known: u32,
    },
    /// The store does not fit the key, or the lack of one. It was left as it is.
    #[error("the store \"{name}\" can't be opened: {reason}")]
    Key {
        /// Which store.
        name: String,
        /// What does not fit, and what to do.
        reason: String,
    },
    /// There is no room. Nothing of the transaction was written.
    #[error(
        "there is no room left for the store \"{name}\": \
         remove documents from it, or free space on the device, and try again"
    )]
    Quota {
        /// Which store.
        name: String,
    },
    /// A tab with older code holds the store and does not let go.
    #[error("a tab with older code holds the store \"{name}\": close or reload it, and try again")]
    Blocked {
        /// Which store.
        name: String,
    },
    /// The store is not open, or no longer.
    #[error("the store \"{name}\" is not open ({reason}): open it again")]
    Closed {
        /// Which store.
        name: String,
        /// Why it is not open.
        reason: String,
    },
    /// The browser has no storage here that works, as in some private windows and sandboxed frames.
    #[error(
        "IndexedDB can't be used here ({reason}): \
         use a memory store, which lasts as long as the hub"
    )]
    Unavailable {
        /// What the browser said.
        reason: String,
    },
    /// Log entries must be appended one by one. Nothing of the transaction was written.
    #[error("log entry {n} of {doc} can't be appended: entry {next} comes next")]
    Gap {
        /// The document.
        doc: DocId,
        /// The entry to be appended.
        n: u64,
        /// The entry that comes next.
        next: u64,
    },
    /// A checkpoint must reach to where the stored log starts. Nothing of the transaction was
    /// written.
    #[error(
        "a checkpoint of {doc} up to log entry {next} is too old: \
         the entries before {first} are gone"
    )]
    OldCheckpoint {
        /// The document.
        doc: DocId,
        /// The first log entry that the checkpoint does not contain.
        next: u64,
        /// The first log entry in the store.
        first: u64,
    },
    /// The store takes too long. What was asked may be done yet, unless it is opened again.
    #[error(
        "the store \"{name}\" failed: the browser or the cipher did not answer for {seconds} seconds"
    )]
    Unanswered {
        /// Which store.
        name: String,
        /// How long that was.
        seconds: u64,
    },
    /// Anything else the browser refused. Nothing of the transaction was written.
    #[error("the store \"{name}\" failed: {reason}")]
    Failed {
        /// Which store.
        name: String,
        /// What the browser said.
        reason: String,
    },
}

impl StoreError {
    /// One of the stable codes.
    pub fn code(&self) -> &'static str {
        match self {
            StoreError::Fenced { .. } => codes::STORE_FENCED,
            StoreError::NewerSchema { .. } => codes::STORE_NEWER_SCHEMA,
            StoreError::Key { .. } => codes::STORE_KEY,
            StoreError::Quota { .. } => codes::STORE_QUOTA,
            StoreError::Blocked { .. } => codes::STORE_BLOCKED,
            StoreError::Closed { .. } => codes::STORE_CLOSED,
            StoreError::Unavailable { .. } => codes::STORE_UNAVAILABLE,
            StoreError::Gap { .. }
            | StoreError::OldCheckpoint { .. }
            | StoreError::Unanswered { .. }
            | StoreError::Failed { .. } => codes::STORE_FAILED,
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Error::new(error.code(), error.to_string())
    }
}
