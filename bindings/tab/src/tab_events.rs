use std::cell::RefCell;

use js_sys::Array;
use wasm_bindgen::prelude::*;

use tabmux::ot::Answered;
use tabmux::protocol::{ConnectionError, QueryExtra, QueryReady, StoreEvent, StoreReply};
use tabmux::tab::{DocKey, Tab, TabEvent};
use tabmux::{Payload, to_value};
use tabmux_bindings::errors::{option_to_js, to_js};

#[wasm_bindgen]
extern "C" {
    /// `js/src/tab/core-handler.ts`: what the tab's core tells its owner, in order.
    pub type TabHandler;
    /// A layer is to see a message; what it passes on goes to `TabCore.pass`.
    #[wasm_bindgen(method, catch)]
    pub fn layer(
        this: &TabHandler,
        name: &str,
        id: u32,
        inbound: bool,
        message: JsValue,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn joined(this: &TabHandler, epoch: f64) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn refused(this: &TabHandler, error: JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = hubLost)]
    fn hub_lost(this: &TabHandler) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn closed(this: &TabHandler, reason: Option<String>) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn offline(this: &TabHandler) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn state(
        this: &TabHandler,
        state: &str,
        id: Option<String>,
        reason: JsValue,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn tabs(this: &TabHandler, tabs: JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn callback(this: &TabHandler, request: f64, error: JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn load(
        this: &TabHandler,
        doc: DocKey,
        snapshot: JsValue,
        dropped: Array,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn apply(
        this: &TabHandler,
        doc: DocKey,
        op: JsValue,
        version: JsValue,
        src: Option<String>,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = rolledBack)]
    fn rolled_back(
        this: &TabHandler,
        doc: DocKey,
        error: JsValue,
        dropped: Array,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn sent(this: &TabHandler, doc: DocKey, op: JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn settled(
        this: &TabHandler,
        doc: DocKey,
        tokens: Array,
        version: JsValue,
        error: JsValue,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn behind(this: &TabHandler, doc: DocKey) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = docError)]
    fn doc_error(this: &TabHandler, doc: DocKey, error: JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn subscribed(this: &TabHandler, doc: DocKey, error: JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = queryDocs)]
    fn query_docs(this: &TabHandler, docs: JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = queryReady)]
    fn query_ready(
        this: &TabHandler,
        query: f64,
        error: JsValue,
        results: JsValue,
        extra: JsValue,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = queryChange)]
    fn query_change(this: &TabHandler, query: f64, diff: JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = queryExtra)]
    fn query_extra(this: &TabHandler, query: f64, extra: JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = queryFailed)]
    fn query_failed(this: &TabHandler, query: f64, error: JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn receive(this: &TabHandler, message: JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn sequenced(this: &TabHandler, doc: DocKey) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = connectionFailed)]
    fn connection_failed(this: &TabHandler, socket: bool, error: JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn fault(this: &TabHandler, error: JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = storeReply)]
    fn store_reply(
        this: &TabHandler,
        request: f64,
        error: JsValue,
        answer: JsValue,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = storeEvent)]
    fn store_event(this: &TabHandler, name: &str, detail: JsValue) -> Result<(), JsValue>;
}

/// Tells the handler of an event of the tab.
///
/// # Errors
/// What the handler threw.
pub(super) fn tell(
    handler: &TabHandler,
    tab: &RefCell<Tab>,
    event: TabEvent,
) -> Result<(), JsValue> {
    match event {
        TabEvent::Joined { epoch } => handler.joined(epoch as f64),
        TabEvent::Refused(error) => handler.refused(to_js(&error)),
        TabEvent::HubLost => handler.hub_lost(),
        TabEvent::Offline => handler.offline(),
        TabEvent::State(event) => handler.state(&event.state, event.id, or_undefined(event.reason)),
        TabEvent::ConnectionFailed(ConnectionError { socket, error }) => {
            handler.connection_failed(socket, to_js(&error))
        }
        TabEvent::Sequenced { doc } => handler.sequenced(doc),
        TabEvent::Tabs(tabs) => handler.tabs(to_value(&tabs)),
        TabEvent::Callback { request, error } => {
            handler.callback(request as f64, option_to_js(error.as_ref()))
        }
        TabEvent::Load { doc, snapshot, dropped } => {
            handler.load(doc, to_value(&snapshot), numbers(dropped))
        }
        TabEvent::Behind { doc } => handler.behind(doc),
        TabEvent::Apply { doc, op, src } => {
            handler.apply(doc, to_value(&op), version(tab, doc), src)
        }
        TabEvent::RolledBack { doc, error, dropped } => {
            handler.rolled_back(doc, to_js(&error), numbers(dropped))
        }
        TabEvent::Sent { doc, ops } => {
            ops.iter().try_for_each(|op| handler.sent(doc, to_value(op)))
        }
        TabEvent::Settled { doc, tokens, error } => {
            let error = option_to_js(error.as_ref());
            handler.settled(doc, numbers(tokens), version(tab, doc), error)
        }
        TabEvent::DocError { doc, error } => handler.doc_error(doc, to_js(&error)),
        TabEvent::Subscribed { doc, error } => {
            handler.subscribed(doc, option_to_js(error.as_ref()))
        }
        TabEvent::QueryDocs(docs) => handler.query_docs(to_value(&docs)),
        TabEvent::QueryReady(QueryReady { request, results, extra, error }) => {
            let (error, results) = (option_to_js(error.as_ref()), to_value(&results));
            handler.query_ready(request as f64, error, results, or_undefined(extra))
        }
        TabEvent::QueryChange(change) => {
            handler.query_change(change.request as f64, to_value(&change.diff))
        }
        TabEvent::QueryExtra(QueryExtra { request, extra }) => {
            handler.query_extra(request as f64, or_undefined(extra))
        }
        TabEvent::QueryFailed(failed) => {
            handler.query_failed(failed.request as f64, to_js(&failed.error))
        }
        TabEvent::StoreReply(StoreReply { request, answer, error }) => {
            let error = option_to_js(error.as_ref());
            handler.store_reply(request as f64, error, or_undefined(answer))
        }
        TabEvent::StoreEvent(StoreEvent { name, detail, .. }) => {
            handler.store_event(&name, detail.0)
        }
        TabEvent::Receive(message) => handler.receive(message.0),
        TabEvent::Fault(error) => handler.fault(to_js(&error)),
    }
}

fn version(tab: &RefCell<Tab>, doc: DocKey) -> JsValue {
    let tab = tab.borrow();
    let version = tab.replica(doc).and_then(|replica| replica.version());
    version.map_or(JsValue::NULL, |version| (version as f64).into())
}

fn or_undefined(payload: Option<Payload>) -> JsValue {
    payload.map_or(JsValue::UNDEFINED, |payload| payload.0)
}

/// The submits of each op as an array of numbers.
pub(super) fn numbers(answered: Answered) -> Array {
    let numbers = |tokens: Vec<u64>| -> Array {
        tokens.into_iter().map(|token| JsValue::from(token as f64)).collect()
    };
    answered.into_iter().map(numbers).collect()
}
