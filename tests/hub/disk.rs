//! The store of a stage's hubs: it answers at once, or when a test says so.

use std::collections::VecDeque;
use std::rc::Rc;

use futures::executor::block_on;
use tabmux::hub::{Hub, PeerId, Room, StoreRequest};
use tabmux::protocol::DocId;
use tabmux::store::{
    DocInfo, Durability, MemoryDisk, MemoryStore, Opened, Opening, RecordKey, Store, StoredDoc,
    Write,
};

use crate::stage::Stage;

/// A store, and what its hub asked of it.
pub struct Disk {
    /// With the faults that a test wants.
    pub disk: MemoryDisk,
    store: MemoryStore,
    pub opened: Opened,
    /// What was asked and is not done yet, oldest first.
    pub requests: VecDeque<StoreRequest>,
    /// Nothing is done until [`Disk::step`] is called.
    pub is_held: bool,
    /// The transactions that were asked for, failed ones included.
    pub transactions: Vec<Rc<[Write]>>,
    /// What tabs asked.
    pub questions: Vec<StoreRequest>,
    pub reads: Vec<DocId>,
    /// How much room there is on the device.
    pub room: Room,
    /// How often it was asked what it holds.
    pub inventories: usize,
}

impl Disk {
    /// `lineage` is what a new store gets.
    pub fn new(disk: &MemoryDisk, lineage: &str) -> Self {
        let store = MemoryStore::new(disk);
        let opening = Opening { floor: 0, lineage: lineage.to_owned(), ..Opening::default() };
        let opened = block_on(store.open(opening)).expect("it opens");
        Disk {
            disk: disk.clone(),
            store,
            opened,
            requests: VecDeque::new(),
            is_held: false,
            transactions: Vec::new(),
            questions: Vec::new(),
            reads: Vec::new(),
            room: Room::default(),
            inventories: 0,
        }
    }

    /// Takes what the hub asks, and does it unless it is held. Returns whether there was something.
    pub fn serve(&mut self, hub: &mut Hub, now: u64) -> bool {
        let request = hub.poll_store();
        let was_asked = request.is_some();
        self.requests.extend(request);
        was_asked || (!self.is_held && self.step(hub, now))
    }

    /// Does what was asked first. Returns whether there was something.
    pub fn step(&mut self, hub: &mut Hub, now: u64) -> bool {
        let Some(request) = self.requests.pop_front() else { return false };
        let epoch = self.opened.epoch;
        match request {
            StoreRequest::Read(doc) => {
                self.reads.push(doc.clone());
                let stored = block_on(self.store.read(epoch, &doc));
                hub.stored(doc, stored, now);
            }
            StoreRequest::Commit(writes) => {
                let result = block_on(self.store.commit(epoch, &writes, Durability::Relaxed));
                self.transactions.push(writes);
                hub.committed(result, now);
            }
            StoreRequest::Room => hub.room(self.room, now),
            StoreRequest::Inventory => {
                let inventory = block_on(self.store.inventory());
                self.inventories += 1;
                hub.inventory(inventory, now, now);
            }
            StoreRequest::Open => {
                let opening = Opening {
                    floor: 0,
                    lineage: self.opened.lineage.clone(),
                    succeeds: Some(epoch),
                    ..Opening::default()
                };
                let opened = block_on(self.store.open(opening));
                if let Ok(opened) = &opened {
                    self.opened = opened.clone();
                }
                hub.store_opened(opened.map(|it| it.pending), now);
            }
            question @ StoreRequest::Ask { .. } => self.questions.push(question),
        }
        true
    }

    /// Writes what was asked first. The hub is not told of it.
    pub fn write_untold(&mut self) {
        let Some(StoreRequest::Commit(writes)) = self.requests.pop_front() else {
            panic!("the hub has written nothing");
        };
        let result = block_on(self.store.commit(self.opened.epoch, &writes, Durability::Relaxed));
        result.expect("the disk has no fault");
    }

    /// What it knows of a document without reading it.
    pub fn info(&self, id: &DocId) -> Option<DocInfo> {
        let inventory = block_on(self.store.inventory()).expect("it is open");
        inventory.docs.into_iter().find(|info| info.doc == *id)
    }

    /// What it has of a document.
    pub fn stored(&self, id: &DocId) -> StoredDoc {
        block_on(self.store.read(self.opened.epoch, id)).expect("it is open")
    }

    /// Spoils a record.
    pub fn spoil(&self, id: &DocId, record: RecordKey) {
        let is_there = self.disk.corrupt(id, record, |bytes| bytes[20] ^= 1);
        assert!(is_there, "there is no {record} of {id}");
    }
}

impl Stage {
    pub fn disk(&mut self) -> &mut Disk {
        self.disk.as_mut().expect("the hub has a store")
    }

    /// The disk does nothing from now on but what [`Stage::step_disk`] lets it do.
    pub fn hold_disk(&mut self) {
        self.disk().is_held = true;
    }

    /// The disk does one thing.
    pub fn step_disk(&mut self) {
        let now = self.now;
        let disk = self.disk.as_mut().expect("the hub has a store");
        assert!(disk.step(&mut self.hub, now), "the disk has something to do");
        self.settle();
    }

    /// The disk and the server do what there is to do; nothing the hub says of it arrives.
    pub fn go_unheard(&mut self) {
        let peers: Vec<PeerId> =
            self.seats.iter_mut().map(|seat| std::mem::replace(&mut seat.peer, u32::MAX)).collect();
        self.release_disk();
        self.seats.iter_mut().zip(peers).for_each(|(seat, peer)| seat.peer = peer);
    }

    pub fn release_disk(&mut self) {
        self.disk().is_held = false;
        self.settle();
    }
}
