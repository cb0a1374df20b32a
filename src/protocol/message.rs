use tabmux_middleware::{Message as LayerMessage, Millis};

use super::DocId;
use super::messages::*;
use crate::error::{Error, codes};
use crate::wire::{Member, Place, Shape, Wire};

/// The messages and their names on the wire.
macro_rules! messages {
    ($($(#[$doc:meta])* $name:literal = $variant:ident $(($body:ty))?,)*) => {
        /// A message of the protocol: `{type, body}` on the wire.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Message {
            $($(#[$doc])* $variant $(($body))?,)*
        }

        impl Wire for Message {
            fn write(&self, to: Place<'_>) {
                let mut target = to.object(&SHAPE);
                match self {
                    $(messages!(@pattern $variant body $($body)?) => {
                        target.at(0).text($name);
                        $(<$body>::write(body, target.at(1));)?
                    })*
                }
            }

            fn read(from: Member<'_>) -> Self {
                let members = from.members(&SHAPE);
                match String::read(members.at(0)).as_str() {
                    $($name => Message::$variant $((<$body>::read(members.at(1))))?,)*
                    name => {
                        members.at(0).must_be(&["a message, `", name, "` is none"].concat());
                        Message::Bye
                    }
                }
            }
        }
    };
    (@pattern $variant:ident $name:ident) => { Message::$variant };
    (@pattern $variant:ident $name:ident $body:ty) => { Message::$variant($name) };
}

static SHAPE: Shape = Shape::new(&["type", "body"], true);

messages! {
    /// Tab: let me in.
    "hello" = Hello(Hello),
    /// Hub: you are in.
    "welcome" = Welcome(Welcome),
    /// Hub: you are not.
    "refusal" = Refusal(Refusal),
    /// Hub: which hubs know the revisions from now on.
    "lineage" = Lineage(Lineage),
    /// Tab: I go offline, and may come back: take what ops I have sent or am about to.
    "away" = Away,
    /// Tab: I am leaving.
    "bye" = Bye,
    /// Hub: the answer to a request.
    "callback" = Callback(Callback),
    /// Hub: a request waits for the server.
    "working" = Working(Working),
    /// Hub: the upstream connection's state.
    "connection.event" = ConnectionEvent(ConnectionEvent),
    /// Hub: an error of the upstream connection.
    "connection.error" = ConnectionFailed(ConnectionFailed),
    /// Hub: the tabs there are.
    "connection.tabs" = ConnectionTabs(ConnectionTabs),
    /// Tab: this is what I hold from before.
    "connection.resume" = Resume(Resume),
    /// Tab: another that is gone left this.
    "connection.lastWords" = LastWords(LastWords),
    /// Tab: load these documents.
    "connection.getBulk" = GetBulk(GetBulk),
    /// Tab: load the document, or bring it up to date.
    "doc.fetch" = DocFetch(DocRequest),
    /// Tab: load the document and send me its changes.
    "doc.subscribe" = DocSubscribe(DocRequest),
    /// Tab: send me no more changes.
    "doc.unsubscribe" = DocUnsubscribe(DocRequest),
    /// Tab: ops.
    "doc.submitOp" = DocSubmit(DocSubmit),
    /// Tab: this is the document's state.
    "doc.ingest" = DocIngest(DocIngest),
    /// Tab: I have taken these changes.
    "doc.seen" = DocSeen(DocSeen),
    /// Tab: I no longer hold the document.
    "doc.release" = DocRelease(DocRelease),
    /// Tab: many fetches and subscriptions follow, in this frame.
    "connection.bulkBegin" = BulkBegin,
    /// Tab: no more of them.
    "connection.bulkEnd" = BulkEnd,
    /// Tab: ask the database.
    "connection.query" = Query(QueryRequest),
    /// Tab: the query is of no more use.
    "query.end" = QueryEnd(QueryEnd),
    /// Hub: documents of results that follow.
    "query.docs" = QueryDocs(QueryDocs),
    /// Hub: the results.
    "query.ready" = QueryReady(QueryReady),
    /// Hub: the results changed.
    "query.change" = QueryChange(QueryChange),
    /// Hub: the database's word on the results changed.
    "query.extra" = QueryExtra(QueryExtra),
    /// Hub: an error of a query that lives.
    "query.error" = QueryFailed(QueryFailed),
    /// Tab: give this to the server.
    "connection.send" = Send(ToServer),
    /// Tab: take this as if the server had sent it.
    "connection.handleMessage" = HandleMessage(Relayed),
    /// Hub: the server, or a sibling, says this.
    "connection.receive" = Receive(Relayed),
    /// Hub: the document's state.
    "doc.load" = DocLoad(DocLoad),
    /// Hub: changes by others.
    "doc.change" = DocChange(DocChange),
    /// Hub: your ops have their place.
    "doc.sequenced" = DocSequenced(DocSequenced),
    /// Hub: what the server said of ops.
    "doc.committed" = DocCommitted(DocCommitted),
    /// Hub: your ops have no place.
    "doc.rejected" = DocRejected(DocRejected),
    /// Hub: an event of the upstream document.
    "doc.event" = DocEvent(DocEvent),
    /// Hub: the server has answered for a subscription that was lost with its connection.
    "doc.subscribed" = DocSubscribed(DocSubscribed),
    /// Tab: a question about the store.
    "store.ask" = StoreAsk(StoreAsk),
    /// Tab: I have heard of this event of the store.
    "store.heard" = StoreHeard(StoreHeard),
    /// Hub: its answer.
    "store.reply" = StoreReply(StoreReply),
    /// Hub: something happened to the store.
    "store.event" = StoreEvent(StoreEvent),
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
