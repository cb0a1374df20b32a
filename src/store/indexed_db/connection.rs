use futures::channel::oneshot;
use js_sys::{JsString, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, IdbDatabase, IdbFactory, IdbOpenDbRequest, IdbVersionChangeEvent};

use super::closed;
use super::database::{Database, closed_by_browser};
use super::requests::{self, next_event};
use super::schema::Step;
use super::transaction::{Mode, Transaction};
use crate::store::session::Session;
use crate::store::{Durability, StoreError, thrown};

/// An open database. Dropping it closes it.
pub(super) struct Connection {
    database: Database,
    _on_version_change: Closure<dyn FnMut(IdbVersionChangeEvent)>,
    _on_close: Closure<dyn FnMut(Event)>,
}

impl Connection {
    /// Opens a database, and brings it to the schema that the steps make.
    pub async fn open(name: &str, steps: &'static [Step]) -> Result<Self, StoreError> {
        let known = steps.len() as u32;
        let request = factory()?.open_with_u32(name, known).map_err(unavailable)?;
        let (sender, receiver) = oneshot::channel();
        // An opening can't be taken back: it goes on even if nobody waits any more, or else an
        // upgrade would be left undone and the database open.
        spawn_local(opening(name.to_owned(), steps, request, sender));
        receiver.await.unwrap_or_else(|_| Err(unavailable(JsValue::NULL)))
    }

    fn new(name: String, database: IdbDatabase) -> Self {
        let session = Session::default();
        let on_version_change = Closure::new({
            let (name, session, database) = (name.clone(), session.clone(), database.clone());
            move |event: IdbVersionChangeEvent| {
                database.close();
                let reason = match event.new_version() {
                    Some(version) => format!("newer code changes it to schema {}", version as u64),
                    None => "it is being deleted".to_owned(),
                };
                session.end(closed(&name, &reason));
            }
        });
        let on_close = Closure::new({
            let (name, session) = (name.clone(), session.clone());
            move |_: Event| session.end(closed_by_browser(&name))
        });
        database.set_onversionchange(Some(on_version_change.as_ref().unchecked_ref()));
        database.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Connection {
            database: Database { name, inner: database, session },
            _on_version_change: on_version_change,
            _on_close: on_close,
        }
    }

    pub fn check(&self) -> Result<(), StoreError> {
        self.database.session.check()
    }

    pub fn session(&self) -> &Session {
        &self.database.session
    }

    pub fn transaction(
        &self,
        stores: &[&str],
        mode: Mode,
        durability: Durability,
    ) -> Result<Transaction<'_>, StoreError> {
        Transaction::begin(&self.database, stores, mode, durability)
            .map_err(|thrown| self.database.failed(&thrown))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let database = &self.database.inner;
        database.set_onversionchange(None);
        database.set_onclose(None);
        database.close();
    }
}

fn unavailable(thrown: JsValue) -> StoreError {
    StoreError::Unavailable { reason: thrown::describe(&thrown) }
}

/// What opens and deletes databases here.
pub(super) fn factory() -> Result<IdbFactory, StoreError> {
    // Where storage is forbidden even looking at it may throw.
    let factory = Reflect::get(&js_sys::global(), &"indexedDB".into()).map_err(unavailable)?;
    if !factory.is_object() {
        return Err(StoreError::Unavailable { reason: "there is no indexedDB".to_owned() });
    }
    Ok(factory.unchecked_into())
}

async fn next(request: &IdbOpenDbRequest) -> Result<Event, JsValue> {
    next_event(|listener| {
        request.set_onsuccess(Some(listener));
        request.set_onerror(Some(listener));
        request.set_onblocked(Some(listener));
        request.set_onupgradeneeded(Some(listener));
    })
    .await
}

/// Follows an opening to its end, and tells the first result.
async fn opening(
    name: String,
    steps: &'static [Step],
    request: IdbOpenDbRequest,
    sender: oneshot::Sender<Result<Connection, StoreError>>,
) {
    let mut sender = Some(sender);
    let mut tell = |result| {
        if let Some(sender) = sender.take() {
            // If nobody waits, the connection is dropped, and so closed.
            let _ = sender.send(result);
        }
    };
    let mut failure = None;
    while let Ok(event) = next(&request).await {
        match event.type_().as_str() {
            "blocked" => tell(Err(StoreError::Blocked { name: name.clone() })),
            "upgradeneeded" => {
                failure = upgrade(&request, steps, event.unchecked_ref()).err();
            }
            "success" => {
                let database = request.result().map(JsCast::unchecked_into);
                let connection = database.map(|it| Connection::new(name.clone(), it));
                return tell(connection.map_err(unavailable));
            }
            _ => {
                let thrown = request.error().map_or_else(|thrown| thrown, Into::into);
                return tell(Err(match failure {
                    Some(thrown) => StoreError::Failed { name, reason: thrown::describe(&thrown) },
                    None => refused(&name, steps, thrown).await,
                }));
            }
        }
    }
}

/// Makes the steps that are missing.
fn upgrade(
    request: &IdbOpenDbRequest,
    steps: &[Step],
    event: &IdbVersionChangeEvent,
) -> Result<(), JsValue> {
    let database: IdbDatabase = request.result()?.unchecked_into();
    let transaction = request.transaction().ok_or_else(|| JsString::from("no transaction"))?;
    for step in steps.iter().skip(event.old_version() as usize) {
        if let Err(thrown) = step(&database, &transaction) {
            transaction.abort()?;
            return Err(thrown);
        }
    }
    Ok(())
}

/// Why a database could not be opened.
async fn refused(name: &str, steps: &[Step], thrown: JsValue) -> StoreError {
    let name = name.to_owned();
    match thrown::name_of(&thrown).as_deref() {
        Some("QuotaExceededError") => StoreError::Quota { name },
        Some("VersionError") => match version(&name).await {
            Ok(found) => StoreError::NewerSchema { name, found, known: steps.len() as u32 },
            Err(thrown) => unavailable(thrown),
        },
        _ => unavailable(thrown),
    }
}

/// The version of a database that exists.
async fn version(name: &str) -> Result<u32, JsValue> {
    let request = factory().map_err(|error| JsValue::from(error.to_string()))?.open(name)?;
    let event = next(&request).await?;
    if requests::is(&event, "upgradeneeded") {
        // It was deleted meanwhile: it is not made anew here.
        if let Some(transaction) = request.transaction() {
            transaction.abort()?;
        }
    }
    let database: IdbDatabase = request.result()?.unchecked_into();
    let version = database.version();
    database.close();
    Ok(version as u32)
}
