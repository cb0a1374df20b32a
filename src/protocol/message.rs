use serde::{Deserialize, Serialize};
use tabmux_middleware::{Message as LayerMessage, Millis};

use super::DocId;
use super::messages::*;
use crate::error::{Error, codes};

/// A message of the protocol: `{type, body}` on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "body")]
pub enum Message {
    /// Tab: let me in.
    #[serde(rename = "hello")]
    Hello(Hello),
    /// Hub: you are in.
    #[serde(rename = "welcome")]
    Welcome(Welcome),
    /// Hub: you are not.
    #[serde(rename = "refusal")]
    Refusal(Refusal),
    /// Hub: which hubs know the revisions from now on.
    #[serde(rename = "lineage")]
    Lineage(Lineage),
    /// Tab: I go offline, and may come back: take what ops I have sent or am about to.
    #[serde(rename = "away")]
    Away,
    /// Tab: I am leaving.
    #[serde(rename = "bye")]
    Bye,
    /// Hub: the answer to a request.
    #[serde(rename = "callback")]
    Callback(Callback),
    /// Hub: a request waits for the server.
    #[serde(rename = "working")]
    Working(Working),
    /// Hub: the upstream connection's state.
    #[serde(rename = "connection.event")]
    ConnectionEvent(ConnectionEvent),
    /// Hub: an error of the upstream connection.
    #[serde(rename = "connection.error")]
    ConnectionFailed(ConnectionFailed),
    /// Hub: the tabs there are.
    #[serde(rename = "connection.tabs")]
    ConnectionTabs(ConnectionTabs),
    /// Tab: this is what I hold from before.
    #[serde(rename = "connection.resume")]
    Resume(Resume),
    /// Tab: another that is gone left this.
    #[serde(rename = "connection.lastWords")]
    LastWords(LastWords),
    /// Tab: load these documents.
    #[serde(rename = "connection.getBulk")]
    GetBulk(GetBulk),
    /// Tab: load the document, or bring it up to date.
    #[serde(rename = "doc.fetch")]
    DocFetch(DocRequest),
    /// Tab: load the document and send me its changes.
    #[serde(rename = "doc.subscribe")]
    DocSubscribe(DocRequest),
    /// Tab: send me no more changes.
    #[serde(rename = "doc.unsubscribe")]
    DocUnsubscribe(DocRequest),
    /// Tab: ops.
    #[serde(rename = "doc.submitOp")]
    DocSubmit(DocSubmit),
    /// Tab: this is the document's state.
    #[serde(rename = "doc.ingest")]
    DocIngest(DocIngest),
    /// Tab: I have taken these changes.
    #[serde(rename = "doc.seen")]
    DocSeen(DocSeen),
    /// Tab: I no longer hold the document.
    #[serde(rename = "doc.release")]
    DocRelease(DocRelease),
    /// Tab: many fetches and subscriptions follow, in this frame.
    #[serde(rename = "connection.bulkBegin")]
    BulkBegin,
    /// Tab: no more of them.
    #[serde(rename = "connection.bulkEnd")]
    BulkEnd,
    /// Tab: ask the database.
    #[serde(rename = "connection.query")]
    Query(QueryRequest),
    /// Tab: the query is of no more use.
    #[serde(rename = "query.end")]
    QueryEnd(QueryEnd),
    /// Hub: documents of results that follow.
    #[serde(rename = "query.docs")]
    QueryDocs(QueryDocs),
    /// Hub: the results.
    #[serde(rename = "query.ready")]
    QueryReady(QueryReady),
    /// Hub: the results changed.
    #[serde(rename = "query.change")]
    QueryChange(QueryChange),
    /// Hub: the database's word on the results changed.
    #[serde(rename = "query.extra")]
    QueryExtra(QueryExtra),
    /// Hub: an error of a query that lives.
    #[serde(rename = "query.error")]
    QueryFailed(QueryFailed),
    /// Tab: give this to the server.
    #[serde(rename = "connection.send")]
    Send(ToServer),
    /// Tab: take this as if the server had sent it.
    #[serde(rename = "connection.handleMessage")]
    HandleMessage(Relayed),
    /// Hub: the server, or a sibling, says this.
    #[serde(rename = "connection.receive")]
    Receive(Relayed),
    /// Hub: the document's state.
    #[serde(rename = "doc.load")]
    DocLoad(DocLoad),
    /// Hub: changes by others.
    #[serde(rename = "doc.change")]
    DocChange(DocChange),
    /// Hub: your ops have their place.
    #[serde(rename = "doc.sequenced")]
    DocSequenced(DocSequenced),
    /// Hub: what the server said of ops.
    #[serde(rename = "doc.committed")]
    DocCommitted(DocCommitted),
    /// Hub: your ops have no place.
    #[serde(rename = "doc.rejected")]
    DocRejected(DocRejected),
    /// Hub: an event of the upstream document.
    #[serde(rename = "doc.event")]
    DocEvent(DocEvent),
    /// Hub: the server has answered for a subscription that was lost with its connection.
    #[serde(rename = "doc.subscribed")]
    DocSubscribed(DocSubscribed),
    /// Tab: a question about the store.
    #[serde(rename = "store.ask")]
    StoreAsk(StoreAsk),
    /// Tab: I have heard of this event of the store.
    #[serde(rename = "store.heard")]
    StoreHeard(StoreHeard),
    /// Hub: its answer.
    #[serde(rename = "store.reply")]
    StoreReply(StoreReply),
    /// Hub: something happened to the store.
    #[serde(rename = "store.event")]
    StoreEvent(StoreEvent),
}

