use std::cell::RefCell;

use tabmux::ot::{Answered, Create, Op};
use tabmux::protocol::{
    ConnectionError, DocId, QueryDiff, QueryExtra, QueryReady, Snapshot, StoreEvent, StoreQuestion,
    StoreReply, TabInfo,
};
use tabmux::tab::{DocKey, Tab, TabEvent};
use tabmux::{Error, Payload};
use tabmux_bindings::door::{Thrown, thrown};
use tabmux_bindings::{declare_types, door};
use wasm_bindgen::JsValue;

use super::tab_options::CoreSettings;

door! {
    /// `js/src/tab/core-handler.ts`: what the tab's core tells its owner, in order.
    interface TabHandler = "TabHandler" {
        /// A layer is to see a message; what it passes on goes to `TabCore.pass`.
        fn layer(name: &str, id: u32, inbound: bool, message: Payload);
        fn joined(epoch: u64);
        fn refused(error: Thrown<'_>);
        fn hub_lost as hubLost();
        fn closed(reason: Option<String>);
        fn offline();
        fn state(state: &str, id: Option<String>, reason: Option<Payload>);
        fn tabs(tabs: &Vec<TabInfo>);
        fn callback(request: u64, error: Option<Thrown<'_>>);
        fn load(doc: DocKey, snapshot: &Snapshot, dropped: &Answered);
        fn apply(doc: DocKey, op: &Op, version: Option<u64>, src: Option<String>);
        fn rolled_back as rolledBack(doc: DocKey, error: Thrown<'_>, dropped: &Answered);
        fn sent(doc: DocKey, op: &Op);
        fn answered(
            doc: DocKey,
            tokens: &Answered,
            version: Option<u64>,
            error: Option<Thrown<'_>>,
        );
        fn behind(doc: DocKey);
        fn doc_error as docError(doc: DocKey, error: Thrown<'_>);
        fn subscribed(doc: DocKey, error: Option<Thrown<'_>>);
        fn query_docs as queryDocs(docs: &Vec<DocId>);
        fn query_ready as queryReady(
            query: u64,
            error: Option<Thrown<'_>>,
            results: &Option<Vec<DocId>>,
            extra: Option<Payload>,
        );
        fn query_change as queryChange(query: u64, diff: &Vec<QueryDiff>);
        fn query_extra as queryExtra(query: u64, extra: Option<Payload>);
        fn query_failed as queryFailed(query: u64, error: Thrown<'_>);
        fn receive(message: Payload);
        fn sequenced(doc: DocKey);
        fn connection_failed as connectionFailed(socket: bool, error: Thrown<'_>);
        fn fault(error: Thrown<'_>);
        fn store_reply as storeReply(
            request: u64,
            error: Option<Thrown<'_>>,
            answer: Option<Payload>,
        );
        fn store_event as storeEvent(name: &str, detail: Payload);
    }
}

declare_types!(
    &CoreSettings,
    &Create,
    &DocId,
    &Op,
    &QueryDiff,
    &Snapshot,
    &StoreQuestion,
    &TabInfo,
    Thrown<'_>,
);

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
        TabEvent::Joined { epoch } => handler.joined(epoch),
        TabEvent::Refused(error) => handler.refused(Thrown(&error)),
        TabEvent::HubLost => handler.hub_lost(),
        TabEvent::Offline => handler.offline(),
        TabEvent::State(event) => handler.state(&event.state, event.id, event.reason),
        TabEvent::ConnectionFailed(ConnectionError { socket, error }) => {
            handler.connection_failed(socket, Thrown(&error))
        }
        TabEvent::Sequenced { doc } => handler.sequenced(doc),
        TabEvent::Tabs(tabs) => handler.tabs(&tabs),
        TabEvent::Callback { request, error } => handler.callback(request, thrown(error.as_ref())),
        TabEvent::Load { doc, snapshot, dropped } => handler.load(doc, &snapshot, &dropped),
        TabEvent::Behind { doc } => handler.behind(doc),
        TabEvent::Apply { doc, op, src } => handler.apply(doc, &op, version(tab, doc), src),
        TabEvent::RolledBack { doc, error, dropped } => {
            handler.rolled_back(doc, Thrown(&error), &dropped)
        }
        TabEvent::Sent { doc, ops } => ops.iter().try_for_each(|op| handler.sent(doc, op)),
        TabEvent::Answered { doc, tokens, error } => {
            handler.answered(doc, &tokens, version(tab, doc), thrown(error.as_ref()))
        }
        TabEvent::DocError { doc, error } => handler.doc_error(doc, Thrown(&error)),
        TabEvent::Subscribed { doc, error } => handler.subscribed(doc, thrown(error.as_ref())),
        TabEvent::QueryDocs(docs) => handler.query_docs(&docs),
        TabEvent::QueryReady(QueryReady { request, results, extra, error }) => {
            handler.query_ready(request, thrown(error.as_ref()), &results, extra)
        }
        TabEvent::QueryChange(change) => handler.query_change(change.request, &change.diff),
        TabEvent::QueryExtra(QueryExtra { request, extra }) => handler.query_extra(request, extra),
        TabEvent::QueryFailed(failed) => {
            handler.query_failed(failed.request, Thrown(&failed.error))
        }
        TabEvent::StoreReply(StoreReply { request, answer, error }) => {
            handler.store_reply(request, thrown(error.as_ref()), answer)
        }
        TabEvent::StoreEvent(StoreEvent { name, detail, .. }) => handler.store_event(&name, detail),
        TabEvent::Receive(message) => handler.receive(message),
        TabEvent::Fault(error) => handler.fault(Thrown(&error)),
    }
}

/// Tells the handler of something that was dropped.
pub(super) fn tell_fault(handler: &TabHandler, error: &Error) {
    // There is nobody else to tell.
    let _ = handler.fault(Thrown(error));
}

fn version(tab: &RefCell<Tab>, doc: DocKey) -> Option<u64> {
    tab.borrow().replica(doc)?.version()
}
