//! What every store owes its users, on a memory disk; and the faults of such a disk.

use futures::FutureExt;
use futures::executor::block_on;
use tabmux::protocol::DocId;
use tabmux::store::{
    Durability, MemoryDisk, MemoryStore, Opening, RecordKey, Store, StoreError, StoredDoc, Write,
};

use crate::behaviour::{self, Place, append, behaviours, checkpoint, doc};

impl Place for MemoryDisk {
    type Store = MemoryStore;

    fn store(&self) -> MemoryStore {
        MemoryStore::new(self)
    }

    async fn corrupt(&self, doc: &DocId, record: RecordKey, change: fn(&mut Vec<u8>)) {
        assert!(MemoryDisk::corrupt(self, doc, record, change), "{record} of {doc} is not there");
    }

    async fn lose(&self, doc: &DocId, record: RecordKey) {
        assert!(MemoryDisk::lose(self, doc, record), "{record} of {doc} is not there");
    }

    async fn delete(&self) {
        MemoryDisk::delete(self);
    }
}

macro_rules! on_a_memory_disk {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                block_on(behaviour::$name(MemoryDisk::default()));
            }
        )*
    };
}
behaviours!(on_a_memory_disk);

/// Opens a store on a disk.
fn open(disk: &MemoryDisk) -> (MemoryStore, u64) {
    let store = MemoryStore::new(disk);
    let epoch = block_on(store.open(Opening::default())).unwrap().epoch;
    (store, epoch)
}

fn commit(store: &MemoryStore, epoch: u64, writes: &[Write]) -> Result<(), StoreError> {
    block_on(store.commit(epoch, writes, Durability::Relaxed))
}

fn read(store: &MemoryStore, epoch: u64, id: &str) -> StoredDoc {
    block_on(store.read(epoch, &doc(id))).unwrap()
}

#[test]
fn d4_an_append_writes_as_much_whatever_the_size_of_the_document() {
    let [small, large] = [1 << 10, 1 << 20].map(|size| {
        let disk = MemoryDisk::default();
        let (store, epoch) = open(&disk);
        commit(&store, epoch, &[checkpoint("a", 0, &"x".repeat(size))]).unwrap();
        let before = disk.bytes_written();
        assert!(before > size as u64);
        for n in 0..100 {
            commit(&store, epoch, &[append("a", n, &"y".repeat(100))]).unwrap();
        }
        (disk.bytes_written() - before) / 100
    });
    assert_eq!(small, large);
    assert!((100..300).contains(&small), "{small} bytes were written for an op of 100");
}

#[test]
fn f15_a_full_disk_loses_nothing_that_was_there() {
    let disk = MemoryDisk::default();
    let (store, epoch) = open(&disk);
    commit(&store, epoch, &[append("a", 0, "zero")]).unwrap();
    let quota = StoreError::Quota { name: "memory".into() };
    disk.fail_next_commit(quota.clone());
    assert_eq!(commit(&store, epoch, &[append("a", 1, "one")]), Err(quota));
    assert_eq!(read(&store, epoch, "a").next, 1);
    commit(&store, epoch, &[append("a", 1, "one")]).unwrap();
    assert_eq!(read(&store, epoch, "a").next, 2);
}

#[test]
fn an_opening_that_fails_fences_nobody() {
    let disk = MemoryDisk::default();
    let (store, epoch) = open(&disk);
    let blocked = StoreError::Blocked { name: "memory".into() };
    disk.fail_next_open(blocked.clone());
    assert_eq!(block_on(MemoryStore::new(&disk).open(Opening::default())), Err(blocked));
    commit(&store, epoch, &[append("a", 0, "zero")]).unwrap();
}

#[test]
fn a_crash_before_a_commit_leaves_nothing_of_it_and_a_crash_after_it_everything() {
    for (after, left) in [(false, 2), (true, 3)] {
        let disk = MemoryDisk::default();
        let (store, epoch) = open(&disk);
        if after {
            disk.crash_after_commit(3);
        } else {
            disk.crash_before_commit(3);
        }
        for n in 0..2 {
            commit(&store, epoch, &[append("a", n, "op")]).unwrap();
        }
        let error = commit(&store, epoch, &[append("a", 2, "op")]).unwrap_err();
        assert!(matches!(error, StoreError::Closed { .. }), "{error}");
        assert_eq!(commit(&store, epoch, &[append("a", 2, "op")]), Err(error));

        let (store, epoch) = open(&disk);
        assert_eq!(read(&store, epoch, "a").next, left);
    }
}

#[test]
fn while_a_disk_is_held_everything_waits_its_turn() {
    let disk = MemoryDisk::default();
    let (store, epoch) = open(&disk);
    let writes = [append("a", 0, "op")];
    disk.hold();
    let mut commit = store.commit(epoch, &writes, Durability::Relaxed);
    let a = doc("a");
    let mut read = store.read(epoch, &a);
    assert_eq!(commit.as_mut().now_or_never(), None);
    assert_eq!(read.as_mut().now_or_never(), None);

    assert!(disk.step());
    assert_eq!(read.as_mut().now_or_never(), None);
    assert_eq!(commit.as_mut().now_or_never(), Some(Ok(())));
    disk.release();
    assert_eq!(read.as_mut().now_or_never().unwrap().unwrap().next, 1);
    assert!(!disk.step());
}
