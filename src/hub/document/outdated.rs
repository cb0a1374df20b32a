//! What becomes of uncommitted ops if the server has lost those they were made after.

use super::{Context, Document};
use crate::error::Error;
use crate::hub::journal::Failure;
use crate::hub::{Head, PendingOp, Reapplied};
use crate::ot::Origin;

impl Document {
    /// The server no longer has the ops since the document's version: the document is loaded anew.
    pub fn outdated(&mut self, error: Error, cx: &mut Context<'_>) {
        let pending = cx.upstream.pending(&self.id);
        // Without a store, a tab that has the document hears of it, as a client of its own would.
        let is_for_nobody = cx.journal.is_none() && pending.is_empty() && !self.is_to_be_loaded();
        if self.outdated.is_none() && !is_for_nobody {
            self.outdated = Some((error, pending));
            cx.upstream.start_over(&self.id);
            self.head = Head::default();
        }
    }

    /// Whether a tab waits for the document that has no state of it.
    fn is_to_be_loaded(&self) -> bool {
        let mut waiters = self.fetches.iter().chain(&self.subscribes);
        waiters.any(|it| self.holders.get(&it.tab).is_some_and(|holder| holder.sent.is_none()))
    }

    /// Whether a request failed for the very reason for which the document is being loaded anew: who
    /// waits for it will have what is loaded.
    pub(super) fn is_loaded_anew_for(&self, error: &Error) -> bool {
        self.outdated.as_ref().is_some_and(|(reason, _)| {
            (&reason.code, &reason.message) == (&error.code, &error.message)
        })
    }

    /// The document was loaded anew: ops that fit it are kept, the others are reported. So is one
    /// that was sent: what was loaded may have it or not, and nobody can tell any more.
    pub(super) fn take_up_again(&mut self, cx: &mut Context<'_>) {
        if self.head.version.is_none() {
            return;
        }
        let Some((error, pending)) = self.outdated.take() else { return };
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
            origins.flat_map(|origin| self.remove_unsettled(origin).1).collect();
        for origin in answered {
            if self.holders.contains_key(&origin.tab) {
                let failure = Failure { op_id: origin.op_id, error: error.clone(), placed: true };
                self.note_failure(&origin.tab, failure);
                let op_ids = vec![origin.op_id];
                self.tell_settled(&origin.tab, op_ids, Some(error.clone()), cx);
            }
        }
        self.lose(lost, &error, cx);
    }
}
