//! The unload journal as the text that JavaScript keeps.

use tabmux_codecs::{Codec, Json, Limits};
use tabmux_transports::Frame;
use wasm_bindgen::prelude::*;

use super::tab::TabCore;
use tabmux::protocol::ConnectionUnloadJournal;
use tabmux::{Error, codes};
use tabmux::{from_value, to_value};
use tabmux_bindings::clock::now;
use tabmux_bindings::errors::to_js;

#[wasm_bindgen]
impl TabCore {
    /// Names the hubs that take the unload journals of each other's tabs, this one's among them.
    #[wasm_bindgen(js_name = unloadJournalStores)]
    pub fn unload_journal_stores(&self) -> Option<String> {
        self.0.tab.borrow().unload_journal_stores().map(str::to_owned)
    }

    /// What the hub may not have if the tab ends now, as a text for `passOn`.
    #[wasm_bindgen(js_name = unloadJournal)]
    pub fn unload_journal(&self) -> Option<String> {
        let journal = self.0.tab.borrow_mut().unload_journal()?;
        match Json::new(Limits::default()).encode(&to_value(&journal)) {
            Ok(Frame::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Gives the hub what a tab that is gone has left. Returns the request's number. Throws if the
    /// text makes no sense.
    #[wasm_bindgen(js_name = passOn)]
    pub fn pass_on(&self, text: String) -> Result<f64, JsValue> {
        let nonsense = |reason: String| to_js(&Error::new(codes::BAD_FRAME, reason));
        let value = Json::new(Limits::default()).decode(Frame::Text(text));
        let journal: ConnectionUnloadJournal =
            from_value(value.map_err(|error| nonsense(error.to_string()))?).map_err(nonsense)?;
        let request = self.0.tab.borrow_mut().pass_on(journal, now());
        self.0.pump();
        Ok(request as f64)
    }
}
