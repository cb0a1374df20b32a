//! What the hub says of queries. Results are told once the documents among them have come: one that
//! the tab has let go of meanwhile comes only after the hub has heard of that.

use super::Tab;
use crate::protocol::*;
use crate::tab::TabEvent;
use crate::tab::tab_docs::TabDoc;

/// News of a query that name documents whose state is still to come.
pub(super) struct WaitingResults {
    pub request: u64,
    pub docs: Vec<DocId>,
    pub event: TabEvent,
    /// Whether the server was there, so that it has all that was found.
    is_online: bool,
}

impl Tab {
    pub(super) fn query_ready(&mut self, ready: QueryReady) {
        let docs = ready.results.clone().unwrap_or_default();
        self.tell_query(ready.request, docs, TabEvent::QueryReady(ready));
    }

    pub(super) fn query_changed(&mut self, change: QueryChange) {
        let inserted = change.diff.iter().flat_map(|step| match step {
            QueryDiff::Insert { docs, .. } => docs.as_slice(),
            QueryDiff::Remove { .. } | QueryDiff::Move { .. } => &[],
        });
        let docs = inserted.cloned().collect();
        self.tell_query(change.request, docs, TabEvent::QueryChange(change));
    }

    /// Tells of a query, after what was to be told of it before.
    pub(super) fn tell_query(&mut self, request: u64, docs: Vec<DocId>, event: TabEvent) {
        let is_online = self.is_connected;
        self.held.push_back(WaitingResults { request, docs, event, is_online });
        self.tell_held();
    }

    /// Tells what waited for documents that have come, or that are not wanted any more.
    pub(super) fn tell_held(&mut self) {
        let mut waiting = Vec::new();
        for held in std::mem::take(&mut self.held) {
            let is_next =
                !waiting.iter().any(|other: &WaitingResults| other.request == held.request);
            if is_next && !held.docs.iter().any(|doc| self.lacks(doc, held.is_online)) {
                self.end_if_told(&held.event);
                self.events.push_back(held.event);
            } else {
                waiting.push(held);
            }
        }
        self.held = waiting.into();
    }

    /// The hub was refused the document: if it has not sent the state by now, it will not. What was asked
    /// before the state was given up says nothing of the load that is to come; and a document that was created
    /// here has its state once the hub has answered for that.
    pub(super) fn note_unreadable(&mut self, doc: &DocId, anew: bool) {
        if let Some((_, doc)) = self.docs.find(doc)
            && doc.replica.rev().is_none()
        {
            let is_lost = doc.replica.is_rolled_back();
            let is_created = !is_lost && doc.replica.pending().next().is_some();
            doc.is_unreadable |= anew || doc.lost_with_hub || !(is_lost || is_created);
        }
        self.tell_held();
    }

    /// As in ShareDB, a document that was created here counts once the server has answered for that.
    fn lacks(&mut self, doc: &DocId, is_online: bool) -> bool {
        self.docs.find(doc).is_some_and(|(_, TabDoc { replica, is_unreadable, .. })| {
            let is_pending = replica.pending().next().is_some();
            let is_new = is_online && replica.version().is_none() && is_pending;
            (replica.rev().is_none() || is_new) && !*is_unreadable
        })
    }

    /// A query that was fetched, or that has failed, has ended with its answer.
    fn end_if_told(&mut self, event: &TabEvent) {
        let TabEvent::QueryReady(ready) = event else { return };
        let lives = |message: &ToHub| match message {
            ToHub::ConnectionQuery(query) => query.spec.subscribe && ready.error.is_none(),
            _ => false,
        };
        if self.outstanding.get(&ready.request).is_some_and(|message| !lives(message)) {
            self.outstanding.remove(&ready.request);
        }
    }
}
