//! What a tab asks of its hub.

use tabmux_middleware::{Message as _, Millis};

use super::Tab;
use crate::protocol::*;
use crate::tab::DocKey;
use crate::{Error, Payload};

impl Tab {
    pub(super) fn new_request(&mut self) -> u64 {
        let request = self.next_request;
        self.next_request += 1;
        request
    }

    pub(super) fn transmit(&mut self, message: Message, now: Millis) {
        let may_go = self.joined && (!self.is_offline() || Tab::is_sent_offline(&message));
        match &mut self.link {
            Some(link) if may_go => link.send(message, now),
            _ => self.waiting.push(message),
        }
    }

    pub(super) fn ask(&mut self, request: u64, message: Message, now: Millis) -> u64 {
        self.outstanding.insert(request, message.clone());
        self.transmit(message, now);
        request
    }

    pub(super) fn doc_request(&mut self, key: DocKey, anew: bool) -> Option<DocRequest> {
        let request = self.new_request();
        let doc = self.docs.get_mut(key)?;
        let rev = doc.replica.rev().filter(|_| !anew);
        // The next hub sends the state by itself: once more would replace what came of it since.
        let anew = anew && !doc.lost_with_hub;
        doc.told(rev);
        Some(DocRequest { request, doc: doc.id.clone(), rev, anew })
    }

    /// Asks for the document's present state; `anew` replaces what the tab holds. Returns the
    /// request's number, which comes back in [`TabEvent::Callback`](crate::tab::TabEvent::Callback).
    pub fn fetch(&mut self, key: DocKey, anew: bool, now: Millis) -> Option<u64> {
        let request = self.doc_request(key, anew)?;
        Some(self.ask(request.request, Message::DocFetch(request), now))
    }

    /// Asks for the document's state and all changes from there. As [`Tab::fetch`].
    pub fn subscribe(&mut self, key: DocKey, now: Millis) -> Option<u64> {
        let request = self.doc_request(key, false)?;
        self.docs.get_mut(key)?.subscribed = true;
        Some(self.ask(request.request, Message::DocSubscribe(request), now))
    }

    /// Asks for no more changes. As [`Tab::fetch`].
    pub fn unsubscribe(&mut self, key: DocKey, now: Millis) -> Option<u64> {
        let request = self.doc_request(key, false)?;
        self.docs.get_mut(key)?.subscribed = false;
        Some(self.ask(request.request, Message::DocUnsubscribe(request), now))
    }

    /// Asks for the present state of many documents. As [`Tab::fetch`].
    pub fn get_bulk(&mut self, keys: &[DocKey], now: Millis) -> u64 {
        let request = self.new_request();
        let mut docs = Vec::with_capacity(keys.len());
        for key in keys {
            if let Some(doc) = self.docs.get_mut(*key) {
                let rev = doc.replica.rev();
                doc.told(rev);
                docs.push(BulkDoc { doc: doc.id.clone(), rev });
            }
        }
        self.ask(request, Message::GetBulk(GetBulk { request, docs }), now)
    }

    /// Asks the database; returns the query's number, which comes back in the events of queries.
    pub fn query(&mut self, spec: QuerySpec, now: Millis) -> u64 {
        let request = self.new_request();
        self.ask(request, Message::Query(QueryRequest { request, spec }), now)
    }

    /// Ends a query.
    pub fn end_query(&mut self, request: u64, now: Millis) {
        self.held.retain(|held| held.request != request);
        if self.outstanding.remove(&request).is_some() {
            self.transmit(Message::QueryEnd(QueryEnd { request }), now);
        }
    }

    /// Nobody waits for the answer to a request any more.
    pub fn forget(&mut self, request: u64) {
        self.outstanding.remove(&request);
        self.waiting.retain(|message| message.request() != Some(request));
    }

    /// The requests up to `end_bulk` may be asked of the server as one.
    pub fn begin_bulk(&mut self, now: Millis) {
        self.transmit(Message::BulkBegin, now);
    }

    /// Ends what `begin_bulk` began.
    pub fn end_bulk(&mut self, now: Millis) {
        self.transmit(Message::BulkEnd, now);
    }

    /// Gives the server a message of ShareDB's own protocol.
    ///
    /// # Errors
    /// It is none, or one that is the hub's alone to send.
    pub fn send(&mut self, message: Payload, now: Millis) -> Result<(), Error> {
        check_by_hand(&message)?;
        let losses = self.losses;
        self.transmit(Message::Send(ToServer { message, losses }), now);
        Ok(())
    }

    /// Has the hub take a message as if the server had sent it.
    pub fn handle_message(&mut self, message: Payload, now: Millis) {
        self.transmit(Message::HandleMessage(Relayed { message }), now);
    }

    /// Asks something of the hub's store. Returns the request's number, which comes back in
    /// [`TabEvent::StoreReply`](crate::tab::TabEvent::StoreReply).
    pub fn ask_store(&mut self, question: StoreQuestion, now: Millis) -> u64 {
        let request = self.new_request();
        self.ask(request, Message::StoreAsk(StoreAsk { request, question }), now)
    }
}
