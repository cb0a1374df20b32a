//! What the hub says.

use tabmux_middleware::Millis;

use super::Tab;
use crate::error::{Error, codes};
use crate::ot::{Answered, Loaded, already_created, state_lost};
use crate::protocol::*;
use crate::tab::changes::QueuedChange;
use crate::tab::{DocKey, TabEvent};

impl Tab {
    pub(super) fn handle(&mut self, message: ToTab, now: Millis) {
        if self.is_offline() && !self.is_heard_offline(&message) {
            return;
        }
        match message {
            ToTab::Callback(Callback { request, error }) => {
                match self.outstanding.remove(&request) {
                    Some(ToHub::ConnectionQuery(_)) => {
                        // The hub did not answer in time.
                        self.held.retain(|held| held.request != request);
                        self.transmit(ToHub::QueryEnd(QueryEnd { request }), now);
                        let ready = QueryReady { request, results: None, extra: None, error };
                        self.events.push_back(TabEvent::QueryReady(ready));
                    }
                    Some(ToHub::StoreAsk(_)) => {
                        let reply = StoreReply { request, answer: None, error };
                        self.events.push_back(TabEvent::StoreReply(reply));
                    }
                    Some(asked) => {
                        let is_refused = error.is_some();
                        self.events.push_back(TabEvent::Callback { request, error });
                        match asked {
                            ToHub::DocFetch(ask) if is_refused => {
                                self.note_unreadable(&ask.doc, ask.anew)
                            }
                            ToHub::DocSubscribe(ask) if is_refused => {
                                self.note_unreadable(&ask.doc, false)
                            }
                            _ => {}
                        }
                    }
                    None => {}
                }
            }
            ToTab::ConnectionEvent(event) => {
                self.is_connected = event.is_connected();
                self.events.push_back(TabEvent::State(event));
                self.tell_held();
            }
            ToTab::ConnectionError(failed) => {
                self.events.push_back(TabEvent::ConnectionFailed(failed));
            }
            ToTab::ConnectionTabs(tabs) => self.events.push_back(TabEvent::Tabs(tabs.tabs)),
            ToTab::QueryDocs(QueryDocs { docs, number }) => {
                self.heard = number;
                self.events.push_back(TabEvent::QueryDocs(docs));
            }
            ToTab::QueryReady(ready) => self.query_ready(ready),
            ToTab::QueryChange(change) => self.query_changed(change),
            ToTab::QueryExtra(extra) => {
                self.tell_query(extra.request, Vec::new(), TabEvent::QueryExtra(extra));
            }
            ToTab::QueryError(failed) => {
                self.tell_query(failed.request, Vec::new(), TabEvent::QueryFailed(failed));
            }
            ToTab::ConnectionReceive(ConnectionReceive { message }) => {
                self.events.push_back(TabEvent::Receive(message));
            }
            ToTab::DocLoad(load) => self.load(load, now),
            ToTab::DocChange(change) => self.queue_changes(change),
            ToTab::DocSequenced(sequenced) => {
                let Some((key, doc)) = self.docs.find(&sequenced.doc) else { return };
                match doc.replica.sequenced(sequenced.rev, sequenced.op_id) {
                    Ok(()) => {
                        self.auto_flush(key, now);
                        self.events.push_back(TabEvent::Sequenced { doc: key });
                    }
                    Err(error) => self.lose_state(key, error, Vec::new()),
                }
            }
            ToTab::DocCommitted(committed) => {
                let Some((key, doc)) = self.docs.find(&committed.doc) else { return };
                let (tokens, misplaced) =
                    doc.replica.committed(&committed.op_ids, committed.version);
                doc.all_committed = committed.all_committed;
                let error = committed.error;
                self.events.push_back(TabEvent::Answered { doc: key, tokens, error });
                self.answered.push_back(key);
                if misplaced {
                    self.lose_state(key, state_lost(), Vec::new());
                }
                self.tell_held();
            }
            ToTab::DocRejected(rejected) => {
                self.reject(rejected);
                self.tell_held();
            }
            ToTab::DocEvent(DocEvent { doc, error }) => {
                let Some((key, doc)) = self.docs.find(&doc) else { return };
                doc.is_unreadable |= error.code_text().as_deref() == Some(codes::UNCARRIABLE);
                self.events.push_back(TabEvent::DocError { doc: key, error });
                self.tell_held();
            }
            ToTab::DocSubscribed(DocSubscribed { doc, error }) => {
                let Some((key, _)) = self.docs.find(&doc) else { return };
                self.events.push_back(TabEvent::Subscribed { doc: key, error });
            }
            ToTab::StoreReply(reply) => {
                if self.outstanding.remove(&reply.request).is_some() {
                    self.events.push_back(TabEvent::StoreReply(reply));
                }
            }
            ToTab::StoreEvent(event) => {
                self.takes_unload_journals &= event.name != "cleared";
                self.events.push_back(TabEvent::StoreEvent(event));
            }
            ToTab::Lineage(it) => self.lineage = Some(it.lineage),
            ToTab::Working(_) | ToTab::Welcome(_) | ToTab::Refusal(_) => {}
        }
    }

