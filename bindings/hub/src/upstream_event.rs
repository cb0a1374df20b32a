//! What the upstream connection tells the hub.

use js_sys::Reflect;
use tabmux::hub::{self, Head, QueryResults, Sent};
use tabmux::ot::{Op, Origin};
use tabmux::protocol::{Change, ConnectionError, ConnectionEvent, DocId, QueryDiff};
use tabmux::wire::{Member, Place, Wire};
use tabmux::{Error, Payload, codes, from_value, wire, wire_enum};
use tabmux_bindings::errors::{from_js, to_js};
use tabmux_bindings::ops::op_from_js;
use wasm_bindgen::JsValue;

/// Something that JavaScript threw, or passed as an error.
#[derive(Clone)]
pub struct Caught(pub Error);

impl Caught {
    /// What was thrown, which may be nothing.
    pub fn of(thrown: JsValue) -> Self {
        if thrown.is_undefined() || thrown.is_null() {
            let message = "nothing was said when it failed";
            return Caught(Error::new(codes::OP_NOT_APPLIED, message));
        }
        Caught(from_js(thrown))
    }
}

impl Wire for Caught {
    fn write(&self, to: Place<'_>) {
        to.value(&to_js(&self.0));
    }

    fn read(from: Member<'_>) -> Self {
        Caught::of(from.value())
    }
}

/// An op that the server has told on its own, which may be of any shape.
pub struct SinceOp {
    op: Payload,
    src: Option<String>,
}

wire!(SinceOp { op, src });

/// What JavaScript tells, of which [`event_from_js`] makes the hub's own events. What is told of a document
/// that the hub has not given up comes with its head.
pub enum UpstreamEvent {
    State {
        state: String,
        id: Option<String>,
        reason: Option<Payload>,
    },
    ConnectionFailed {
        socket: bool,
        error: Caught,
    },
    Loaded {
        doc: DocId,
        head: Option<Head>,
    },
    Moved {
        doc: DocId,
        head: Option<Head>,
    },
    Unloaded {
        doc: DocId,
        head: Option<Head>,
    },
    Changed {
        doc: DocId,
        head: Option<Head>,
        op: Op,
        src: Option<String>,
        raw: Option<Payload>,
    },
    Sending {
        doc: DocId,
        head: Option<Head>,
        sent: Sent,
    },
    Outdated {
        doc: DocId,
        head: Option<Head>,
        error: Caught,
    },
    Fetched {
        doc: DocId,
        head: Option<Head>,
        error: Option<Caught>,
    },
    Since {
        doc: DocId,
        version: u64,
        error: Option<Caught>,
        ops: Vec<SinceOp>,
    },
    Subscribed {
        doc: DocId,
        head: Option<Head>,
        error: Option<Caught>,
        live: bool,
    },
    Answered {
        doc: DocId,
        head: Option<Head>,
        origin: Origin,
        error: Option<Caught>,
    },
    Failed {
        doc: DocId,
        head: Option<Head>,
        error: Caught,
    },
    QueryReady {
        query: u64,
        error: Option<Caught>,
        docs: Option<Vec<DocId>>,
        extra: Option<Payload>,
    },
    QueryChanged {
        query: u64,
        diff: Vec<QueryDiff>,
    },
    QueryExtra {
        query: u64,
        extra: Option<Payload>,
    },
    QueryFailed {
        query: u64,
        error: Caught,
    },
    Message {
        message: Payload,
    },
    Fault {
        error: Caught,
    },
}

wire_enum!(UpstreamEvent {
    "state" = State { state, id, reason },
    "connectionFailed" = ConnectionFailed { socket, error },
    "loaded" = Loaded { doc, head },
    "moved" = Moved { doc, head },
    "unloaded" = Unloaded { doc, head },
    "changed" = Changed { doc, head, op, src, raw },
    "sending" = Sending { doc, head, sent },
    "outdated" = Outdated { doc, head, error },
    "fetched" = Fetched { doc, head, error },
    "since" = Since { doc, version, error, ops },
    "subscribed" = Subscribed { doc, head, error, live },
    "answered" = Answered { doc, head, origin, error },
    "failed" = Failed { doc, head, error },
    "queryReady" = QueryReady { query, error, docs, extra },
    "queryChanged" = QueryChanged { query, diff },
    "queryExtra" = QueryExtra { query, extra },
    "queryFailed" = QueryFailed { query, error },
    "message" = Message { message },
    "fault" = Fault { error },
    else UpstreamEvent::Message { message: Payload::null() }
});

