//! Ops of tabs that have not heard of what a sibling does, while the server may still refuse that.

use super::{Context, Document};
use crate::hub::Untold;
use crate::ot::Op;
use crate::protocol::*;

impl Document {
    /// Whether ops that this tab made at `base` meet a creation or deletion of a sibling that is not
    /// committed, and of which the tab has not heard. To the server there is none yet.
    pub(super) fn is_blocked(&self, tab: &str, base: Rev) -> bool {
        let holds = self.holders.get(tab).is_some_and(|holder| holder.is_committed_at(base));
        let Some(mut since) = self.history.since(base).filter(|_| holds) else { return false };
        since.any(|entry| {
            let decides = matches!(entry.change.op, Op::Create(_) | Op::Del);
            decides
                && entry.origin.as_ref().is_some_and(|it| it.tab != tab && self.uncommitted.has(it))
        })
    }

    /// Something has become of an op of a sibling. The upstream document must not be ahead of the order.
    pub(super) fn sequence_blocked(&mut self, cx: &mut Context<'_>) {
        if self.unplaced.has_blocked() && cx.upstream.untold(&self.id) == Untold::default() {
            let blocked = self.unplaced.take_blocked();
            self.finish(blocked, cx);
        }
    }

    /// The revision at which the document has the state that the tab has from before it was loaded anew:
    /// what was refused meanwhile changed nothing.
    pub(super) fn same_as_loaded(&mut self, tab: &str, base: Rev) -> Option<Rev> {
        let (rev, version) = self.history.loaded_after(base)?;
        let is_newest = self.history.rev() == rev;
        let holder = self.holder(tab);
        if !holder.is_at_committed(version, base) {
            return None;
        }
        if is_newest {
            // It need not be sent the state.
            holder.has_loaded(rev);
        }
        Some(rev)
    }
}
