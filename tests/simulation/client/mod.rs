//! A model of ShareDB's client, `lib/client`, in our own words, as the hub's upstream and as a
//! client beside the hub.

mod document;
mod ops;
mod query;
mod restore;
mod upstream;

use std::collections::{BTreeMap, VecDeque};
use std::mem;

use serde_json::Value;
use tabmux::hub::{Head, Sent, Untold, UpstreamEvent};
use tabmux::ot::{Op, Origin};
use tabmux::protocol::{ConnectionEvent, DocId};
use tabmux::{Error, Payload};

use super::server::{Reply, Request};
use crate::support::Copy;
use document::{Doc, Done};
use ops::Pending;
use query::Query;
pub use query::apply;
pub use upstream::Shared;

/// ShareDB's `Connection`.
#[derive(Default)]
pub struct Client {
    conn: Conn,
    docs: BTreeMap<DocId, Doc>,
    queries: BTreeMap<u64, Query>,
}

/// What documents and queries share.
#[derive(Default)]
struct Conn {
    src: String,
    seq: u64,
    can_send: bool,
    out: Vec<Request>,
    events: VecDeque<UpstreamEvent>,
    /// For each document of results that is up to date, or that can't be brought up to date, which
    /// answer to a query waited for it.
    found: Vec<(u64, u64, Option<Error>)>,
    /// Edits that were taken for refused when others were, with their documents, if they were undone
    /// there; any other document is loaded anew.
    misled: Vec<(Op, Option<DocId>)>,
    /// The hub keeps from it the answers to ops that it has given up, which would mislead it.
    guarded: bool,
    /// With a store: what is to be sent waits here until it is released.
    held: Option<Vec<(DocId, Sent, Request)>>,
    /// What was released of it since the store could be written.
    unrecorded: Vec<Op>,
    /// Of which ops a hard rollback has begun, of which nobody may have heard yet.
    dropped: Vec<Origin>,
}

impl Client {
    pub fn new(src: &str) -> Self {
        let conn = Conn { src: src.to_owned(), seq: 1, ..Conn::default() };
        Client { conn, docs: BTreeMap::new(), queries: BTreeMap::new() }
    }

    /// As the hub uses it.
    pub fn guarded(src: &str) -> Self {
        let mut client = Client::new(src);
        client.conn.guarded = true;
        client
    }

    /// As the hub uses it with a store.
    pub fn holding(src: &str) -> Self {
        let mut client = Client::guarded(src);
        client.conn.held = Some(Vec::new());
        client
    }

    pub fn src(&self) -> &str {
        &self.conn.src
    }

    pub fn poll_request(&mut self) -> Option<Request> {
        (!self.conn.out.is_empty()).then(|| self.conn.out.remove(0))
    }

    /// The next thing to tell, and the head of the document that it is about.
    pub fn poll_event(&mut self) -> Option<(UpstreamEvent, Option<Head>)> {
        self.finish_queries();
        let event = self.conn.events.pop_front()?;
        let doc = event.doc().and_then(|id| self.docs.get(id));
        let head = doc.filter(|doc| !doc.wants_destroy).map(Doc::head);
        Some((event, head))
    }

    pub fn set_connected(&mut self, connected: bool) {
        self.conn.can_send = connected;
        self.conn.out.clear();
        if let Some(held) = &mut self.conn.held {
            held.clear();
        }
        self.requery();
        for doc in self.docs.values_mut() {
            doc.connection_changed(&mut self.conn);
        }
        let (state, id) = match connected {
            true => ("connected", Some(self.conn.src.clone())),
            false => ("disconnected", None),
        };
        let event = ConnectionEvent { state: state.to_owned(), id, reason: None, losses: 0 };
        self.conn.events.push_back(UpstreamEvent::State(event));
        self.end_turn();
    }

    pub fn receive(&mut self, reply: Reply) {
        let id = match &reply {
            Reply::Fetched { doc, .. }
            | Reply::FetchRefused { doc, .. }
            | Reply::Subscribed { doc, .. }
            | Reply::SubscriptionRefused { doc, .. }
            | Reply::Unsubscribed { doc }
            | Reply::Op { doc, .. }
            | Reply::Ack { doc, .. }
            | Reply::Refused { doc, .. } => doc,
            Reply::Message(message) => {
                let event = UpstreamEvent::Message(Payload(message.clone()));
                return self.conn.events.push_back(event);
            }
            _ => return self.receive_for_query(reply),
        };
        if let Some(doc) = self.docs.get_mut(id) {
            doc.receive(reply, &mut self.conn);
        }
    }

    /// Edits that were taken for refused when others were, with their documents, if they were undone
    /// there.
    pub fn take_misled(&mut self) -> Vec<(Op, Option<DocId>)> {
        mem::take(&mut self.conn.misled)
    }

