//! What every store owes its users, in IndexedDB; and what only IndexedDB does.

use futures::FutureExt;
use js_sys::{Array, Math, Uint8Array};
use tabmux::protocol::DocId;
use tabmux::store::{Durability, IndexedDbStore, Opening, RecordKey, Store, StoreError, Write};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::behaviour::{self, Place, append, behaviours, checkpoint, doc};
use crate::script::{self, Replaced, eval, json};

/// An identity nobody has used before.
pub struct Identity(String);

impl Identity {
    pub fn new(test: &str) -> Self {
        Identity(format!("{test} {}", Math::random()))
    }

    fn database(&self) -> String {
        self.store().name().to_owned()
    }
}

fn record_key(doc: &DocId, record: RecordKey) -> JsValue {
    let n = match record {
        RecordKey::Checkpoint => -1.0,
        RecordKey::Entry(n) => n as f64,
    };
    Array::of3(&doc.collection.as_str().into(), &doc.id.as_str().into(), &n.into()).into()
}

impl Place for Identity {
    type Store = IndexedDbStore;

    fn store(&self) -> IndexedDbStore {
        IndexedDbStore::new(&self.0)
    }

    async fn corrupt(&self, doc: &DocId, record: RecordKey, change: fn(&mut Vec<u8>)) {
        let (database, key) = (self.database(), record_key(doc, record));
        let bytes = script::request(&database, "log", "(log, key) => log.get(key)", &key).await;
        let mut bytes = bytes.unchecked_into::<Uint8Array>().to_vec();
        change(&mut bytes);
        let argument = Array::of2(&Uint8Array::from(&bytes[..]), &key);
        script::request(&database, "log", "(log, it) => log.put(...it)", &argument).await;
    }

    async fn lose(&self, doc: &DocId, record: RecordKey) {
        let key = record_key(doc, record);
        script::request(&self.database(), "log", "(log, key) => log.delete(key)", &key).await;
    }

    async fn delete(&self) {
        script::delete(&self.database()).await;
    }
}

macro_rules! in_indexed_db {
    ($($name:ident)*) => {
        $(
            #[wasm_bindgen_test]
            async fn $name() {
                behaviour::$name(Identity::new(stringify!($name))).await;
            }
        )*
    };
}
behaviours!(in_indexed_db);

const RELAXED: Durability = Durability::Relaxed;

async fn open(identity: &Identity) -> (IndexedDbStore, u64) {
    let store = identity.store();
    let epoch = store.open(Opening::default()).await.unwrap().epoch;
    (store, epoch)
}

#[wasm_bindgen_test]
async fn s2_f21_identities_share_nothing() {
    let [ann, bob] = ["ann", "bob"].map(Identity::new);
    let (ann_store, ann_epoch) = open(&ann).await;
    ann_store.commit(ann_epoch, &[append("a", 0, "secret")], RELAXED).await.unwrap();
    let (bob_store, bob_epoch) = open(&bob).await;
    assert_eq!((ann_epoch, bob_epoch), (1, 1));
    assert_eq!(bob_store.read(bob_epoch, &doc("a")).await.unwrap(), Default::default());
    bob_store.clear(bob_epoch).await.unwrap();
    assert_eq!(ann_store.read(ann_epoch, &doc("a")).await.unwrap().log, [b"secret"]);
}

#[wasm_bindgen_test]
async fn a_commit_is_relaxed_unless_it_is_to_be_strict() {
    let (store, epoch) = open(&Identity::new("durability")).await;
    let asked = eval("globalThis.asked = []");
    let _recorded = Replaced::new(
        "IDBDatabase.prototype",
        "transaction",
        "(original) => ({
            value(...given) {
                globalThis.asked.push(given.slice(1));
                return original.apply(this, given);
            },
        })",
    );
    store.commit(epoch, &[append("a", 0, "x")], Durability::default()).await.unwrap();
    store.commit(epoch, &[append("a", 1, "x")], Durability::Strict).await.unwrap();
    let expected =
        r#"[["readwrite",{"durability":"relaxed"}],["readwrite",{"durability":"strict"}]]"#;
    assert_eq!(json(&asked), expected);
}

