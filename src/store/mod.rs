//! Where a hub keeps documents across restarts.
//!
//! A [`Store`] keeps, for each document, a *checkpoint* and a *log* of what came after it. It knows
//! nothing of what they mean: a record is bytes to it. What it promises:
//!
//! - A transaction is written as a whole or not at all, and only by the hub that opened the store
//!   last: the store counts an *epoch*, and checks it inside the transaction.
//! - To append costs what the record costs, however large the document is.
//! - A record that can't be read is reported with the document; it is never an error. The document
//!   is then to be set aside, in the transaction that writes what takes its place: the newest 16 MiB
//!   of what was set aside are kept.
//!
//! `IndexedDbStore` keeps it in the browser, [`MemoryStore`] as long as the program lives. Around
//! either, [`Encrypted`] makes the records unreadable without a key.
//!
//! ```
//! use tabmux::protocol::DocId;
//! use tabmux::store::{Durability, MemoryDisk, MemoryStore, Opening, Store, StoreError, Write};
//!
//! # futures::executor::block_on(async {
//! let disk = MemoryDisk::default();
//! let doc = DocId::new("notes", "shopping");
//!
//! let first = MemoryStore::new(&disk);
//! let opening = Opening { floor: 0, lineage: "first".into(), ..Opening::default() };
//! let epoch = first.open(opening).await?.epoch;
//! let writes = [
//!     Write::Checkpoint { doc: doc.clone(), record: b"eggs".into(), next: 0, pending: false },
//!     Write::Append { doc: doc.clone(), n: 0, record: b"+ milk".into(), pending: true },
//! ];
//! first.commit(epoch, &writes, Durability::Relaxed).await?;
//!
//! let second = MemoryStore::new(&disk);
//! let opening = Opening { floor: 0, lineage: "second".into(), ..Opening::default() };
//! let opened = second.open(opening).await?;
//! assert_eq!(opened.lineage, "first");
//! assert_eq!(opened.pending, [doc.clone()]);
//! let stored = second.read(opened.epoch, &doc).await?;
//! assert_eq!(stored.checkpoint, Some(b"eggs".into()));
//! assert_eq!(stored.log, [b"+ milk".to_vec()]);
//!
//! let late = first.commit(epoch, &[Write::Remove { doc }], Durability::Relaxed).await;
//! assert_eq!(late, Err(StoreError::Fenced { epoch, current: opened.epoch }));
//! # Ok::<(), StoreError>(())
//! # }).unwrap();
//! ```

/// How many revisions of a document, and entries of its log, there may be in the time of one epoch: those
/// of an epoch are counted from so many times its own number. The clock counts epochs by milliseconds.
pub(crate) const PER_EPOCH: u64 = 1024;

mod cipher;
mod encrypted;
mod error;
mod eviction;
mod frame;
#[cfg(target_arch = "wasm32")]
mod indexed_db;
mod inventory;
mod memory;
mod opening;
mod plan;
mod quarantine;
mod reading;
mod session;
mod stored;
mod summary;
#[cfg(target_arch = "wasm32")]
mod thrown;
mod turns;
#[cfg(target_arch = "wasm32")]
mod web_crypto;
mod write;

pub use cipher::Cipher;
pub use encrypted::Encrypted;
pub use error::StoreError;
pub use eviction::{Limits, victims};
#[cfg(target_arch = "wasm32")]
pub use indexed_db::IndexedDbStore;
pub use inventory::{DocInfo, Inventory};
pub use memory::{MemoryDisk, MemoryStore};
pub use opening::{Opened, Opening};
pub use stored::{Damage, Flaw, RecordKey, StoredDoc};
use summary::Summary;
#[cfg(target_arch = "wasm32")]
pub use web_crypto::AesGcm;
pub use write::{Durability, Write};

use crate::protocol::DocId;

/// Keeps documents across restarts of the hub.
///
/// Transactions take effect in the order in which they were asked for. Dropping a store closes it;
/// dropping the future of a method leaves open whether its transaction was written.
#[async_trait::async_trait(?Send)]
pub trait Store {
    /// What the store is called in errors.
    fn name(&self) -> &str;

    /// Opens the store and counts its epoch up, in one transaction: all who opened it before are
    /// fenced from then on. A store may be opened again, for instance after [`StoreError::Closed`].
    /// One that does not fit the key check is not opened, and nothing changes.
    async fn open(&self, opening: Opening) -> Result<Opened, StoreError>;

    /// The key check the store was opened with when it was new or cleared, if any. It need not be open,
    /// and nothing changes.
    async fn key_check(&self) -> Result<Option<Vec<u8>>, StoreError>;

    /// A document as stored; empty if it is not in the store. What can't be read is reported, and
    /// stays as it is. A document's first write is to come after it was read.
    async fn read(&self, epoch: u64, doc: &DocId) -> Result<StoredDoc, StoreError>;

    /// Makes all writes in one transaction, or none of them.
    async fn commit(
        &self,
        epoch: u64,
        writes: &[Write],
        durability: Durability,
    ) -> Result<(), StoreError>;

    /// What the store holds, without reading the records.
    async fn inventory(&self) -> Result<Inventory, StoreError>;

    /// Drops everything, the quarantine, the lineage and the key check included, in one transaction, and
    /// fences whoever has opened the store.
    async fn clear(&self, epoch: u64) -> Result<(), StoreError>;

    /// Waits until the store closes without being asked to, and says why: the user has cleared the
    /// site's data, newer code wants to change the schema, or this store is opened again. Returns at
    /// once if it is not open.
    async fn closed(&self) -> StoreError;
}
