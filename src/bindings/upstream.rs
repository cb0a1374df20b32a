use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::errors::{from_js, option_from_js};
use crate::error::Error;
use crate::hub::{Submission, Upstream, UpstreamEvent};
use crate::ot::{Create, Op, Origin};
use crate::platform::{Payload, from_value, to_value};
use crate::protocol::{Change, ConnectionEvent, DocId, Snapshot};

#[wasm_bindgen]
extern "C" {
    /// `js/src/hub/upstream.ts`: the real ShareDB connection.
    pub type UpstreamAdapter;
    #[wasm_bindgen(method, catch)]
    fn connect(this: &UpstreamAdapter, options: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method)]
    fn fetch(this: &UpstreamAdapter, collection: &str, id: &str);
    #[wasm_bindgen(method, js_name = startBulk)]
    fn start_bulk(this: &UpstreamAdapter);
    #[wasm_bindgen(method, js_name = endBulk)]
    fn end_bulk(this: &UpstreamAdapter);
    #[wasm_bindgen(method)]
    fn subscribe(this: &UpstreamAdapter, collection: &str, id: &str);
    #[wasm_bindgen(method)]
    fn unsubscribe(this: &UpstreamAdapter, collection: &str, id: &str);
    #[wasm_bindgen(method)]
    fn destroy(this: &UpstreamAdapter, collection: &str, id: &str);
    #[wasm_bindgen(method, catch)]
    fn submit(
        this: &UpstreamAdapter,
        collection: &str,
        id: &str,
        op: JsValue,
        how: Array,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method)]
    fn snapshot(this: &UpstreamAdapter, collection: &str, id: &str) -> Array;
    #[wasm_bindgen(method)]
    fn head(this: &UpstreamAdapter, collection: &str, id: &str) -> Array;
}

impl Upstream for UpstreamAdapter {
    fn connect(&mut self, options: Option<&Payload>) -> Result<(), Error> {
        let options = options.map_or(JsValue::UNDEFINED, |options| options.0.clone());
        UpstreamAdapter::connect(self, &options).map_err(|thrown| {
            let cause = from_js(thrown).message;
            let message = format!("the hub's connect function failed: {cause}");
            Error::new(crate::codes::HUB_START, message)
        })
    }

    fn fetch(&mut self, doc: &DocId) {
        UpstreamAdapter::fetch(self, &doc.collection, &doc.id);
    }

    fn fetch_bulk(&mut self, docs: &[DocId]) {
        self.start_bulk();
        for doc in docs {
            UpstreamAdapter::fetch(self, &doc.collection, &doc.id);
        }
        self.end_bulk();
    }

    fn subscribe(&mut self, doc: &DocId) {
        UpstreamAdapter::subscribe(self, &doc.collection, &doc.id);
    }

    fn unsubscribe(&mut self, doc: &DocId) {
        UpstreamAdapter::unsubscribe(self, &doc.collection, &doc.id);
    }

    fn destroy(&mut self, doc: &DocId) {
        UpstreamAdapter::destroy(self, &doc.collection, &doc.id);
    }

    fn submit(&mut self, doc: &DocId, submission: Submission<'_>) -> Result<(), Error> {
        let op = op_to_js(submission.op)?;
        let source = submission.source.map_or(JsValue::UNDEFINED, |source| source.0.clone());
        let how = Array::of4(
            &source,
            &submission.compose.into(),
            &submission.origin.tab.as_str().into(),
            &(submission.origin.op_id as f64).into(),
        );
        UpstreamAdapter::submit(self, &doc.collection, &doc.id, op, how).map_err(from_js)
    }

    fn snapshot(&self, doc: &DocId) -> Snapshot {
        let parts = UpstreamAdapter::snapshot(self, &doc.collection, &doc.id);
        let data = parts.get(2);
        let data = (!data.is_undefined()).then_some(Payload(data));
        Snapshot { data, ..head_from_js(&parts) }
    }

    fn head(&self, doc: &DocId) -> Snapshot {
        head_from_js(&UpstreamAdapter::head(self, &doc.collection, &doc.id))
    }
}

fn head_from_js(parts: &Array) -> Snapshot {
    let version = parts.get(0).as_f64().map(|version| version as u64);
    Snapshot { version, type_name: parts.get(1).as_string(), data: None }
}

/// An op as `{op}`, `{create: {type, data}}`, `{del: true}` or `{}`.
pub fn op_to_js(op: &Op) -> Result<JsValue, Error> {
    to_value(op).map_err(|reason| Error::new(crate::codes::UNCARRIABLE, reason))
}

/// The inverse of [`op_to_js`].
pub fn op_from_js(op: JsValue) -> Result<Op, Error> {
    from_value(op).map_err(|reason| Error::new(crate::codes::UNCARRIABLE, reason))
}

/// An upstream event as JavaScript tells it: `[name, …]`. `None` if it is none.
pub fn event_from_js(event: &Array) -> Option<UpstreamEvent> {
    let text = |at: u32| event.get(at).as_string();
    let doc = || Some(DocId::new(text(1)?, text(2)?));
    Some(match text(0)?.as_str() {
        "state" => {
            let reason = event.get(3);
            let reason = (!reason.is_undefined()).then_some(Payload(reason));
            UpstreamEvent::State(ConnectionEvent { state: text(1)?, id: text(2), reason })
        }
        "loaded" => UpstreamEvent::Loaded(doc()?),
        "fetched" => UpstreamEvent::Fetched(doc()?, option_from_js(event.get(3))),
        "subscribed" => UpstreamEvent::Subscribed(doc()?, option_from_js(event.get(3))),
        "failed" => UpstreamEvent::Failed(doc()?, option_from_js(event.get(3))?),
        "settled" => {
            let origin = Origin { tab: text(3)?, op_id: event.get(4).as_f64()? as u64 };
            UpstreamEvent::Settled(doc()?, origin, option_from_js(event.get(5)))
        }
        "op" => changed(doc()?, event, Op::Edit(Payload(event.get(5)))),
        "del" => changed(doc()?, event, Op::Del),
        "create" => {
            let data = event.get(6);
            let data = (!data.is_undefined()).then_some(Payload(data));
            let create = Create { type_name: text(5)?, data, snapshot: true };
            changed(doc()?, event, Op::Create(create))
        }
        _ => return None,
    })
}

/// `[name, collection, id, version, src, …]`
fn changed(doc: DocId, event: &Array, op: Op) -> UpstreamEvent {
    let version = event.get(3).as_f64().map(|version| version as u64);
    UpstreamEvent::Changed(doc, Change { op, version, src: event.get(4).as_string() })
}
