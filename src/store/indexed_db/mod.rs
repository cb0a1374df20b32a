//! The store in the browser's IndexedDB, in a page or any worker.
//!
//! Made with web-sys: the crates around IndexedDB drop the reason why a transaction was aborted,
//! and that is how a full disk shows.

mod connection;
mod database;
mod requests;
mod schema;
mod torn_log;
mod transaction;
#[cfg(test)]
mod upgrade_tests;
mod values;

use std::cell::RefCell;
use std::rc::Rc;

use connection::Connection;
use js_sys::Array;
use schema::{DOCS, LOG, META, PENDING, QUARANTINE, STEPS, Step};
use transaction::{Mode, Transaction};
use wasm_bindgen::JsValue;

use super::opening::{check_key, check_succession};
use super::plan::{self, Change};
use super::quarantine;
use super::reading::{self, Reading};
use super::{Durability, Inventory, Opened, Opening, Store, StoreError, StoredDoc, Write};
use crate::protocol::DocId;

const EPOCH: &str = "epoch";
const LINEAGE: &str = "lineage";
const KEY_CHECK: &str = "seal";

/// A store in IndexedDB.
pub struct IndexedDbStore {
    name: String,
    steps: &'static [Step],
    connection: RefCell<Option<Rc<Connection>>>,
}

impl IndexedDbStore {
    /// The store in the database `tabmux <name>`. The name is to tell apart what must not share a
    /// store: identities, and applications of one origin. Nothing is opened yet.
    pub fn new(name: &str) -> Self {
        IndexedDbStore {
            name: format!("tabmux {name}"),
            steps: STEPS,
            connection: RefCell::default(),
        }
    }

    fn connection(&self) -> Result<Rc<Connection>, StoreError> {
        let Some(connection) = self.connection.borrow().clone() else {
            return Err(closed(&self.name, "it was not opened"));
        };
        connection.check()?;
        Ok(connection)
    }

    /// Reads a document; a transaction that may write also rewrites a summary that does not fit.
    async fn read_in(&self, epoch: u64, doc: &DocId, mode: Mode) -> Result<Reading, StoreError> {
        let connection = self.connection()?;
        let transaction = connection.transaction(&[META, DOCS, LOG], mode, Durability::Relaxed)?;
        let work = async {
            let current = transaction.get(META, &EPOCH.into())?;
            let summary = transaction.get(DOCS, &values::doc_key(doc))?;
            let keys = transaction.keys(LOG, &values::all_of(doc)?)?;
            let records = transaction.values(LOG, &values::all_of(doc)?)?;
            check(epoch, &current.answer().await?)?;
            let summary = values::to_summary(&summary.answer().await?);
            let keys = Array::from(&keys.answer().await?);
            let raw = Array::from(&records.answer().await?);
            let reading = reading::read(doc, summary, &values::to_records(&keys, &raw));
            if let (Mode::ReadWrite, Some(summary)) = (mode, &reading.summary) {
                let summary = values::from_summary(summary)?;
                transaction.put(DOCS, &summary, &values::doc_key(doc))?;
            }
            Ok(reading)
        };
        let result = work.await;
        transaction.end(result).await
    }
}

/// Moves all records of a document to the quarantine.
async fn set_aside(transaction: &Transaction<'_>, doc: &DocId) -> Result<(), requests::Failure> {
    let keys = transaction.keys(LOG, &values::all_of(doc)?)?;
    let records = transaction.values(LOG, &values::all_of(doc)?)?;
    let keys = Array::from(&keys.answer().await?);
    let records = Array::from(&records.answer().await?);
    for (key, bytes) in keys.iter().zip(records.iter()) {
        transaction.add(QUARANTINE, &values::quarantined(&key, &bytes)?)?;
    }
    transaction.delete(LOG, &values::all_of(doc)?)?;
    drop_surplus(transaction).await
}

