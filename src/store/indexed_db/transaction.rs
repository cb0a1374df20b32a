use js_sys::{Array, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{IdbDatabase, IdbKeyRange, IdbObjectStore, IdbTransaction};

use super::database::Database;
use super::requests::{self, Failure, Request};
use crate::store::{Durability, StoreError};

#[wasm_bindgen]
extern "C" {
    /// With the option `durability`, which web-sys does not have yet.
    #[wasm_bindgen(extends = IdbDatabase)]
    type WithOptions;

    #[wasm_bindgen(method, catch)]
    fn transaction(
        this: &WithOptions,
        stores: &Array,
        mode: &str,
        options: &Object,
    ) -> Result<IdbTransaction, JsValue>;
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    ReadOnly,
    ReadWrite,
}

/// A transaction under way: it commits by itself once it has nothing to do.
pub(super) struct Transaction<'a> {
    database: &'a Database,
    inner: IdbTransaction,
    done: Promise,
}

impl<'a> Transaction<'a> {
    pub fn begin(
        database: &'a Database,
        stores: &[&str],
        mode: Mode,
        durability: Durability,
    ) -> Result<Self, JsValue> {
        let stores: Array = stores.iter().map(|it| JsValue::from_str(it)).collect();
        let mode = match mode {
            Mode::ReadOnly => "readonly",
            Mode::ReadWrite => "readwrite",
        };
        let durability = match durability {
            Durability::Relaxed => "relaxed",
            Durability::Strict => "strict",
        };
        let options = Object::new();
        Reflect::set(&options, &"durability".into(), &durability.into())?;
        let with_options: &WithOptions = database.inner.unchecked_ref();
        let inner = with_options.transaction(&stores, mode, &options)?;
        let done = Promise::new(&mut |resolve, _| {
            inner.set_oncomplete(Some(&resolve));
            inner.set_onabort(Some(&resolve));
        });
        Ok(Transaction { database, inner, done })
    }

    pub fn get(&self, store: &str, key: &JsValue) -> Result<Request, JsValue> {
        self.store(store)?.get(key).map(Request::new)
    }

    pub fn values(&self, store: &str, range: &JsValue) -> Result<Request, JsValue> {
        self.store(store)?.get_all_with_key(range).map(Request::new)
    }

    pub fn keys(&self, store: &str, range: &JsValue) -> Result<Request, JsValue> {
        self.store(store)?.get_all_keys_with_key(range).map(Request::new)
    }

    pub fn index_keys(&self, store: &str, index: &str) -> Result<Request, JsValue> {
        self.store(store)?.index(index)?.get_all_keys().map(Request::new)
    }

    /// Undefined if the object store is empty.
    pub fn first_key(&self, store: &str) -> Result<Request, JsValue> {
        let everything = IdbKeyRange::lower_bound(&f64::NEG_INFINITY.into())?;
        self.store(store)?.get_key(&everything).map(Request::new)
    }

    pub fn count(&self, store: &str) -> Result<Request, JsValue> {
        self.store(store)?.count().map(Request::new)
    }

    // Nobody waits for the writes one by one: if one fails, the transaction does.

    pub fn put(&self, store: &str, value: &JsValue, key: &JsValue) -> Result<(), Failure> {
        self.store(store)?.put_with_key(value, key)?;
        Ok(())
    }

    pub fn add(&self, store: &str, value: &JsValue) -> Result<(), Failure> {
        self.store(store)?.add(value)?;
        Ok(())
    }

    pub fn delete(&self, store: &str, range: &JsValue) -> Result<(), Failure> {
        self.store(store)?.delete(range)?;
        Ok(())
    }

    pub fn clear(&self, store: &str) -> Result<(), Failure> {
        self.store(store)?.clear()?;
        Ok(())
    }

    fn store(&self, name: &str) -> Result<IdbObjectStore, JsValue> {
        self.inner.object_store(name)
    }

    /// Commits, or undoes everything if the work failed.
    pub async fn end<T>(self, result: Result<T, Failure>) -> Result<T, StoreError> {
        if result.is_err() {
            // It fails if the browser has aborted the transaction already.
            let _ = self.inner.abort();
        }
        let event = JsFuture::from(self.done).await;
        let reason = match (result, event) {
            (Err(Failure::Store(error)), _) => return Err(error),
            (Err(Failure::Browser(thrown)), _) => thrown,
            (Ok(value), Ok(event)) if requests::is(&event, "complete") => return Ok(value),
            (Ok(_), _) => JsValue::NULL,
        };
        // Requests of an aborted transaction all say that it was; it alone knows why.
        let reason = self.inner.error().map_or(reason, Into::into);
        Err(self.database.failed(&reason))
    }
}
