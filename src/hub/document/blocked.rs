//! Ops of tabs that have not heard of what a sibling does, while the server may still refuse that.

use super::{Context, Document};
use crate::hub::Untold;
use crate::ot::{Op, Origin};
use crate::protocol::*;

impl Document {
    /// The ops that have come and have no place yet, with their tabs.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &(String, DocSubmitOp)> {
        self.deferred.iter().chain(&self.blocked)
    }

    /// Whether ops that this tab made at `base` meet a creation or deletion of a sibling that is not
    /// committed, and of which the tab has not heard. To the server there is none yet.
    pub(super) fn is_blocked(&self, tab: &str, base: Rev) -> bool {
        let holds = self.holders.get(tab).is_some_and(|holder| {
            holder.sent == Some(base) && holder.committed.is_some() && !holder.away
        });
        let Some(mut since) = self.order.since(base).filter(|_| holds) else { return false };
        since.any(|entry| {
            let waits = |origin: &Origin| self.unsettled.iter().any(|op| op.origin == *origin);
            let decides = matches!(entry.change.op, Op::Create(_) | Op::Del);
            decides && entry.origin.as_ref().is_some_and(|it| it.tab != tab && waits(it))
        })
    }

    /// Something has become of an op of a sibling. The upstream document must not be ahead of the order.
    pub(super) fn sequence_blocked(&mut self, cx: &mut Context<'_>) {
        if !self.blocked.is_empty() && cx.upstream.untold(&self.id) == Untold::default() {
            let blocked = std::mem::take(&mut self.blocked);
            self.finish(blocked, cx);
        }
    }

    /// The revision at which the document has the state that the tab has from before it was loaded anew:
    /// what was refused meanwhile changed nothing.
    pub(super) fn same_as_loaded(&mut self, tab: &str, base: Rev) -> Option<Rev> {
        let (rev, version) = self.loaded;
        if self.order.since(base).is_some() || self.order.since(rev).is_none() {
            return None;
        }
        let is_newest = self.order.rev() == rev;
        let holder = self.holder(tab);
        if version.is_none() || holder.committed != version || holder.sent != Some(base) {
            return None;
        }
        if is_newest {
            // It need not be sent the state.
            holder.sent = Some(rev);
        }
        Some(rev)
    }
}
