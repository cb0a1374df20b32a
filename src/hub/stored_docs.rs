//! What the hub's owner tells it of the store.

use tabmux_middleware::Millis;

use super::context::Waiter;
use super::documents::Documents;
use super::found::Found;
use super::journal::{Checkpoint, Journal, LogEntry, Lost, Placed, Recalled, from_bytes, recall};
use super::{Hub, HubEvent, PendingOp, StoreRequest};
use crate::Payload;
use crate::error::{Error, codes};
use crate::protocol::*;
use crate::store::{PER_EPOCH, StoreError, StoredDoc, Write};
use crate::wire::to_value;

impl Hub {
    /// Keeps only these documents in the store.
    pub fn keep_only(&mut self, keeps: Box<dyn Fn(&DocId) -> bool>) {
        if let Some(journal) = &mut self.journal {
            journal.keep_only(keeps);
        }
    }

    /// The next thing to ask of the store.
    pub fn poll_store(&mut self) -> Option<StoreRequest> {
        self.journal.as_mut()?.poll()
    }

    /// The documents with ops that the server has not acknowledged.
    pub fn uncommitted(&self) -> Vec<DocId> {
        let waiting = self.found.iter().map(|(doc, _)| doc.clone());
        self.docs.uncommitted().into_iter().chain(waiting).collect()
    }

    /// Whether the server has every op that is known of; documents that are being read may have more.
    pub fn is_drained(&self) -> bool {
        !self.is_stalled() && self.found.is_empty() && !self.docs.has_uncommitted()
    }

    /// A document was read. Tell the hub what happened upstream meanwhile, and call
    /// [`Hub::proceed`].
    pub fn stored(&mut self, doc: DocId, read: Result<StoredDoc, StoreError>, now: Millis) {
        self.now = now;
        self.queue.reading.remove(&doc);
        let found = match read {
            Ok(stored) => self.recall(&doc, stored),
            // `clear` was quicker.
            Err(StoreError::Fenced { .. }) if !self.is_storing() => Found::default(),
            Err(fenced @ StoreError::Fenced { .. }) => {
                self.queue.reading.insert(doc);
                return self.events.push_back(HubEvent::Fenced(fenced.into()));
            }
            Err(error) => {
                self.tell_damage(&doc, &error.clone().into());
                self.docs.note_unread(&doc);
                self.note_failure(&error);
                Found { is_kept: false, ..Found::default() }
            }
        };
        if self.is_connected {
            self.admit(doc, found);
        } else {
            self.found.push((doc, found));
        }
        if !self.is_stalled()
            && let Some(event) = self.queue.event.take()
        {
            self.handle_event(event);
        }
    }

    /// Somebody else has read a document and found that it is damaged.
    pub fn damaged(&mut self, doc: DocId, now: Millis) {
        self.now = now;
        if !self.docs.has(&doc) {
            self.must_read(vec![doc]);
        } else if let Some(journal) = &mut self.journal {
            journal.damaged.insert(doc.clone());
            journal.needs_checkpoint(&doc);
        }
    }

    fn recall(&mut self, doc: &DocId, stored: StoredDoc) -> Found {
        let mut ops: Vec<PendingOp> = Vec::new();
        let mut lost: Vec<Lost> = Vec::new();
        let reason = match (recall(&stored, &*self.types), &stored.damage) {
            (Ok(recalled), None) => return Found { recalled, ..Found::default() },
            (Err(error), _) if error.code_text().as_deref() == Some(codes::TYPE_NOT_RECOGNIZED) => {
                // With the type it can be read.
                self.tell_damage(doc, &error);
                return Found { is_kept: false, ..Found::default() };
            }
            (Err(error), _) => {
                lost.extend(salvage_all(&stored, &mut ops));
                format!("the stored records of {doc} make no sense: {}", error.message)
            }
            (Ok(recalled), Some(damage)) => {
                if let Some(Recalled { restored, known, .. }) = recalled {
                    ops.extend(restored.pending);
                    lost.extend(known.lost);
                }
                salvage(damage.rest.iter().cloned(), &mut ops);
                damage.to_string()
            }
        };
        let message = format!("{reason}; it is set aside, and loaded from the server");
        let error = Error::new(codes::STORE_DAMAGED, message);
        lost.push(Lost { ops, error });
        Found { is_damaged: true, lost, ..Found::default() }
    }

    fn tell_damage(&mut self, doc: &DocId, error: &Error) {
        if let Some(journal) = &mut self.journal {
            journal.tell_error(doc, error);
        }
    }

    pub(super) fn admit(&mut self, doc: DocId, mut found: Found) {
        if let Some(recalled) = &mut found.recalled {
            // What a tab is here without having asked for, it does not hold.
            recalled.known.tabs.retain(|tab, _| self.expect(tab));
        }
        let (docs, _, _, mut cx) = self.parts();
        if let Err(error) = docs.admit(&doc, found, &mut cx) {
            self.tell_damage(&doc, &error);
        }
    }

    /// Whether the tab may come back with what it held of documents of an earlier hub.
    pub(super) fn expect(&mut self, tab: &str) -> bool {
        let (may_come_back, is_new) = self.tabs.expect(tab);
        if is_new {
            self.events.push_back(HubEvent::Expected { tab: tab.to_owned() });
        }
        may_come_back
    }

