//! Ops that could not be kept, and how tabs hear of them.
//!
//! There may be no tab at the time. So the store keeps them until a tab has heard of it; as the next
//! checkpoint has them and not what they were made from, nobody can commit them after that.

use super::{Context, Document, Unsettled};
use crate::error::Error;
use crate::hub::PendingOp;
use crate::hub::journal::Lost;
use crate::ot::Origin;
use crate::protocol::SubmittedOp;

/// Ops that could not be kept, of which no tab has said yet that it has heard.
pub(super) struct Unheard {
    pub lost: Lost,
    /// No other of this hub has it.
    number: u64,
    /// The tabs that there are were told.
    is_told: bool,
}

impl Document {
    /// These ops are given up, but for what the tabs are told.
    pub fn lose(&mut self, ops: Vec<PendingOp>, error: &Error, cx: &mut Context<'_>) {
        if !ops.is_empty() {
            self.give_up(Lost { ops, error: error.clone() }, cx);
        }
    }

    fn give_up(&mut self, lost: Lost, cx: &mut Context<'_>) {
        let Some(journal) = cx.journal.as_deref_mut() else { return };
        if journal.is_off() {
            return journal.tell_lost(&self.id, &lost, None);
        }
        self.keep_lost(lost, cx);
        self.write_anew(cx);
    }

    /// What the store has of the document can't be trusted: it must not be there for the next hub. That
    /// it is damaged is told even if nothing is known to be lost: it may have had ops that can't be
    /// read.
    pub fn replace_records(&mut self, lost: Vec<Lost>, cx: &mut Context<'_>) {
        self.departed.forget_all(self.order.rev());
        if let (Some(_), Some(journal)) = (&self.log, cx.journal.as_deref_mut()) {
            journal.damaged.insert(self.id.clone());
        }
        for it in lost {
            self.give_up(it, cx);
        }
    }

    /// Until a tab has heard of it.
    pub(super) fn keep_lost(&mut self, lost: Lost, cx: &mut Context<'_>) {
        if let Some(journal) = cx.journal.as_deref_mut() {
            journal.with_lost.insert(self.id.clone());
            journal.last_lost += 1;
            self.lost.push(Unheard { lost, number: journal.last_lost, is_told: false });
        }
    }

    /// There are tabs to be told.
    pub fn tell_lost(&mut self, cx: &mut Context<'_>) {
        let Some(journal) = cx.journal.as_deref_mut() else { return };
        for it in self.lost.iter_mut().filter(|it| !it.is_told) {
            it.is_told = true;
            journal.tell_lost(&self.id, &it.lost, Some(it.number));
        }
    }

    /// A tab that was told may not have heard of it. Returns whether there is something to be told.
    pub fn is_to_tell_again(&mut self) -> bool {
        self.lost.iter_mut().for_each(|it| it.is_told = false);
        !self.lost.is_empty()
    }

    /// A tab has heard of it.
    pub fn heard(&mut self, number: u64, cx: &mut Context<'_>) {
        let count = self.lost.len();
        self.lost.retain(|it| it.number != number);
        if self.lost.len() < count {
            self.write_anew(cx);
            self.start_linger(cx);
        }
    }

    /// The server has refused an op whose tab is no longer there to hear of it.
    pub(super) fn lose_if_gone(
        &mut self,
        refused: Option<Unsettled>,
        error: &Error,
        cx: &mut Context<'_>,
    ) {
        let Some(refused) = refused else { return };
        let is_here = self.holders.get(&refused.origin.tab).is_some_and(|holder| !holder.away);
        if !is_here && self.log.is_some() {
            self.lose(refused.as_lost().into_iter().collect(), error, cx);
        }
    }

    /// These ops of a tab that is gone are given up.
    pub fn lose_ops(
        &mut self,
        tab: &str,
        ops: Vec<SubmittedOp>,
        error: &Error,
        cx: &mut Context<'_>,
    ) {
        let lost = |SubmittedOp { op_id, op, source, .. }: SubmittedOp| {
            Unsettled {
                origin: Origin { tab: tab.to_owned(), op_id },
                op,
                source,
                followers: Vec::new(),
            }
            .as_lost()
        };
        self.lose(ops.into_iter().filter_map(lost).collect(), error, cx);
    }
}
