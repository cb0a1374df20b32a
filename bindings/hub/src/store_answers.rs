//! What a hub answers when a tab asks something of its store.

use tabmux_middleware::SortedSet;

use super::hub::Shell;
use super::store::HubStore;
use tabmux::hub::{PendingOp, Restored, read_stored};
use tabmux::protocol::{DocId, StoreQuestion};
use tabmux::store::{DocInfo, StoreError};
use tabmux::{Error, codes};
use tabmux::{Payload, to_value, wire};
use tabmux_bindings::clock::now;
use tabmux_bindings::door::Thrown;
use tabmux_bindings::errors::from_js;

/// So many documents are named in an error.
const NAMED: usize = 10;

struct StoredDocument {
    collection: String,
    id: String,
    bytes: u64,
    entries: u64,
    pending: bool,
    pinned: bool,
    used: Option<u64>,
}

wire!(StoredDocument { collection, id, bytes, entries, pending, pinned, used });

struct ExportedDocument {
    collection: String,
    id: String,
    version: Option<u64>,
    type_name: Option<String>,
    data: Option<Payload>,
    pending: Vec<Payload>,
}

wire!(ExportedDocument { collection, id, version, type_name as "type", data, pending });

struct StoreExport {
    identity: String,
    documents: Vec<ExportedDocument>,
}

wire!(StoreExport { identity, documents });

type Answer = Result<Option<Payload>, Error>;

impl Shell {
    pub(super) async fn answer(&self, store: &HubStore, question: StoreQuestion) -> Answer {
        match question {
            StoreQuestion::Inventory => inventory(store).await,
            StoreQuestion::Usage => self.usage(store).await,
            StoreQuestion::Persist => self.is_persisted().await,
            StoreQuestion::Export => self.export(store).await,
            StoreQuestion::Clear { force } => self.clear(store, force).await,
            // The hub has answered.
            StoreQuestion::Pin { .. } => Ok(None),
        }
    }

    async fn usage(&self, store: &HubStore) -> Answer {
        let docs = store.inventory().await?.docs;
        let bytes: u64 = docs.iter().map(|it| it.bytes).sum();
        let usage = Payload(to_value(&self.room().await));
        let usage = usage.with_member("documents", (docs.len() as u64).into());
        Ok(Some(usage.with_member("bytes", bytes.into())))
    }

    async fn is_persisted(&self) -> Answer {
        let persisted = self.room().await.persisted.unwrap_or_default();
        Ok(Some(Payload(persisted.into())))
    }

    /// What can't be read is left out, and reported: an export is made to save what there is.
    async fn export(&self, store: &HubStore) -> Answer {
        let mut documents = Vec::new();
        for DocInfo { doc, .. } in store.inventory().await?.docs {
            let stored = store.read(&doc).await?;
            if stored.damage.is_some() {
                self.hub.borrow_mut().damaged(doc.clone(), now());
            }
            let damage = stored.damage.as_ref();
            let damage = damage.map(|it| Error::new(codes::STORE_DAMAGED, it.to_string()));
            let read = read_stored(&stored, &*self.types);
            let exported = read.and_then(|restored| {
                restored.map(|restored| self.exported(&doc, &restored)).transpose()
            });
            if let Some(error) = damage.or(exported.as_ref().err().cloned()) {
                let message = format!("the export lacks {doc}, or a part of it: {}", error.message);
                self.tell_store_error(&Error { message, ..error });
            }
            if let Ok(Some(exported)) = exported {
                documents.push(exported);
            }
        }
        let export = StoreExport { identity: self.identity.clone(), documents };
        Ok(Some(Payload(to_value(&export))))
    }

    fn exported(&self, doc: &DocId, restored: &Restored) -> Result<ExportedDocument, Error> {
        let Restored { snapshot, ops, .. } = restored;
        let snapshot = self.upstream.materialize(snapshot, ops).map_err(from_js)?;
        Ok(ExportedDocument {
            collection: doc.collection.clone(),
            id: doc.id.clone(),
            version: snapshot.version,
            type_name: snapshot.type_name,
            data: snapshot.data,
            pending: restored.pending.iter().map(PendingOp::shown).collect(),
        })
    }

    async fn clear(&self, store: &HubStore, force: bool) -> Answer {
        // What was asked for is still there.
        if let Some(error) = store.failure.borrow().clone() {
            return Err(error);
        }
        if store.is_cleared.get() {
            return Ok(None);
        }
        // Another hub's store is not this one's to clear.
        store.commit(&[]).await?;
        let mut uncommitted: SortedSet<DocId> =
            self.hub.borrow().uncommitted().into_iter().collect();
        let pending = store.inventory().await?.docs.into_iter().filter(|it| it.pending);
        uncommitted.extend(pending.map(|it| it.doc));
        if !force && !uncommitted.is_empty() {
            let mut names: Vec<String> =
                uncommitted.iter().take(NAMED).map(ToString::to_string).collect();
            if uncommitted.len() > NAMED {
                names.push(format!("{} more", uncommitted.len() - NAMED));
            }
            let message = format!(
                "the server does not have all ops of {}: wait for it, or clear with `force`",
                names.join(", ")
            );
            return Err(Error::new(codes::STORE_PENDING, message));
        }
        self.hub.borrow_mut().stop_storing(now());
        let cleared = store.get()?.clear(store.epoch.get()).await;
        if let Err(fenced @ StoreError::Fenced { .. }) = &cleared {
            // It writes nothing any more by which it would hear of that.
            self.tell(self.handler.fenced(Thrown(&fenced.clone().into())));
        }
        cleared?;
        store.is_cleared.set(true);
        self.hub.borrow_mut().tell_store_event("cleared", Payload::null(), now());
        self.tell(self.handler.cleared());
        Ok(None)
    }
}

async fn inventory(store: &HubStore) -> Answer {
    let docs = store.inventory().await?.docs;
    let documents = docs.into_iter().map(|it| StoredDocument {
        collection: it.doc.collection,
        id: it.doc.id,
        bytes: it.bytes,
        entries: it.entries,
        pending: it.pending,
        pinned: it.pinned,
        used: it.used,
    });
    Ok(Some(Payload(to_value(&documents.collect::<Vec<_>>()))))
}