#[wasm_bindgen_test]
async fn f15_a_newer_schema_is_an_error_and_is_left_alone() {
    let identity = Identity::new("newer");
    const NEWER: &str = "(name) => new Promise((resolve, reject) => {
        const request = indexedDB.open(name, 7);
        request.onupgradeneeded = () => request.result.createObjectStore('future').put(1, 'key');
        request.onsuccess = () => {
            request.result.close();
            resolve();
        };
        request.onerror = () => reject(request.error);
    })";
    let name = identity.database();
    script::run(NEWER, &[name.as_str().into()]).await;
    let error = identity.store().open(Opening::default()).await.unwrap_err();
    assert_eq!(error, StoreError::NewerSchema { name: name.clone(), found: 7, known: 1 });
    let get = "(store) => store.get('key')";
    assert_eq!(script::request(&name, "future", get, &JsValue::UNDEFINED).await, 1);
}

#[wasm_bindgen_test]
async fn f15_a_newer_version_of_the_code_can_upgrade_while_the_store_is_open() {
    let identity = Identity::new("upgrade");
    let (store, epoch) = open(&identity).await;
    const UPGRADE: &str = "(name) => new Promise((resolve, reject) => {
        const request = indexedDB.open(name, 2);
        request.onblocked = () => reject(new Error('blocked'));
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
            request.result.close();
            resolve();
        };
    })";
    script::run(UPGRADE, &[identity.database().into()]).await;
    let reason = store.closed().await.to_string();
    assert!(reason.contains("newer code changes it to schema 2"), "{reason}");
    let commit = store.commit(epoch, &[append("a", 0, "x")], RELAXED).await;
    assert!(matches!(commit, Err(StoreError::Closed { .. })), "{commit:?}");
}

#[wasm_bindgen_test]
async fn f15_a_full_disk_is_an_error_and_loses_nothing_that_was_there() {
    let identity = Identity::new("quota");
    let (store, epoch) = open(&identity).await;
    store.commit(epoch, &[append("a", 0, "zero")], RELAXED).await.unwrap();
    let quota = Err(StoreError::Quota { name: identity.database() });
    let replacements = [
        // A browser may refuse a later write at once, or abort the transaction when all are made.
        "(original) => ({
            value(...given) {
                if (this.name === 'docs') throw new DOMException('no room', 'QuotaExceededError');
                return original.apply(this, given);
            },
        })",
        "(original) => ({
            value(...given) {
                const request = original.apply(this, given);
                const {transaction} = this;
                request.onsuccess = () => {
                    const value = new DOMException('no room', 'QuotaExceededError');
                    Object.defineProperty(transaction, 'error', {value});
                    transaction.abort();
                };
                return request;
            },
        })",
    ];
    for replacement in replacements {
        let full = Replaced::new("IDBObjectStore.prototype", "put", replacement);
        assert_eq!(store.commit(epoch, &[append("a", 1, "one")], RELAXED).await, quota);
        drop(full);
        assert_eq!(store.read(epoch, &doc("a")).await.unwrap().log, [b"zero"]);
    }
    store.commit(epoch, &[append("a", 1, "one")], RELAXED).await.unwrap();
}

#[wasm_bindgen_test]
async fn d1_an_epoch_that_can_not_be_counted_on_from_fences_nobody_for_ever() {
    let identity = Identity::new("damaged epoch");
    let damaged = identity.store();
    damaged.open(Opening { floor: 1 << 60, ..Opening::default() }).await.unwrap();
    let store = identity.store();
    let epoch = store.open(Opening { floor: 7, ..Opening::default() }).await.unwrap().epoch;
    assert_eq!(epoch, 7);
    store.commit(epoch, &[append("a", 0, "x")], RELAXED).await.unwrap();
}

#[wasm_bindgen_test]
async fn f15_without_indexed_db_opening_is_an_error() {
    let store = Identity::new("none").store();
    let cases = [
        ("() => ({value: undefined})", "there is no indexedDB"),
        (
            "() => ({get() { throw new DOMException('forbidden here', 'SecurityError'); }})",
            "SecurityError: forbidden here",
        ),
    ];
    for (replacement, reason) in cases {
        let _missing = Replaced::new("globalThis", "indexedDB", replacement);
        let error = store.open(Opening::default()).now_or_never().unwrap().unwrap_err();
        assert_eq!(error, StoreError::Unavailable { reason: reason.into() });
    }
    assert_eq!(store.open(Opening::default()).await.unwrap().epoch, 1);
}

