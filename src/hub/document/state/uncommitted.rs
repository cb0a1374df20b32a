use std::collections::VecDeque;

use tabmux_middleware::SortedSet;

use crate::hub::PendingOp;
use crate::ot::{Op, Origin};
use crate::platform::Payload;

/// An op the server has not answered for, as it was when it got its place.
pub(in crate::hub::document) struct UncommittedOp {
    origin: Origin,
    op: Op,
    source: Option<Payload>,
    /// Deletions by other tabs, which this one made superfluous: they are answered as it is.
    followers: Vec<Origin>,
}

impl UncommittedOp {
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The op as it is told of when nobody can commit it any more; none if it did nothing.
    pub fn as_lost(&self) -> Option<PendingOp> {
        as_lost(self.origin.clone(), self.op.clone(), self.source.clone())
    }

    /// The ops of tabs that an op of an earlier hub is composed of.
    fn of(pending: PendingOp) -> impl Iterator<Item = Self> {
        let PendingOp { op, source, origins, .. } = pending;
        // What they did together stands with the first.
        let ops = std::iter::once(op).chain(std::iter::repeat(Op::NoOp));
        origins.into_iter().zip(ops).map(move |(origin, op)| UncommittedOp {
            origin,
            op,
            source: source.clone(),
            followers: Vec::new(),
        })
    }
}

/// An op of a tab as it is told of when nobody can commit it; none if it does nothing.
pub(in crate::hub::document) fn as_lost(
    origin: Origin,
    op: Op,
    source: Option<Payload>,
) -> Option<PendingOp> {
    let origins = vec![origin];
    (op != Op::NoOp).then_some(PendingOp { op, type_name: None, source, origins, sent: None })
}

/// The ops that have their place, and that the server has not answered for.
#[derive(Default)]
pub(in crate::hub::document) struct Uncommitted {
    /// Oldest first.
    ops: VecDeque<UncommittedOp>,
    last_submitter: Option<String>,
}

impl Uncommitted {
    /// Takes up what an earlier hub left.
    pub fn recall(&mut self, pending: Vec<PendingOp>) {
        self.ops = pending.into_iter().flat_map(UncommittedOp::of).collect();
    }

    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Whether one of them is the tab's.
    pub fn has_of(&self, tab: &str) -> bool {
        self.ops.iter().any(|op| op.origin.tab == tab)
    }

    /// Whether this op is among them.
    pub fn has(&self, origin: &Origin) -> bool {
        self.ops.iter().any(|op| op.origin == *origin)
    }

    /// Whether this op will be answered with one of them.
    pub fn will_answer(&self, origin: &Origin) -> bool {
        self.ops.iter().any(|op| op.origin == *origin || op.followers.contains(origin))
    }

    /// Whether the last op was the tab's, as far as ops may be composed.
    pub fn last_is_of(&self, tab: &str) -> bool {
        self.last_submitter.as_deref() == Some(tab)
    }

    pub fn push(&mut self, origin: Origin, op: Op, source: Option<Payload>) {
        self.last_submitter = Some(origin.tab.clone());
        self.ops.push_back(UncommittedOp { origin, op, source, followers: Vec::new() });
    }

    /// The op is answered as the last of them. Returns whether there is one.
    pub fn follow_last(&mut self, origin: &Origin) -> bool {
        let last = self.ops.back_mut();
        last.map(|last| last.followers.push(origin.clone())).is_some()
    }

    /// The server has answered for an op. Returns it, and all that are answered as it is.
    pub fn remove(&mut self, origin: &Origin) -> (Option<UncommittedOp>, Vec<Origin>) {
        let at = self.ops.iter().position(|op| op.origin == *origin);
        let mut op = at.and_then(|at| self.ops.remove(at));
        let followers = op.iter_mut().flat_map(|op| op.followers.drain(..));
        let answered = std::iter::once(origin.clone()).chain(followers).collect();
        (op, answered)
    }

    /// Those that the upstream document no longer has, which has these.
    pub fn dropped(&self, pending: &[PendingOp]) -> Vec<&UncommittedOp> {
        let kept: SortedSet<&Origin> = pending.iter().flat_map(|op| &op.origins).collect();
        self.ops.iter().filter(|op| !kept.contains(&op.origin)).collect()
    }
}
