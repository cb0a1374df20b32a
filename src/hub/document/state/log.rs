use crate::hub::journal::{LogEntry, Placed};
use crate::ot::Op;

/// A log is replaced by a checkpoint when it has so many entries, and as many as there are changes in
/// the checkpoint…
const ENTRIES: u64 = 1000;
/// …or when it is larger than the last checkpoint, and than this.
const SIZE: u64 = 64 * 1024;

/// The document's log in the store.
#[derive(Default)]
pub(in crate::hub::document) struct Log {
    /// The number of the next entry.
    next: u64,
    entries: u64,
    size: u64,
    /// That of the last checkpoint; 0 if there is none yet.
    checkpoint_size: u64,
    /// The upstream version as of the last entry.
    version: Option<u64>,
    /// A checkpoint can't be encoded: it is told, and the log goes on without.
    is_unfit: bool,
}

impl Log {
    /// A log without a checkpoint, whose first entry has this number.
    pub fn starting_at(next: u64) -> Self {
        Log { next, ..Log::default() }
    }

    /// Goes on with a log that is in the store as of this upstream version: so many entries of this size
    /// in all, after a checkpoint of that size.
    pub fn resume(
        next: u64,
        (entries, size): (u64, u64),
        checkpoint_size: u64,
        version: Option<u64>,
    ) -> Self {
        Log { next, entries, size, checkpoint_size, version, is_unfit: false }
    }

    /// The number of the next entry.
    pub fn next(&self) -> u64 {
        self.next
    }

    pub fn has_checkpoint(&self) -> bool {
        self.checkpoint_size > 0
    }

    /// Whether an entry can say what happened, after those there are.
    pub fn can_say(&mut self, record: &LogEntry) -> bool {
        match record {
            // ShareDB may have dropped what the log has, and takes a creation then.
            LogEntry::Placed(Placed { op: Op::Create(_), .. }) => false,
            LogEntry::Placed(_) | LogEntry::Refused { .. } | LogEntry::Sending(_) => true,
            LogEntry::Changed { change, .. } => {
                // ShareDB is silent about changes that do nothing.
                let follows = change.version == self.version.map(|version| version + 1);
                if follows {
                    self.version = change.version;
                }
                follows
            }
            LogEntry::Committed { version, .. } => {
                let last = std::mem::replace(&mut self.version, *version);
                last.is_none() || last == *version || last.map(|last| last + 1) == *version
            }
        }
    }

    /// Adds an entry of this size, and returns its number.
    pub fn append(&mut self, size: usize) -> u64 {
        self.entries += 1;
        self.size += size as u64;
        self.next += 1;
        self.next - 1
    }

    /// Whether a checkpoint, which would have so many changes, is to take its place.
    pub fn is_long(&self, kept: usize) -> bool {
        let entries = ENTRIES.max(kept as u64);
        self.entries >= entries || self.size >= self.checkpoint_size.max(SIZE)
    }

    /// The document as a whole is of this upstream version.
    pub fn reach(&mut self, version: Option<u64>) {
        self.version = version;
    }

    /// A checkpoint of this size takes the place of the entries.
    pub fn checkpoint(&mut self, size: usize) {
        (self.entries, self.size, self.checkpoint_size) = (0, 0, size as u64);
        self.is_unfit = false;
    }

    /// A checkpoint can't be encoded. Returns whether that is new.
    pub fn note_unfit(&mut self) -> bool {
        !std::mem::replace(&mut self.is_unfit, true)
    }

    /// It goes on without a checkpoint, until it is as long again.
    pub fn go_on(&mut self) {
        (self.entries, self.size) = (0, 0);
    }
}
