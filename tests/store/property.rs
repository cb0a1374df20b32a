//! Any sequence of writes, crashes and damage, against a model.

use std::collections::BTreeMap;

use futures::executor::block_on;
use proptest::prelude::*;
use tabmux::protocol::DocId;
use tabmux::store::{
    Durability, MemoryDisk, MemoryStore, Opening, RecordKey, Store, StoreError, StoredDoc, Write,
};

use crate::behaviour::doc;

const DOCS: [&str; 3] = ["a", "b", "c"];

/// Something to do with a document of [`DOCS`].
#[derive(Clone, Debug)]
enum Edit {
    Append(Vec<u8>),
    /// A checkpoint that leaves so many of the last entries in the log.
    Checkpoint {
        keep: u64,
        record: Vec<u8>,
    },
    Remove,
    SetAside,
}

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<(usize, Edit)>),
    /// The power fails before or after this commit.
    Crash {
        after: bool,
        edits: Vec<(usize, Edit)>,
    },
    /// No room for this commit.
    Full(Vec<(usize, Edit)>),
    /// Another hub opens the store, and the one before tries once more.
    Displace(Vec<(usize, Edit)>),
    /// One bit of a record is another, counted through its bytes.
    Flip {
        doc: usize,
        record: usize,
        bit: usize,
    },
    Lose {
        doc: usize,
        record: usize,
    },
    Read(usize),
}

fn edits() -> impl Strategy<Value = Vec<(usize, Edit)>> {
    let record = || prop::collection::vec(any::<u8>(), 0..20);
    let edit = prop_oneof![
        6 => record().prop_map(Edit::Append),
        2 => (0..4u64, record()).prop_map(|(keep, record)| Edit::Checkpoint { keep, record }),
        1 => Just(Edit::Remove),
        1 => Just(Edit::SetAside),
    ];
    prop::collection::vec((0..DOCS.len(), edit), 0..6)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let doc = || 0..DOCS.len();
    let step = prop_oneof![
        8 => edits().prop_map(Step::Commit),
        2 => (any::<bool>(), edits()).prop_map(|(after, edits)| Step::Crash { after, edits }),
        1 => edits().prop_map(Step::Full),
        1 => edits().prop_map(Step::Displace),
        1 => (doc(), 0..8usize, 0..300usize)
            .prop_map(|(doc, record, bit)| Step::Flip { doc, record, bit }),
        1 => (doc(), 0..8usize).prop_map(|(doc, record)| Step::Lose { doc, record }),
        3 => doc().prop_map(Step::Read),
    ];
    prop::collection::vec(step, 1..30)
}

/// What a document must be.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    checkpoint: Option<Vec<u8>>,
    log: Vec<Vec<u8>>,
    next: u64,
    /// The records spoiled since.
    spoiled: Vec<RecordKey>,
}

impl Model {
    fn first(&self) -> u64 {
        self.next - self.log.len() as u64
    }

    /// The record of this index, counted from the checkpoint on.
    fn record(&self, index: usize) -> Option<RecordKey> {
        match (&self.checkpoint, index) {
            (Some(_), 0) => Some(RecordKey::Checkpoint),
            (checkpoint, index) => {
                let entry = self.first() + (index - usize::from(checkpoint.is_some())) as u64;
                (entry < self.next).then_some(RecordKey::Entry(entry))
            }
        }
    }

    /// Makes the edit, and returns the write for it.
    fn edit(&mut self, id: &str, edit: &Edit) -> Write {
        let doc = doc(id);
        match edit {
            Edit::Append(record) => {
                let (n, record) = (self.next, record.clone());
                self.log.push(record.clone());
                self.next += 1;
                Write::Append { doc, n, record, pending: true }
            }
            Edit::Checkpoint { keep, record } => {
                let next = self.next.saturating_sub(*keep).max(self.first());
                self.log.drain(..(next - self.first()) as usize);
                self.checkpoint = Some(record.clone());
                self.spoiled.retain(|it| *it >= RecordKey::Entry(next));
                Write::Checkpoint { doc, next, record: record.clone(), pending: false }
            }
            Edit::Remove => {
                *self = Model::default();
                Write::Remove { doc }
            }
            Edit::SetAside => {
                *self = Model::default();
                Write::SetAside { doc }
            }
        }
    }

