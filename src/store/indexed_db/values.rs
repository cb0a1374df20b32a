//! What the object stores hold, and what it means.

use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::IdbKeyRange;

use super::schema::PENDING;
use crate::protocol::{DocId, MAX_NUMBER};
use crate::store::{PER_EPOCH, RecordKey, Summary};
use crate::wire;

/// Stands for the number of a log entry in the checkpoint's key.
const CHECKPOINT: f64 = -1.0;

/// Milliseconds since 1970 stay below this for more than a hundred thousand years, and the revisions
/// that are counted from an epoch on are still exact.
const MAX_EPOCH: u64 = MAX_NUMBER / (2 * PER_EPOCH);

pub(super) fn doc_key(doc: &DocId) -> JsValue {
    Array::of2(&doc.collection.as_str().into(), &doc.id.as_str().into()).into()
}

pub(super) fn to_doc(key: JsValue) -> Option<DocId> {
    let key = Array::from(&key);
    Some(DocId::new(key.get(0).as_string()?, key.get(1).as_string()?))
}

pub(super) fn record_key(doc: &DocId, record: RecordKey) -> JsValue {
    let n = match record {
        RecordKey::Checkpoint => CHECKPOINT,
        RecordKey::Entry(n) => n as f64,
    };
    Array::of3(&doc.collection.as_str().into(), &doc.id.as_str().into(), &n.into()).into()
}

pub(super) fn to_record(key: &JsValue) -> Option<RecordKey> {
    let n = Array::from(key).get(2).as_f64()?;
    Some(if n == CHECKPOINT { RecordKey::Checkpoint } else { RecordKey::Entry(n as u64) })
}

/// The keys of all records of a document: arrays come after numbers.
pub(super) fn all_of(doc: &DocId) -> Result<JsValue, JsValue> {
    let end = Array::from(&doc_key(doc));
    end.push(&Array::new());
    IdbKeyRange::bound(&doc_key(doc), &end).map(Into::into)
}

pub(super) fn entries_below(doc: &DocId, next: u64) -> Result<JsValue, JsValue> {
    let [start, end] = [0, next].map(|n| record_key(doc, RecordKey::Entry(n)));
    IdbKeyRange::bound_with_lower_open_and_upper_open(&start, &end, false, true).map(Into::into)
}

/// The records under these keys. What is not bytes can't be a record.
pub(super) fn to_records(keys: &Array, values: &Array) -> Vec<(RecordKey, Vec<u8>)> {
    let records = keys.iter().zip(values.iter());
    let records = records
        .filter_map(|(key, value)| Some((to_record(&key)?, to_bytes(&value).unwrap_or_default())));
    records.collect()
}

pub(super) fn to_bytes(value: &JsValue) -> Option<Vec<u8>> {
    value.dyn_ref().map(Uint8Array::to_vec)
}

pub(super) fn from_bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

pub(super) fn quarantined(key: &JsValue, value: &JsValue) -> Result<JsValue, JsValue> {
    let entry = Object::new();
    Reflect::set(&entry, &"key".into(), key)?;
    Reflect::set(&entry, &"value".into(), value)?;
    Ok(entry.into())
}

/// How many bytes such an entry has of a record.
pub(super) fn quarantined_size(entry: &JsValue) -> u64 {
    let value = Reflect::get(entry, &"value".into()).unwrap_or_default();
    value.dyn_ref().map_or(0, |bytes: &Uint8Array| bytes.length().into())
}

/// A summary is an object of its fields. IndexedDB has no index on booleans, and leaves out of an
/// index what lacks the member, so `pending` is 1 or absent.
pub(super) fn from_summary(summary: &Summary) -> Result<JsValue, JsValue> {
    let object = wire::to_value(summary);
    if summary.pending {
        Reflect::set(&object, &PENDING.into(), &1.into())?;
    } else {
        Reflect::delete_property(object.unchecked_ref::<Object>(), &PENDING.into())?;
    }
    Ok(object)
}

/// None if there is no summary, or none that makes sense.
pub(super) fn to_summary(value: &JsValue) -> Option<Summary> {
    let object = Object::assign(&Object::new(), value.dyn_ref()?);
    let pending = Reflect::has(&object, &PENDING.into()).ok()?;
    Reflect::set(&object, &PENDING.into(), &pending.into()).ok()?;
    let summary: Summary = wire::from_value(object.into()).ok()?;
    (summary.first <= summary.next).then_some(summary)
}

/// Numbers are JavaScript's: the epoch and a log's entries stay far below 2^53.
pub(super) fn from_number(number: u64) -> JsValue {
    JsValue::from_f64(number as f64)
}

/// The store's epoch, 0 if it has none that makes sense: whoever counts on from one that is too large
/// for a number would be fenced for ever.
pub(super) fn to_epoch(value: &JsValue) -> u64 {
    let epoch = to_number(value);
    if epoch < MAX_EPOCH { epoch } else { 0 }
}

/// The number, 0 if there is none.
pub(super) fn to_number(value: &JsValue) -> u64 {
    value.as_f64().unwrap_or(0.0) as u64
}