    fn load(&mut self, load: DocLoad, now: Millis) {
        let Some((key, doc)) = self.docs.find(&load.doc) else { return };
        doc.told(Some(load.rev));
        doc.all_committed = load.all_committed;
        doc.lost_with_hub = false;
        doc.is_unreadable = false;
        doc.ingested = None;
        let answers_ingest = load.since.is_some();
        // What was asked before may be answered with the very state that the application had.
        let is_ingested = load.all_committed && doc.replica.version() == load.snapshot.version;
        let since = load.since.or_else(|| is_ingested.then(Vec::new));
        if let Some(since) = since.filter(|_| doc.replica.is_ingested()) {
            return self.catch_up(key, load.rev, since, load.all_committed, now);
        }
        let is_missing = load.snapshot.type_name.is_none();
        let is_again = is_missing && !answers_ingest && !doc.replica.is_ingested();
        let is_too_late = !is_missing && doc.replica.creates_unsent();
        match doc.replica.load(load.rev, &load.snapshot, &*self.types) {
            // As in ShareDB, it is told again of a document that does not exist.
            Ok(Loaded::Kept) if is_again && doc.replica.pending().next().is_none() => {
                let (snapshot, dropped) = (load.snapshot, Vec::new());
                self.events.push_back(TabEvent::Load { doc: key, snapshot, dropped });
            }
            Ok(Loaded::Kept) => {
                self.events.push_back(TabEvent::Answered { doc: key, tokens: vec![], error: None });
            }
            Ok(Loaded::Taken(dropped)) if is_too_late => {
                let (snapshot, tokens) = (load.snapshot, dropped);
                self.events.push_back(TabEvent::Load { doc: key, snapshot, dropped: Vec::new() });
                let error = Some(already_created());
                self.events.push_back(TabEvent::Answered { doc: key, tokens, error });
            }
            Ok(Loaded::Taken(dropped)) => {
                let snapshot = load.snapshot;
                self.events.push_back(TabEvent::Load { doc: key, snapshot, dropped });
            }
            Err(error) => {
                doc.is_unreadable = true;
                self.events.push_back(TabEvent::DocError { doc: key, error });
            }
        }
        self.auto_flush(key, now);
        self.tell_held();
    }

    /// What led from the ingested state to that of the hub brings the ops that wait along.
    fn catch_up(
        &mut self,
        key: DocKey,
        rev: Rev,
        since: Vec<Change>,
        all_committed: bool,
        now: Millis,
    ) {
        if let Some(doc) = self.docs.get_mut(key) {
            doc.replica.catch_up(rev);
        }
        if since.is_empty() {
            return self.caught_up(key, now);
        }
        let (doc, from, to) = (key, rev, rev);
        let queue = since.into_iter().map(|change| QueuedChange {
            doc,
            from,
            to,
            change,
            all_committed,
            catches_up: true,
        });
        self.changes.extend(queue);
    }

