use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use futures::channel::oneshot;
use tabmux_middleware::SortedMap;

use super::faults::{Faults, Power};
use super::{NAME, closed};
use crate::protocol::DocId;
use crate::store::opening::{check_key, check_succession};
use crate::store::plan::{self, Change, Plan};
use crate::store::session::Session;
use crate::store::{
    Inventory, Opened, Opening, RecordKey, StoreError, StoredDoc, Summary, Write, quarantine,
    reading,
};

/// What a [`MemoryStore`](super::MemoryStore) writes to. It outlives the store: a store made later
/// on the same disk finds what the first one wrote. Clones are the same disk.
///
/// Everything happens at once and in one order, unless [`hold`](Self::hold) says otherwise.
#[derive(Clone, Default)]
pub struct MemoryDisk(Rc<RefCell<State>>);

#[derive(Default)]
pub(super) struct State {
    contents: Contents,
    written: u64,
    sessions: Vec<Session>,
    pub faults: Faults,
    /// Who waits while the disk is held, and whether it is.
    pub waiting: VecDeque<oneshot::Sender<()>>,
    pub held: bool,
}

#[derive(Default)]
struct Contents {
    epoch: u64,
    lineage: Option<String>,
    key_check: Option<Vec<u8>>,
    docs: BTreeMap<DocId, DiskDocument>,
    /// The sizes of the records that were set aside, oldest first.
    quarantine: Vec<u64>,
}

#[derive(Default)]
struct DiskDocument {
    summary: Option<Summary>,
    records: SortedMap<RecordKey, Vec<u8>>,
}

impl MemoryDisk {
    pub(super) fn state(&self) -> std::cell::RefMut<'_, State> {
        self.0.borrow_mut()
    }

    pub(super) async fn turn(&self) {
        let (sender, receiver) = oneshot::channel();
        {
            let mut state = self.state();
            if !state.held && state.waiting.is_empty() {
                return;
            }
            state.waiting.push_back(sender);
        }
        // The sender only goes without a word if the disk does.
        let _ = receiver.await;
    }

    pub(super) fn open(&self, session: Session, opening: Opening) -> Result<Opened, StoreError> {
        let mut state = self.state();
        if let Some(error) = state.faults.open.take() {
            return Err(error);
        }
        let Contents { epoch, lineage, key_check, docs, quarantine } = &mut state.contents;
        let has_records = !quarantine.is_empty() || docs.values().any(|it| !it.records.is_empty());
        check_key(NAME, key_check.as_deref(), opening.key_check.as_deref(), has_records)?;
        check_succession(lineage.is_some(), *epoch, opening.succeeds)?;
        *key_check = opening.key_check;
        *epoch = opening.floor.max(*epoch + 1);
        let lineage = lineage.get_or_insert(opening.lineage).clone();
        let pending = docs.iter().filter(|(_, doc)| doc.summary.is_some_and(|it| it.pending));
        let pending = pending.map(|(doc, _)| doc.clone()).collect();
        let opened = Opened { epoch: *epoch, lineage, pending };
        state.sessions.retain(|it| it.check().is_ok());
        state.sessions.push(session);
        Ok(opened)
    }

    pub(super) fn key_check(&self) -> Option<Vec<u8>> {
        self.state().contents.key_check.clone()
    }

    pub(super) fn read(&self, epoch: u64, doc: &DocId) -> Result<StoredDoc, StoreError> {
        let State { contents, .. } = &mut *self.state();
        contents.check(epoch)?;
        let Some(document) = contents.docs.get_mut(doc) else { return Ok(StoredDoc::default()) };
        let records: Vec<_> = document.records.iter().map(|(at, it)| (*at, it.clone())).collect();
        let reading = reading::read(doc, document.summary, &records);
        document.summary = reading.summary.or(document.summary);
        Ok(reading.doc)
    }

    pub(super) fn commit(&self, epoch: u64, writes: &[Write]) -> Result<(), StoreError> {
        let state = &mut *self.state();
        let power = state.faults.power();
        if power == Power::FailsBefore {
            return Err(state.end("the power failed"));
        }
        if let Some(error) = state.faults.commit.take() {
            return Err(error);
        }
        state.contents.check(epoch)?;
        let mut plans = Vec::new();
        for (doc, writes) in plan::by_document(writes) {
            let known = state.contents.docs.get(doc).and_then(|it| it.summary);
            plans.push((doc, plan::plan(known, &writes)?));
        }
        for (doc, plan) in plans {
            state.written += state.contents.apply(doc, plan);
        }
        if power == Power::FailsAfter {
            return Err(state.end("the power failed"));
        }
        Ok(())
    }

    pub(super) fn inventory(&self) -> Inventory {
        let Contents { docs, quarantine, .. } = &self.state().contents;
        let docs = docs.iter().filter_map(|(doc, it)| Some(it.summary?.info(doc.clone())));
        Inventory { docs: docs.collect(), quarantined: quarantine.len() as u64 }
    }

    pub(super) fn clear(&self, epoch: u64) -> Result<(), StoreError> {
        let contents = &mut self.state().contents;
        contents.check(epoch)?;
        *contents = Contents { epoch: epoch + 1, ..Contents::default() };
        Ok(())
    }

    /// How many bytes all commits up to now have written.
    pub fn bytes_written(&self) -> u64 {
        self.state().written
    }
}

impl State {
    /// Ends every session, which returns the error that all of them get.
    pub(super) fn end(&mut self, reason: &str) -> StoreError {
        let error = closed(reason);
        for session in self.sessions.drain(..) {
            session.end(error.clone());
        }
        error
    }

    pub(super) fn delete(&mut self) {
        self.contents = Contents::default();
        self.end("the site's data was cleared");
    }

    pub(super) fn records(&mut self, doc: &DocId) -> Option<&mut SortedMap<RecordKey, Vec<u8>>> {
        Some(&mut self.contents.docs.get_mut(doc)?.records)
    }
}

impl Contents {
    fn check(&self, epoch: u64) -> Result<(), StoreError> {
        let current = self.epoch;
        if epoch == current { Ok(()) } else { Err(StoreError::Fenced { epoch, current }) }
    }

    /// Makes the changes, and returns how many bytes they write.
    fn apply(&mut self, doc: &DocId, plan: Plan) -> u64 {
        let mut written = 0;
        let document = self.docs.entry(doc.clone()).or_default();
        for change in plan.changes {
            match change {
                Change::Put(record, bytes) => {
                    written += bytes.len() as u64;
                    document.records.insert(record, bytes);
                }
                Change::DropBelow(next) => {
                    document.records.retain(|it, _| {
                        *it == RecordKey::Checkpoint || *it >= RecordKey::Entry(next)
                    });
                }
                Change::DropAll => document.records.clear(),
                Change::SetAllAside => {
                    let records = std::mem::take(&mut document.records);
                    self.quarantine.extend(records.values().map(|it| it.len() as u64));
                    self.quarantine.drain(..quarantine::surplus(&self.quarantine));
                }
            }
        }
        document.summary = plan.summary;
        match plan.summary {
            Some(_) => written + Summary::SIZE,
            None => {
                self.docs.remove(doc);
                written
            }
        }
    }
}
