use wasm_bindgen::JsValue;
use web_sys::IdbDatabase;

use super::closed;
use crate::store::session::Session;
use crate::store::{StoreError, thrown};

/// A database that is open, or was.
pub(super) struct Database {
    pub name: String,
    pub inner: IdbDatabase,
    pub session: Session,
}

impl Database {
    /// The error for what the browser threw, or for null if it aborted a transaction without a word.
    pub fn failed(&self, thrown: &JsValue) -> StoreError {
        let name = self.name.clone();
        match thrown::name_of(thrown).as_deref() {
            Some("QuotaExceededError") => StoreError::Quota { name },
            // The browser closes a database when its data is cleared. The event may come later.
            None | Some("AbortError" | "InvalidStateError") => {
                self.inner.close();
                self.session.end(closed_by_browser(&name));
                self.session.check().err().unwrap_or_else(|| closed_by_browser(&name))
            }
            Some(_) => StoreError::Failed { name, reason: thrown::describe(thrown) },
        }
    }
}

pub(super) fn closed_by_browser(name: &str) -> StoreError {
    closed(name, "the browser closed it, as when the site's data is cleared")
}
