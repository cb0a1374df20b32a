use std::collections::HashMap;

use tabmux_middleware::SortedSet;

use super::bulks::Bulks;
use super::context::{Context, Waiter};
use super::doc_table::{DocMut, DocTable};
use super::document::{Document, Fetch};
use super::{Head, UpstreamEvent};
use crate::protocol::*;

mod store;

/// The documents of the hub.
#[derive(Default)]
pub(super) struct Documents {
    docs: DocTable,
    /// Of upstream documents that the hub does not hold, such as queries have just found.
    other_heads: HashMap<DocId, Head>,
    bulks: Bulks,
    /// Where the revisions of a document begin of which nothing is known.
    first_rev: Rev,
    /// How often tabs were told of documents that their queries have found.
    found: u64,
    /// Those that were to be read while the store was closed.
    unread: SortedSet<DocId>,
}

impl Documents {
    /// How many documents the hub holds, and how many changes it keeps for them.
    pub fn size(&self) -> (usize, usize) {
        (self.docs.len(), self.docs.values().map(Document::kept).sum())
    }

    /// No tab of an earlier hub knows a revision as high as `first_rev`.
    pub fn starting_at(first_rev: Rev) -> Self {
        Documents { first_rev, ..Documents::default() }
    }

    pub fn doc(&mut self, id: &DocId) -> DocMut<'_> {
        let mut doc = self.docs.get_or_new(id, self.first_rev);
        doc.set_head(self.other_heads.remove(id));
        doc
    }

    /// The version and type of a document, as far as the hub was told.
    pub fn head(&self, id: &DocId) -> Option<&Head> {
        self.docs.get(id).map(Document::head).or_else(|| self.other_heads.get(id))
    }

    /// An upstream document has another head.
    pub fn set_head(&mut self, id: &DocId, head: Head) {
        match self.docs.get_mut(id) {
            Some(mut doc) => doc.set_head(Some(head)),
            None if head.is_known() => drop(self.other_heads.insert(id.clone(), head)),
            None => drop(self.other_heads.remove(id)),
        }
    }

    /// Whether the hub holds the document.
    pub fn has(&self, id: &DocId) -> bool {
        self.docs.get(id).is_some()
    }

    /// The revision of a document that the hub holds.
    pub fn rev(&self, id: &DocId) -> Option<Rev> {
        self.docs.get(id).map(Document::rev)
    }

    /// The documents with ops that the server has not acknowledged.
    pub fn uncommitted(&self) -> Vec<DocId> {
        let uncommitted = self.docs.values().filter(|doc| doc.has_uncommitted());
        uncommitted.map(|doc| doc.id().clone()).collect()
    }

    /// Whether there is such a document.
    pub fn has_uncommitted(&self) -> bool {
        self.docs.has_uncommitted()
    }

    /// The connection to the server is there.
    pub fn connected(&mut self, cx: &mut Context<'_>) {
        self.docs.for_each(|doc| doc.connected(cx));
    }

    /// The connection to the server is lost, and all subscriptions with it.
    pub fn disconnected(&mut self) {
        self.docs.for_each(Document::disconnected);
    }

    /// The server can't be reached: who waits for it must do with what the hub has.
    pub fn offline(&mut self, cx: &mut Context<'_>) {
        let mut answered: Vec<Waiter> = Vec::new();
        self.docs.for_each(|doc| answered.extend(doc.offline(cx)));
        for waiter in answered {
            self.bulks.answer(&waiter, &None, cx);
        }
    }

    // Tabs

    /// A tab wants the present state of a document.
    pub fn fetch(&mut self, tab: &str, ask: DocFetch, cx: &mut Context<'_>) {
        let waiter = waiter(tab, ask.request);
        let mut doc = self.doc(&ask.doc);
        if ask.anew {
            doc.send_anew(tab);
        }
        match doc.fetch(&waiter, ask.rev, cx) {
            Fetch::Done => cx.callback(&waiter, None),
            Fetch::Waits => {}
            Fetch::AskServer => cx.upstream.fetch(&ask.doc),
        }
    }

    /// A tab wants the changes of a document.
    pub fn subscribe(&mut self, tab: &str, ask: DocSubscribe, cx: &mut Context<'_>) {
        self.doc(&ask.doc).subscribe(waiter(tab, ask.request), ask.rev, cx);
    }

    /// A tab wants no more changes of a document.
    pub fn unsubscribe(&mut self, tab: &str, ask: DocUnsubscribe, cx: &mut Context<'_>) {
        self.doc(&ask.doc).unsubscribe(waiter(tab, ask.request), ask.rev, cx);
    }

    /// A tab has made ops.
    pub fn submit(&mut self, tab: &str, submit: DocSubmitOp, cx: &mut Context<'_>) {
        self.doc(&submit.doc.clone()).submit(tab, submit, cx);
    }

    /// A tab had a document's state by other means.
    pub fn ingest(&mut self, tab: &str, ingest: DocIngest, cx: &mut Context<'_>) {
        let DocIngest { doc, snapshot } = ingest;
        let taken = cx.upstream.ingest(&doc, &snapshot);
        self.doc(&doc).ingested(tab, snapshot.version, taken, cx);
    }

    /// A tab has taken the changes up to a revision.
    pub fn seen(&mut self, tab: &str, seen: DocSeen) {
        if let Some(mut doc) = self.docs.get_mut(&seen.doc) {
            doc.seen(tab, seen.rev);
        }
    }

    /// A tab no longer holds a document.
    pub fn release(
        &mut self,
        tab: &str,
        DocRelease { doc, heard }: DocRelease,
        cx: &mut Context<'_>,
    ) {
        let found = self.docs.get_mut(&doc);
        // A `getBulk` goes on without it.
        let waiters = found.map(|mut doc| doc.let_go(tab, heard, cx));
        for waiter in waiters.unwrap_or_default() {
            self.bulks.answer(&waiter, &None, cx);
        }
        self.forget_if_left_behind(&doc, cx);
    }

    /// A tab was told what the store could not keep of a document.
    pub fn heard(&mut self, heard: StoreHeard, cx: &mut Context<'_>) {
        if let Some(mut doc) = self.docs.get_mut(&heard.doc) {
            doc.heard(heard.number, cx);
        }
    }

    /// What is in the store is brought up to date from there.
    fn forget_if_left_behind(&mut self, id: &DocId, cx: &mut Context<'_>) {
        let Some(mut doc) = self.docs.get_mut(id).filter(|doc| doc.is_left_behind()) else {
            return;
        };
        if cx.journal.is_none() {
            doc.end_linger(cx);
            if doc.wake(cx) {
                drop(doc);
                self.docs.remove(id);
            }
        }
    }

    /// The tab says what it holds. What it let go of while it was away is released.
    pub fn resume(&mut self, tab: &str, docs: Vec<HeldDoc>, cx: &mut Context<'_>) {
        for held in docs {
            self.doc(&held.doc.clone()).resume(tab, held, cx);
        }
        self.docs.for_each(|doc| {
            if doc.is_away(tab) {
                doc.release(tab, cx);
            }
        });
    }

    /// A tab wants the present state of many documents.
    pub fn get_bulk(&mut self, tab: &str, ask: ConnectionGetBulk, cx: &mut Context<'_>) {
        let ConnectionGetBulk { request, docs } = ask;
        let waiter = waiter(tab, request);
        let waiting = docs.len();
        if waiting == 0 {
            return cx.callback(&waiter, None);
        }
        self.bulks.begin(&waiter, waiting);
        let mut ask = Vec::new();
        for BulkDoc { doc, rev } in docs {
            let fetch = self.doc(&doc).fetch(&waiter, rev, cx);
            match fetch {
                Fetch::Done => self.bulks.answer(&waiter, &None, cx),
                Fetch::Waits => {}
                Fetch::AskServer => ask.push(doc),
            }
        }
        cx.upstream.start_bulk();
        for doc in &ask {
            cx.upstream.fetch(doc);
        }
        cx.upstream.end_bulk();
    }

    /// Takes an event of an upstream document. A document may be forgotten while its upstream
    /// still waits for the server.
    pub fn upstream(&mut self, event: UpstreamEvent, cx: &mut Context<'_>) {
        let Some(mut doc) = event.doc().and_then(|id| self.docs.get_mut(id)) else {
            if let UpstreamEvent::Sending(doc, sent) = event {
                cx.upstream.release(&doc, &sent);
            }
            return;
        };
        match event {
            UpstreamEvent::State(_)
            | UpstreamEvent::ConnectionFailed(_)
            | UpstreamEvent::Message(_)
            | UpstreamEvent::QueryReady(..)
            | UpstreamEvent::QueryChanged(..)
            | UpstreamEvent::QueryExtra(..)
            | UpstreamEvent::QueryFailed(..) => {}
            UpstreamEvent::Moved(_) => doc.moved(cx),
            UpstreamEvent::Loaded(_) => doc.loaded(cx),
            UpstreamEvent::Unloaded(_) => doc.unloaded(cx),
            UpstreamEvent::Changed(_, change, raw) => doc.changed(change, raw, cx),
            UpstreamEvent::Sending(_, sent) => doc.sending(sent, cx),
            UpstreamEvent::Outdated(_, error) => doc.outdated(error, cx),
            UpstreamEvent::Fetched(_, error) => {
                let waiters = doc.fetched(&error, cx);
                drop(doc);
                for waiter in waiters {
                    self.bulks.answer(&waiter, &error, cx);
                }
            }
            UpstreamEvent::Since(_, version, ops) => doc.told_since(version, &ops, cx),
            UpstreamEvent::Subscribed(_, error, is_live) => doc.subscribed(error, is_live, cx),
            UpstreamEvent::Answered(_, origin, error) => doc.answered(origin, error, cx),
            UpstreamEvent::Failed(_, error) => doc.failed(error, cx),
        }
    }

    /// The tab begins a new session with the state it holds.
    pub fn suspend_all(&mut self, tab: &str) {
        self.bulks.forget(tab);
        self.docs.for_each(|doc| doc.suspend(tab));
    }

    /// The tab has gone offline: it wants nothing more of documents but that its ops are taken.
    pub fn rest_all(&mut self, tab: &str, cx: &mut Context<'_>) {
        self.bulks.forget(tab);
        self.docs.for_each(|doc| doc.rest(tab, cx));
    }

    /// The hub lets go of the server, as there is no tab.
    pub fn end_subscriptions(&mut self, cx: &mut Context<'_>) {
        self.docs.for_each(|doc| doc.end_subscription(cx));
    }

    /// Sends a tab documents among the results of its query; `keep`: and their changes from now on.
    pub fn join_results(
        &mut self,
        query: &Waiter,
        ids: &[DocId],
        keep: bool,
        cx: &mut Context<'_>,
    ) {
        if ids.is_empty() {
            return;
        }
        self.found += 1;
        let number = self.found;
        cx.send(&query.tab, ToTab::QueryDocs(QueryDocs { docs: ids.to_vec(), number }));
        for id in ids {
            self.doc(id).join_results(query, number, keep, cx);
        }
    }

    /// These documents are no longer among the results of this query.
    pub fn leave_results<'a>(
        &mut self,
        query: &Waiter,
        ids: impl Iterator<Item = &'a DocId>,
        cx: &mut Context<'_>,
    ) {
        for id in ids {
            if let Some(mut doc) = self.docs.get_mut(id) {
                doc.leave_results(query, cx);
            }
        }
    }

    /// These queries of the tab have ended.
    pub fn end_results(
        &mut self,
        tab: &str,
        has_ended: impl Fn(u64) -> bool,
        cx: &mut Context<'_>,
    ) {
        self.docs.for_each(|doc| doc.end_results(tab, &has_ended, cx));
    }

    /// The tab has ended, and another may pass on what it could not say.
    pub fn await_unload_journals(&mut self, tab: &str, cx: &Context<'_>) {
        self.docs.for_each(|doc| doc.await_unload_journals(tab, cx));
    }

    /// The tab is gone.
    pub fn release_all(&mut self, tab: &str, cx: &mut Context<'_>) {
        self.bulks.forget(tab);
        self.docs.for_each(|doc| drop(doc.release(tab, cx)));
    }

    pub fn deadline(&self) -> Option<tabmux_middleware::Millis> {
        self.docs.deadline()
    }

    pub fn wake(&mut self, cx: &mut Context<'_>) {
        for id in self.docs.due(cx.now) {
            let Some(mut doc) = self.docs.get_mut(&id) else { continue };
            if !doc.wake(cx) {
                continue;
            }
            if cx.journal.is_some() {
                // A tab that comes back, or its unload journal, may still speak of these.
                self.first_rev = self.first_rev.max(doc.rev() + 1);
            }
            drop(doc);
            self.docs.remove(&id);
        }
    }
}

fn waiter(tab: &str, request: u64) -> Waiter {
    Waiter { tab: tab.to_owned(), request }
}