/// What the hub is told if a call throws: some of the [`UpstreamEvent`]s, to JavaScript the same.
pub enum UpstreamFailure {
    Fetched { doc: DocId, error: Caught },
    Subscribed { doc: DocId, error: Caught, live: bool },
    Failed { doc: DocId, error: Caught },
    QueryReady { query: u64, error: Caught },
    Fault { error: Caught },
}

wire_enum!(UpstreamFailure {
    "fetched" = Fetched { doc, error },
    "subscribed" = Subscribed { doc, error, live },
    "failed" = Failed { doc, error },
    "queryReady" = QueryReady { query, error },
    "fault" = Fault { error },
    else UpstreamFailure::Fault { error: Caught::of(JsValue::NULL) }
});

/// The hub's event with the head of the document it is about, or the error that the event tells: a fault,
/// which may be that it makes no sense.
pub fn event_from_js(event: &JsValue) -> Result<(hub::UpstreamEvent, Option<Head>), Error> {
    let told = from_value(event.clone()).map_err(|reason| {
        let name = Reflect::get(event, &"type".into()).ok().and_then(|it| it.as_string());
        let name = name.unwrap_or_else(|| "without a type".to_owned());
        let message = format!("an event of the upstream connection, {name}, was dropped: {reason}");
        Error::new(codes::BAD_FRAME, message)
    })?;
    let optional = |error: Option<Caught>| error.map(|it| it.0);
    Ok(match told {
        UpstreamEvent::Loaded { doc, head } => (hub::UpstreamEvent::Loaded(doc), head),
        UpstreamEvent::Moved { doc, head } => (hub::UpstreamEvent::Moved(doc), head),
        UpstreamEvent::Unloaded { doc, head } => (hub::UpstreamEvent::Unloaded(doc), head),
        UpstreamEvent::Changed { doc, head, op, src, raw } => {
            let raw = raw.and_then(|raw| op_from_js(raw.0).ok());
            let change = Change { op, version: head.as_ref().and_then(|head| head.version), src };
            (hub::UpstreamEvent::Changed(doc, change, raw), head)
        }
        UpstreamEvent::Sending { doc, head, sent } => {
            (hub::UpstreamEvent::Sending(doc, sent), head)
        }
        UpstreamEvent::Outdated { doc, head, error } => {
            (hub::UpstreamEvent::Outdated(doc, error.0), head)
        }
        UpstreamEvent::Fetched { doc, head, error } => {
            (hub::UpstreamEvent::Fetched(doc, optional(error)), head)
        }
        UpstreamEvent::Subscribed { doc, head, error, live } => {
            (hub::UpstreamEvent::Subscribed(doc, optional(error), live), head)
        }
        UpstreamEvent::Answered { doc, head, origin, error } => {
            (hub::UpstreamEvent::Answered(doc, origin, optional(error)), head)
        }
        UpstreamEvent::Failed { doc, head, error } => {
            (hub::UpstreamEvent::Failed(doc, error.0), head)
        }
        UpstreamEvent::Since { doc, version, error, ops } => {
            let ops = match error {
                Some(error) => Err(error.0),
                None => changes_since(version, ops),
            };
            (hub::UpstreamEvent::Since(doc, version, ops), None)
        }
        UpstreamEvent::Fault { error } => return Err(error.0),
        UpstreamEvent::State { state, id, reason } => {
            let event = ConnectionEvent { state, id, reason, losses: 0 };
            (hub::UpstreamEvent::State(event), None)
        }
        UpstreamEvent::ConnectionFailed { socket, error } => {
            let error = ConnectionError { socket, error: error.0 };
            (hub::UpstreamEvent::ConnectionFailed(error), None)
        }
        UpstreamEvent::QueryReady { query, error, docs, extra } => {
            let found = match error {
                Some(error) => Err(error.0),
                None => Ok(QueryResults { docs, extra }),
            };
            (hub::UpstreamEvent::QueryReady(query, found), None)
        }
        UpstreamEvent::QueryChanged { query, diff } => {
            (hub::UpstreamEvent::QueryChanged(query, diff), None)
        }
        UpstreamEvent::QueryExtra { query, extra } => {
            (hub::UpstreamEvent::QueryExtra(query, extra), None)
        }
        UpstreamEvent::QueryFailed { query, error } => {
            (hub::UpstreamEvent::QueryFailed(query, error.0), None)
        }
        UpstreamEvent::Message { message } => (hub::UpstreamEvent::Message(message), None),
    })
}

/// The server's ops from this version on.
fn changes_since(version: u64, ops: Vec<SinceOp>) -> Result<Vec<Change>, Error> {
    let changes = ops.into_iter().zip(version + 1..).map(|(SinceOp { op, src }, version)| {
        Ok(Change { op: op_from_js(op.0)?, version: Some(version), src })
    });
    changes.collect()
}
