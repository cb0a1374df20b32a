use js_sys::Array;
use wasm_bindgen::prelude::*;

use tabmux::Error;
use tabmux::hub::{
    PendingOp, QueryResults, Restored, Sent, Submission, Untold, Upstream, UpstreamEvent,
};
use tabmux::ot::{Create, Op, Origin};
use tabmux::protocol::{Change, ConnectionError, ConnectionEvent, DocId, QuerySpec, Snapshot};
use tabmux::{Payload, from_value, to_value};
use tabmux_bindings::errors::{from_js, option_from_js};
use tabmux_bindings::ops::op_from_js;

#[wasm_bindgen]
extern "C" {
    /// `js/src/hub/upstream.ts`: the real ShareDB connection.
    pub type UpstreamAdapter;
    #[wasm_bindgen(method, catch)]
    fn connect(this: &UpstreamAdapter, options: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn fetch(this: &UpstreamAdapter, collection: &str, id: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = startBulk)]
    fn start_bulk(this: &UpstreamAdapter) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = endBulk)]
    fn end_bulk(this: &UpstreamAdapter) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn flush(this: &UpstreamAdapter, collection: &str, id: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn ingest(
        this: &UpstreamAdapter,
        collection: &str,
        id: &str,
        snapshot: JsValue,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = fetchSince)]
    fn fetch_since(
        this: &UpstreamAdapter,
        collection: &str,
        id: &str,
        version: f64,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn subscribe(this: &UpstreamAdapter, collection: &str, id: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn unsubscribe(this: &UpstreamAdapter, collection: &str, id: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn destroy(this: &UpstreamAdapter, collection: &str, id: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn send(this: &UpstreamAdapter, message: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = handleMessage)]
    fn handle_message(this: &UpstreamAdapter, message: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn query(this: &UpstreamAdapter, id: f64, spec: JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = endQuery)]
    fn end_query(this: &UpstreamAdapter, id: f64) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn submit(
        this: &UpstreamAdapter,
        collection: &str,
        id: &str,
        op: JsValue,
        how: Array,
    ) -> Result<bool, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn release(
        this: &UpstreamAdapter,
        collection: &str,
        id: &str,
        src: &str,
        seq: f64,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn pending(this: &UpstreamAdapter, collection: &str, id: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = materialize)]
    fn materialize_js(
        this: &UpstreamAdapter,
        snapshot: JsValue,
        ops: JsValue,
    ) -> Result<Array, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn restore(
        this: &UpstreamAdapter,
        collection: &str,
        id: &str,
        snapshot: JsValue,
        ops: JsValue,
        pending: JsValue,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = startOver)]
    fn start_over(this: &UpstreamAdapter, collection: &str, id: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn reapply(
        this: &UpstreamAdapter,
        collection: &str,
        id: &str,
        pending: JsValue,
    ) -> Result<Array, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn untold(this: &UpstreamAdapter, collection: &str, id: &str) -> Result<Array, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn snapshot(this: &UpstreamAdapter, collection: &str, id: &str) -> Result<Array, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn head(this: &UpstreamAdapter, collection: &str, id: &str) -> Result<Array, JsValue>;
    /// Tells the hub, like anything else that happens upstream, that one of the above threw.
    #[wasm_bindgen(method, catch)]
    fn tell(this: &UpstreamAdapter, event: &Array) -> Result<(), JsValue>;
}

impl UpstreamAdapter {
    /// What the snapshot would say after the ops.
    ///
    /// # Errors
    /// Its type is not registered, or its ops do not fit its data.
    pub fn materialize(&self, restored: &Restored) -> Result<Snapshot, Error> {
        let (snapshot, ops) = (to_value(&restored.snapshot), to_value(&restored.ops));
        let parts = self.materialize_js(snapshot, ops).map_err(from_js)?;
        Ok(snapshot_from_js(&parts))
    }

    /// What was returned. If it threw instead, the hub is told so by the event `failure` about the
    /// subject, and nothing was returned: an exception must not pass through the core.
    fn returned<T>(
        &self,
        result: Result<T, JsValue>,
        failure: &str,
        subject: &[JsValue],
    ) -> Option<T> {
        result
            .inspect_err(|thrown| {
                let event = Array::of1(&failure.into());
                subject.iter().chain([thrown]).for_each(|part| {
                    event.push(part);
                });
                // There is nobody else to tell.
                let _ = self.tell(&event);
            })
            .ok()
    }

    /// As `returned`, for what is done with a document.
    fn done<T>(&self, result: Result<T, JsValue>, failure: &str, doc: &DocId) -> Option<T> {
        let subject = [doc.collection.as_str().into(), doc.id.as_str().into()];
        self.returned(result, failure, &subject)
    }

    /// As `returned`, for what has nobody who waits for it.
    fn tried<T>(&self, result: Result<T, JsValue>) -> Option<T> {
        self.returned(result, "fault", &[])
    }
}

impl Upstream for UpstreamAdapter {
    fn connect(&mut self, options: Option<&Payload>) -> Result<(), Error> {
        let options = options.map_or(JsValue::UNDEFINED, |options| options.0.clone());
        UpstreamAdapter::connect(self, &options).map_err(|thrown| {
            let cause = from_js(thrown).message;
            let message = format!("the hub's connect function failed: {cause}");
            Error::new(tabmux::codes::HUB_START, message)
        })
    }

    fn fetch(&mut self, doc: &DocId) {
        let done = UpstreamAdapter::fetch(self, &doc.collection, &doc.id);
        self.done(done, "fetched", doc);
    }

    fn start_bulk(&mut self) {
        self.tried(UpstreamAdapter::start_bulk(self));
    }

    fn end_bulk(&mut self) {
        self.tried(UpstreamAdapter::end_bulk(self));
    }

    fn flush(&mut self, doc: &DocId) {
        let done = UpstreamAdapter::flush(self, &doc.collection, &doc.id);
        self.done(done, "failed", doc);
    }

    fn ingest(&mut self, doc: &DocId, snapshot: &Snapshot) {
        let snapshot = to_value(snapshot);
        let done = UpstreamAdapter::ingest(self, &doc.collection, &doc.id, snapshot);
        self.done(done, "failed", doc);
    }

    fn fetch_since(&mut self, doc: &DocId, version: u64) {
        let (collection, id) = (&doc.collection, &doc.id);
        let done = UpstreamAdapter::fetch_since(self, collection, id, version as f64);
        self.done(done, "failed", doc);
    }

    fn subscribe(&mut self, doc: &DocId) {
        let done = UpstreamAdapter::subscribe(self, &doc.collection, &doc.id);
        self.done(done, "subscribed", doc);
    }

    fn unsubscribe(&mut self, doc: &DocId) {
        let done = UpstreamAdapter::unsubscribe(self, &doc.collection, &doc.id);
        self.done(done, "failed", doc);
    }

    fn destroy(&mut self, doc: &DocId) {
        let done = UpstreamAdapter::destroy(self, &doc.collection, &doc.id);
        self.done(done, "failed", doc);
    }

    fn send(&mut self, message: &Payload) {
        self.tried(UpstreamAdapter::send(self, &message.0));
    }

    fn handle_message(&mut self, message: &Payload) {
        self.tried(UpstreamAdapter::handle_message(self, &message.0));
    }

    fn query(&mut self, query: u64, spec: &QuerySpec) {
        let spec = to_value(spec);
        let done = UpstreamAdapter::query(self, query as f64, spec);
        self.returned(done, "queryReady", &[(query as f64).into()]);
    }

    fn end_query(&mut self, query: u64) {
        self.tried(UpstreamAdapter::end_query(self, query as f64));
    }

    fn submit(&mut self, doc: &DocId, submission: Submission<'_>) -> Result<bool, Error> {
        let op = to_value(submission.op);
        let source = submission.source.map_or(JsValue::UNDEFINED, |source| source.0.clone());
        let how = Array::of4(
            &source,
            &submission.compose.into(),
            &submission.origin.tab.as_str().into(),
            &(submission.origin.op_id as f64).into(),
        );
        UpstreamAdapter::submit(self, &doc.collection, &doc.id, op, how).map_err(from_js)
    }

    fn release(&mut self, doc: &DocId, sent: &Sent) {
        let seq = sent.seq as f64;
        let done = UpstreamAdapter::release(self, &doc.collection, &doc.id, &sent.src, seq);
        self.done(done, "failed", doc);
    }

    fn pending(&self, doc: &DocId) -> Vec<PendingOp> {
        let pending = UpstreamAdapter::pending(self, &doc.collection, &doc.id)
            .and_then(|pending| from_value(pending).map_err(|reason| reason.into()));
        self.done(pending, "failed", doc).unwrap_or_default()
    }

    fn restore(&mut self, doc: &DocId, restored: &Restored) -> Result<(), Error> {
        let (snapshot, ops) = (to_value(&restored.snapshot), to_value(&restored.ops));
        let pending = to_value(&restored.pending);
        UpstreamAdapter::restore(self, &doc.collection, &doc.id, snapshot, ops, pending)
            .map_err(from_js)
    }

    fn start_over(&mut self, doc: &DocId) {
        let done = UpstreamAdapter::start_over(self, &doc.collection, &doc.id);
        self.done(done, "fetched", doc);
    }

    fn reapply(&mut self, doc: &DocId, pending: Vec<PendingOp>) -> Vec<(PendingOp, Error)> {
        let ops = to_value(&pending);
        let unfit = match UpstreamAdapter::reapply(self, &doc.collection, &doc.id, ops) {
            Ok(unfit) => unfit,
            Err(thrown) => {
                let error = from_js(thrown);
                return pending.into_iter().map(|op| (op, error.clone())).collect();
            }
        };
        unfit
            .iter()
            .filter_map(|entry| {
                let entry = Array::from(&entry);
                let op = pending.get(entry.get(0).as_f64()? as usize)?;
                Some((op.clone(), from_js(entry.get(1))))
            })
            .collect()
    }

    fn untold(&self, doc: &DocId) -> Untold {
        let untold = UpstreamAdapter::untold(self, &doc.collection, &doc.id);
        let Some(parts) = self.done(untold, "failed", doc) else { return Untold::default() };
        let changes = parts.get(0).as_f64().unwrap_or_default() as u64;
        Untold { changes, load: parts.get(1).is_truthy() }
    }

    fn snapshot(&self, doc: &DocId) -> Snapshot {
        let parts = UpstreamAdapter::snapshot(self, &doc.collection, &doc.id);
        self.done(parts, "failed", doc).map_or_else(Snapshot::default, |it| snapshot_from_js(&it))
    }

    fn head(&self, doc: &DocId) -> Snapshot {
        let parts = UpstreamAdapter::head(self, &doc.collection, &doc.id);
        self.done(parts, "failed", doc).map_or_else(Snapshot::default, |it| head_from_js(&it))
    }
}

fn head_from_js(parts: &Array) -> Snapshot {
    let version = parts.get(0).as_f64().map(|version| version as u64);
    Snapshot { version, type_name: parts.get(1).as_string(), data: None }
}

fn snapshot_from_js(parts: &Array) -> Snapshot {
    Snapshot { data: defined(parts.get(2)), ..head_from_js(parts) }
}

/// What the event `["fault", error]` tells.
pub fn fault_from_js(event: &Array) -> Option<Error> {
    (event.get(0) == "fault").then(|| from_js(event.get(1)))
}

/// An upstream event as JavaScript tells it: `[name, …]`. `None` if it is none.
pub fn event_from_js(event: &Array) -> Option<UpstreamEvent> {
    let text = |at: u32| event.get(at).as_string();
    let doc = || Some(DocId::new(text(1)?, text(2)?));
    Some(match text(0)?.as_str() {
        "state" => {
            let reason = defined(event.get(3));
            UpstreamEvent::State(ConnectionEvent {
                state: text(1)?,
                id: text(2),
                reason,
                losses: 0,
            })
        }
        "connectionFailed" => {
            let error = option_from_js(event.get(2))?;
            let socket = event.get(1).is_truthy();
            UpstreamEvent::ConnectionFailed(ConnectionError { socket, error })
        }
        "loaded" => UpstreamEvent::Loaded(doc()?),
        "unloaded" => UpstreamEvent::Unloaded(doc()?),
        "sending" => {
            let sent = Sent { src: text(3)?, seq: event.get(4).as_f64()? as u64 };
            UpstreamEvent::Sending(doc()?, sent)
        }
        "outdated" => UpstreamEvent::Outdated(doc()?, option_from_js(event.get(3))?),
        "fetched" => UpstreamEvent::Fetched(doc()?, option_from_js(event.get(3))),
        "since" => {
            let version = event.get(3).as_f64()? as u64;
            let ops = match option_from_js(event.get(4)) {
                Some(error) => Err(error),
                None => changes_since(version, event.get(5)),
            };
            UpstreamEvent::Since(doc()?, version, ops)
        }
        "subscribed" => {
            let (error, is_live) = (option_from_js(event.get(3)), event.get(4).is_truthy());
            UpstreamEvent::Subscribed(doc()?, error, is_live)
        }
        "failed" => UpstreamEvent::Failed(doc()?, option_from_js(event.get(3))?),
        "settled" => {
            let origin = Origin { tab: text(3)?, op_id: event.get(4).as_f64()? as u64 };
            UpstreamEvent::Settled(doc()?, origin, option_from_js(event.get(5)))
        }
        "queryReady" => {
            let found = match option_from_js(event.get(2)) {
                Some(error) => Err(error),
                None => {
                    let docs = docs_from_js(event.get(3));
                    Ok(QueryResults { docs, extra: defined(event.get(4)) })
                }
            };
            UpstreamEvent::QueryReady(number(event)?, found)
        }
        "queryChanged" => {
            UpstreamEvent::QueryChanged(number(event)?, from_value(event.get(2)).ok()?)
        }
        "queryExtra" => UpstreamEvent::QueryExtra(number(event)?, defined(event.get(2))),
        "queryFailed" => UpstreamEvent::QueryFailed(number(event)?, option_from_js(event.get(2))?),
        "message" => UpstreamEvent::Message(Payload(event.get(1))),
        "op" => changed(doc()?, event, Op::Edit(Payload(event.get(5))), 6),
        "del" => changed(doc()?, event, Op::Del, 5),
        "create" => {
            let data = defined(event.get(6));
            let create = Create { type_name: text(5)?, data, snapshot: true };
            changed(doc()?, event, Op::Create(create), 7)
        }
        _ => return None,
    })
}

fn defined(value: JsValue) -> Option<Payload> {
    (!value.is_undefined()).then_some(Payload(value))
}

/// The server's ops, each as `[op, src]`, from this version on.
fn changes_since(version: u64, ops: JsValue) -> Result<Vec<Change>, Error> {
    let ops = Array::from(&ops).into_iter().zip(version + 1..);
    let changes = ops.map(|(told, version)| {
        let told = Array::from(&told);
        let (op, src) = (op_from_js(told.get(0))?, told.get(1).as_string());
        Ok(Change { op, version: Some(version), src })
    });
    changes.collect()
}

/// The number of the query an event is about.
fn number(event: &Array) -> Option<u64> {
    event.get(1).as_f64().map(|number| number as u64)
}

/// A list of `{collection, id}`; `None` if it is no list.
fn docs_from_js(docs: JsValue) -> Option<Vec<DocId>> {
    from_value(docs).ok()
}

/// `[name, collection, id, version, src, …]`, and at `raw` the server's op as it came, if that is it.
fn changed(doc: DocId, event: &Array, op: Op, raw: u32) -> UpstreamEvent {
    let version = event.get(3).as_f64().map(|version| version as u64);
    let change = Change { op, version, src: event.get(4).as_string() };
    let raw = defined(event.get(raw)).and_then(|op| op_from_js(op.0).ok());
    UpstreamEvent::Changed(doc, change, raw)
}
