use super::MemoryDisk;
use crate::protocol::DocId;
use crate::store::{RecordKey, StoreError};

/// What is to go wrong.
#[derive(Default)]
pub(super) struct Faults {
    pub open: Option<StoreError>,
    pub commit: Option<StoreError>,
    /// How many commits from now the power fails, and whether that one is written.
    power: Option<(u64, Power)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    Stays,
    FailsBefore,
    FailsAfter,
}

impl Faults {
    /// What becomes of the power at the commit that is made now.
    pub fn power(&mut self) -> Power {
        match &mut self.power {
            Some((1, power)) => {
                let power = *power;
                self.power = None;
                power
            }
            Some((commits, _)) => {
                *commits -= 1;
                Power::Stays
            }
            None => Power::Stays,
        }
    }
}

/// Faults, for tests.
impl MemoryDisk {
    /// The next opening fails, and does not count.
    pub fn fail_next_open(&self, error: StoreError) {
        self.state().faults.open = Some(error);
    }

    /// The next commit fails, and writes nothing.
    pub fn fail_next_commit(&self, error: StoreError) {
        self.state().faults.commit = Some(error);
    }

    /// The power fails just before the commit that many from now, 1 being the next: nothing of it
    /// is there afterwards. Stores must be opened again.
    pub fn crash_before_commit(&self, commits: u64) {
        self.state().faults.power = Some((commits.max(1), Power::FailsBefore));
    }

    /// The power fails just after the commit that many from now, 1 being the next: all of it is
    /// there afterwards, but whoever asked for it is not told. Stores must be opened again.
    pub fn crash_after_commit(&self, commits: u64) {
        self.state().faults.power = Some((commits.max(1), Power::FailsAfter));
    }

    /// Every store on the disk closes, with this error; each can be opened again.
    pub fn end_sessions(&self, reason: &str) -> StoreError {
        self.state().end(reason)
    }

    /// Clears the disk while it is in use, as users clear a site's data: even the epoch is gone.
    pub fn delete(&self) {
        self.state().delete();
    }

    /// Changes a record's bytes. Returns whether there is such a record.
    pub fn corrupt(
        &self,
        doc: &DocId,
        record: RecordKey,
        change: impl FnOnce(&mut Vec<u8>),
    ) -> bool {
        let mut state = self.state();
        let record = state.records(doc).and_then(|it| it.get_mut(&record));
        record.map(change).is_some()
    }

    /// Drops a record. Returns whether there was one.
    pub fn lose(&self, doc: &DocId, record: RecordKey) -> bool {
        self.state().records(doc).and_then(|it| it.remove(&record)).is_some()
    }

    /// What is asked of stores on this disk waits from now on.
    pub fn hold(&self) {
        self.state().held = true;
    }

    /// Lets the one that waits longest go on. Returns whether one waited.
    pub fn step(&self) -> bool {
        let next = self.state().waiting.pop_front();
        next.is_some_and(|waiting| waiting.send(()).is_ok())
    }

    /// Ends [`hold`](Self::hold), and lets all that waits go on.
    pub fn release(&self) {
        self.state().held = false;
        while self.step() {}
    }
}
