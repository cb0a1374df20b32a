use super::DocKey;
use crate::ot::{Answered, Op};
use crate::protocol::{
    ConnectionError, ConnectionEvent, DocId, QueryChange, QueryError, QueryExtra, QueryReady,
    Snapshot, StoreEvent, StoreReply, TabInfo,
};
use crate::{Error, Payload};

/// What a [`super::Tab`] tells its owner, in the order in which it must be acted on.
#[derive(Clone, Debug, PartialEq)]
pub enum TabEvent {
    /// The hub of this epoch has let the tab in.
    Joined {
        /// The hub's epoch.
        epoch: u64,
    },
    /// The hub has not let the tab in, or did not answer.
    Refused(Error),
    /// The hub that held the tab's state is gone; a session with its successor begins.
    HubLost,
    /// The hub has all that was submitted before the tab went offline.
    Offline,
    /// The upstream connection changed its state.
    State(ConnectionEvent),
    /// The upstream connection emitted an error.
    ConnectionFailed(ConnectionError),
    /// The hub's store has answered.
    StoreReply(StoreReply),
    /// Something happened to the hub's store.
    StoreEvent(StoreEvent),
    /// The tabs of the hub changed.
    Tabs(Vec<TabInfo>),
    /// A request has ended.
    Callback {
        /// The request's number.
        request: u64,
        /// Why it failed, if it did.
        error: Option<Error>,
    },
    /// A document is to be replaced by a snapshot.
    Load {
        /// The document.
        doc: DocKey,
        /// Its state now.
        snapshot: Snapshot,
        /// The submits that were dropped, those of each op together.
        dropped: Answered,
    },
    /// A document that was taken again, after it was let go of, has changed: it must be fetched.
    Behind {
        /// The document.
        doc: DocKey,
    },
    /// A change by others is to be applied to a document.
    Apply {
        /// The document.
        doc: DocKey,
        /// The change, in terms of the document's present data.
        op: Op,
        /// The id of the connection that made it, where the server said so.
        src: Option<String>,
    },
    /// A document lost its state, and must be fetched anew.
    RolledBack {
        /// The document.
        doc: DocKey,
        /// Why.
        error: Error,
        /// The submits that were dropped, those of each op together.
        dropped: Answered,
    },
    /// Ops of a document are on their way to the hub.
    Sent {
        /// The document.
        doc: DocKey,
        /// The ops, oldest first.
        ops: Vec<Op>,
    },
    /// The hub has ops of a document: siblings see them, and the server gets them.
    Sequenced {
        /// The document.
        doc: DocKey,
    },
    /// The server, or the hub, has answered for ops.
    Answered {
        /// The document.
        doc: DocKey,
        /// The submits they stood for, those of each op together; none if only the version changed.
        tokens: Answered,
        /// Why they failed, if they did.
        error: Option<Error>,
    },
    /// The subscription of a document, which was lost with the hub's connection, is there again, or
    /// was refused.
    Subscribed {
        /// The document.
        doc: DocKey,
        /// Why it was refused, if it was.
        error: Option<Error>,
    },
    /// An error event of the upstream document, or of a document that can't be read here.
    DocError {
        /// The document.
        doc: DocKey,
        /// The error.
        error: Error,
    },
    /// Documents of a query's results follow: they are to be opened.
    QueryDocs(Vec<DocId>),
    /// A query has its results, all of them, or failed.
    QueryReady(QueryReady),
    /// A query's results changed.
    QueryChange(QueryChange),
    /// What the database says beside a query's results changed.
    QueryExtra(QueryExtra),
    /// A query that lives had an error.
    QueryFailed(QueryError),
    /// The server, or a sibling through the hub, says this in ShareDB's own protocol.
    Receive(Payload),
    /// Something was dropped; the connection goes on.
    Fault(Error),
}
