//! Of documents.

use crate::error::Error;
use crate::ot::Op;
use crate::platform::Payload;
use crate::protocol::{DocId, Rev};
use crate::wire::wire;

/// Asks for a document's present state.
#[derive(Clone, Debug, PartialEq)]
pub struct DocFetch {
    /// The request's number.
    pub request: u64,
    /// The document.
    pub doc: DocId,
    /// The revision the tab holds, if it holds the document.
    pub rev: Option<Rev>,
    /// The tab gave up what it was sent, and wants the whole state.
    pub anew: bool,
}

wire!(DocFetch { request, doc, rev, anew or false });

/// Asks for a document's present state and all changes from there.
#[derive(Clone, Debug, PartialEq)]
pub struct DocSubscribe {
    /// The request's number.
    pub request: u64,
    /// The document.
    pub doc: DocId,
    /// The revision the tab holds, if it holds the document.
    pub rev: Option<Rev>,
}

wire!(DocSubscribe { request, doc, rev });

/// Asks for no more changes of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct DocUnsubscribe {
    /// The request's number.
    pub request: u64,
    /// The document.
    pub doc: DocId,
    /// The revision the tab holds, if it holds the document.
    pub rev: Option<Rev>,
}

wire!(DocUnsubscribe { request, doc, rev });

/// Fetches many documents of one collection at once.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionGetBulk {
    /// The request's number.
    pub request: u64,
    /// The documents, each with the revision the tab holds.
    pub docs: Vec<BulkDoc>,
}

wire!(ConnectionGetBulk { request, docs });

/// One document of a [`ConnectionGetBulk`].
#[derive(Clone, Debug, PartialEq)]
pub struct BulkDoc {
    /// The document.
    pub doc: DocId,
    /// The revision the tab holds, if it holds the document.
    pub rev: Option<Rev>,
}

wire!(BulkDoc { doc, rev });

/// One op of a [`DocSubmitOp`].
#[derive(Clone, Debug, PartialEq)]
pub struct SubmittedOp {
    /// The op's number among all ops of the tab, from 1 and growing.
    pub op_id: u64,
    /// What it does.
    pub op: Op,
    /// The source to send to the server, where the document has `submitSource`.
    pub source: Option<Payload>,
    /// Whether the hub may compose it with the tab's op before it.
    pub compose: bool,
}

wire!(SubmittedOp { op_id, op, source, compose });

/// Ops of a tab on one document: what it submitted since its last batch was sequenced.
#[derive(Clone, Debug, PartialEq)]
pub struct DocSubmitOp {
    /// The document.
    pub doc: DocId,
    /// The revision the first op applies to; absent if the tab never loaded the document.
    pub base_rev: Option<Rev>,
    /// The ops, oldest first.
    pub ops: Vec<SubmittedOp>,
}

wire!(DocSubmitOp { doc, base_rev, ops });

/// One document of a [`ConnectionResume`].
#[derive(Clone, Debug, PartialEq)]
pub struct HeldDoc {
    /// The document.
    pub doc: DocId,
    /// The revision the tab is at; absent if it holds nothing at present.
    pub rev: Option<Rev>,
    /// Whether the tab wants its changes.
    pub subscribed: bool,
    /// The tab's ops that it waits to hear of and can't send again.
    pub awaiting: Vec<u64>,
    /// The ops that may not have reached the hub, once more, as in [`DocSubmitOp`].
    pub ops: Vec<SubmittedOp>,
}

wire!(HeldDoc { doc, rev, subscribed, awaiting or Vec::new(), ops or Vec::new() });

/// What the tab still holds from its last session with the same hub; nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionResume {
    /// The documents.
    pub docs: Vec<HeldDoc>,
}

wire!(ConnectionResume { docs });

/// What a tab that has ended could not tell the hub, or did not hear that it has: its ops without a
/// revision. Another tab, which has found them and knows that tab to be gone, passes them on.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionUnloadJournal {
    /// The request's number; the answer comes once the ops are durable, or told as lost.
    pub request: u64,
    /// The id of the tab that has ended.
    pub tab: String,
    /// What proves that this is its journal, as in [`Hello`](super::Hello).
    pub secret: Option<String>,
    /// The [`Welcome::lineage`](super::Welcome::lineage) of its hub.
    pub lineage: String,
    /// The documents with such ops.
    pub docs: Vec<HeldDoc>,
}

wire!(ConnectionUnloadJournal { request, tab, secret, lineage, docs });

/// The tab has taken all changes up to `rev`: the hub need not keep them for it.
#[derive(Clone, Debug, PartialEq)]
pub struct DocSeen {
    /// The document.
    pub doc: DocId,
    /// The revision.
    pub rev: Rev,
}

wire!(DocSeen { doc, rev });

/// A state that the application had by other means, for the hub's document.
#[derive(Clone, Debug, PartialEq)]
pub struct DocIngest {
    /// The document.
    pub doc: DocId,
    /// The state.
    pub snapshot: Snapshot,
}

