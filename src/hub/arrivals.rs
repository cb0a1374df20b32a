//! What has come is handled in order, once the documents that it needs are at hand.

use tabmux_middleware::Millis;

use super::arrival_queue::{Arrival, docs_of_message};
use super::{Hub, StoreRequest};
use crate::protocol::*;

impl Hub {
    /// Whether the hub waits for a document to be read: until then it must be told of no upstream
    /// events.
    pub fn is_stalled(&self) -> bool {
        self.queue.is_stalled()
    }

    /// Whether something waits for [`Hub::proceed`].
    pub fn has_arrivals(&self) -> bool {
        !self.queue.arrivals.is_empty()
    }

    /// Handles what waited for documents that were read.
    pub fn proceed(&mut self, now: Millis) {
        self.now = now;
        while !self.is_stalled() {
            let Some(arrival) = self.queue.arrivals.front() else { break };
            if let Arrival::Message(_, _, message) = arrival {
                let docs = docs_of_message(message);
                if self.must_read(docs) {
                    break;
                }
            }
            match self.queue.arrivals.pop_front() {
                Some(Arrival::Message(peer, session, message))
                    if self.peers.session(peer) == session =>
                {
                    self.handle(peer, *message);
                }
                // The tab has begun another session since.
                Some(Arrival::Message(..)) => {}
                Some(Arrival::Closed(peer)) => self.transport_closed(peer),
                Some(Arrival::Gone(tab)) => self.tab_ended(&tab),
                None => {}
            }
        }
        if self.queue.arrivals.is_empty() {
            // A tab that is gone can't end what it began.
            self.upstream.end_bulk();
        }
    }

    /// Whether the upstream may take states of these documents from the server: that it has those of
    /// the store. If not, the store is asked for them; tell the hub what happened upstream meanwhile,
    /// and ask again once it is no longer stalled.
    pub fn has_at_hand(&mut self, docs: Vec<DocId>, now: Millis) -> bool {
        self.now = now;
        !self.must_read(docs)
    }

    /// Whether some of these documents have to be read first; asks for them.
    pub(super) fn must_read(&mut self, docs: Vec<DocId>) -> bool {
        // Before there is a connection no tab was let in.
        let Some(journal) = self.journal.as_mut().filter(|_| self.is_connected) else {
            return self.is_stalled();
        };
        for doc in docs {
            if !self.docs.has(&doc)
                && journal.keeps(&doc)
                && !journal.is_off()
                && self.queue.reading.insert(doc.clone())
            {
                journal.ask(StoreRequest::Read(doc));
            }
        }
        self.queue.is_stalled()
    }
}
