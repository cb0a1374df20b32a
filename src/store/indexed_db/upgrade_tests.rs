//! Steps to schemas that do not exist yet.

use js_sys::{Function, Math, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{IdbDatabase, IdbTransaction};

use super::IndexedDbStore;
use super::schema::{DOCS, STEPS, Step};
use crate::protocol::DocId;
use crate::store::{Durability, Opening, Store, StoreError, Write};

wasm_bindgen_test_configure!(run_in_browser);

const TWO: &[Step] = &[STEPS[0], by_last_use];
const BROKEN: &[Step] = &[STEPS[0], by_last_use, broken];

fn by_last_use(_: &IdbDatabase, transaction: &IdbTransaction) -> Result<(), JsValue> {
    transaction.object_store(DOCS)?.create_index_with_str("used", "used")?;
    Ok(())
}

fn broken(database: &IdbDatabase, _: &IdbTransaction) -> Result<(), JsValue> {
    database.delete_object_store(DOCS)?;
    database.delete_object_store(DOCS)
}

fn store(identity: &str, steps: &'static [Step]) -> IndexedDbStore {
    IndexedDbStore { steps, ..IndexedDbStore::new(identity) }
}

fn doc() -> DocId {
    DocId::new("notes", "a")
}

/// An identity that has a document in a store of the first schema.
async fn identity(test: &str) -> String {
    let identity = format!("{test} {}", Math::random());
    let store = store(&identity, STEPS);
    let epoch = store.open(Opening::default()).await.unwrap().epoch;
    let append = Write::Append { doc: doc(), n: 0, record: b"op".into(), pending: true };
    let used = Write::Use { doc: doc(), at: 5 };
    store.commit(epoch, &[append, used], Durability::Relaxed).await.unwrap();
    identity
}

/// Whether the document is there.
async fn is_there(store: &IndexedDbStore) -> bool {
    let opened = store.open(Opening::default()).await.unwrap();
    let stored = store.read(opened.epoch, &doc()).await.unwrap();
    opened.pending == [doc()] && stored.log == [b"op"] && stored.damage.is_none()
}

/// Opens a database as code would that does not listen when another wants to upgrade it.
async fn hold(name: &str) -> IdbDatabase {
    let open = Function::new_with_args(
        "name",
        "return new Promise((resolve, reject) => {
            const request = indexedDB.open(name);
            request.onsuccess = () => resolve(request.result);
            request.onerror = () => reject(request.error);
        })",
    );
    let opening: Promise = open.call1(&JsValue::NULL, &name.into()).unwrap().unchecked_into();
    JsFuture::from(opening).await.unwrap().unchecked_into()
}

#[wasm_bindgen_test]
async fn an_older_schema_is_upgraded_with_what_is_there() {
    let identity = identity("upgrade").await;
    assert!(is_there(&store(&identity, TWO)).await);

    let database = hold(store(&identity, TWO).name()).await;
    let transaction = database.transaction_with_str(DOCS).unwrap();
    let docs = transaction.object_store(DOCS).unwrap();
    assert!(docs.index("pending").is_ok() && docs.index("used").is_ok());
    database.close();
}

#[wasm_bindgen_test]
async fn older_code_refuses_an_upgraded_store_and_leaves_it_alone() {
    let identity = identity("downgrade").await;
    store(&identity, TWO).open(Opening::default()).await.unwrap();
    let old = store(&identity, STEPS);
    let name = old.name().to_owned();
    assert_eq!(
        old.open(Opening::default()).await,
        Err(StoreError::NewerSchema { name, found: 2, known: 1 })
    );
    assert!(is_there(&store(&identity, TWO)).await);
}

#[wasm_bindgen_test]
async fn a_step_that_fails_changes_nothing() {
    let identity = identity("failure").await;
    let error = store(&identity, BROKEN).open(Opening::default()).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Failed { reason, .. } if reason.contains("NotFoundError"))
    );
    assert!(is_there(&store(&identity, STEPS)).await);
}

#[wasm_bindgen_test]
async fn f15_older_code_that_does_not_let_go_blocks_an_upgrade_until_it_does() {
    let identity = identity("blocked").await;
    let new = store(&identity, TWO);
    let name = new.name().to_owned();
    let held = hold(&name).await;
    assert_eq!(new.open(Opening::default()).await, Err(StoreError::Blocked { name }));
    held.close();
    assert!(is_there(&new).await);
}