/// Makes room in the quarantine for what came into it.
async fn drop_surplus(transaction: &Transaction<'_>) -> Result<(), requests::Failure> {
    let keys = transaction.keys(QUARANTINE, &JsValue::UNDEFINED)?;
    let entries = transaction.values(QUARANTINE, &JsValue::UNDEFINED)?;
    let keys = Array::from(&keys.answer().await?);
    let entries = Array::from(&entries.answer().await?);
    let sizes: Vec<u64> = entries.iter().map(|it| values::quarantined_size(&it)).collect();
    for key in keys.iter().take(quarantine::surplus(&sizes)) {
        transaction.delete(QUARANTINE, &key)?;
    }
    Ok(())
}

fn closed(name: &str, reason: &str) -> StoreError {
    StoreError::Closed { name: name.to_owned(), reason: reason.to_owned() }
}

fn check(epoch: u64, current: &JsValue) -> Result<(), StoreError> {
    let current = values::to_epoch(current);
    if epoch == current { Ok(()) } else { Err(StoreError::Fenced { epoch, current }) }
}

#[async_trait::async_trait(?Send)]
impl Store for IndexedDbStore {
    fn name(&self) -> &str {
        &self.name
    }

    async fn open(&self, opening: Opening) -> Result<Opened, StoreError> {
        // Two connections of one store would be in each other's way at an upgrade.
        if let Some(before) = self.connection.take() {
            before.session().end(closed(&self.name, "it was opened again"));
        }
        torn_log::begin_new_log(&self.name).await;
        let connection = Rc::new(Connection::open(&self.name, self.steps).await?);
        let scope = [META, DOCS, LOG, QUARANTINE];
        let transaction = connection.transaction(&scope, Mode::ReadWrite, Durability::Relaxed)?;
        let work = async {
            let epoch = transaction.get(META, &EPOCH.into())?;
            let lineage = transaction.get(META, &LINEAGE.into())?;
            let key_check = transaction.get(META, &KEY_CHECK.into())?;
            let any = [transaction.first_key(LOG)?, transaction.first_key(QUARANTINE)?];
            let pending = transaction.index_keys(DOCS, PENDING)?;
            let current = values::to_epoch(&epoch.answer().await?);
            let epoch = opening.floor.max(current + 1);
            let known = lineage.answer().await?.as_string();
            let key_check = values::to_bytes(&key_check.answer().await?);
            let mut has_records = false;
            for key in any {
                has_records |= !key.answer().await?.is_undefined();
            }
            check_succession(known.is_some(), current, opening.succeeds)?;
            check_key(&self.name, key_check.as_deref(), opening.key_check.as_deref(), has_records)?;
            transaction.put(META, &values::from_number(epoch), &EPOCH.into())?;
            if let (None, Some(key_check)) = (&key_check, &opening.key_check) {
                transaction.put(META, &values::from_bytes(key_check), &KEY_CHECK.into())?;
            }
            let lineage = known.clone().unwrap_or(opening.lineage);
            if known.is_none() {
                transaction.put(META, &lineage.as_str().into(), &LINEAGE.into())?;
            }
            let pending = Array::from(&pending.answer().await?);
            let pending = pending.iter().filter_map(values::to_doc).collect();
            Ok(Opened { epoch, lineage, pending })
        };
        let result = work.await;
        let opened = transaction.end(result).await?;
        self.connection.replace(Some(connection));
        Ok(opened)
    }

    async fn key_check(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let connection = Connection::open(&self.name, self.steps).await?;
        let transaction = connection.transaction(&[META], Mode::ReadOnly, Durability::Relaxed)?;
        let work = async {
            let key_check = transaction.get(META, &KEY_CHECK.into())?;
            Ok(values::to_bytes(&key_check.answer().await?))
        };
        let result = work.await;
        transaction.end(result).await
    }