    /// The ops that were released since this was asked last.
    pub fn take_unrecorded(&mut self) -> Vec<Op> {
        mem::take(&mut self.conn.unrecorded)
    }

    /// The ops that hard rollbacks have dropped since this was asked last.
    pub fn take_dropped(&mut self) -> Vec<Origin> {
        mem::take(&mut self.conn.dropped)
    }

    /// Sends a message of ShareDB's own protocol, if the connection can.
    pub fn send(&mut self, message: Value) {
        if self.conn.can_send {
            self.conn.out.push(Request::Message(message));
        }
    }

    /// What ShareDB does at the next tick. Returns whether that led to events.
    pub fn end_turn(&mut self) -> bool {
        let found = self.being_found();
        for (id, doc) in &mut self.docs {
            doc.flush(&mut self.conn);
            if !found.contains(id) {
                doc.destroy_if_idle(&mut self.conn);
            }
        }
        self.docs.retain(|_, doc| !doc.destroyed);
        self.finish_queries();
        !self.conn.events.is_empty()
    }

    fn doc(&mut self, id: &DocId) -> (&mut Doc, &mut Conn) {
        let doc = self.docs.entry(id.clone()).or_default();
        doc.id = Some(id.clone());
        doc.take_again(&mut self.conn);
        (doc, &mut self.conn)
    }

    pub fn flush(&mut self, id: &DocId) {
        let (doc, conn) = self.doc(id);
        doc.flush(conn);
    }

    pub fn fetch(&mut self, id: &DocId) {
        let (doc, conn) = self.doc(id);
        doc.fetch(Done::Fetched, false, conn);
    }

    pub fn subscribe(&mut self, id: &DocId) {
        let (doc, conn) = self.doc(id);
        doc.queue_subscribe(true, Done::Nothing, conn);
    }

    pub fn unsubscribe(&mut self, id: &DocId) {
        let (doc, conn) = self.doc(id);
        doc.queue_subscribe(false, Done::Nothing, conn);
        // As the hub's side of ShareDB sees to, also without a connection.
        doc.want_subscribe = false;
    }

    pub fn destroy(&mut self, id: &DocId) {
        if let Some(doc) = self.docs.get_mut(id) {
            doc.wants_destroy = true;
        }
    }

    pub fn submit(
        &mut self,
        id: &DocId,
        op: Op,
        compose: bool,
        origin: Origin,
    ) -> Result<bool, Error> {
        let (doc, conn) = self.doc(id);
        doc.submit(op, compose, origin, conn)
    }

    pub fn untold(&self, id: &DocId) -> Untold {
        Untold::among(id, self.conn.events.iter())
    }

    pub fn version(&self, id: &DocId) -> Option<u64> {
        self.docs.get(id)?.version
    }

    pub fn head(&self, id: &DocId) -> Head {
        self.docs.get(id).map(Doc::head).unwrap_or_default()
    }

    /// The documents that the hub has not given up and of which it was told all, with their heads.
    pub fn told_heads(&self) -> impl Iterator<Item = (&DocId, Head)> {
        let is_told = |id: &DocId| self.conn.events.iter().all(|event| event.doc() != Some(id));
        let told = self.docs.iter().filter(move |(id, doc)| !doc.wants_destroy && is_told(id));
        told.map(|(id, doc)| (id, doc.head()))
    }

    pub fn copy(&self, id: &DocId) -> Copy {
        self.docs.get(id).map(|doc| doc.copy.clone()).unwrap_or_default()
    }

    /// Whether a document is being created of which the client has never heard. ShareDB commits
    /// such a creation twice, if its acknowledgement is lost and the document deleted meanwhile.
    pub fn creates_blindly(&self) -> bool {
        self.docs.values().any(|doc| doc.version.is_none() && doc.has_write_pending())
    }

    /// Whether the document lost its state and waits to be loaded.
    pub fn is_reloading(&self, id: &DocId) -> bool {
        self.docs.get(id).is_some_and(|doc| doc.in_hard_rollback)
    }

    pub fn holds(&self, id: &DocId) -> bool {
        self.docs.contains_key(id)
    }

    /// How many documents and queries there are.
    pub fn size(&self) -> (usize, usize) {
        (self.docs.len(), self.queries.len())
    }
}

impl Conn {
    fn settle(&mut self, doc: &DocId, op: Pending, error: Option<&Error>) {
        if op.origins.is_empty() {
            self.events.push_back(UpstreamEvent::Moved(doc.clone()));
        }
        for origin in op.origins {
            let event = UpstreamEvent::Answered(doc.clone(), origin, error.cloned());
            self.events.push_back(event);
        }
    }
}
