use tabmux_middleware::{Message, Millis, Request};

use super::messages::*;
use super::names::messages;

messages! {
    /// What a tab says.
    ToHub or ToHub::Bye => {
        /// Let me in.
        "hello" = Hello(Hello),
        /// I go offline, and may come back: take what ops I have sent or am about to.
        "away" = Away,
        /// I am leaving.
        "bye" = Bye,
        /// This is what I hold from before.
        "connection.resume" = ConnectionResume(ConnectionResume),
        /// Another that is gone left this.
        "connection.unloadJournal" = ConnectionUnloadJournal(ConnectionUnloadJournal),
        /// Load these documents.
        "connection.getBulk" = ConnectionGetBulk(ConnectionGetBulk),
        /// Many fetches and subscriptions follow, in this frame.
        "connection.bulkBegin" = ConnectionBulkBegin,
        /// No more of them.
        "connection.bulkEnd" = ConnectionBulkEnd,
        /// Ask the database.
        "connection.query" = ConnectionQuery(ConnectionQuery),
        /// Give this to the server.
        "connection.send" = ConnectionSend(ConnectionSend),
        /// Take this as if the server had sent it.
        "connection.handleMessage" = ConnectionHandleMessage(ConnectionHandleMessage),
        /// The query is of no more use.
        "query.end" = QueryEnd(QueryEnd),
        /// Load the document, or bring it up to date.
        "doc.fetch" = DocFetch(DocFetch),
        /// Load the document and send me its changes.
        "doc.subscribe" = DocSubscribe(DocSubscribe),
        /// Send me no more changes.
        "doc.unsubscribe" = DocUnsubscribe(DocUnsubscribe),
        /// Ops.
        "doc.submitOp" = DocSubmitOp(DocSubmitOp),
        /// This is the document's state.
        "doc.ingest" = DocIngest(DocIngest),
        /// I have taken these changes.
        "doc.seen" = DocSeen(DocSeen),
        /// I no longer hold the document.
        "doc.release" = DocRelease(DocRelease),
        /// A question about the store.
        "store.ask" = StoreAsk(StoreAsk),
        /// I have heard of this event of the store.
        "store.heard" = StoreHeard(StoreHeard),
    }
}

/// How long a hub may take to open its store, with the function that finds the key, before it can answer
/// a tab.
pub const OPENING: Millis = 30_000;

impl Message for ToHub {}

impl Request for ToHub {
    fn request(&self) -> Option<u64> {
        match self {
            ToHub::Hello(Hello { request, .. })
            | ToHub::ConnectionUnloadJournal(ConnectionUnloadJournal { request, .. })
            | ToHub::ConnectionGetBulk(ConnectionGetBulk { request, .. })
            | ToHub::ConnectionQuery(ConnectionQuery { request, .. })
            | ToHub::DocFetch(DocFetch { request, .. })
            | ToHub::DocSubscribe(DocSubscribe { request, .. })
            | ToHub::DocUnsubscribe(DocUnsubscribe { request, .. })
            | ToHub::StoreAsk(StoreAsk { request, .. }) => Some(*request),
            ToHub::Away
            | ToHub::Bye
            | ToHub::ConnectionResume(_)
            | ToHub::ConnectionBulkBegin
            | ToHub::ConnectionBulkEnd
            | ToHub::ConnectionSend(_)
            | ToHub::ConnectionHandleMessage(_)
            | ToHub::QueryEnd(_)
            | ToHub::DocSubmitOp(_)
            | ToHub::DocIngest(_)
            | ToHub::DocSeen(_)
            | ToHub::DocRelease(_)
            | ToHub::StoreHeard(_) => None,
        }
    }

    fn extra_time(&self) -> Millis {
        if matches!(self, ToHub::Hello(_)) { OPENING } else { 0 }
    }
}
