use serde::{Deserialize, Serialize};

use super::{DocId, Rev};
use crate::error::Error;
use crate::ot::Op;
use crate::platform::{Payload, present};

/// The first message of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The request number of the handshake.
    pub request: u64,
    /// The version of the protocol the tab speaks.
    pub protocol: u32,
    /// The codec the tab uses.
    pub codec: String,
    /// The tab's id; also the name of the Web Lock it holds while it lives.
    pub tab: String,
    /// Whose data this is; identities never share a hub.
    pub identity: String,
    /// The [`Welcome::lineage`] of the hub whose state the tab still holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
    /// What the hub definition's `connect` is given: `{url, auth}`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub options: Option<Payload>,
}

/// The hub's answer to [`Hello`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Welcome {
    /// The request number of the hello.
    pub request: u64,
    /// The version of the protocol the hub speaks.
    pub protocol: u32,
    /// Names the hub and all that come after it with the same store: they know the same revisions.
    pub lineage: String,
    /// Whether the hub still holds what the tab's last session left.
    pub resumed: bool,
}

/// Another lineage from now on: the store fails, and the hubs that come after do not know what this
/// one does; or it works again, and they do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lineage {
    /// As in [`Welcome::lineage`].
    pub lineage: String,
}

/// The hub's refusal of a [`Hello`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The request number of the hello.
    pub request: u64,
    /// Why.
    pub error: Error,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callback {
    /// The request's number.
    pub request: u64,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
}

/// The request is alive and waits for the server: its clock stops.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Working {
    /// The request's number.
    pub request: u64,
}

/// The state of the upstream connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionEvent {
    /// `connecting`, `connected`, `disconnected`, `closed` or `stopped`.
    pub state: String,
    /// The connection's id on the server, once it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What ShareDB gave as the reason of the change.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub reason: Option<Payload>,
    /// Grows each time the hub loses the connection, from a number that is the hub's own.
    #[serde(default)]
    pub losses: u64,
}

/// An error of the upstream connection that belongs to no document and no request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionFailed {
    /// It is the socket's, ShareDB's event `connection error`; else it is its event `error`.
    pub socket: bool,
    /// The error.
    pub error: Error,
}

/// One tab of the hub.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TabInfo {
    /// The tab's id.
    pub id: String,
    /// When it joined, by the hub's clock, in milliseconds.
    pub since: u64,
}

/// All tabs of the hub, in the order they joined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionTabs {
    /// The tabs.
    pub tabs: Vec<TabInfo>,
}

/// A request about one document: fetch, subscribe or unsubscribe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocRequest {
    /// The request's number.
    pub request: u64,
    /// The document.
    pub doc: DocId,
    /// The revision the tab holds, if it holds the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev: Option<Rev>,
    /// The tab gave up what it was sent, and wants the whole state.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anew: bool,
}

/// Fetches many documents of one collection at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetBulk {
    /// The request's number.
    pub request: u64,
    /// The documents, each with the revision the tab holds.
    pub docs: Vec<BulkDoc>,
}

/// One document of a [`GetBulk`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkDoc {
    /// The document.
    pub doc: DocId,
    /// The revision the tab holds, if it holds the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev: Option<Rev>,
}

/// One op of a [`DocSubmit`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmittedOp {
    /// The op's number among all ops of the tab, from 1 and growing.
    pub op_id: u64,
    /// What it does.
    pub op: Op,
    /// The source to send to the server, where the document has `submitSource`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub source: Option<Payload>,
    /// Whether the hub may compose it with the tab's op before it.
    pub compose: bool,
}

/// Ops of a tab on one document: what it submitted since its last batch was sequenced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocSubmit {
    /// The document.
    pub doc: DocId,
    /// The revision the first op applies to; absent if the tab never loaded the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_rev: Option<Rev>,
    /// The ops, oldest first.
    pub ops: Vec<SubmittedOp>,
}

/// One document of a [`Resume`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldDoc {
    /// The document.
    pub doc: DocId,
    /// The revision the tab is at; absent if it holds nothing at present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev: Option<Rev>,
    /// Whether the tab wants its changes.
    pub subscribed: bool,
    /// The tab's ops that it waits to hear of and can't send again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub awaiting: Vec<u64>,
    /// The ops that may not have reached the hub, once more, as in [`DocSubmit`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ops: Vec<SubmittedOp>,
}

/// What the tab still holds from its last session with the same hub; nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// The documents.
    pub docs: Vec<HeldDoc>,
}

/// The tab has taken all changes up to `rev`: the hub need not keep them for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocSeen {
    /// The document.
    pub doc: DocId,
    /// The revision.
    pub rev: Rev,
}

/// A state that the application had by other means, for the hub's document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocIngest {
    /// The document.
    pub doc: DocId,
    /// The state.
    pub snapshot: Snapshot,
}

/// The tab no longer holds the document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocRelease {
    /// The document.
    pub doc: DocId,
}

/// The whole state of a document, in place of whatever the tab held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocLoad {
    /// The document.
    pub doc: DocId,
    /// The revision of this state.
    pub rev: Rev,
    /// The state.
    pub snapshot: Snapshot,
    /// Whether the server has answered for every op in this state.
    pub settled: bool,
}

/// A document's state, as ShareDB's snapshots have it.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// ShareDB's version; absent before the server acknowledged the creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The URI of its OT type; absent if the document does not exist.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// The data, serialised as ShareDB's server has it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub data: Option<Payload>,
}