    async fn read(&self, epoch: u64, doc: &DocId) -> Result<StoredDoc, StoreError> {
        let mut reading = self.read_in(epoch, doc, Mode::ReadOnly).await?;
        if reading.summary.is_some() {
            reading = self.read_in(epoch, doc, Mode::ReadWrite).await?;
        }
        Ok(reading.doc)
    }

    async fn commit(
        &self,
        epoch: u64,
        writes: &[Write],
        durability: Durability,
    ) -> Result<(), StoreError> {
        let connection = self.connection()?;
        let scope = [META, DOCS, LOG, QUARANTINE];
        let transaction = connection.transaction(&scope, Mode::ReadWrite, durability)?;
        let work = async {
            let current = transaction.get(META, &EPOCH.into())?;
            let mut documents = Vec::new();
            for (doc, writes) in plan::by_document(writes) {
                let known = transaction.get(DOCS, &values::doc_key(doc))?;
                documents.push((doc, writes, known));
            }
            check(epoch, &current.answer().await?)?;
            let mut plans = Vec::new();
            for (doc, writes, known) in documents {
                let known = values::to_summary(&known.answer().await?);
                plans.push((doc, plan::plan(known, &writes)?));
            }
            for (doc, plan) in plans {
                for change in plan.changes {
                    apply(&transaction, doc, change).await?;
                }
                let key = values::doc_key(doc);
                match plan.summary {
                    Some(it) => transaction.put(DOCS, &values::from_summary(&it)?, &key)?,
                    None => transaction.delete(DOCS, &key)?,
                }
            }
            Ok(())
        };
        let result = work.await;
        transaction.end(result).await
    }

    async fn inventory(&self) -> Result<Inventory, StoreError> {
        let connection = self.connection()?;
        let scope = [DOCS, QUARANTINE];
        let transaction = connection.transaction(&scope, Mode::ReadOnly, Durability::Relaxed)?;
        let work = async {
            let everything = JsValue::UNDEFINED;
            let keys = transaction.keys(DOCS, &everything)?;
            let summaries = transaction.values(DOCS, &everything)?;
            let quarantined = transaction.count(QUARANTINE)?;
            let keys = Array::from(&keys.answer().await?);
            let summaries = Array::from(&summaries.answer().await?);
            let docs = keys.iter().zip(summaries.iter()).filter_map(|(key, summary)| {
                Some(values::to_summary(&summary)?.info(values::to_doc(key)?))
            });
            let docs = docs.collect();
            Ok(Inventory { docs, quarantined: values::to_number(&quarantined.answer().await?) })
        };
        let result = work.await;
        transaction.end(result).await
    }

    async fn clear(&self, epoch: u64) -> Result<(), StoreError> {
        let connection = self.connection()?;
        let scope = [META, DOCS, LOG, QUARANTINE];
        let transaction = connection.transaction(&scope, Mode::ReadWrite, Durability::Strict)?;
        let work = async {
            let current = transaction.get(META, &EPOCH.into())?;
            check(epoch, &current.answer().await?)?;
            for name in scope {
                transaction.clear(name)?;
            }
            transaction.put(META, &values::from_number(epoch + 1), &EPOCH.into())?;
            Ok(())
        };
        let result = work.await;
        transaction.end(result).await
    }

    async fn closed(&self) -> StoreError {
        match self.connection().map(|it| it.session().clone()) {
            Ok(session) => session.ended().await,
            Err(error) => error,
        }
    }
}

async fn apply(
    transaction: &Transaction<'_>,
    doc: &DocId,
    change: Change,
) -> Result<(), requests::Failure> {
    match change {
        Change::Put(record, bytes) => {
            transaction.put(LOG, &values::from_bytes(&bytes), &values::record_key(doc, record))
        }
        Change::DropBelow(next) => transaction.delete(LOG, &values::entries_below(doc, next)?),
        Change::DropAll => transaction.delete(LOG, &values::all_of(doc)?),
        Change::SetAllAside => set_aside(transaction, doc).await,
    }
}