    /// The records before the first spoiled one.
    fn readable(&self) -> Model {
        let Some(first_bad) = self.spoiled.iter().min() else { return self.clone() };
        match *first_bad {
            RecordKey::Checkpoint => Model::default(),
            RecordKey::Entry(n) => {
                let log = self.log[..(n - self.first()) as usize].to_vec();
                Model { log, next: n, spoiled: vec![], ..self.clone() }
            }
        }
    }
}

type Models = BTreeMap<&'static str, Model>;

struct Run {
    disk: MemoryDisk,
    store: MemoryStore,
    epoch: u64,
    models: Models,
}

impl Run {
    fn new() -> Self {
        let disk = MemoryDisk::default();
        let store = MemoryStore::new(&disk);
        let epoch = block_on(store.open(Opening::default())).unwrap().epoch;
        let models = DOCS.map(|id| (id, Model::default())).into();
        Run { disk, store, epoch, models }
    }

    fn open(&mut self) -> MemoryStore {
        let store = MemoryStore::new(&self.disk);
        self.epoch = block_on(store.open(Opening::default())).unwrap().epoch;
        std::mem::replace(&mut self.store, store)
    }

    /// What the documents are to be after some edits, and the writes that make them so.
    fn plan(&self, edits: &[(usize, Edit)]) -> (Models, Vec<Write>) {
        let mut models = self.models.clone();
        let mut write = |(doc, edit): &(usize, Edit)| {
            let id = DOCS[*doc];
            models.entry(id).or_default().edit(id, edit)
        };
        let writes = edits.iter().map(&mut write).collect();
        (models, writes)
    }

    fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        block_on(self.store.commit(self.epoch, writes, Durability::Relaxed))
    }

    /// Reads a document, which changes nothing.
    fn read(&self, id: &'static str) {
        let stored = block_on(self.store.read(self.epoch, &doc(id))).unwrap();
        let model = &self.models[id];
        let StoredDoc { checkpoint, log, next, damage } = stored;
        assert_eq!(damage.map(|it| it.record), model.spoiled.iter().min().copied());
        assert_eq!(Model { checkpoint, log, next, spoiled: vec![] }, model.readable());
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Commit(edits) => {
                let (models, writes) = self.plan(edits);
                self.commit(&writes).unwrap();
                self.models = models;
            }
            Step::Crash { after, edits } => {
                if *after {
                    self.disk.crash_after_commit(1);
                } else {
                    self.disk.crash_before_commit(1);
                }
                let (models, writes) = self.plan(edits);
                let result = self.commit(&writes);
                assert!(matches!(result, Err(StoreError::Closed { .. })), "{result:?}");
                if *after {
                    self.models = models;
                }
                self.open();
            }
            Step::Full(edits) => {
                let quota = StoreError::Quota { name: "memory".into() };
                self.disk.fail_next_commit(quota.clone());
                assert_eq!(self.commit(&self.plan(edits).1), Err(quota));
            }
            Step::Displace(edits) => {
                let epoch = self.epoch;
                let old = self.open();
                let (_, writes) = self.plan(edits);
                let late = block_on(old.commit(epoch, &writes, Durability::Relaxed));
                assert_eq!(late, Err(StoreError::Fenced { epoch, current: self.epoch }));
            }
            Step::Flip { doc: at, record, bit } => {
                self.spoil(*at, *record, |disk, doc, record| {
                    disk.corrupt(doc, record, |bytes| {
                        let bit = bit % (bytes.len() * 8);
                        bytes[bit / 8] ^= 1 << (bit % 8);
                    })
                });
            }
            Step::Lose { doc: at, record } => {
                self.spoil(*at, *record, |disk, doc, record| disk.lose(doc, record));
            }
            Step::Read(doc) => self.read(DOCS[*doc]),
        }
    }

    /// Spoils a record that is still good.
    fn spoil(
        &mut self,
        at: usize,
        index: usize,
        spoil: impl FnOnce(&MemoryDisk, &DocId, RecordKey) -> bool,
    ) {
        let model = self.models.get_mut(DOCS[at]).unwrap();
        let record = model.record(index).filter(|it| !model.spoiled.contains(it));
        if let Some(record) = record {
            assert!(spoil(&self.disk, &doc(DOCS[at]), record));
            model.spoiled.push(record);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_document_reads_as_it_was_committed_up_to_the_first_damage(steps in steps()) {
        let mut run = Run::new();
        for step in &steps {
            run.take(step);
        }
        run.open();
        for id in DOCS {
            run.read(id);
        }
    }
}
