//! Requests to IndexedDB as futures.
//!
//! A future goes on in a microtask of the event that it waited for, which is when the transaction
//! of a request takes further requests.

use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Event, IdbRequest};

use crate::store::{StoreError, thrown};

/// Why work in a transaction stopped: what the browser threw, or an error of ours.
pub(super) enum Failure {
    Browser(JsValue),
    Store(StoreError),
}

impl From<JsValue> for Failure {
    fn from(thrown: JsValue) -> Self {
        Failure::Browser(thrown)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Failure::Store(error)
    }
}

/// A request under way.
pub(super) struct Request {
    request: IdbRequest,
    done: Promise,
}

impl Request {
    pub fn new(request: IdbRequest) -> Self {
        let done = Promise::new(&mut |resolve, _| {
            request.set_onsuccess(Some(&resolve));
            request.set_onerror(Some(&resolve));
        });
        Request { request, done }
    }

    pub async fn answer(self) -> Result<JsValue, Failure> {
        let event = JsFuture::from(self.done).await?;
        if is(&event, "success") {
            return Ok(self.request.result()?);
        }
        Err(Failure::Browser(self.request.error()?.into()))
    }
}

/// The next of some events, which `listen` is to set the listener for.
pub(super) async fn next_event(mut listen: impl FnMut(&Function)) -> Result<Event, JsValue> {
    let promise = Promise::new(&mut |resolve, _| listen(&resolve));
    Ok(JsFuture::from(promise).await?.unchecked_into())
}

pub(super) fn is(event: &JsValue, name: &str) -> bool {
    thrown::text(event, "type").as_deref() == Some(name)
}
