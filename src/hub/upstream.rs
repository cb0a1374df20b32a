use super::{PendingOp, Restored, Sent};
use crate::error::Error;
use crate::ot::{Op, Origin};
use crate::platform::Payload;
use crate::protocol::{
    Change, ConnectionError, ConnectionEvent, DocId, QueryDiff, QuerySpec, Snapshot,
};
use crate::wire::wire;

/// An op for the upstream document.
#[derive(Clone, Debug)]
pub struct Submission<'a> {
    /// What it does, in terms of the upstream document's present data.
    pub op: &'a Op,
    /// The source to send to the server, if any.
    pub source: Option<&'a Payload>,
    /// Whether it may be composed with the op before it.
    pub compose: bool,
    /// Whose it is; comes back in [`UpstreamEvent::Answered`].
    pub origin: &'a Origin,
}

/// A document's version, if it was loaded, and the URI of its type, if it exists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Its version.
    pub version: Option<u64>,
    /// The URI of its type.
    pub type_name: Option<String>,
}

wire!(open Head { version, type_name as "type" });

impl Head {
    /// Whether the document exists, as far as is known.
    pub fn exists(&self) -> bool {
        self.type_name.is_some()
    }

    /// Whether the document has a state, or is known not to exist.
    pub fn is_known(&self) -> bool {
        self.version.is_some() || self.exists()
    }
}

/// What became of an op that the upstream document has taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Submitted {
    /// Whether it became a part of the uncommitted op before it.
    pub composed: bool,
    /// The document's head, if it is another now.
    pub head: Option<Head>,
}

wire!(Submitted { composed, head });

/// What became of ops that were to be applied again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reapplied {
    /// Those that do not fit, each with the reason.
    pub unapplied: Vec<(PendingOp, Error)>,
    /// The document's head, if it is another now.
    pub head: Option<Head>,
}

/// What an upstream document has gone through of which the hub is yet to be told; its present state
/// has it all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Untold {
    /// How many [`UpstreamEvent::Changed`] come before the next [`UpstreamEvent::Loaded`].
    pub changes: u64,
    /// Whether there is an [`UpstreamEvent::Loaded`].
    pub load: bool,
}

wire!(Untold { changes, load });

impl Untold {
    /// What of these events, oldest first, changes the document.
    pub fn among<'a>(doc: &DocId, events: impl Iterator<Item = &'a UpstreamEvent>) -> Self {
        let mut untold = Untold::default();
        for event in events.filter(|event| event.doc() == Some(doc)) {
            match event {
                UpstreamEvent::Loaded(_) => untold.load = true,
                UpstreamEvent::Changed(..) if !untold.load => untold.changes += 1,
                _ => {}
            }
        }
        untold
    }
}

/// The real ShareDB connection, as the hub sees it.
///
/// Calls change the upstream documents at once, as ShareDB's methods do, and never call the hub
/// back; what happens later is told by [`UpstreamEvent`]s, in order, and before the hub is given the
/// next frame of a tab. The effect of [`Upstream::submit`] on the document is not told: the hub knows
/// it.
///
/// The hub knows a document's [`Head`] by what these calls return, and by the events about it, each of
/// which comes with the head as of that event. Of [`Upstream::start_over`] and [`Upstream::destroy`] it
/// knows that there is none then.
///
/// With a store, results of queries wait for [`Hub::has_at_hand`](super::Hub::has_at_hand), and what
/// the server says after them does: a document is brought up to date from the version in the store.
pub trait Upstream {
    /// Makes the connection, if there is none yet. `options` is what the first tab gave.
    ///
    /// # Errors
    /// The connection can't be made; the next tab tries again.
    fn connect(&mut self, options: Option<&Payload>) -> Result<(), Error>;

    /// Starts a fetch, which ends in [`UpstreamEvent::Fetched`].
    fn fetch(&mut self, doc: &DocId);

    /// Many fetches and subscriptions follow, which may be asked of the server as one.
    fn start_bulk(&mut self);

    /// The end of what [`Upstream::start_bulk`] began.
    fn end_bulk(&mut self);

    /// Sends the document's ops that wait, unless one is inflight.
    fn flush(&mut self, doc: &DocId);

    /// Gives the document a state, which it takes if it has none. That is not told. Returns the head if
    /// it took it.
    fn ingest(&mut self, doc: &DocId, snapshot: &Snapshot) -> Option<Head>;

    /// Asks the server for the ops of the document since this version, beside what the document itself
    /// asks; ends in [`UpstreamEvent::Since`].
    fn fetch_since(&mut self, doc: &DocId, version: u64);

    /// Starts a subscription, which ends in [`UpstreamEvent::Subscribed`].
    fn subscribe(&mut self, doc: &DocId);

    /// Ends the subscription.
    fn unsubscribe(&mut self, doc: &DocId);

    /// Forgets the document.
    fn destroy(&mut self, doc: &DocId);

    /// Asks a query under this number; it ends in [`UpstreamEvent::QueryReady`], and goes on with
    /// further events if the spec says so.
    fn query(&mut self, query: u64, spec: &QuerySpec);

    /// Ends a query.
    fn end_query(&mut self, query: u64);

