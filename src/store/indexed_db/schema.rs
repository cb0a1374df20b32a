//! The object stores, and how a database of an older schema gets them.

use wasm_bindgen::JsValue;
use web_sys::{IdbDatabase, IdbIndexParameters, IdbObjectStoreParameters, IdbTransaction};

/// The epoch, the lineage and the key check.
pub(super) const META: &str = "meta";
/// The summary of each document, by `[collection, id]`.
pub(super) const DOCS: &str = "docs";
/// The documents with uncommitted ops.
pub(super) const PENDING: &str = "pending";
/// The records, by `[collection, id, n]`: the log entry n, or the checkpoint if n is -1.
pub(super) const LOG: &str = "log";
/// What could not be read.
pub(super) const QUARANTINE: &str = "quarantine";

/// Makes a schema of the one before.
pub(super) type Step = fn(&IdbDatabase, &IdbTransaction) -> Result<(), JsValue>;

/// The steps from nothing to the schema of today. A released step never changes: new ones follow.
pub(super) const STEPS: &[Step] = &[object_stores];

fn object_stores(database: &IdbDatabase, _: &IdbTransaction) -> Result<(), JsValue> {
    database.create_object_store(META)?;
    let docs = database.create_object_store(DOCS)?;
    let index = IdbIndexParameters::new();
    docs.create_index_with_str_and_optional_parameters(PENDING, PENDING, &index)?;
    database.create_object_store(LOG)?;
    let numbered = IdbObjectStoreParameters::new();
    numbered.set_auto_increment(true);
    database.create_object_store_with_optional_parameters(QUARANTINE, &numbered)?;
    Ok(())
}
