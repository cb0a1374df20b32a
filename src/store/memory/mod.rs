mod disk;
mod faults;

use std::cell::RefCell;

pub use disk::MemoryDisk;

use super::session::Session;
use super::{Durability, Inventory, Opened, Opening, Store, StoreError, StoredDoc, Write};
use crate::protocol::DocId;

const NAME: &str = "memory";

/// A store on a [`MemoryDisk`]: for browsers without IndexedDB, and for tests, whose disk can fail
/// in every way.
///
/// Two stores on one disk are what two hubs are on one IndexedDB.
#[derive(Default)]
pub struct MemoryStore {
    disk: MemoryDisk,
    session: RefCell<Option<Session>>,
}

impl MemoryStore {
    /// A store on a disk.
    pub fn new(disk: &MemoryDisk) -> Self {
        MemoryStore { disk: disk.clone(), session: RefCell::default() }
    }

    fn session(&self) -> Result<Session, StoreError> {
        self.session.borrow().clone().ok_or_else(|| closed("it was not opened"))
    }

    /// Waits for the disk, and for what was asked of it before.
    async fn turn(&self) -> Result<(), StoreError> {
        let session = self.session()?;
        session.check()?;
        self.disk.turn().await;
        session.check()
    }
}

fn closed(reason: &str) -> StoreError {
    StoreError::Closed { name: NAME.to_owned(), reason: reason.to_owned() }
}

#[async_trait::async_trait(?Send)]
impl Store for MemoryStore {
    fn name(&self) -> &str {
        NAME
    }

    async fn open(&self, opening: Opening) -> Result<Opened, StoreError> {
        self.disk.turn().await;
        let session = Session::default();
        let opened = self.disk.open(session.clone(), opening)?;
        if let Some(before) = self.session.replace(Some(session)) {
            before.end(closed("it was opened again"));
        }
        Ok(opened)
    }

    async fn key_check(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.disk.turn().await;
        Ok(self.disk.key_check())
    }

    async fn read(&self, epoch: u64, doc: &DocId) -> Result<StoredDoc, StoreError> {
        self.turn().await?;
        self.disk.read(epoch, doc)
    }

    async fn commit(
        &self,
        epoch: u64,
        writes: &[Write],
        _durability: Durability,
    ) -> Result<(), StoreError> {
        self.turn().await?;
        self.disk.commit(epoch, writes)
    }

    async fn inventory(&self) -> Result<Inventory, StoreError> {
        self.turn().await?;
        Ok(self.disk.inventory())
    }

    async fn clear(&self, epoch: u64) -> Result<(), StoreError> {
        self.turn().await?;
        self.disk.clear(epoch)
    }

    async fn closed(&self) -> StoreError {
        match self.session() {
            Ok(session) => session.ended().await,
            Err(error) => error,
        }
    }
}