    /// Sends a message of ShareDB's own protocol, if the connection is connected.
    fn send(&mut self, message: &Payload);

    /// Takes a message as if the server had sent it.
    fn handle_message(&mut self, message: &Payload);

    /// Applies an op to the upstream document and sends it to the server.
    ///
    /// # Errors
    /// The document can't take it; it is as it was.
    fn submit(&mut self, doc: &DocId, submission: Submission<'_>) -> Result<Submitted, Error>;

    /// With a store: lets an op go to the server of which [`UpstreamEvent::Sending`] has told. If
    /// the connection was lost meanwhile, it is told of anew.
    fn release(&mut self, doc: &DocId, sent: &Sent);

    /// The document's uncommitted ops, oldest first.
    fn pending(&self, doc: &DocId) -> Vec<PendingOp>;

    /// Gives a document the state it had in an earlier hub, unless it has one: this hub may have given it
    /// up and take it again before it was let go of. That is not told. Returns its head.
    ///
    /// # Errors
    /// Its type is not registered, or its ops do not fit its data; it has no state then.
    fn restore(&mut self, doc: &DocId, restored: &Restored) -> Result<Head, Error>;

    /// Gives up the document's state and its uncommitted ops, for which nobody is answered, and
    /// loads it; that ends in [`UpstreamEvent::Loaded`] and [`UpstreamEvent::Fetched`].
    fn start_over(&mut self, doc: &DocId);

    /// Applies uncommitted ops to the document's present data, to be sent anew.
    fn reapply(&mut self, doc: &DocId, pending: Vec<PendingOp>) -> Reapplied;

    /// What the document has gone through that is yet to be told.
    fn untold(&self, doc: &DocId) -> Untold;

    /// The document's state, ops that await their commit included.
    fn snapshot(&self, doc: &DocId) -> Snapshot;
}

/// What a query found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryResults {
    /// The documents, in the database's order, unless there are none to speak of.
    pub docs: Option<Vec<DocId>>,
    /// What the database says beside them.
    pub extra: Option<Payload>,
}

/// What happened upstream.
#[derive(Clone, Debug, PartialEq)]
pub enum UpstreamEvent {
    /// The connection changed its state; the hub itself counts the losses.
    State(ConnectionEvent),
    /// The connection emitted an error.
    ConnectionFailed(ConnectionError),
    /// The document was replaced by a snapshot of the server.
    Loaded(DocId),
    /// The document has another head, and nothing else is told of that: the server has an op that does
    /// nothing, or the document lost its state and is being loaded anew.
    Moved(DocId),
    /// The document lost its state, as an op was refused, and could not be loaded anew.
    Unloaded(DocId),
    /// A change that no tab of this hub submitted was applied; a rollback is one too. If it is an
    /// op of the server, with that op as it was before it met the uncommitted ones.
    Changed(DocId, Change, Option<Op>),
    /// With a store: the oldest uncommitted op is to be sent, and waits for [`Upstream::release`].
    Sending(DocId, Sent),
    /// The server no longer has the changes since the version that the document is at. Without a store,
    /// it is told of fetches and subscriptions alone, which then fail.
    Outdated(DocId, Error),
    /// A fetch has ended.
    Fetched(DocId, Option<Error>),
    /// The ops of the server since this version, as far as it had them when it answered.
    Since(DocId, u64, Result<Vec<Change>, Error>),
    /// The server has answered for a subscription that was asked for, or that was lost with the
    /// connection and asked for anew: why it was refused, if it was, and whether there
    /// is one now.
    Subscribed(DocId, Option<Error>, bool),
    /// The server has answered for an op.
    Answered(DocId, Origin, Option<Error>),
    /// The document emitted an error.
    Failed(DocId, Error),
    /// A query has its results, or failed.
    QueryReady(u64, Result<QueryResults, Error>),
    /// A query's results changed.
    QueryChanged(u64, Vec<QueryDiff>),
    /// What the database says beside a query's results changed.
    QueryExtra(u64, Option<Payload>),
    /// A query emitted an error.
    QueryFailed(u64, Error),
    /// The server sent a message about presence, a snapshot or a ping.
    Message(Payload),
}

impl UpstreamEvent {
    /// The document it is about, if it is about one.
    pub fn doc(&self) -> Option<&DocId> {
        match self {
            UpstreamEvent::State(_)
            | UpstreamEvent::ConnectionFailed(_)
            | UpstreamEvent::Message(_)
            | UpstreamEvent::QueryReady(..)
            | UpstreamEvent::QueryChanged(..)
            | UpstreamEvent::QueryExtra(..)
            | UpstreamEvent::QueryFailed(..) => None,
            UpstreamEvent::Loaded(doc)
            | UpstreamEvent::Moved(doc)
            | UpstreamEvent::Unloaded(doc)
            | UpstreamEvent::Changed(doc, ..)
            | UpstreamEvent::Sending(doc, _)
            | UpstreamEvent::Outdated(doc, _)
            | UpstreamEvent::Fetched(doc, _)
            | UpstreamEvent::Since(doc, ..)
            | UpstreamEvent::Subscribed(doc, ..)
            | UpstreamEvent::Answered(doc, ..)
            | UpstreamEvent::Failed(doc, _) => Some(doc),
        }
    }
}
