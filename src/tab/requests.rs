//! What a tab asks of its hub.

use tabmux_middleware::{Millis, Request};

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

    pub(super) fn transmit(&mut self, message: ToHub, now: Millis) {
        let may_go = self.joined && (!self.is_offline() || Tab::is_sent_offline(&message));
        match &mut self.link {
            Some(link) if may_go => link.send(message, now),
            _ => self.waiting.push(message),
        }
    }

    pub(super) fn ask(&mut self, request: u64, message: ToHub, now: Millis) -> u64 {
        self.outstanding.insert(request, message.clone());
        self.transmit(message, now);
        request
    }

    /// Asks for the document's present state; `anew` replaces what the tab holds. Returns the
    /// request's number, which comes back in [`TabEvent::Callback`](crate::tab::TabEvent::Callback).
    pub fn fetch(&mut self, key: DocKey, anew: bool, now: Millis) -> Option<u64> {
        let request = self.new_request();
        let held = self.docs.get_mut(key)?;
        let rev = held.replica.rev().filter(|_| !anew);
        // The next hub sends the state by itself: once more would replace what came of it since.
        let anew = anew && !held.lost_with_hub;
        held.told(rev);
        let doc = held.id.clone();
        Some(self.ask(request, ToHub::DocFetch(DocFetch { request, doc, rev, anew }), now))
    }

    /// Asks for the document's state and all changes from there. As [`Tab::fetch`].
    pub fn subscribe(&mut self, key: DocKey, now: Millis) -> Option<u64> {
        let request = self.new_request();
        let (doc, rev) = self.docs.get_mut(key)?.wants_changes(true);
        Some(self.ask(request, ToHub::DocSubscribe(DocSubscribe { request, doc, rev }), now))
    }

    /// Asks for no more changes. As [`Tab::fetch`].
    pub fn unsubscribe(&mut self, key: DocKey, now: Millis) -> Option<u64> {
        let request = self.new_request();
        let (doc, rev) = self.docs.get_mut(key)?.wants_changes(false);
        Some(self.ask(request, ToHub::DocUnsubscribe(DocUnsubscribe { request, doc, rev }), now))
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
        self.ask(request, ToHub::ConnectionGetBulk(ConnectionGetBulk { request, docs }), now)
    }

    /// Asks the database; returns the query's number, which comes back in the events of queries.
    pub fn query(&mut self, spec: QuerySpec, now: Millis) -> u64 {
        let request = self.new_request();
        self.ask(request, ToHub::ConnectionQuery(ConnectionQuery { request, spec }), now)
    }

    /// Ends a query.
    pub fn end_query(&mut self, request: u64, now: Millis) {
        self.held.retain(|held| held.request != request);
        if self.outstanding.remove(&request).is_some() {
            self.transmit(ToHub::QueryEnd(QueryEnd { request }), now);
        }
    }

    /// Nobody waits for the answer to a request any more.
    pub fn forget(&mut self, request: u64) {
        self.outstanding.remove(&request);
        self.waiting.retain(|message| message.request() != Some(request));
    }

    /// The requests up to `end_bulk` may be asked of the server as one.
    pub fn begin_bulk(&mut self, now: Millis) {
        self.transmit(ToHub::ConnectionBulkBegin, now);
    }

    /// Ends what `begin_bulk` began.
    pub fn end_bulk(&mut self, now: Millis) {
        self.transmit(ToHub::ConnectionBulkEnd, now);
    }

    /// Gives the server a message of ShareDB's own protocol.
    ///
    /// # Errors
    /// It is none, or one that is the hub's alone to send.
    pub fn send(&mut self, message: Payload, now: Millis) -> Result<(), Error> {
        check_by_hand(&message)?;
        let losses = self.losses;
        self.transmit(ToHub::ConnectionSend(ConnectionSend { message, losses }), now);
        Ok(())
    }

    /// Has the hub take a message as if the server had sent it.
    pub fn handle_message(&mut self, message: Payload, now: Millis) {
        self.transmit(ToHub::ConnectionHandleMessage(ConnectionHandleMessage { message }), now);
    }

    /// Asks something of the hub's store. Returns the request's number, which comes back in
    /// [`TabEvent::StoreReply`](crate::tab::TabEvent::StoreReply).
    pub fn ask_store(&mut self, question: StoreQuestion, now: Millis) -> u64 {
        let request = self.new_request();
        self.ask(request, ToHub::StoreAsk(StoreAsk { request, question }), now)
    }
}