#[wasm_bindgen_test]
async fn f15_a_database_that_can_not_be_opened_is_an_error() {
    let store = Identity::new("refused").store();
    let refused = Replaced::new(
        "IDBFactory.prototype",
        "open",
        "() => ({
            value() {
                const error = new DOMException('not in a private window', 'InvalidStateError');
                const request = new EventTarget();
                Object.defineProperty(request, 'error', {value: error});
                setTimeout(() => request.onerror(new Event('error')));
                return request;
            },
        })",
    );
    let error = store.open(Opening::default()).await.unwrap_err();
    let reason = "InvalidStateError: not in a private window".into();
    assert_eq!(error, StoreError::Unavailable { reason });
    drop(refused);
    assert_eq!(store.open(Opening::default()).await.unwrap().epoch, 1);
}

#[wasm_bindgen_test]
async fn f23_a_database_closed_by_the_browser_says_so() {
    let identity = Identity::new("closed");
    for event in [true, false] {
        let opened = eval("globalThis.opened = []");
        let recorded = Replaced::new(
            "IDBDatabase.prototype",
            "transaction",
            "(original) => ({
                value(...given) {
                    globalThis.opened.push(this);
                    return original.apply(this, given);
                },
            })",
        );
        let (store, epoch) = open(&identity).await;
        drop(recorded);
        const CLOSE: &str = "([database], event) => {
            database.close();
            if (event) database.dispatchEvent(new Event('close'));
        }";
        script::run(CLOSE, &[opened, event.into()]).await;
        let commit = store.commit(epoch, &[append("a", 0, "x")], RELAXED).await;
        let error = commit.unwrap_err();
        assert!(error.to_string().contains("the browser closed it"), "{error}");
        assert_eq!(store.closed().await, error);
    }
}

#[wasm_bindgen_test]
async fn f23_a_transaction_the_browser_aborts_closes_the_store() {
    let (store, epoch) = open(&Identity::new("aborted")).await;
    let aborted = Replaced::new(
        "IDBDatabase.prototype",
        "transaction",
        "(original) => ({
            value(...given) {
                const transaction = original.apply(this, given);
                queueMicrotask(() => transaction.abort());
                return transaction;
            },
        })",
    );
    let commit = store.commit(epoch, &[append("a", 0, "x")], RELAXED).await;
    drop(aborted);
    let error = commit.unwrap_err();
    assert!(matches!(error, StoreError::Closed { .. }), "{error}");
    assert_eq!(store.closed().await, error);
    let epoch = store.open(Opening::default()).await.unwrap().epoch;
    assert_eq!(store.read(epoch, &doc("a")).await.unwrap(), Default::default());
}

#[wasm_bindgen_test]
async fn dropping_a_store_lets_go_of_its_database() {
    let identity = Identity::new("dropped");
    let (store, _) = open(&identity).await;
    let _no_events = Replaced::new(
        "IDBDatabase.prototype",
        "onversionchange",
        "() => ({get: () => null, set() {}})",
    );
    let (held, _) = open(&identity).await;
    drop((store, held));
    // Fails if the database is still held.
    script::delete(&identity.database()).await;
}

#[wasm_bindgen_test]
async fn an_opening_that_nobody_waits_for_lets_go_of_its_database() {
    let identity = Identity::new("forgotten");
    let store = identity.store();
    assert_eq!(store.open(Opening::default()).now_or_never(), None);
    drop(store);
    // Waits its turn after the opening, and fails if that holds the database.
    script::delete(&identity.database()).await;
}

