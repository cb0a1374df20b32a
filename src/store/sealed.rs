use std::cell::RefCell;

use futures::future::try_join_all;

use super::opening::OTHER_KEY;
use super::turns::Turns;
use super::{
    Cipher, Damage, Durability, Flaw, Inventory, Opened, Opening, Record, Store, StoreError,
    StoredDoc, Write,
};
use crate::protocol::DocId;

/// What a seal is made of: it says nothing.
const SEAL: &[u8] = b"tabmux";

/// A store whose records are unreadable without a key.
///
/// Each record is sealed for its document and its number, so that it can't be put in the place of
/// another one. A record that can't be opened, by a cipher that opens the store's seal, counts as
/// corrupt; while the cipher does not open even that, reading fails and changes nothing. With another
/// key than the store was made with, so does [`open`](Store::open).
///
/// Readable without the key are the collection and id of each document, how many records it has and
/// of which size, when it was last used, whether it is pinned and has uncommitted ops, the epoch and
/// the lineage. An older state of the store or of a document that somebody puts back is not noticed.
pub struct Sealed<C> {
    store: Box<dyn Store>,
    cipher: C,
    /// What the store was opened with.
    seal: RefCell<Vec<u8>>,
    turns: Turns,
}

impl<C: Cipher> Sealed<C> {
    /// A store that seals what it gives to another.
    pub fn new(store: impl Store + 'static, cipher: C) -> Self {
        Sealed { store: Box::new(store), cipher, seal: RefCell::default(), turns: Turns::default() }
    }

    fn failed(&self, reason: &str) -> StoreError {
        let reason = format!("the cipher failed: {reason}");
        StoreError::Failed { name: self.store.name().to_owned(), reason }
    }

    /// The seal to open the store with, which is the one that was found, if there is one.
    async fn fitting(&self, found: Option<Vec<u8>>) -> Result<Vec<u8>, StoreError> {
        let Some(seal) = found else {
            return self.cipher.seal(SEAL, SEAL).await.map_err(|it| self.failed(&it));
        };
        let Err(reason) = self.break_seal(&seal).await else { return Ok(seal) };
        let reason = format!("{OTHER_KEY} ({reason})");
        Err(StoreError::Key { name: self.store.name().to_owned(), reason })
    }

    async fn break_seal(&self, seal: &[u8]) -> Result<(), String> {
        let plain = self.cipher.open(seal, SEAL).await?;
        if plain == SEAL { Ok(()) } else { Err("the seal says something else".to_owned()) }
    }

    async fn sealed(&self, write: &Write) -> Result<Write, StoreError> {
        let mut write = write.clone();
        let (context, record) = match &mut write {
            Write::Append { doc, n, record, .. } => (context(doc, Kind::Entry, *n), record),
            Write::Checkpoint { doc, next, record, .. } => {
                (context(doc, Kind::Checkpoint, *next), record)
            }
            Write::Remove { .. }
            | Write::SetAside { .. }
            | Write::Pin { .. }
            | Write::Use { .. } => return Ok(write),
        };
        let sealed = self.cipher.seal(record, &context).await;
        *record = sealed.map_err(|reason| self.failed(&reason))?;
        Ok(write)
    }

    /// Opens the records of a document as stored, up to the first that can't be opened.
    async fn opened(&self, doc: &DocId, stored: StoredDoc) -> Result<StoredDoc, StoreError> {
        let StoredDoc { checkpoint, log, next, mut damage } = stored;
        let first = next - log.len() as u64;
        let mut opened = StoredDoc { next: first, ..StoredDoc::default() };
        let mut wrong = None;
        if let Some(sealed) = &checkpoint {
            opened.checkpoint = self.opened_record(doc, Kind::Checkpoint, first, sealed).await?;
            if opened.checkpoint.is_none() {
                (wrong, opened.next) = (Some(Record::Checkpoint), 0);
            }
        }
        let rest = damage.iter_mut().flat_map(|it| std::mem::take(&mut it.rest));
        let sealed: Vec<(u64, Vec<u8>)> = (first..).zip(log).chain(rest).collect();
        let plain = sealed.iter().map(|(n, it)| self.opened_record(doc, Kind::Entry, *n, it));
        let plain = try_join_all(plain).await?;
        let mut rest = Vec::new();
        for ((n, _), plain) in sealed.iter().zip(plain) {
            match plain {
                Some(plain) if wrong.is_none() && *n < next => {
                    opened.log.push(plain);
                    opened.next += 1;
                }
                Some(plain) => rest.push((*n, plain)),
                None if *n < next => wrong = wrong.or(Some(Record::Entry(*n))),
                None => {}
            }
        }
        opened.damage = match wrong {
            Some(record) => Some(Damage { doc: doc.clone(), record, flaw: Flaw::Corrupt, rest }),
            None => damage.map(|it| Damage { rest, ..it }),
        };
        Ok(opened)
    }

    /// What a record says; nothing if it is corrupt. A cipher that fails for a moment proves nothing.
    async fn opened_record(
        &self,
        doc: &DocId,
        kind: Kind,
        number: u64,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let context = context(doc, kind, number);
        if let Ok(plain) = self.cipher.open(sealed, &context).await {
            return Ok(Some(plain));
        }
        let seal = self.seal.borrow().clone();
        self.break_seal(&seal).await.map_err(|reason| self.failed(&reason))?;
        Ok(self.cipher.open(sealed, &context).await.ok())
    }
}

enum Kind {
    Checkpoint,
    Entry,
}

/// What a record is sealed for, each field in a form that says where it ends.
fn context(doc: &DocId, kind: Kind, number: u64) -> Vec<u8> {
    let mut context = vec![kind as u8];
    context.extend(number.to_le_bytes());
    context.extend((doc.collection.len() as u64).to_le_bytes());
    context.extend(doc.collection.as_bytes());
    context.extend(doc.id.as_bytes());
    context
}

#[async_trait::async_trait(?Send)]
impl<C: Cipher> Store for Sealed<C> {
    fn name(&self) -> &str {
        self.store.name()
    }

    async fn open(&self, opening: Opening) -> Result<Opened, StoreError> {
        let _turn = self.turns.next().await;
        loop {
            let found = self.store.seal().await?;
            let seal = self.fitting(found.clone()).await?;
            self.seal.replace(seal.clone());
            match self.store.open(Opening { seal: Some(seal), ..opening.clone() }).await {
                // Somebody else has sealed or cleared it meanwhile.
                Err(StoreError::Key { .. }) if self.store.seal().await? != found => {}
                result => return result,
            }
        }
    }

    async fn seal(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.seal().await
    }

    async fn read(&self, epoch: u64, doc: &DocId) -> Result<StoredDoc, StoreError> {
        let _turn = self.turns.next().await;
        let stored = self.store.read(epoch, doc).await?;
        self.opened(doc, stored).await
    }

    async fn commit(
        &self,
        epoch: u64,
        writes: &[Write],
        durability: Durability,
    ) -> Result<(), StoreError> {
        let turn = self.turns.next();
        let sealed = try_join_all(writes.iter().map(|it| self.sealed(it))).await?;
        let _turn = turn.await;
        self.store.commit(epoch, &sealed, durability).await
    }

    async fn inventory(&self) -> Result<Inventory, StoreError> {
        let _turn = self.turns.next().await;
        self.store.inventory().await
    }

    async fn clear(&self, epoch: u64) -> Result<(), StoreError> {
        let _turn = self.turns.next().await;
        self.store.clear(epoch).await
    }

    async fn closed(&self) -> StoreError {
        self.store.closed().await
    }
}
