use tabmux_middleware::Message;

use super::DocId;
use super::messages::*;
use super::names::messages;
use crate::error::{Error, codes};

messages! {
    /// What a hub says.
    ToTab or ToTab::Lineage(Lineage { lineage: String::new() }) => {
        /// You are in.
        "welcome" = Welcome(Welcome),
        /// You are not.
        "refusal" = Refusal(Refusal),
        /// Which hubs know the revisions from now on.
        "lineage" = Lineage(Lineage),
        /// The answer to a request.
        "callback" = Callback(Callback),
        /// A request waits for the server.
        "working" = Working(Working),
        /// The upstream connection's state.
        "connection.event" = ConnectionEvent(ConnectionEvent),
        /// An error of the upstream connection.
        "connection.error" = ConnectionError(ConnectionError),
        /// The tabs there are.
        "connection.tabs" = ConnectionTabs(ConnectionTabs),
        /// The server, or a sibling, says this.
        "connection.receive" = ConnectionReceive(ConnectionReceive),
        /// Documents of results that follow.
        "query.docs" = QueryDocs(QueryDocs),
        /// The results.
        "query.ready" = QueryReady(QueryReady),
        /// The results changed.
        "query.change" = QueryChange(QueryChange),
        /// The database's word on the results changed.
        "query.extra" = QueryExtra(QueryExtra),
        /// An error of a query that lives.
        "query.error" = QueryError(QueryError),
        /// The document's state.
        "doc.load" = DocLoad(DocLoad),
        /// Changes by others.
        "doc.change" = DocChange(DocChange),
        /// Your ops have their place.
        "doc.sequenced" = DocSequenced(DocSequenced),
        /// What the server said of ops.
        "doc.committed" = DocCommitted(DocCommitted),
        /// Your ops have no place.
        "doc.rejected" = DocRejected(DocRejected),
        /// An event of the upstream document.
        "doc.event" = DocEvent(DocEvent),
        /// The server has answered for a subscription that was lost with its connection.
        "doc.subscribed" = DocSubscribed(DocSubscribed),
        /// The answer to a question about the store.
        "store.reply" = StoreReply(StoreReply),
        /// Something happened to the store.
        "store.event" = StoreEvent(StoreEvent),
    }
}

impl ToTab {
    /// What tells the tab that the codec can't carry this, if it would wait for that.
    pub(super) fn uncarriable(&self, error: &Error) -> Option<Self> {
        let (ToTab::DocLoad(DocLoad { doc, .. }) | ToTab::DocChange(DocChange { doc, .. })) = self
        else {
            return None;
        };
        let reason = format!("{doc} can't be sent to the tab: {}", error.message);
        let error = Error::new(codes::UNCARRIABLE, reason);
        Some(ToTab::DocEvent(DocEvent { doc: doc.clone(), error }))
    }

    /// The request of which this is the answer, or a sign that one is to come.
    pub(crate) fn answers(&self) -> Option<u64> {
        match self {
            ToTab::Welcome(Welcome { request, .. })
            | ToTab::Refusal(Refusal { request, .. })
            | ToTab::Callback(Callback { request, .. })
            | ToTab::Working(Working { request })
            | ToTab::QueryReady(QueryReady { request, .. })
            | ToTab::StoreReply(StoreReply { request, .. }) => Some(*request),
            ToTab::Lineage(_)
            | ToTab::ConnectionEvent(_)
            | ToTab::ConnectionError(_)
            | ToTab::ConnectionTabs(_)
            | ToTab::ConnectionReceive(_)
            | ToTab::QueryDocs(_)
            | ToTab::QueryChange(_)
            | ToTab::QueryExtra(_)
            | ToTab::QueryError(_)
            | ToTab::DocLoad(_)
            | ToTab::DocChange(_)
            | ToTab::DocSequenced(_)
            | ToTab::DocCommitted(_)
            | ToTab::DocRejected(_)
            | ToTab::DocEvent(_)
            | ToTab::DocSubscribed(_)
            | ToTab::StoreEvent(_) => None,
        }
    }

    /// The one document that it speaks of.
    fn doc(&self) -> Option<&DocId> {
        match self {
            ToTab::DocLoad(DocLoad { doc, .. })
            | ToTab::DocChange(DocChange { doc, .. })
            | ToTab::DocSequenced(DocSequenced { doc, .. })
            | ToTab::DocCommitted(DocCommitted { doc, .. })
            | ToTab::DocRejected(DocRejected { doc, .. })
            | ToTab::DocEvent(DocEvent { doc, .. })
            | ToTab::DocSubscribed(DocSubscribed { doc, .. }) => Some(doc),
            ToTab::Welcome(_)
            | ToTab::Refusal(_)
            | ToTab::Lineage(_)
            | ToTab::Callback(_)
            | ToTab::Working(_)
            | ToTab::ConnectionEvent(_)
            | ToTab::ConnectionError(_)
            | ToTab::ConnectionTabs(_)
            | ToTab::ConnectionReceive(_)
            | ToTab::QueryDocs(_)
            | ToTab::QueryReady(_)
            | ToTab::QueryChange(_)
            | ToTab::QueryExtra(_)
            | ToTab::QueryError(_)
            | ToTab::StoreReply(_)
            | ToTab::StoreEvent(_) => None,
        }
    }
}

impl Message for ToTab {
    /// Messages about different documents are independent of each other.
    fn overtakes(&self, earlier: &Self) -> bool {
        matches!((self.doc(), earlier.doc()), (Some(own), Some(other)) if own != other)
    }

    /// Joins changes at consecutive revisions and keeps only the newest state. Ops are joined,
    /// not composed: a tab with unsequenced ops must transform them against each op alone, as the
    /// hub did, because not every type's `transform` distributes over `compose`.
    fn merge(&mut self, next: Self) -> Result<(), Self> {
        match (self, next) {
            (ToTab::DocChange(last), ToTab::DocChange(next))
                if last.doc == next.doc && last.rev + next.changes.len() as u64 == next.rev =>
            {
                last.rev = next.rev;
                last.changes.extend(next.changes);
                last.all_committed = next.all_committed;
                last.coalesced = true;
                Ok(())
            }
            (ToTab::DocCommitted(last), ToTab::DocCommitted(next)) => {
                if last.absorb(&next) {
                    Ok(())
                } else {
                    Err(ToTab::DocCommitted(next))
                }
            }
            (ToTab::ConnectionTabs(last), ToTab::ConnectionTabs(next)) => {
                *last = next;
                Ok(())
            }
            // A tab that never hears that the connection was lost does not ask for its presence
            // again.
            (ToTab::ConnectionEvent(last), ToTab::ConnectionEvent(next))
                if !next.is_connected() || last.is_connected() =>
            {
                *last = next;
                Ok(())
            }
            (_, next) => Err(next),
        }
    }
}