wire!(DocIngest { doc, snapshot });

/// The tab no longer holds the document.
#[derive(Clone, Debug, PartialEq)]
pub struct DocRelease {
    /// The document.
    pub doc: DocId,
    /// The number of the last [`QueryDocs`](super::QueryDocs) the tab had heard of; 0 without any. It
    /// takes the document again when it hears of one that names it.
    pub heard: u64,
}

wire!(DocRelease { doc, heard });

/// The whole state of a document, in place of whatever the tab held.
#[derive(Clone, Debug, PartialEq)]
pub struct DocLoad {
    /// The document.
    pub doc: DocId,
    /// The revision of this state.
    pub rev: Rev,
    /// The state.
    pub snapshot: Snapshot,
    /// What leads to it from the state that the tab has ingested.
    pub since: Option<Vec<Change>>,
    /// Whether the server has answered for every op in this state.
    pub all_committed: bool,
}

wire!(DocLoad { doc, rev, snapshot, since, all_committed });

/// A document's state, as ShareDB's snapshots have it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Snapshot {
    /// ShareDB's version; absent before the server acknowledged the creation.
    pub version: Option<u64>,
    /// The URI of its OT type; absent if the document does not exist.
    pub type_name: Option<String>,
    /// The data, serialised as ShareDB's server has it.
    pub data: Option<Payload>,
}

wire!(Snapshot { version, type_name as "type", data });

/// Changes by others, at consecutive revisions.
#[derive(Clone, Debug, PartialEq)]
pub struct DocChange {
    /// The document.
    pub doc: DocId,
    /// The revision after the last of them.
    pub rev: Rev,
    /// The changes, oldest first.
    pub changes: Vec<Change>,
    /// Whether the server has answered for every op in this state.
    pub all_committed: bool,
    /// The tab is slow: it may compose them and apply them as one.
    pub coalesced: bool,
}

wire!(DocChange { doc, rev, changes, all_committed, coalesced or false });

/// One change of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What it does.
    pub op: Op,
    /// ShareDB's version after it.
    pub version: Option<u64>,
    /// Who made it: the id of a connection, where the server said so, or of a sibling tab.
    pub src: Option<String>,
}

wire!(Change { op, version, src });

/// The oldest unsequenced ops of the tab have their revisions.
#[derive(Clone, Debug, PartialEq)]
pub struct DocSequenced {
    /// The document.
    pub doc: DocId,
    /// The revision after the last of them.
    pub rev: Rev,
    /// The last op this speaks of.
    pub op_id: u64,
}

wire!(DocSequenced { doc, rev, op_id });

/// The server has acknowledged or refused ops.
#[derive(Clone, Debug, PartialEq)]
pub struct DocCommitted {
    /// The document.
    pub doc: DocId,
    /// The tab's own ops this speaks of; none if they were another tab's.
    pub op_ids: Vec<u64>,
    /// ShareDB's version now.
    pub version: Option<u64>,
    /// Whether the server has answered for every op in this state.
    pub all_committed: bool,
    /// Why the server refused them, if it did.
    pub error: Option<Error>,
}

wire!(DocCommitted { doc, op_ids, version, all_committed, error });

impl DocCommitted {
    /// Takes the next message in, if the two say the same of different ops, or one speaks of no ops: that
    /// says only the version and whether all is committed.
    pub fn absorb(&mut self, next: &DocCommitted) -> bool {
        let (is_notice, follows_notice) = (next.op_ids.is_empty(), self.op_ids.is_empty());
        let fits = is_notice || follows_notice || self.error == next.error;
        let same = self.doc == next.doc && fits;
        if same {
            if follows_notice {
                self.error.clone_from(&next.error);
            }
            self.op_ids.extend(&next.op_ids);
            self.version = next.version;
            self.all_committed = next.all_committed;
        }
        same
    }
}

/// The hub could not give these ops a revision; nothing of them remains in the document.
#[derive(Clone, Debug, PartialEq)]
pub struct DocRejected {
    /// The document.
    pub doc: DocId,
    /// The tab's ops.
    pub op_ids: Vec<u64>,
    /// Why.
    pub error: Error,
}

wire!(DocRejected { doc, op_ids, error });

/// Something happened to the upstream document that its holders must know.
#[derive(Clone, Debug, PartialEq)]
pub struct DocEvent {
    /// The document.
    pub doc: DocId,
    /// The error event of the upstream document.
    pub error: Error,
}

wire!(DocEvent { doc, error });

/// The server has answered for a subscription of the tab that was lost with the hub's connection, or
/// refused before.
#[derive(Clone, Debug, PartialEq)]
pub struct DocSubscribed {
    /// The document.
    pub doc: DocId,
    /// Why there is none; without it, there is one again.
    pub error: Option<Error>,
}

wire!(DocSubscribed { doc, error });