#[wasm_bindgen_test]
async fn what_is_set_aside_is_kept() {
    let identity = Identity::new("quarantine");
    let (store, epoch) = open(&identity).await;
    store.commit(epoch, &[append("a", 0, "precious")], RELAXED).await.unwrap();
    identity.corrupt(&doc("a"), RecordKey::Entry(0), |bytes| bytes[5] ^= 255).await;
    store.commit(epoch, &[Write::SetAside { doc: doc("a") }], RELAXED).await.unwrap();
    let all = "(store) => store.getAll()";
    let kept = script::request(&identity.database(), "quarantine", all, &JsValue::UNDEFINED).await;
    const TEXTS: &str =
        "(kept) => kept.map(({key, value}) => [...key, String.fromCharCode(...value.slice(13))])";
    assert_eq!(json(&script::run(TEXTS, &[kept]).await), r#"[["notes","a",0,"precious"]]"#);
}

#[wasm_bindgen_test]
async fn a_summary_that_is_lost_or_wrong_is_made_anew() {
    let identity = Identity::new("summary");
    let (store, epoch) = open(&identity).await;
    store.commit(epoch, &[append("a", 0, "zero")], RELAXED).await.unwrap();
    let before = store.inventory().await.unwrap();
    let key = Array::of2(&"notes".into(), &"a".into());
    let spoils = [
        "(docs, key) => docs.delete(key)",
        "(docs, key) => docs.put('nonsense', key)",
        "(docs, key) => docs.put({first: 0, next: 1.5, log: 0, pinned: false}, key)",
        "(docs, key) => docs.put({first: 2, next: 1, log: 0, pinned: false}, key)",
        "(docs, key) => docs.put({first: 0, next: 0, log: 0, pinned: false}, key)",
    ];
    for spoil in spoils {
        script::request(&identity.database(), "docs", spoil, &key).await;
        let stored = store.read(epoch, &doc("a")).await.unwrap();
        assert_eq!((stored.log, stored.next, stored.damage), (vec![b"zero".to_vec()], 1, None));
        assert_eq!(store.inventory().await.unwrap(), before);
    }
    store.commit(epoch, &[append("a", 1, "one")], RELAXED).await.unwrap();
}

#[wasm_bindgen_test]
async fn an_entry_that_comes_back_after_a_checkpoint_is_ignored() {
    let identity = Identity::new("revenant");
    let (store, epoch) = open(&identity).await;
    let writes = [append("a", 0, "zero"), append("a", 1, "one")];
    store.commit(epoch, &writes, RELAXED).await.unwrap();
    let (database, key) = (identity.database(), record_key(&doc("a"), RecordKey::Entry(0)));
    let zero = script::request(&database, "log", "(log, key) => log.get(key)", &key).await;
    store.commit(epoch, &[checkpoint("a", 1, "base")], RELAXED).await.unwrap();
    let put = "(log, it) => log.put(...it)";
    script::request(&database, "log", put, &Array::of2(&zero, &key)).await;
    let stored = store.read(epoch, &doc("a")).await.unwrap();
    assert_eq!((stored.log, stored.next, stored.damage), (vec![b"one".to_vec()], 2, None));
}

#[wasm_bindgen_test]
async fn a_record_that_is_not_even_bytes_is_reported() {
    let identity = Identity::new("garbage");
    let (store, epoch) = open(&identity).await;
    let writes = [append("a", 0, "zero"), append("a", 1, "one")];
    store.commit(epoch, &writes, RELAXED).await.unwrap();
    let key = record_key(&doc("a"), RecordKey::Entry(1));
    let spoil = "(log, key) => log.put({not: 'bytes'}, key)";
    script::request(&identity.database(), "log", spoil, &key).await;
    let stored = store.read(epoch, &doc("a")).await.unwrap();
    assert_eq!(stored.log, [b"zero"]);
    assert_eq!(stored.damage.unwrap().record, RecordKey::Entry(1));
}

#[wasm_bindgen_test]
async fn a_commit_that_nobody_waits_for_writes_everything_or_nothing() {
    let (store, epoch) = open(&Identity::new("dropped future")).await;
    let writes: Vec<Write> = (0..100).map(|n| append("a", n, "x")).collect();
    {
        let commit = store.commit(epoch, &writes, RELAXED);
        assert_eq!(commit.now_or_never(), None);
    }
    let count = store.read(epoch, &doc("a")).await.unwrap().log.len();
    assert!(count == 0 || count == 100, "{count} of 100");
}
