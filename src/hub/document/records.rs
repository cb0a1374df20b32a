//! What is written down of a document as it happens.

use tabmux_middleware::Millis;

use super::state::Log;
use super::{Context, Document};
use crate::hub::Sent;
use crate::hub::journal::{LogEntry, to_bytes};
use crate::store::Write;

impl Document {
    /// Begins a log at this number; what the store has of the document is of no more use.
    pub fn start_log(&mut self, next: u64) {
        self.storage.keep(Log::starting_at(next));
    }

    pub fn is_stored(&self) -> bool {
        self.storage.keeps()
    }

    pub fn stop_log(&mut self) {
        self.storage.stop();
    }

    /// Writes down what happened.
    pub(super) fn write(&mut self, record: &LogEntry, cx: &mut Context<'_>) {
        let (Some(log), Some(journal)) = (self.storage.log(), cx.journal.as_deref_mut()) else {
            return;
        };
        let can_append =
            log.can_say(record) && log.has_checkpoint() && journal.takes_entries(&self.id);
        let Some(bytes) = to_bytes(record).ok().filter(|_| can_append) else {
            return journal.needs_checkpoint(&self.id);
        };
        let n = log.append(bytes.len());
        journal.write(Write::Append {
            doc: self.id.clone(),
            n,
            record: bytes,
            pending: !(self.uncommitted.is_empty() && self.lost.is_empty()),
        });
        // While a tab lags, a checkpoint has all changes since then.
        if log.is_long(self.history.kept()) {
            journal.wants_checkpoint(&self.id);
        }
    }

    /// What happened is more than an entry can say.
    pub fn write_anew(&mut self, cx: &mut Context<'_>) {
        if let Some(journal) = cx.journal.as_deref_mut().filter(|_| self.storage.keeps()) {
            journal.needs_checkpoint(&self.id);
        }
    }

    /// The oldest uncommitted op is about to be sent.
    pub fn sending(&mut self, sent: Sent, cx: &mut Context<'_>) {
        self.write(&LogEntry::Sending(sent.clone()), cx);
        match cx.journal.as_deref_mut().filter(|_| self.storage.keeps()) {
            Some(journal) => journal.send(self.id.clone(), sent),
            None => cx.upstream.release(&self.id, &sent),
        }
    }

    /// The document was used, as the eviction of old ones wants to know.
    pub fn note_use(&mut self, cx: &mut Context<'_>) {
        if let Some(journal) = cx.journal.as_deref_mut().filter(|_| self.storage.keeps()) {
            self.storage.note_use(cx.now);
            journal.write_in_passing(Write::Use { doc: self.id.clone(), at: cx.now }, cx.now);
        }
    }

    /// When it is to be written again that the document is in use, as one is that a tab has open.
    pub fn next_use(&self) -> Option<Millis> {
        (self.storage.keeps() && self.holders.is_open()).then(|| self.storage.next_use())
    }

    pub(super) fn note_long_use(&mut self, cx: &mut Context<'_>) {
        if self.next_use().is_some_and(|at| at <= cx.now) {
            self.note_use(cx);
        }
    }

    /// No tab has it open any more. The hub may end with its last tab, so this is written at once.
    pub(super) fn note_last_use(&mut self, cx: &mut Context<'_>) {
        let is_kept = self.storage.keeps() && !self.holders.is_open();
        if is_kept && self.storage.is_used_since(cx.now) {
            self.storage.note_use(cx.now);
            if let Some(journal) = cx.journal.as_deref_mut() {
                journal.write(Write::Use { doc: self.id.clone(), at: cx.now });
            }
        }
    }
}
