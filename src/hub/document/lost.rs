//! Ops that could not be kept, and how tabs hear of them.
//!
//! There may be no tab at the time. So the store keeps them until a tab has heard of it; as the next
//! checkpoint has them and not what they were made from, nobody can commit them after that.

use super::state::{UncommittedOp, as_lost};
use super::{Context, Document};
use crate::error::Error;
use crate::hub::PendingOp;
use crate::hub::journal::Lost;
use crate::ot::Origin;
use crate::protocol::SubmittedOp;

impl Document {
    /// These ops are given up, but for what the tabs are told.
    pub fn lose(&mut self, ops: Vec<PendingOp>, error: &Error, cx: &mut Context<'_>) {
        if !ops.is_empty() {
            self.give_up(Lost { ops, error: error.clone() }, cx);
        }
    }

    fn give_up(&mut self, lost: Lost, cx: &mut Context<'_>) {
        let Some(journal) = cx.journal.as_deref_mut() else { return };
        if !self.storage.keeps() {
            return journal.tell_lost(&self.id, &lost, None);
        }
        self.keep_lost(lost, cx);
        self.write_anew(cx);
    }

    /// What the store has of the document can't be trusted: it must not be there for the next hub. That
    /// it is damaged is told even if nothing is known to be lost: it may have had ops that can't be
    /// read.
    pub fn replace_records(&mut self, lost: Vec<Lost>, cx: &mut Context<'_>) {
        self.holders.forget_departed(self.history.rev());
        if let Some(journal) = cx.journal.as_deref_mut().filter(|_| self.storage.keeps()) {
            journal.damaged.insert(self.id.clone());
        }
        for it in lost {
            self.give_up(it, cx);
        }
    }

    /// Until a tab has heard of it.
    pub(super) fn keep_lost(&mut self, lost: Lost, cx: &mut Context<'_>) {
        if let Some(journal) = cx.journal.as_deref_mut() {
            self.lost.add(lost, journal.number_lost(&self.id));
        }
    }

    /// There are tabs to be told.
    pub fn tell_lost(&mut self, cx: &mut Context<'_>) {
        if let Some(journal) = cx.journal.as_deref_mut() {
            self.lost.tell(&self.id, journal);
        }
    }

    /// A tab that was told may not have heard of it. Returns whether there is something to be told.
    pub fn is_to_tell_again(&mut self) -> bool {
        self.lost.forget_that_told();
        !self.lost.is_empty()
    }

    /// A tab has heard of it.
    pub fn heard(&mut self, number: u64, cx: &mut Context<'_>) {
        if self.lost.heard(number) {
            self.write_anew(cx);
            self.start_linger(cx);
        }
    }

    /// The server has refused an op whose tab is no longer there to hear of it.
    pub(super) fn lose_if_gone(
        &mut self,
        refused: Option<UncommittedOp>,
        error: &Error,
        cx: &mut Context<'_>,
    ) {
        let Some(refused) = refused else { return };
        let is_here = self.holders.get(&refused.origin().tab).is_some_and(|it| !it.is_away());
        if !is_here && self.storage.keeps() {
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
            as_lost(Origin { tab: tab.to_owned(), op_id }, op, source)
        };
        self.lose(ops.into_iter().filter_map(lost).collect(), error, cx);
    }
}