/// Changes by others, at consecutive revisions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocChange {
    /// The document.
    pub doc: DocId,
    /// The revision after the last of them.
    pub rev: Rev,
    /// The changes, oldest first.
    pub changes: Vec<Change>,
    /// Whether the server has answered for every op in this state.
    pub settled: bool,
    /// The tab is slow: it may compose them and apply them as one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub coalesced: bool,
}

/// One change of a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What it does.
    pub op: Op,
    /// ShareDB's version after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Who made it: the id of a connection, where the server said so, or of a sibling tab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src: Option<String>,
}

/// The oldest unsequenced ops of the tab have their revisions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocSequenced {
    /// The document.
    pub doc: DocId,
    /// The revision after the last of them.
    pub rev: Rev,
    /// The last op this speaks of.
    pub op_id: u64,
}

/// The server has acknowledged or refused ops.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocCommitted {
    /// The document.
    pub doc: DocId,
    /// The tab's own ops this speaks of; none if they were another tab's.
    pub op_ids: Vec<u64>,
    /// ShareDB's version now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Whether the server has answered for every op in this state.
    pub settled: bool,
    /// Why the server refused them, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
}

impl DocCommitted {
    /// Takes the next message in, if the two say the same of different ops.
    pub fn absorb(&mut self, next: &DocCommitted) -> bool {
        let same = self.doc == next.doc && self.error == next.error;
        if same {
            self.op_ids.extend(&next.op_ids);
            self.version = next.version;
            self.settled = next.settled;
        }
        same
    }
}

/// The hub could not give these ops a revision; nothing of them remains in the document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocRejected {
    /// The document.
    pub doc: DocId,
    /// The tab's ops.
    pub op_ids: Vec<u64>,
    /// Why.
    pub error: Error,
}

/// Something happened to the upstream document that its holders must know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocEvent {
    /// The document.
    pub doc: DocId,
    /// The error event of the upstream document.
    pub error: Error,
}

/// A query: its results, once or for as long as it lives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryRequest {
    /// The request's number; it names the query from then on.
    pub request: u64,
    /// What to ask.
    pub spec: QuerySpec,
}

/// What a query asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuerySpec {
    /// The collection.
    pub collection: String,
    /// The query, in the terms of the server's database.
    pub query: Payload,
    /// ShareDB's options of the query, such as `db`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub options: Option<Payload>,
    /// Whether changes of the results are wanted as well.
    pub subscribe: bool,
}

/// The tab no longer wants the query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryEnd {
    /// The query.
    pub request: u64,
}

/// Documents of a query's results that the tab is about to be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryDocs {
    /// The documents.
    pub docs: Vec<DocId>,
}

/// The results of a query, all of them; comes again after the server was lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryReady {
    /// The query.
    pub request: u64,
    /// The results, unless there are none to speak of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<Vec<DocId>>,
    /// What the database says beside the results.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub extra: Option<Payload>,
    /// Why it failed, if it did; the query is gone then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
}

/// The results of a query changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryChange {
    /// The query.
    pub request: u64,
    /// What changed, to be done in this order.
    pub diff: Vec<QueryDiff>,
}

/// One change of a query's results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum QueryDiff {
    /// Documents came.
    Insert {
        /// Where the first of them is now.
        index: u32,
        /// The documents.
        docs: Vec<DocId>,
    },
    /// Documents went.
    Remove {
        /// Where the first of them was.
        index: u32,
        /// How many.
        count: u32,
    },
    /// Documents moved.
    Move {
        /// Where the first of them was.
        from: u32,
        /// Where it is now.
        to: u32,
        /// How many.
        count: u32,
    },
}

/// What the database says beside a query's results changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryExtra {
    /// The query.
    pub request: u64,
    /// What it says now.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub extra: Option<Payload>,
}

/// A query that lives had an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryFailed {
    /// The query.
    pub request: u64,
    /// The error.
    pub error: Error,
}

/// A message of ShareDB's own protocol, for the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToServer {
    /// The message, with its action in `a`.
    pub message: Payload,
    /// As in the last [`ConnectionEvent`] that the tab's owner has heard of: what was meant for a
    /// connection that is lost is lost with it. 0 if it has heard of none.
    #[serde(default)]
    pub losses: u64,
}

/// A message of ShareDB's own protocol, from the server or as if it were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relayed {
    /// The message, with its action in `a`.
    pub message: Payload,
}

/// A question about the hub's store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreAsk {
    /// The request's number.
    pub request: u64,
    /// What the tab wants.
    pub question: StoreQuestion,
}

/// What a tab may ask of the hub's store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
pub enum StoreQuestion {
    /// What it holds.
    Inventory,
    /// How much room there is and how much of it is taken.
    Usage,
    /// Ask the browser never to clear it of its own accord.
    Persist,
    /// Keep a document however long it is not used, or no longer.
    Pin {
        /// The document.
        doc: DocId,
        /// Whether to keep it.
        pinned: bool,
    },
    /// Everything it holds, in a form that is made to be read elsewhere.
    Export,
    /// Wipe it.
    Clear {
        /// Even if it has ops that the server does not have.
        force: bool,
    },
}

/// The answer to a [`StoreAsk`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreReply {
    /// The request's number.
    pub request: u64,
    /// The answer, as the tab's owner is given it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub answer: Option<Payload>,
    /// Why there is none, if there should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
}

/// Something happened to the hub's store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreEvent {
    /// `error`, `quota`, `evicted`, `lost` or `cleared`.
    pub name: String,
    /// What the listeners of `store:<name>` are given.
    pub detail: Payload,
}