    fn caught_up(&mut self, key: DocKey, now: Millis) {
        if let Some(doc) = self.docs.get_mut(key) {
            doc.replica.caught_up();
        }
        self.events.push_back(TabEvent::Answered { doc: key, tokens: vec![], error: None });
        self.auto_flush(key, now);
        self.tell_held();
    }

    fn queue_changes(&mut self, change: DocChange) {
        let Some((key, doc)) = self.docs.find(&change.doc) else { return };
        if change.changes.is_empty() && doc.replica.rev() < Some(change.rev) {
            self.events.push_back(TabEvent::Behind { doc: key });
        }
        let coalesce = change.coalesced && doc.replica.is_sequenced();
        let steps = change.changes.len() as u64;
        let first = change.rev.saturating_sub(steps);
        let mut queue: Vec<QueuedChange> = Vec::with_capacity(change.changes.len());
        let all_committed = change.all_committed;
        for (change, rev) in change.changes.into_iter().zip(first..) {
            let (from, to) = (rev, rev + 1);
            let catches_up = false;
            let next = QueuedChange { doc: key, from, to, change, all_committed, catches_up };
            let composed = coalesce
                && queue.last_mut().is_some_and(|last| last.compose(&next, doc.replica.ty()));
            if !composed {
                queue.push(next);
            }
        }
        self.changes.extend(queue);
    }

    pub(super) fn change(&mut self, queued: QueuedChange, now: Millis) {
        let QueuedChange { doc: key, from, to, change, all_committed, catches_up } = queued;
        let Some(doc) = self.docs.get_mut(key) else { return };
        let Some(held) = doc.replica.rev() else { return self.tell_seen(key, to, now) };
        if to <= held && !catches_up {
            return;
        }
        let src = change.src.clone();
        let result = if from == held {
            doc.replica.change(to, change, &*self.types)
        } else {
            let message = format!("change {to} of {} came after change {held}", doc.id);
            Err(Error::new(codes::BAD_FRAME, message))
        };
        match result {
            Ok(op) => {
                doc.all_committed = all_committed;
                self.events.push_back(TabEvent::Apply { doc: key, op, src });
                self.tell_seen(key, to, now);
                let is_next = |next: &QueuedChange| next.doc == key && next.catches_up;
                if catches_up && !self.changes.iter().any(is_next) {
                    self.caught_up(key, now);
                }
            }
            Err(error) => self.lose_state(key, error, Vec::new()),
        }
    }

    /// The hub need not keep changes that the tab has, or has no use for.
    fn tell_seen(&mut self, key: DocKey, rev: Rev, now: Millis) {
        if let Some(doc) = self.docs.get_mut(key).filter(|doc| doc.is_to_tell_seen(rev)) {
            doc.told(Some(rev));
            let doc = doc.id.clone();
            self.transmit(ToHub::DocSeen(DocSeen { doc, rev }), now);
        }
    }

    pub(super) fn lose_state(&mut self, key: DocKey, error: Error, mut dropped: Answered) {
        dropped.extend(self.roll_back(key));
        self.events.push_back(TabEvent::RolledBack { doc: key, error, dropped });
    }

    fn reject(&mut self, rejected: DocRejected) {
        let Some((key, doc)) = self.docs.find(&rejected.doc) else { return };
        let (tokens, contained) = doc.replica.rejected(&rejected.op_ids);
        let error = rejected.error;
        if contained {
            self.lose_state(key, error, tokens);
        } else {
            self.events.push_back(TabEvent::Answered { doc: key, tokens, error: Some(error) });
            self.answered.push_back(key);
        }
    }
}