    /// The transaction of [`StoreRequest::Commit`] has ended. If it failed, the hub goes on without
    /// the store, and tries again after a while.
    pub fn committed(&mut self, result: Result<(), StoreError>, now: Millis) {
        self.now = now;
        let Some(journal) = &mut self.journal else { return };
        if let Err(fenced @ StoreError::Fenced { .. }) = result {
            return self.events.push_back(HubEvent::Fenced(fenced.into()));
        }
        let was_behind = journal.is_behind();
        let batch = journal.committed(result.is_err(), now);
        let is_behind = journal.is_behind();
        self.note_transaction(&result);
        if let Err(error) = &result {
            self.note_failure(error);
        }
        if is_behind != was_behind {
            let lineage = ToTab::Lineage(Lineage { lineage: self.lineage() });
            let messages = self.tabs.ids().map(|tab| (tab.clone(), lineage.clone())).collect();
            if is_behind {
                // Before what is not written.
                self.deliver(messages);
            } else {
                self.out.extend(messages);
            }
        }
        self.let_go(batch);
    }

    /// Whether a document is in use: it is not to be dropped from the store.
    pub fn holds(&self, doc: &DocId) -> bool {
        self.docs.has(doc)
            || self.queue.reading.contains(doc)
            || self.found.iter().any(|(other, _)| other == doc)
    }

    /// Drops documents from the store, but for those that are in use.
    pub fn evict(&mut self, docs: Vec<DocId>, now: Millis) {
        self.now = now;
        let unused: Vec<DocId> = docs.into_iter().filter(|doc| !self.holds(doc)).collect();
        let Some(journal) = self.journal.as_mut().filter(|journal| !journal.is_off()) else {
            return;
        };
        let evicted: Vec<DocId> =
            unused.into_iter().filter(|doc| !journal.is_busy_with(doc)).collect();
        for doc in &evicted {
            journal.write(Write::Remove { doc: doc.clone() });
        }
        if !evicted.is_empty() {
            journal.tell("evicted", Payload(to_value(&evicted)));
        }
    }

    /// Nothing is stored from now on.
    pub fn stop_storing(&mut self, now: Millis) {
        self.now = now;
        self.docs.stop_logs();
        if let Some(journal) = &mut self.journal {
            journal.stop();
        }
    }

    /// Tells all tabs that something happened to the store: `error`, `quota`, `evicted`, `lost` or
    /// `cleared`. If there is no tab, the next one is told.
    pub fn tell_store_event(&mut self, name: &str, detail: Payload, now: Millis) {
        self.now = now;
        if let Some(journal) = &mut self.journal {
            journal.tell(name, detail);
        }
    }

    /// Answers the question of a tab.
    pub fn answer(
        &mut self,
        tab: &str,
        request: u64,
        answer: Result<Option<Payload>, Error>,
        now: Millis,
    ) {
        self.now = now;
        let (answer, error) = match answer {
            Ok(answer) => (answer, None),
            Err(error) => (None, Some(error)),
        };
        let reply = ToTab::StoreReply(StoreReply { request, answer, error });
        self.out.push((tab.to_owned(), reply));
    }

    pub(super) fn ask_store(&mut self, tab: String, ask: StoreAsk) {
        let StoreAsk { request, question } = ask;
        // What could not be cleared can be cleared again.
        let clears = matches!(question, StoreQuestion::Clear { .. });
        let is_on = |journal: &&mut Journal| clears || !journal.is_off();
        let Some(journal) = self.journal.as_mut().filter(is_on) else {
            let message = "the hub keeps nothing: give it the option `store`, or open it again \
                           after `clear`";
            let error = Error::new(codes::STORE_OFF, message);
            return self.answer(&tab, request, Err(error), self.now);
        };
        match question {
            StoreQuestion::Pin { doc, pinned: _ } if !journal.keeps(&doc) => {
                let message = format!("{doc} is not kept: the options of the store exclude it");
                let error = Error::new(codes::STORE_EXCLUDED, message);
                self.answer(&tab, request, Err(error), self.now);
            }
            StoreQuestion::Pin { doc, pinned } => {
                journal.write(Write::Pin { doc, pinned });
                self.answer(&tab, request, Ok(None), self.now);
            }
            question => {
                journal.ask(StoreRequest::Ask { tab: tab.clone(), request, question });
                self.parts().3.working(&Waiter { tab, request });
            }
        }
    }
}

/// Adds what can be read of the uncommitted ops of records that make no sense together. Returns what
/// was lost before.
fn salvage_all(stored: &StoredDoc, uncommitted: &mut Vec<PendingOp>) -> Vec<Lost> {
    let checkpoint = stored.checkpoint.as_deref().and_then(|it| from_bytes(it).ok());
    let (pending, lost) =
        checkpoint.map(|it: Checkpoint| (it.pending, it.lost)).unwrap_or_default();
    uncommitted.extend(pending);
    let log = stored.log.iter().zip(0..).map(|(bytes, n)| (n, bytes.clone()));
    salvage(log, uncommitted);
    let rest = stored.damage.iter().flat_map(|damage| damage.rest.clone());
    salvage(rest, uncommitted);
    lost
}

/// Adds the ops of tabs in the intact records after one that can't be read, and drops those that the
/// records say were committed.
fn salvage(records: impl Iterator<Item = (u64, Vec<u8>)>, uncommitted: &mut Vec<PendingOp>) {
    for (_, bytes) in records {
        match from_bytes::<LogEntry>(&bytes) {
            Ok(LogEntry::Placed(Placed { op, origin, source, type_name, .. })) => {
                let origins = vec![origin];
                uncommitted.push(PendingOp { op, type_name, source, origins, sent: None });
            }
            Ok(LogEntry::Committed { origin, .. }) => {
                uncommitted.iter_mut().for_each(|op| op.origins.retain(|other| *other != origin));
                uncommitted.retain(|op| !op.origins.is_empty());
            }
            _ => {}
        }
    }
}

/// The documents of a hub of this epoch: no tab knows a higher revision of one it never wrote down.
pub(super) fn documents(epoch: u64, is_stored: bool) -> Documents {
    if is_stored { Documents::starting_at(epoch * PER_EPOCH) } else { Documents::default() }
}
