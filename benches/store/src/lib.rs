//! Hands the store in IndexedDB to a page, to be measured.
#![cfg(target_arch = "wasm32")]

use tabmux::protocol::DocId;
use tabmux::store::{Durability, IndexedDbStore, Opening, Store, StoreError, Write};
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

/// An open store.
#[wasm_bindgen]
pub struct MeasuredStore {
    store: IndexedDbStore,
    epoch: u64,
}

fn doc(id: String) -> DocId {
    DocId::new("docs", id)
}

#[wasm_bindgen]
impl MeasuredStore {
    /// Opens a store.
    pub async fn open(name: String) -> Result<MeasuredStore, JsError> {
        let store = IndexedDbStore::new(&name);
        let epoch = store.open(Opening::default()).await?.epoch;
        Ok(MeasuredStore { store, epoch })
    }

    /// Puts documents into the store that have the same checkpoint, in one transaction.
    pub async fn fill(&self, ids: Vec<String>, record: Vec<u8>) -> Result<(), JsError> {
        let checkpoint = |id| {
            let record = record.clone();
            Write::Checkpoint { doc: doc(id), record, next: 0, pending: false }
        };
        let writes: Vec<Write> = ids.into_iter().map(checkpoint).collect();
        Ok(self.commit(&writes).await?)
    }

    /// Makes one op durable; with a checkpoint, that replaces the document's log.
    pub async fn append(
        &self,
        id: String,
        n: u32,
        record: Vec<u8>,
        checkpoint: Option<Vec<u8>>,
    ) -> Result<(), JsError> {
        let doc = doc(id);
        let append = Write::Append { doc: doc.clone(), n: n.into(), record, pending: true };
        let next = u64::from(n) + 1;
        let checkpoint =
            checkpoint.map(|record| Write::Checkpoint { doc, record, next, pending: true });
        let writes: Vec<Write> = std::iter::once(append).chain(checkpoint).collect();
        Ok(self.commit(&writes).await?)
    }

    async fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        self.store.commit(self.epoch, writes, Durability::Relaxed).await
    }

    /// How many documents the store holds, by its inventory.
    pub async fn count(&self) -> Result<usize, JsError> {
        Ok(self.store.inventory().await?.docs.len())
    }
}
