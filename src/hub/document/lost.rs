//! Ops that could not be kept, and how tabs hear of them.
//!
//! There may be no tab at the time. So the store keeps them until a tab was told; as the next
//! checkpoint has them and not what they were made from, nobody can commit them after that.

use tabmux_middleware::Millis;

use super::{Context, Document};
use crate::error::Error;
use crate::hub::PendingOp;
use crate::hub::journal::Lost;
use crate::ot::{Op, Origin};
use crate::platform::Payload;
use crate::protocol::SubmittedOp;

/// How long they are kept after they were told, as that is on its way. A hub that starts within that
/// time tells them again.
const ON_ITS_WAY: Millis = 1000;

impl Document {
    /// These ops are given up, but for what the tabs are told.
    pub fn lose(&mut self, ops: Vec<PendingOp>, error: &Error, cx: &mut Context<'_>) {
        let Some(journal) = cx.journal.as_deref_mut().filter(|_| !ops.is_empty()) else { return };
        let lost = Lost { ops, error: error.clone() };
        if self.log.is_none() {
            return journal.tell_lost(&self.id, &lost);
        }
        journal.with_lost.insert(self.id.clone());
        self.lost.0.push(lost);
        self.write_anew(cx);
    }

    /// What an earlier hub could tell nobody.
    pub(super) fn recall_lost(&mut self, lost: Vec<Lost>, cx: &mut Context<'_>) {
        if let (false, Some(journal)) = (lost.is_empty(), cx.journal.as_deref_mut()) {
            journal.with_lost.insert(self.id.clone());
            self.lost = (lost, 0);
        }
    }

    /// There are tabs to be told.
    pub fn tell_lost(&mut self, cx: &mut Context<'_>) {
        let Some(journal) = cx.journal.as_deref_mut() else { return };
        let (lost, told) = &mut self.lost;
        for it in &lost[*told..] {
            journal.tell_lost(&self.id, it);
        }
        *told = lost.len();
        self.lost_until = Some(cx.now + ON_ITS_WAY);
    }

    /// A tab that was told may not have heard of it. Returns whether there is something to be told.
    pub fn is_to_tell_again(&mut self) -> bool {
        self.lost.1 = 0;
        self.lost_until = None;
        !self.lost.0.is_empty()
    }

    pub(super) fn forget_lost(&mut self, cx: &mut Context<'_>) {
        if self.lost_until.take_if(|until| *until <= cx.now).is_some() {
            let (lost, told) = &mut self.lost;
            lost.drain(..std::mem::take(told));
            self.write_anew(cx);
            self.start_linger(cx);
        }
    }

    /// An op is refused whose tab is no longer there to hear of it.
    pub(super) fn lose_if_gone(
        &mut self,
        origin: Origin,
        op: Op,
        source: Option<Payload>,
        error: &Error,
        cx: &mut Context<'_>,
    ) {
        let is_here = self.holders.get(&origin.tab).is_some_and(|holder| !holder.away);
        if op == Op::NoOp || is_here || self.log.is_none() {
            return;
        }
        let origins = vec![origin];
        self.lose(vec![PendingOp { op, type_name: None, source, origins, sent: None }], error, cx);
    }

    /// These ops of a tab that is gone are given up.
    pub fn lose_ops(
        &mut self,
        tab: &str,
        ops: Vec<SubmittedOp>,
        error: &Error,
        cx: &mut Context<'_>,
    ) {
        let pending = |SubmittedOp { op_id, op, source, .. }: SubmittedOp| PendingOp {
            op,
            type_name: None,
            source,
            origins: vec![Origin { tab: tab.to_owned(), op_id }],
            sent: None,
        };
        self.lose(ops.into_iter().map(pending).collect(), error, cx);
    }
}
