//! What the upstream connection tells the hub.

use js_sys::Reflect;
use tabmux::hub::{self, QueryResults, Sent};
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

/// What JavaScript tells, which `From` below makes the hub's own events of.
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
    },
    Unloaded {
        doc: DocId,
    },
    Changed {
        doc: DocId,
        op: Op,
        version: Option<u64>,
        src: Option<String>,
        raw: Option<Payload>,
    },
    Sending {
        doc: DocId,
        sent: Sent,
    },
    Outdated {
        doc: DocId,
        error: Caught,
    },
    Fetched {
        doc: DocId,
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
        error: Option<Caught>,
        live: bool,
    },
    Settled {
        doc: DocId,
        origin: Origin,
        error: Option<Caught>,
    },
    Failed {
        doc: DocId,
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
    "loaded" = Loaded { doc },
    "unloaded" = Unloaded { doc },
    "changed" = Changed { doc, op, version, src, raw },
    "sending" = Sending { doc, sent },
    "outdated" = Outdated { doc, error },
    "fetched" = Fetched { doc, error },
    "since" = Since { doc, version, error, ops },
    "subscribed" = Subscribed { doc, error, live },
    "settled" = Settled { doc, origin, error },
    "failed" = Failed { doc, error },
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

/// The hub's event, or the error that the event tells: a fault, which may be that it makes no sense.
pub fn event_from_js(event: &JsValue) -> Result<hub::UpstreamEvent, Error> {
    let told = from_value(event.clone()).map_err(|reason| {
        let name = Reflect::get(event, &"type".into()).ok().and_then(|it| it.as_string());
        let name = name.unwrap_or_else(|| "without a type".to_owned());
        let message = format!("an event of the upstream connection, {name}, was dropped: {reason}");
        Error::new(codes::BAD_FRAME, message)
    })?;
    Ok(match told {
        UpstreamEvent::Fault { error } => return Err(error.0),
        UpstreamEvent::State { state, id, reason } => {
            hub::UpstreamEvent::State(ConnectionEvent { state, id, reason, losses: 0 })
        }
        UpstreamEvent::ConnectionFailed { socket, error } => {
            hub::UpstreamEvent::ConnectionFailed(ConnectionError { socket, error: error.0 })
        }
        UpstreamEvent::Loaded { doc } => hub::UpstreamEvent::Loaded(doc),
        UpstreamEvent::Unloaded { doc } => hub::UpstreamEvent::Unloaded(doc),
        UpstreamEvent::Changed { doc, op, version, src, raw } => {
            let raw = raw.and_then(|raw| op_from_js(raw.0).ok());
            hub::UpstreamEvent::Changed(doc, Change { op, version, src }, raw)
        }
        UpstreamEvent::Sending { doc, sent } => hub::UpstreamEvent::Sending(doc, sent),
        UpstreamEvent::Outdated { doc, error } => hub::UpstreamEvent::Outdated(doc, error.0),
        UpstreamEvent::Fetched { doc, error } => {
            hub::UpstreamEvent::Fetched(doc, error.map(|it| it.0))
        }
        UpstreamEvent::Since { doc, version, error, ops } => {
            let ops = match error {
                Some(error) => Err(error.0),
                None => changes_since(version, ops),
            };
            hub::UpstreamEvent::Since(doc, version, ops)
        }
        UpstreamEvent::Subscribed { doc, error, live } => {
            hub::UpstreamEvent::Subscribed(doc, error.map(|it| it.0), live)
        }
        UpstreamEvent::Settled { doc, origin, error } => {
            hub::UpstreamEvent::Settled(doc, origin, error.map(|it| it.0))
        }
        UpstreamEvent::Failed { doc, error } => hub::UpstreamEvent::Failed(doc, error.0),
        UpstreamEvent::QueryReady { query, error, docs, extra } => {
            let found = match error {
                Some(error) => Err(error.0),
                None => Ok(QueryResults { docs, extra }),
            };
            hub::UpstreamEvent::QueryReady(query, found)
        }
        UpstreamEvent::QueryChanged { query, diff } => {
            hub::UpstreamEvent::QueryChanged(query, diff)
        }
        UpstreamEvent::QueryExtra { query, extra } => hub::UpstreamEvent::QueryExtra(query, extra),
        UpstreamEvent::QueryFailed { query, error } => {
            hub::UpstreamEvent::QueryFailed(query, error.0)
        }
        UpstreamEvent::Message { message } => hub::UpstreamEvent::Message(message),
    })
}

/// The server's ops from this version on.
fn changes_since(version: u64, ops: Vec<SinceOp>) -> Result<Vec<Change>, Error> {
    let changes = ops.into_iter().zip(version + 1..).map(|(SinceOp { op, src }, version)| {
        Ok(Change { op: op_from_js(op.0)?, version: Some(version), src })
    });
    changes.collect()
}
