//! The ops of a tab that has ended: it could not send them, or did not hear of their place.

use super::ops::not_loaded;
use super::{Context, Document};
use crate::error::Error;
use crate::ot::{Replica, state_lost};
use crate::protocol::*;

impl Document {
    /// Ops of this tab wait for the server, in memory alone.
    pub fn defers(&self, tab: &str) -> bool {
        self.unplaced.has_of(tab)
    }

    /// Gives the ops that are new their place. Those that find none are told as lost.
    pub fn take_unload_journal(&mut self, tab: &str, held: HeldDoc, cx: &mut Context<'_>) {
        let HeldDoc { doc, rev, ops, .. } = held;
        let holder = self.holder(tab);
        holder.go_away();
        let last_op_id = holder.ops().last_op_id();
        let base = rev.or(holder.ops().created_at());
        // The tab may not have heard of these.
        let refused = holder.ops_mut().take_refused(&ops);
        let is_unheard = |op: &&SubmittedOp| {
            op.op_id > last_op_id || refused.iter().any(|failure| failure.op_id == op.op_id)
        };
        let unheard: Vec<SubmittedOp> = ops.iter().filter(is_unheard).cloned().collect();
        if let Some(last) = unheard.last() {
            self.holder(tab).ops_mut().take(last.op_id);
            let is_forgotten = last_op_id == 0 && self.holders.may_have_forgotten(rev);
            let placed = match refused.into_iter().next() {
                // The tab would have given up what it did after that.
                Some(failure) => Err(failure.error),
                None if is_forgotten => Err(state_lost()),
                None => self.brought_up_to_date(tab, base, ops, cx),
            };
            let are_new = |ops: &[SubmittedOp]| ops.iter().all(|op| op.op_id > last_op_id);
            match placed {
                Ok(ops) if ops.is_empty() || !are_new(&ops) => {
                    self.lose_ops(tab, unheard, &state_lost(), cx);
                }
                Ok(ops) => {
                    let base_rev = base.map(|_| self.history.rev());
                    self.sequence(tab, DocSubmitOp { doc, base_rev, ops }, cx);
                }
                Err(error) => self.lose_ops(tab, unheard, &error, cx),
            }
            self.forget_refused(tab);
        }
        self.release(tab, cx);
    }

    /// The ops of a tab that is gone which found no place were told as lost: that is all.
    pub(super) fn forget_refused(&mut self, tab: &str) {
        self.holder(tab).ops_mut().forget_refused();
    }

    /// The ops without a place, which were made at `base`, as of the present revision.
    fn brought_up_to_date(
        &self,
        tab: &str,
        base: Option<Rev>,
        ops: Vec<SubmittedOp>,
        cx: &Context<'_>,
    ) -> Result<Vec<SubmittedOp>, Error> {
        let ty = self.head.type_name.as_deref();
        let Some(base) = base else {
            return if ty.is_some() { Err(not_loaded(true)) } else { Ok(ops) };
        };
        let ty = ty.and_then(|name| cx.types.get(name));
        let mut replica = Replica::of_ops(base, ops, ty, cx.types);
        let since = self.history.since(base).ok_or_else(state_lost)?;
        for (rev, entry) in (base + 1..).zip(since) {
            match &entry.origin {
                Some(origin) if origin.tab == tab => replica.sequenced(rev, origin.op_id)?,
                _ => {
                    replica.change(rev, entry.change.clone(), cx.types)?;
                }
            }
        }
        Ok(replica.inflight_batch())
    }
}
