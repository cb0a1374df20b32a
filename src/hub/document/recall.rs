//! What an earlier hub left of a document, and the tabs that may come back with more.

use super::state::Log;
use super::{Context, Document};
use crate::error::Error;
use crate::hub::journal::Recalled;
use crate::hub::settings::GRACE;

impl Document {
    /// Takes up what an earlier hub left, or this one before it forgot the document.
    pub fn recall(&mut self, recalled: Recalled, cx: &mut Context<'_>) -> Result<(), Error> {
        let Recalled { restored, known, next, entries, log_size, checkpoint_size, .. } = recalled;
        let version = restored.snapshot.version;
        let oldest = known.rev - known.history.len() as u64;
        for lost in known.lost {
            self.keep_lost(lost, cx);
        }
        if !self.head.is_known() {
            self.head = cx.upstream.restore(&self.id, &restored)?;
        }
        self.loading.recall(version);
        if self.head.version == version {
            self.storage.keep(Log::resume(next, (entries, log_size), checkpoint_size, version));
            self.history.resume(known.rev, known.history);
            self.uncommitted.recall(restored.pending);
            self.holders.keep_history_from(oldest);
            self.retention.grace_until(cx.now + GRACE);
        } else {
            // The upstream document was not forgotten yet; what it went through since then is not
            // known.
            self.history.skip_past(known.rev);
            self.start_log(next);
            self.write_anew(cx);
        }
        self.holders.recall(known.tabs, known.departed, oldest);
        self.start_linger(cx);
        Ok(())
    }

    /// The tab has ended, and may have left ops that it made at the revision it had.
    pub fn await_unload_journals(&mut self, tab: &str, cx: &Context<'_>) {
        let held = self.holders.get(tab).filter(|holder| holder.sent().is_some());
        if let Some(seen) = held.map(|holder| holder.seen()) {
            self.holders.keep_history_also_from(seen);
            self.retention.grace_until(cx.now + GRACE);
        }
    }

    /// The tabs of the earlier hub have come back, or never will.
    pub(super) fn end_grace(&mut self, cx: &mut Context<'_>) {
        if self.retention.end_grace(cx.now) {
            self.holders.forget_unknown();
            self.trim();
            self.start_linger(cx);
        }
    }
}
