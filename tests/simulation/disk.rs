//! The hub's store: a disk that takes its time, and hubs that crash at any point of a transaction.

use std::collections::{BTreeSet, VecDeque};

use futures::executor::block_on;
use rand::RngExt;
use tabmux::hub::{HubEvent, Room, StoreRequest};
use tabmux::protocol::DocId;
use tabmux::store::{
    Durability, Inventory, MemoryDisk, MemoryStore, Opened, Opening, Store, StoreError, StoredDoc,
    Write,
};

use super::tab::Common;
use super::world::{World, is_kept};

/// How long the disk takes at most to do something, and to say so.
const DELAY: u64 = 30;

/// A store and what was asked of it.
pub struct Disk {
    pub(super) disk: MemoryDisk,
    pub(super) store: MemoryStore,
    pub opened: Opened,
    /// How many transactions it is to refuse.
    refusals: u32,
    /// There is hardly any room left on the device.
    is_full: bool,
    /// The documents with damaged records.
    pub(super) damaged: BTreeSet<DocId>,
    /// Oldest first; each begins when the one before was done.
    jobs: VecDeque<Job>,
}

struct Job {
    request: StoreRequest,
    /// When it is done, and when the hub is told.
    done_at: u64,
    told_at: u64,
    answer: Option<Answer>,
}

enum Answer {
    Read(DocId, Result<StoredDoc, StoreError>),
    Committed(Result<(), StoreError>),
    Room(Room),
    Inventory(Result<Inventory, StoreError>),
    Opened(Result<Vec<DocId>, StoreError>),
}

impl Disk {
    pub fn new(disk: MemoryDisk) -> Self {
        let store = MemoryStore::new(&disk);
        let opening = Opening { floor: 0, lineage: "the disk".to_owned(), ..Opening::default() };
        let opened = block_on(store.open(opening)).expect("it opens");
        let (damaged, jobs) = (BTreeSet::new(), VecDeque::new());
        Disk { disk, store, opened, refusals: 0, is_full: false, damaged, jobs }
    }

    /// The disk as the next hub finds it. What was on its way may be done, or not.
    fn crash(mut self, is_damaged: bool, common: &mut Common) -> Disk {
        while common.rng.random_bool(0.5)
            && let Some(mut job) = self.jobs.pop_front()
        {
            if job.answer.is_none() {
                self.perform(&mut job);
            }
        }
        for _ in 0..common.rng.random_range(1..=2) * u32::from(is_damaged) {
            self.damage(common);
        }
        let refusals = std::mem::take(&mut self.refusals);
        let (is_full, damaged) = (self.is_full, self.damaged.clone());
        let next = Disk { refusals, is_full, damaged, ..Disk::new(self.disk.clone()) };
        // D1: whatever the dead hub still had on its way changes nothing.
        for mut job in std::mem::take(&mut self.jobs) {
            if job.answer.is_none() {
                self.perform(&mut job);
                if let Some(Answer::Committed(result)) = job.answer {
                    assert!(matches!(result, Err(StoreError::Fenced { .. })), "D1: {result:?}");
                }
            }
        }
        next
    }

    fn take(&mut self, request: StoreRequest, common: &mut Common) {
        let start = self.jobs.back().map_or(common.now, |job| job.done_at).max(common.now);
        let done_at = start + common.rng.random_range(0..=DELAY);
        let told_at = done_at + common.rng.random_range(0..=DELAY);
        common.trace(|| format!("the disk is asked {}, by {done_at}, {told_at}", name(&request)));
        self.jobs.push_back(Job { request, done_at, told_at, answer: None });
    }

    fn perform(&mut self, job: &mut Job) {
        let epoch = self.opened.epoch;
        job.answer = match &job.request {
            StoreRequest::Read(doc) => {
                Some(Answer::Read(doc.clone(), block_on(self.store.read(epoch, doc))))
            }
            StoreRequest::Commit(writes) => {
                if let Some(left) = self.refusals.checked_sub(1) {
                    self.refusals = left;
                    let quota = StoreError::Quota { name: "the disk".to_owned() };
                    self.disk.fail_next_commit(quota);
                }
                let result = block_on(self.store.commit(epoch, writes, Durability::Relaxed));
                if result.is_ok() {
                    self.note_set_aside(writes);
                }
                Some(Answer::Committed(result))
            }
            StoreRequest::Room => {
                let usage = if self.is_full { 95 } else { 50 };
                Some(Answer::Room(Room { usage: Some(usage), quota: Some(100) }))
            }
            StoreRequest::Inventory => Some(Answer::Inventory(block_on(self.store.inventory()))),
            StoreRequest::Open => Some(Answer::Opened(self.open_again())),
            StoreRequest::Ask { .. } => unreachable!("no tab of the simulation asks the store"),
        };
    }

    /// What takes the place of damaged records is written as they are set aside: they are not
    /// overwritten, nor does the log go on from there. A document that nobody has read can go.
    fn note_set_aside(&mut self, writes: &[Write]) {
        for write in writes {
            match write {
                Write::SetAside { doc } | Write::Remove { doc } => {
                    self.damaged.remove(doc);
                }
                Write::Append { doc, .. } | Write::Checkpoint { doc, .. } => {
                    assert!(
                        !self.damaged.contains(doc),
                        "{doc} is damaged, and written: {write:?}"
                    );
                }
                Write::Pin { .. } | Write::Use { .. } => {}
            }
        }
    }

    fn open_again(&mut self) -> Result<Vec<DocId>, StoreError> {
        let Opened { epoch, lineage, .. } = self.opened.clone();
        let succeeds = Some(epoch);
        let opening = Opening { floor: 0, lineage, succeeds, ..Opening::default() };
        self.opened = block_on(self.store.open(opening))?;
        Ok(self.opened.pending.clone())
    }

