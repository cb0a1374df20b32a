use std::cell::RefCell;

use futures::future::try_join_all;

use super::opening::OTHER_KEY;
use super::turns::Turns;
use super::{
    Cipher, Damage, Durability, Flaw, Inventory, Opened, Opening, RecordKey, Store, StoreError,
    StoredDoc, Write,
};
use crate::protocol::DocId;

/// What the key check is made of: it says nothing.
const KEY_CHECK: &[u8] = b"tabmux";

/// A store whose records are unreadable without a key.
///
/// Each record is encrypted for its document and its number, so that it can't be put in the place of
/// another one. A record that can't be decrypted, by a cipher that decrypts the store's key check, counts as
/// corrupt; while the cipher does not open even that, reading fails and changes nothing. With another
/// key than the store was made with, so does [`open`](Store::open).
///
/// Readable without the key are the collection and id of each document, how many records it has and
/// of which size, when it was last used, whether it is pinned and has uncommitted ops, the epoch and
/// the lineage. An older state of the store or of a document that somebody puts back is not noticed.
pub struct Encrypted<C> {
    store: Box<dyn Store>,
    cipher: C,
    /// What the store was opened with.
    key_check: RefCell<Vec<u8>>,
    turns: Turns,
}

impl<C: Cipher> Encrypted<C> {
    /// A store that encrypts what it gives to another.
    pub fn new(store: impl Store + 'static, cipher: C) -> Self {
        Encrypted {
            store: Box::new(store),
            cipher,
            key_check: RefCell::default(),
            turns: Turns::default(),
        }
    }

    fn failed(&self, reason: &str) -> StoreError {
        let reason = format!("the cipher failed: {reason}");
        StoreError::Failed { name: self.store.name().to_owned(), reason }
    }

    /// The key check to open the store with, which is the one that was found, if there is one.
    async fn fitting(&self, found: Option<Vec<u8>>) -> Result<Vec<u8>, StoreError> {
        let Some(key_check) = found else {
            return self.cipher.encrypt(KEY_CHECK, KEY_CHECK).await.map_err(|it| self.failed(&it));
        };
        let Err(reason) = self.verify_key_check(&key_check).await else { return Ok(key_check) };
        let reason = format!("{OTHER_KEY} ({reason})");
        Err(StoreError::Key { name: self.store.name().to_owned(), reason })
    }

    async fn verify_key_check(&self, key_check: &[u8]) -> Result<(), String> {
        let plain = self.cipher.decrypt(key_check, KEY_CHECK).await?;
        if plain == KEY_CHECK {
            Ok(())
        } else {
            Err("the key check says something else".to_owned())
        }
    }

    async fn encrypted(&self, write: &Write) -> Result<Write, StoreError> {
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
        let encrypted = self.cipher.encrypt(record, &context).await;
        *record = encrypted.map_err(|reason| self.failed(&reason))?;
        Ok(write)
    }

    /// Opens the records of a document as stored, up to the first that can't be opened.
    async fn decrypted(&self, doc: &DocId, stored: StoredDoc) -> Result<StoredDoc, StoreError> {
        let StoredDoc { checkpoint, log, next, mut damage } = stored;
        let first = next - log.len() as u64;
        let mut opened = StoredDoc { next: first, ..StoredDoc::default() };
        let mut wrong = None;
        if let Some(encrypted) = &checkpoint {
            opened.checkpoint =
                self.decrypted_record(doc, Kind::Checkpoint, first, encrypted).await?;
            if opened.checkpoint.is_none() {
                (wrong, opened.next) = (Some(RecordKey::Checkpoint), 0);
            }
        }
        let rest = damage.iter_mut().flat_map(|it| std::mem::take(&mut it.rest));
        let encrypted: Vec<(u64, Vec<u8>)> = (first..).zip(log).chain(rest).collect();
        let plain = encrypted.iter().map(|(n, it)| self.decrypted_record(doc, Kind::Entry, *n, it));
        let plain = try_join_all(plain).await?;
        let mut rest = Vec::new();
        for ((n, _), plain) in encrypted.iter().zip(plain) {
            match plain {
                Some(plain) if wrong.is_none() && *n < next => {
                    opened.log.push(plain);
                    opened.next += 1;
                }
                Some(plain) => rest.push((*n, plain)),
                None if *n < next => wrong = wrong.or(Some(RecordKey::Entry(*n))),
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
    async fn decrypted_record(
        &self,
        doc: &DocId,
        kind: Kind,
        number: u64,
        encrypted: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let context = context(doc, kind, number);
        if let Ok(plain) = self.cipher.decrypt(encrypted, &context).await {
            return Ok(Some(plain));
        }
        let key_check = self.key_check.borrow().clone();
        self.verify_key_check(&key_check).await.map_err(|reason| self.failed(&reason))?;
        Ok(self.cipher.decrypt(encrypted, &context).await.ok())
    }
}

enum Kind {
    Checkpoint,
    Entry,
}

/// What a record is encrypted for, each field in a form that says where it ends.
fn context(doc: &DocId, kind: Kind, number: u64) -> Vec<u8> {
    let mut context = vec![kind as u8];
    context.extend(number.to_le_bytes());
    context.extend((doc.collection.len() as u64).to_le_bytes());
    context.extend(doc.collection.as_bytes());
    context.extend(doc.id.as_bytes());
    context
}

#[async_trait::async_trait(?Send)]
impl<C: Cipher> Store for Encrypted<C> {
    fn name(&self) -> &str {
        self.store.name()
    }

    async fn open(&self, opening: Opening) -> Result<Opened, StoreError> {
        let _turn = self.turns.next().await;
        loop {
            let found = self.store.key_check().await?;
            let key_check = self.fitting(found.clone()).await?;
            self.key_check.replace(key_check.clone());
            match self.store.open(Opening { key_check: Some(key_check), ..opening.clone() }).await {
                // Somebody else has encrypted or cleared it meanwhile.
                Err(StoreError::Key { .. }) if self.store.key_check().await? != found => {}
                result => return result,
            }
        }
    }

    async fn key_check(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.key_check().await
    }

    async fn read(&self, epoch: u64, doc: &DocId) -> Result<StoredDoc, StoreError> {
        let _turn = self.turns.next().await;
        let stored = self.store.read(epoch, doc).await?;
        self.decrypted(doc, stored).await
    }

    async fn commit(
        &self,
        epoch: u64,
        writes: &[Write],
        durability: Durability,
    ) -> Result<(), StoreError> {
        let turn = self.turns.next();
        let encrypted = try_join_all(writes.iter().map(|it| self.encrypted(it))).await?;
        let _turn = turn.await;
        self.store.commit(epoch, &encrypted, durability).await
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