/// How long a hub may take to open its store before it can answer a tab.
const OPENING: Millis = 30_000;

impl Message {
    /// The document a message of the hub speaks of.
    fn doc(&self) -> Option<&DocId> {
        match self {
            Message::DocLoad(load) => Some(&load.doc),
            Message::DocChange(change) => Some(&change.doc),
            Message::DocSequenced(sequenced) => Some(&sequenced.doc),
            Message::DocCommitted(committed) => Some(&committed.doc),
            Message::DocRejected(rejected) => Some(&rejected.doc),
            Message::DocEvent(event) => Some(&event.doc),
            Message::DocSubscribed(subscribed) => Some(&subscribed.doc),
            _ => None,
        }
    }
}

impl LayerMessage for Message {
    fn request(&self) -> Option<u64> {
        match self {
            Message::Hello(hello) => Some(hello.request),
            Message::GetBulk(bulk) => Some(bulk.request),
            Message::LastWords(words) => Some(words.request),
            Message::Query(query) => Some(query.request),
            Message::StoreAsk(ask) => Some(ask.request),
            Message::DocFetch(request)
            | Message::DocSubscribe(request)
            | Message::DocUnsubscribe(request) => Some(request.request),
            _ => None,
        }
    }

    fn extra_time(&self) -> Millis {
        if matches!(self, Message::Hello(_)) { OPENING } else { 0 }
    }

    fn answers(&self) -> Option<u64> {
        match self {
            Message::Welcome(welcome) => Some(welcome.request),
            Message::Refusal(refusal) => Some(refusal.request),
            Message::Callback(callback) => Some(callback.request),
            Message::Working(working) => Some(working.request),
            Message::QueryReady(ready) => Some(ready.request),
            Message::StoreReply(reply) => Some(reply.request),
            _ => None,
        }
    }

    /// Messages about different documents are independent of each other.
    fn overtakes(&self, earlier: &Self) -> bool {
        matches!((self.doc(), earlier.doc()), (Some(own), Some(other)) if own != other)
    }

    fn timed_out(request: u64, after: u64) -> Self {
        let message = format!("no answer from the hub within {after} ms");
        let error = Some(Error::new(codes::TIMEOUT, message));
        Message::Callback(Callback { request, error })
    }

    /// Joins changes at consecutive revisions and keeps only the newest state. Ops are joined,
    /// not composed: a tab with unsequenced ops must transform them against each op alone, as the
    /// hub did, because not every type's `transform` distributes over `compose`.
    fn merge(&mut self, next: Self) -> Result<(), Self> {
        match (self, next) {
            (Message::DocChange(last), Message::DocChange(next))
                if last.doc == next.doc && last.rev + next.changes.len() as u64 == next.rev =>
            {
                last.rev = next.rev;
                last.changes.extend(next.changes);
                last.settled = next.settled;
                last.coalesced = true;
                Ok(())
            }
            (Message::DocCommitted(last), Message::DocCommitted(next)) => {
                if last.absorb(&next) {
                    Ok(())
                } else {
                    Err(Message::DocCommitted(next))
                }
            }
            (Message::ConnectionTabs(last), Message::ConnectionTabs(next)) => {
                *last = next;
                Ok(())
            }
            // A tab that never hears that the connection was lost does not ask for its presence
            // again.
            (Message::ConnectionEvent(last), Message::ConnectionEvent(next))
                if next.state != "connected" || last.state == "connected" =>
            {
                *last = next;
                Ok(())
            }
            (_, next) => Err(next),
        }
    }
}
