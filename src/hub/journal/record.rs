//! What is written down of a document.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tabmux_codecs::{Cbor, Codec, Limits};
use tabmux_transports::Frame;

use crate::error::{Error, codes};
use crate::hub::document::Departed;
use crate::ot::{Entry, Op, Origin};
use crate::platform::{Payload, from_value, present, to_value};
use crate::protocol::{Change, Rev, Snapshot};

/// One entry of a document's log: what happened to it, in the hub's order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Record {
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

/// A tab's op that got its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Placed {
    pub op: Op,
    pub origin: Origin,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub source: Option<Payload>,
    pub version: Option<u64>,
    /// It became a part of the uncommitted op before it.
    pub composed: bool,
    /// The URI of the type of the document it was made for.
    pub type_name: Option<String>,
    /// The tab created the document without having loaded it.
    pub unloaded: bool,
}

/// What ShareDB names an op by that it has sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The id of the connection that sent it first.
    pub src: String,
    /// Its number among those of that connection.
    pub seq: u64,
}

/// An op that the server has not acknowledged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingOp {
    /// What it does, after the uncommitted ops before it.
    pub op: Op,
    /// The URI of the type of the document it was made for.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// The source it was submitted with, if that is to be sent to the server.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub source: Option<Payload>,
    /// The ops of tabs it is composed of.
    pub origins: Vec<Origin>,
    /// Its name, once it may have been sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
}

/// A document as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// Its state, with what the uncommitted ops did.
    pub snapshot: Snapshot,
    pub pending: Vec<PendingOp>,
    pub rev: Rev,
    /// The changes up to `rev` that some tab may need.
    pub history: Vec<Entry>,
    pub tabs: BTreeMap<String, KnownTab>,
    /// Tabs that are gone.
    #[serde(default, skip_serializing_if = "Departed::is_empty")]
    pub departed: Departed,
    /// Ops that could not be kept, of which no tab has heard yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Lost>,
}

/// Ops that could not be kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lost {
    pub ops: Vec<PendingOp>,
    pub error: Error,
}

/// What must be known of a tab that comes back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct KnownTab {
    /// Ops up to this one were seen.
    pub last_op_id: u64,
    pub created_at: Option<Rev>,
    pub failures: Vec<Failure>,
}

/// An op that was refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub op_id: u64,
    pub error: Error,
    /// It had its revision; the server refused it.
    pub placed: bool,
}

/// The record as bytes.
///
/// # Errors
/// A value of the application can't be kept.
pub(crate) fn to_bytes<T: Serialize>(record: &T) -> Result<Vec<u8>, Error> {
    let unfit = |reason: String| Error::new(codes::UNCARRIABLE, reason);
    let value = to_value(record).map_err(unfit)?;
    match codec().encode(&value).map_err(|error| unfit(error.to_string()))? {
        Frame::Bytes(bytes) => Ok(bytes),
        _ => unreachable!("cbor writes bytes"),
    }
}

/// The inverse of [`to_bytes`]; the error says what is wrong with the bytes.
pub(crate) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let frame = Frame::Bytes(bytes.to_vec());
    from_value(codec().decode(frame).map_err(|error| error.to_string())?)
}

fn codec() -> Cbor {
    Cbor::new(Limits::default())
}
