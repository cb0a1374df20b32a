//! The documents as their owner uses them.

use tabmux_middleware::Millis;

use super::Tab;
use crate::error::{Error, codes};
use crate::ot::{Answered, Op, Replica, SubmitOptions, Take, Token};
use crate::protocol::*;
use crate::tab::{DocKey, TabEvent};

impl Tab {
    /// The document of this name; the same key each time until it is closed.
    pub fn open(&mut self, id: DocId) -> DocKey {
        self.docs.open(id)
    }

    /// Lets go of a document.
    pub fn close(&mut self, key: DocKey, now: Millis) {
        if let Some(doc) = self.docs.close(key) {
            self.changes.retain(|change| change.doc != key);
            let release = DocRelease { doc: doc.id, heard: self.heard };
            self.transmit(ToHub::DocRelease(release), now);
            self.tell_held();
        }
    }

    /// The document's replica.
    pub fn replica(&self, key: DocKey) -> Option<&Replica> {
        self.docs.get(key).map(|doc| &doc.replica)
    }

    /// Whether the server has answered for every op in the document's state. A document that was
    /// closed waits for nothing.
    pub fn has_nothing_pending(&self, key: DocKey) -> bool {
        self.docs
            .get(key)
            .is_none_or(|doc| doc.all_committed && doc.replica.pending().next().is_none())
    }

    /// The document's replica, for the calls that bracket the application of a change.
    pub fn replica_mut(&mut self, key: DocKey) -> Option<&mut Replica> {
        self.docs.get_mut(key).map(|doc| &mut doc.replica)
    }

    /// Takes an op that the owner is about to apply; [`Tab::flush`] sends it.
    ///
    /// # Errors
    /// As [`Replica::submit`].
    pub fn submit(
        &mut self,
        key: DocKey,
        op: Op,
        options: SubmitOptions,
        token: Token,
    ) -> Result<(), Error> {
        match self.docs.get_mut(key) {
            Some(doc) => {
                if doc.is_unreadable && matches!(op, Op::Create(_)) {
                    doc.replica.forget();
                }
                doc.replica.submit(op, options, token, &*self.types)
            }
            None => Err(Error::new(codes::CLOSED, "the document was destroyed")),
        }
    }

    /// Takes a document's state that the owner had by other means.
    ///
    /// # Errors
    /// As [`Replica::ingest`].
    pub fn ingest(&mut self, key: DocKey, snapshot: Snapshot, now: Millis) -> Result<(), Error> {
        let Some(doc) = self.docs.get_mut(key) else { return Ok(()) };
        doc.replica.ingest(&snapshot, &*self.types)?;
        doc.ingested = Some(snapshot.clone());
        let doc = doc.id.clone();
        self.transmit(ToHub::DocIngest(DocIngest { doc, snapshot }), now);
        Ok(())
    }

    /// Holds a document's ops back, or lets them go again: then the server gets them one by one, so
    /// that the owner can hold the rest back once more when it hears of the first.
    pub fn set_paused(&mut self, key: DocKey, paused: bool) {
        if let Some(doc) = self.docs.get_mut(key) {
            doc.paused = paused;
            doc.one_by_one |= paused;
        }
    }

    /// Sends the document's ops that wait, unless some are inflight.
    pub fn flush(&mut self, key: DocKey, now: Millis) {
        if !self.joined {
            return;
        }
        let Some(doc) = self.docs.get_mut(key).filter(|doc| !doc.paused) else { return };
        let which = match doc.one_by_one {
            _ if self.offline.is_offline() => Take::Numbered,
            true => Take::OneByOne,
            false => Take::All,
        };
        let batch = doc.replica.take_batch(which, &mut self.next_op_id);
        doc.one_by_one &= doc.replica.has_unsent();
        if let Some((base_rev, ops)) = batch {
            doc.told(base_rev);
            let doc = doc.id.clone();
            let sent = ops.iter().map(|op| op.op.clone()).collect();
            self.events.push_back(TabEvent::Sent { doc: key, ops: sent });
            self.transmit(ToHub::DocSubmitOp(DocSubmitOp { doc, base_rev, ops }), now);
        }
    }

    /// As [`Tab::flush`], without waiting for the server where a pause made ops go one by one.
    pub fn write(&mut self, key: DocKey, now: Millis) {
        if let Some(doc) = self.docs.get_mut(key).filter(|doc| !doc.paused) {
            doc.one_by_one = false;
        }
        self.flush(key, now);
    }

    /// Sends ops by itself, as soon as those before have their place, or only in [`Tab::flush`].
    pub fn set_auto_flush(&mut self, auto: bool, now: Millis) {
        self.manual = !auto;
        self.flush_all(now);
    }

    /// Whether ops are sent without [`Tab::flush`].
    pub fn is_auto_flush(&self) -> bool {
        !self.manual
    }

    pub(super) fn auto_flush(&mut self, key: DocKey, now: Millis) {
        if !self.manual || self.is_offline() {
            self.flush(key, now);
        }
    }

    /// Whether the hub has every op of the document. One that was closed waits for nothing.
    pub fn is_sequenced(&self, key: DocKey) -> bool {
        self.docs.get(key).is_none_or(|doc| doc.replica.is_sequenced())
    }

    /// Gives up a document's state after an op could not be applied; returns what was dropped.
    /// The owner must [`Tab::fetch`] it anew.
    pub fn roll_back(&mut self, key: DocKey) -> Answered {
        self.changes.retain(|change| change.doc != key);
        self.docs.get_mut(key).map(|doc| doc.replica.roll_back()).unwrap_or_default()
    }
}