    pub fn next_time(&self) -> Option<u64> {
        let undone = self.jobs.iter().find(|job| job.answer.is_none()).map(|job| job.done_at);
        undone.into_iter().chain(self.jobs.front().map(|job| job.told_at)).min()
    }

    /// The next answer that is due.
    fn answer(&mut self, now: u64) -> Option<Answer> {
        let due = self.jobs.iter().take_while(|job| job.done_at <= now).count();
        for at in 0..due {
            let mut job = self.jobs.remove(at)?;
            if job.answer.is_none() {
                self.perform(&mut job);
            }
            self.jobs.insert(at, job);
        }
        let is_told = |job: &Job| job.answer.is_some() && job.told_at <= now;
        self.jobs.front().is_some_and(is_told).then(|| self.jobs.pop_front()?.answer)?
    }

    /// The documents it has.
    pub fn documents(&self) -> Vec<DocId> {
        let inventory = block_on(self.store.inventory()).expect("it is open");
        inventory.docs.into_iter().map(|info| info.doc).collect()
    }
}

fn name(request: &StoreRequest) -> String {
    match request {
        StoreRequest::Read(doc) => format!("for {doc}"),
        StoreRequest::Commit(writes) => {
            let docs: Vec<String> = writes.iter().map(|write| write.doc().id.clone()).collect();
            format!("to write {}", docs.join(", "))
        }
        StoreRequest::Room => "for its room".to_owned(),
        StoreRequest::Inventory => "what it has".to_owned(),
        StoreRequest::Open => "to open".to_owned(),
        StoreRequest::Ask { question, .. } => format!("{question:?}"),
    }
}

impl World {
    /// The hub has a store from now on.
    pub fn add_disk(&mut self) {
        self.disk = Some(Disk::new(MemoryDisk::default()));
        self.replace_hub();
    }

    /// The hub's thread ends at once, and another takes its place.
    pub fn crash_hub(&mut self) {
        self.crash_hub_and_damage(false);
    }

    /// As `crash_hub`; some records may be damaged then.
    pub fn crash_hub_and_damage(&mut self, is_damaged: bool) {
        let disk = self.disk.take().expect("the hub has a store");
        self.common.ledger.untold.clear();
        if self.hub.is_behind() {
            let sent = self.upstream.client.borrow_mut().take_unrecorded();
            self.common.ledger.lose_unwritten(self.epoch(), &sent);
        }
        for origin in self.upstream.client.borrow_mut().take_dropped() {
            self.common.ledger.refuse(&origin);
        }
        self.disk = Some(disk.crash(is_damaged, &mut self.common));
        self.replace_hub();
        // L3: what watches over the hub notices within a second.
        for at in 0..self.tab_count() {
            let noticed_at = self.now() + self.common.rng.random_range(0..1000);
            let id = self.driver(at).id.clone();
            self.losses.push((noticed_at, id));
        }
    }

    /// The disk has no room for so many transactions.
    pub fn refuse_to_write(&mut self, times: u32) {
        if let Some(disk) = &mut self.disk {
            disk.refusals = times;
        }
    }

    /// The device becomes full, or is no longer.
    pub fn fill_disk(&mut self, is_full: bool) {
        if let Some(disk) = &mut self.disk {
            disk.is_full = is_full;
        }
    }

    /// The browser closes the store, unless it is being opened: that is noticed once it is open.
    pub fn close_disk(&mut self) {
        let opens = |job: &Job| job.request == StoreRequest::Open;
        if let Some(disk) = self.disk.as_mut().filter(|disk| !disk.jobs.iter().any(opens)) {
            let error = disk.disk.end_sessions("the browser closed it");
            self.common.trace(|| "the disk closes".to_owned());
            self.hub.store_closed(error, self.common.now);
        }
    }

    /// Gives the disk what the hub asks of it.
    pub(super) fn ask_disk(&mut self) -> bool {
        let Some(request) = self.hub.poll_store() else { return false };
        let disk = self.disk.as_mut().expect("only a hub with a store asks");
        disk.take(request, &mut self.common);
        true
    }

    /// Tells the hub what the disk has done by now.
    pub(super) fn hear_disk(&mut self) -> bool {
        let now = self.common.now;
        let Some(answer) = self.disk.as_mut().and_then(|disk| disk.answer(now)) else {
            return false;
        };
        match answer {
            Answer::Read(doc, result) => {
                self.common.trace(|| format!("the disk has {doc}"));
                let is_kept = !self.keeps_some || is_kept(&doc);
                assert!(is_kept, "the hub has read {doc}, which it does not keep");
                if self.disk.as_ref().is_some_and(|disk| disk.damaged.contains(&doc)) {
                    self.common.ledger.must_be_told(&doc);
                }
                self.hub.stored(doc, result, now);
            }
            Answer::Committed(result) => {
                self.common.trace(|| format!("the disk has written: {result:?}"));
                self.hub.committed(result, now);
                if !self.hub.is_behind() {
                    self.upstream.client.borrow_mut().take_unrecorded();
                }
            }
            Answer::Room(room) => self.hub.room(room, now),
            Answer::Inventory(inventory) => self.hub.inventory(inventory, now, now),
            Answer::Opened(opened) => {
                self.common.trace(|| format!("the disk is open again: {opened:?}"));
                self.hub.store_opened(opened, now);
            }
        }
        true
    }

    /// The hub hears of a tab of an earlier hub that is gone.
    pub(super) fn expect(&mut self, event: &HubEvent) {
        if let HubEvent::Expected { tab } = event
            && self.gone.contains(tab)
        {
            self.ends.push((self.common.now, tab.clone()));
        }
    }
}
