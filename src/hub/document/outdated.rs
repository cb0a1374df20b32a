//! What becomes of uncommitted ops if the server has lost those they were made after.

use super::{Context, Document};
use crate::error::Error;
use crate::hub::journal::Failure;
use crate::hub::{Head, PendingOp, Reapplied};
use crate::ot::Origin;

impl Document {
    /// The server no longer has the ops since the document's version: the document is loaded anew.
    pub fn outdated(&mut self, error: Error, cx: &mut Context<'_>) {
        // Without a store, a tab that has the document hears of it, as a client of its own would.
        if cx.journal.is_none() {
            if !self.is_to_be_loaded() {
                return;
            }
            if !self.uncommitted.is_empty() {
                return self.loading.asked_too_early(error);
            }
        }
        let pending = cx.upstream.pending(&self.id);
        if !self.loading.is_outdated() {
            self.loading.start_over(error, pending);
            cx.upstream.start_over(&self.id);
            self.head = Head::default();
        }
    }

    /// Whether a tab waits for the document that has no state of it.
    fn is_to_be_loaded(&self) -> bool {
        let lacks_state = |tab| self.holders.get(tab).is_some_and(|it| it.sent().is_none());
        self.reads.tabs().any(lacks_state)
    }

    /// Whether a request failed for the very reason for which the document is being loaded anew: who
    /// waits for it will have what is loaded.
    pub(super) fn is_loaded_anew_for(&self, error: &Error) -> bool {
        self.loading.is_outdated_for(error)
    }

    /// The server has answered for an op. Once it has for all, it is asked again.
    pub(super) fn ask_again(&mut self, cx: &mut Context<'_>) {
        if !self.uncommitted.is_empty() || !self.loading.end_asked_too_early() {
            return;
        }
        if self.reads.has_fetches() {
            cx.upstream.fetch(&self.id);
        }
        if self.reads.has_subscribes() {
            cx.upstream.subscribe(&self.id);
        }
    }

    /// The document was loaded anew: ops that fit it are kept, the others are reported. So is one
    /// that was sent: what was loaded may have it or not, and nobody can tell any more.
    pub(super) fn take_up_again(&mut self, cx: &mut Context<'_>) {
        if self.head.version.is_none() {
            return;
        }
        let Some((error, pending)) = self.loading.end_outdated() else { return };
        let (uncertain, unsent): (Vec<PendingOp>, Vec<PendingOp>) =
            pending.into_iter().partition(|op| op.sent.is_some());
        let Reapplied { unapplied, head } = cx.upstream.reapply(&self.id, unsent);
        self.set_head(head);
        let lost: Vec<PendingOp> =
            uncertain.into_iter().chain(unapplied.into_iter().map(|(op, _)| op)).collect();
        if lost.is_empty() {
            return;
        }
        let origins = lost.iter().flat_map(|op| &op.origins);
        let answered: Vec<Origin> =
            origins.flat_map(|origin| self.uncommitted.remove(origin).1).collect();
        for origin in answered {
            if self.holders.has(&origin.tab) {
                let failure = Failure { op_id: origin.op_id, error: error.clone(), placed: true };
                self.holder(&origin.tab).ops_mut().fail(failure);
                let op_ids = vec![origin.op_id];
                self.tell_committed(&origin.tab, op_ids, Some(error.clone()), cx);
            }
        }
        self.lose(lost, &error, cx);
    }
}
