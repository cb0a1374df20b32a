use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::future::AbortHandle;
use tabmux_middleware::{Millis, SortedMap};
use wasm_bindgen::prelude::*;

use super::cipher::ApplicationCipher;
use tabmux::Error;
use tabmux::protocol::{DocId, OPENING};
use tabmux::store::{
    Durability, Encrypted, IndexedDbStore, Inventory, Limits, MemoryDisk, MemoryStore, Opened,
    Opening, Store, StoreError, StoredDoc, Write,
};
use tabmux::{from_value, wire};
use tabmux_bindings::clock::{now, wall_clock, within};
use tabmux_bindings::errors::to_js;

/// What a store is opened with.
pub(super) struct StoreSettings {
    kind: String,
    name: Option<String>,
    floor: u64,
    lineage: String,
}

wire!(open StoreSettings { kind, name, floor, lineage });

/// How long the store may take for a transaction. Browsers are known never to answer.
const PATIENCE: Millis = 10_000;

/// How a hub uses its store.
pub(super) struct Policy {
    strict: bool,
    max_age: Option<u64>,
    max_bytes: Option<u64>,
}

wire!(open Policy { strict or false, max_age as "maxAge", max_bytes as "maxBytes" });

impl Policy {
    pub fn limits(&self) -> Limits {
        Limits { max_age: self.max_age, max_bytes: self.max_bytes }
    }
}

/// A store that was opened for a hub.
#[wasm_bindgen]
pub struct OpenStore {
    store: Rc<dyn Store>,
    opened: Opened,
    /// It outlives the browser, and what it holds may be read.
    pub(super) takes_unload_journals: bool,
}

thread_local! {
    /// By name: a hub of this thread finds what the one before it has left.
    static DISKS: RefCell<SortedMap<String, MemoryDisk>> = RefCell::default();
}

/// Opens a store, of which the `kind` is `indexeddb` or `memory`; a memory store without a name is one that
/// nobody else has. `encryption` is as in [`ApplicationCipher::new`], or `undefined`.
#[wasm_bindgen(js_name = openStore)]
pub async fn open_store(
    #[wasm_bindgen(unchecked_param_type = "StoreSettings")] settings: JsValue,
    #[wasm_bindgen(unchecked_param_type = "unknown")] encryption: JsValue,
) -> Result<OpenStore, JsValue> {
    let StoreSettings { kind, name, floor, lineage } =
        from_value(settings).map_err(|reason| JsError::new(&reason))?;
    let cipher = (!encryption.is_undefined()).then(|| ApplicationCipher::new(encryption));
    let takes_unload_journals = kind == "indexeddb" && cipher.is_none();
    let store = match (kind.as_str(), name) {
        ("indexeddb", name) => encrypted(IndexedDbStore::new(&name.unwrap_or_default()), cipher),
        (_, Some(name)) => {
            let disk = DISKS.with(|disks| {
                disks.borrow_mut().get_or_insert_with(name, Default::default).clone()
            });
            encrypted(MemoryStore::new(&disk), cipher)
        }
        (_, None) => encrypted(MemoryStore::default(), cipher),
    };
    let opened = store.open(Opening { floor, lineage, ..Opening::default() }).await;
    let opened = opened.map_err(|error| to_js(&error.into()))?;
    Ok(OpenStore { store, opened, takes_unload_journals })
}

fn encrypted(store: impl Store + 'static, cipher: Option<ApplicationCipher>) -> Rc<dyn Store> {
    match cipher {
        Some(cipher) => Rc::new(Encrypted::new(store, cipher)),
        None => Rc::new(store),
    }
}

/// The hub's own clock may stand still while the system sleeps.
fn by_wall_clock(write: &Write) -> Write {
    match write {
        Write::Use { doc, at } => {
            let ago = now().saturating_sub(*at);
            Write::Use { doc: doc.clone(), at: wall_clock().saturating_sub(ago) }
        }
        write => write.clone(),
    }
}

impl OpenStore {
    pub(super) fn opened(&self) -> &Opened {
        &self.opened
    }
}

