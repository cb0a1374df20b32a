//! What is written down of a document.

use tabmux_middleware::SortedMap;

use tabmux_codecs::{Cbor, Codec, Limits};
use tabmux_transports::Frame;

use super::Departed;
use crate::error::{Error, codes};
use crate::ot::{Entry, Op, Origin};
use crate::platform::Payload;
use crate::protocol::{Change, Rev, Snapshot};
use crate::wire::{Member, Place, Shape, Wire, from_value, to_value, wire};

/// One entry of a document's log: what happened to it, in the hub's order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LogEntry {
    /// A tab's op got the next revision.
    Placed(Placed),
    /// A change of the server got the next revision.
    Changed {
        change: Change,
        /// The server's op before it was transformed against the uncommitted ones.
        raw: Op,
    },
    /// These ops of a tab found no place.
    Refused { tab: String, op_ids: Vec<u64>, error: Error },
    /// The oldest uncommitted op is about to be sent under this name.
    Sending(Sent),
    /// The server has committed an op of a tab.
    Committed { origin: Origin, version: Option<u64> },
}

static KINDS: Shape = Shape::new(&["Placed", "Changed", "Refused", "Sending", "Committed"], false);
static CHANGED: Shape = Shape::new(&["change", "raw"], true);
static REFUSED: Shape = Shape::new(&["tab", "op_ids", "error"], true);
static COMMITTED: Shape = Shape::new(&["origin", "version"], true);

impl Wire for LogEntry {
    fn write(&self, to: Place<'_>) {
        let mut target = to.object(&KINDS);
        match self {
            LogEntry::Placed(placed) => placed.write(target.at(0)),
            LogEntry::Changed { change, raw } => {
                let mut target = target.at(1).object(&CHANGED);
                change.write(target.at(0));
                raw.write(target.at(1));
            }
            LogEntry::Refused { tab, op_ids, error } => {
                let mut target = target.at(2).object(&REFUSED);
                tab.write(target.at(0));
                op_ids.write(target.at(1));
                error.write(target.at(2));
            }
            LogEntry::Sending(sent) => sent.write(target.at(3)),
            LogEntry::Committed { origin, version } => {
                let mut target = target.at(4).object(&COMMITTED);
                origin.write(target.at(0));
                version.write(target.at(1));
            }
        }
    }

    fn read(from: Member<'_>) -> Self {
        let kinds = from.members(&KINDS);
        let kind = (0..5).find(|at| !kinds.at(*at).is_absent());
        let record = kinds.at(kind.unwrap_or_default());
        match kind.unwrap_or_default() {
            0 => LogEntry::Placed(Placed::read(record)),
            1 => {
                let members = record.members(&CHANGED);
                let (change, raw) = (Wire::read(members.at(0)), Wire::read(members.at(1)));
                LogEntry::Changed { change, raw }
            }
            2 => {
                let members = record.members(&REFUSED);
                let (tab, op_ids) = (Wire::read(members.at(0)), Wire::read(members.at(1)));
                LogEntry::Refused { tab, op_ids, error: Wire::read(members.at(2)) }
            }
            3 => LogEntry::Sending(Sent::read(record)),
            _ => {
                let members = record.members(&COMMITTED);
                let (origin, version) = (Wire::read(members.at(0)), Wire::read(members.at(1)));
                LogEntry::Committed { origin, version }
            }
        }
    }
}

/// A tab's op that got its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Placed {
    pub op: Op,
    pub origin: Origin,
    pub source: Option<Payload>,
    pub version: Option<u64>,
    /// It became a part of the uncommitted op before it.
    pub composed: bool,
    /// The URI of the type of the document it was made for.
    pub type_name: Option<String>,
    /// The tab created the document without having loaded it.
    pub unloaded: bool,
}

wire!(open Placed { op, origin, source, version, composed, type_name, unloaded });

/// What ShareDB names an op by that it has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The id of the connection that sent it first.
    pub src: String,
    /// Its number among those of that connection.
    pub seq: u64,
}

wire!(open Sent { src, seq });

/// An op that the server has not acknowledged.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingOp {
    /// What it does, after the uncommitted ops before it.
    pub op: Op,
    /// The URI of the type of the document it was made for.
    pub type_name: Option<String>,
    /// The source it was submitted with, if that is to be sent to the server.
    pub source: Option<Payload>,
    /// The ops of tabs it is composed of.
    pub origins: Vec<Origin>,
    /// Its name, once it may have been sent.
    pub sent: Option<Sent>,
}

impl PendingOp {
    /// What the application is shown of it: the op, and the source beside it.
    pub fn shown(&self) -> Payload {
        let op = Payload(to_value(&self.op));
        match &self.source {
            Some(source) => op.with_member("source", source.clone()),
            None => op,
        }
    }
}

wire!(open PendingOp { op, type_name as "type", source, origins, sent });

/// A document as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Checkpoint {
    /// Its state, with what the uncommitted ops did.
    pub snapshot: Snapshot,
    pub pending: Vec<PendingOp>,
    pub rev: Rev,
    /// The changes up to `rev` that some tab may need.
    pub history: Vec<Entry>,
    pub tabs: SortedMap<String, KnownTab>,
    /// Tabs that are gone.
    pub departed: Departed,
    /// Ops that could not be kept, of which no tab has heard yet.
    pub lost: Vec<Lost>,
}

wire!(open Checkpoint {
    snapshot,
    pending,
    rev,
    history,
    tabs,
    departed or Departed::default(),
    lost or Vec::new(),
});

/// Ops that could not be kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lost {
    pub ops: Vec<PendingOp>,
    pub error: Error,
}

wire!(open Lost { ops, error });

/// What must be known of a tab that comes back.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct KnownTab {
    /// Ops up to this one were seen.
    pub last_op_id: u64,
    pub created_at: Option<Rev>,
    pub failures: Vec<Failure>,
}

wire!(open KnownTab { last_op_id, created_at, failures });

/// An op that was refused.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub op_id: u64,
    pub error: Error,
    /// It had its revision; the server refused it.
    pub placed: bool,
}

wire!(open Failure { op_id, error, placed });

/// The record as bytes.
///
/// # Errors
/// A value of the application can't be kept.
pub(crate) fn to_bytes<T: Wire>(record: &T) -> Result<Vec<u8>, Error> {
    let unfit = |reason: String| Error::new(codes::UNCARRIABLE, reason);
    match codec().encode(&to_value(record)).map_err(|error| unfit(error.to_string()))? {
        Frame::Bytes(bytes) => Ok(bytes),
        _ => unreachable!("cbor writes bytes"),
    }
}

/// The inverse of [`to_bytes`]; the error says what is wrong with the bytes.
pub(crate) fn from_bytes<T: Wire>(bytes: &[u8]) -> Result<T, String> {
    let frame = Frame::Bytes(bytes.to_vec());
    from_value(codec().decode(frame).map_err(|error| error.to_string())?)
}

fn codec() -> Cbor {
    Cbor::new(Limits::default())
}