/// The store of a hub, while it lives.
pub(super) struct HubStore {
    /// Gone once the hub has closed and written all it had to.
    store: RefCell<Option<Rc<dyn Store>>>,
    /// The store's own epoch, which is not the hub's once the store was opened again.
    pub epoch: Cell<u64>,
    pub lineage: String,
    pub durability: Durability,
    /// How many requests are under way.
    pub under_way: Cell<u32>,
    /// It is being opened again.
    pub is_reopening: Cell<bool>,
    /// Ends the wait for its end.
    pub watch: RefCell<Option<AbortHandle>>,
    /// Why it is only in the place of the one that was asked for.
    pub failure: RefCell<Option<Error>>,
    /// A tab has had it wiped.
    pub is_cleared: Cell<bool>,
}

impl HubStore {
    pub fn new(open: OpenStore, policy: &Policy) -> Self {
        HubStore {
            store: RefCell::new(Some(open.store)),
            epoch: Cell::new(open.opened.epoch),
            lineage: open.opened.lineage,
            durability: if policy.strict { Durability::Strict } else { Durability::Relaxed },
            under_way: Cell::new(0),
            is_reopening: Cell::new(false),
            watch: RefCell::new(None),
            failure: RefCell::new(None),
            is_cleared: Cell::new(false),
        }
    }

    /// The store itself.
    pub fn get(&self) -> Result<Rc<dyn Store>, StoreError> {
        self.store.borrow().clone().ok_or_else(|| StoreError::Closed {
            name: "of this hub".to_owned(),
            reason: "the hub was closed".to_owned(),
        })
    }

    pub async fn read(&self, doc: &DocId) -> Result<StoredDoc, StoreError> {
        let store = self.get()?;
        self.in_time(store.read(self.epoch.get(), doc)).await
    }

    pub async fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        let store = self.get()?;
        let tells_use = writes.iter().any(|write| matches!(write, Write::Use { .. }));
        let timed: Vec<Write> =
            if tells_use { writes.iter().map(by_wall_clock).collect() } else { Vec::new() };
        let writes = if tells_use { &timed } else { writes };
        self.in_time(store.commit(self.epoch.get(), writes, self.durability)).await
    }

    /// What the store answers, unless it does not in time. Then it must be opened again: that is done
    /// after all that was asked of it before, and fences what may still be on its way.
    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        if self.is_reopening.get() {
            let (name, reason) = ("of this hub".to_owned(), "it is being opened again".to_owned());
            return Err(StoreError::Closed { name, reason });
        }
        let name = self.get()?.name().to_owned();
        within(PATIENCE, work)
            .await
            .unwrap_or_else(|| Err(StoreError::Unanswered { name, seconds: PATIENCE / 1000 }))
    }

    pub async fn inventory(&self) -> Result<Inventory, StoreError> {
        self.get()?.inventory().await
    }

    /// Opens it again after it was closed. The error of one that another hub has opened since is that
    /// this hub is fenced. Returns the documents of which it has uncommitted ops.
    pub async fn reopen(&self) -> Result<Vec<DocId>, StoreError> {
        self.is_reopening.set(true);
        let pending = self.open().await;
        self.is_reopening.set(false);
        pending
    }

    async fn open(&self) -> Result<Vec<DocId>, StoreError> {
        let (epoch, lineage) = (self.epoch.get(), self.lineage.clone());
        let succeeds = Some(epoch);
        let opening = Opening { floor: epoch + 1, lineage, succeeds, ..Opening::default() };
        let opened = self.get()?.open(opening).await?;
        if opened.lineage != self.lineage {
            return Err(StoreError::Fenced { epoch, current: opened.epoch });
        }
        self.epoch.set(opened.epoch);
        Ok(opened.pending)
    }

    /// Lets go of it; returns whether that was still to be done.
    pub fn release(&self) -> bool {
        if let Some(watch) = self.watch.take() {
            watch.abort();
        }
        self.store.take().is_some()
    }
}

/// How many milliseconds a store may take to open, with the function that finds the key.
#[wasm_bindgen(js_name = openingTime)]
pub fn opening_time() -> f64 {
    OPENING as f64
}
