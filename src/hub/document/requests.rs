//! What tabs ask of a document.

use super::state::Holder;
use super::{Context, Document, Fetch, Waiter};
use crate::protocol::*;

use super::ops::ids;

impl Document {
    /// Brings the tab up to date from the hub where it can; else the waiter waits.
    pub fn fetch(&mut self, waiter: &Waiter, rev: Option<Rev>, cx: &mut Context<'_>) -> Fetch {
        self.told(&waiter.tab, rev);
        if rev.is_none() && self.may_answer() && self.head.is_known() {
            self.bring_up_to_date(&waiter.tab, cx);
            return Fetch::Done;
        }
        if self.may_answer_from_store(cx) {
            self.bring_up_to_date(&waiter.tab, cx);
            if cx.offline {
                return Fetch::Done;
            }
        }
        cx.working(waiter);
        if self.reads.add_fetch(waiter.clone()) { Fetch::AskServer } else { Fetch::Waits }
    }

    /// Whether nothing has come of it that the document was loaded: ShareDB loads one that does not exist
    /// each time it is asked for, and what tabs have done meanwhile has its place.
    pub(super) fn is_loaded_again(&self) -> bool {
        let is_same = self.history.is_as_loaded(self.head.version);
        let is_missing = !self.head.exists() && self.head.version.is_some();
        is_same && is_missing && !self.loading.is_blank() && !self.loading.is_outdated()
    }

    /// The tabs hear of it all the same, as clients of ShareDB do.
    pub(super) fn send_again(&mut self, cx: &mut Context<'_>) {
        self.holders.values_mut().for_each(Holder::resend);
        self.broadcast(None, cx);
        self.sequence_deferred(cx);
        self.sequence_blocked(cx);
    }

    /// Whether the tab can be given what the store has before the server answers. What the server has
    /// refused to show is shown only without it.
    pub(super) fn may_answer_from_store(&self, cx: &Context<'_>) -> bool {
        let is_refused = self.subscription.is_refused() && !cx.offline;
        self.storage.keeps() && !is_refused && self.head.is_known()
    }

    /// The server can't be reached: who waits for it must do with what the hub has. Returns who
    /// waited for a fetch.
    pub fn offline(&mut self, cx: &mut Context<'_>) -> Vec<Waiter> {
        if !self.storage.keeps() || !self.head.is_known() {
            return Vec::new();
        }
        for waiter in self.reads.end_subscribes() {
            self.begin_live(&waiter.tab, cx);
            cx.callback(&waiter, None);
        }
        let fetches = self.reads.end_fetches();
        for waiter in &fetches {
            self.bring_up_to_date(&waiter.tab, cx);
        }
        fetches
    }

    /// The tab begins a new session: what was sent to it may be lost, and it will ask again.
    pub fn suspend(&mut self, tab: &str) {
        if let Some(holder) = self.holders.get_mut(tab) {
            holder.suspend();
        }
        self.reads.forget(tab);
    }

    /// The tab has gone offline.
    pub fn rest(&mut self, tab: &str, cx: &mut Context<'_>) {
        if let Some(holder) = self.holders.get_mut(tab) {
            holder.rest();
        }
        self.reads.forget(tab);
        self.start_linger(cx);
    }

    /// Whether the tab has not said yet what it holds of this document.
    pub fn is_away(&self, tab: &str) -> bool {
        self.holders.get(tab).is_some_and(Holder::is_away)
    }

    pub fn resume(&mut self, tab: &str, held: HeldDoc, cx: &mut Context<'_>) {
        let holder = self.holder(tab);
        // A tab that created the document without loading it knows no revision yet.
        holder.resume(held.rev, !held.ops.is_empty(), held.subscribed);
        let (sent, last_op_id) = (holder.sent(), holder.ops().last_op_id());
        if let Some(sent) = sent.filter(|sent| *sent > self.history.rev() && self.storage.keeps()) {
            // An earlier hub went further than it could write down.
            self.history.skip_past(sent);
            self.write_anew(cx);
        }
        let is_kept = sent.is_some_and(|sent| self.history.reaches_back_to(sent));
        if is_kept {
            self.bring_up_to_date(tab, cx);
        }
        let (seen, new): (Vec<SubmittedOp>, Vec<SubmittedOp>) =
            held.ops.into_iter().partition(|op| op.op_id <= last_op_id);
        for op_id in held.awaiting {
            self.answer_again(tab, op_id, true, cx);
        }
        for op_id in ids(&seen) {
            self.answer_again(tab, op_id, false, cx);
        }
        if sent.is_some() && !is_kept {
            self.bring_up_to_date(tab, cx);
        }
        self.submit(tab, DocSubmitOp { doc: held.doc, base_rev: held.rev, ops: new }, cx);
        if held.subscribed {
            self.resume_subscription(tab, cx);
        }
    }

    /// The document is among the results of this query; `keep`: for as long as that lives.
    /// The tab was told so with this number.
    pub fn join_results(&mut self, query: &Waiter, number: u64, keep: bool, cx: &mut Context<'_>) {
        self.holder(&query.tab).join_results(query.request, number, keep);
        self.bring_up_to_date(&query.tab, cx);
    }

    /// The document is no longer among the results of this query. For a while the tab is still
    /// sent its changes: the one that took it out of the results may come after the results.
    pub fn leave_results(&mut self, query: &Waiter, cx: &mut Context<'_>) {
        let holder = self.holders.get_mut(&query.tab);
        if holder.is_some_and(|holder| holder.leave_results(query.request)) {
            self.retention.linger_until(cx.now + cx.linger);
        }
    }

    /// These queries of the tab have ended: it is sent nothing more for their sake.
    pub fn end_results(
        &mut self,
        tab: &str,
        has_ended: impl Fn(u64) -> bool,
        cx: &mut Context<'_>,
    ) {
        let holder = self.holders.get_mut(tab);
        if holder.is_some_and(|holder| holder.end_results(has_ended)) {
            self.retention.linger_until(cx.now + cx.linger);
        }
    }

    pub fn seen(&mut self, tab: &str, rev: Rev) {
        self.told(tab, Some(rev));
    }

    /// The tab lets go of the document. Its queries that have found it do not. Returns what waited for
    /// a fetch.
    pub fn let_go(&mut self, tab: &str, heard: u64, cx: &mut Context<'_>) -> Vec<Waiter> {
        let rev = self.history.rev();
        let Some(holder) = self.holders.get_mut(tab) else { return Vec::new() };
        if holder.is_found_after(heard) {
            return self.take_again(tab, heard, cx);
        }
        if !holder.let_go(rev) {
            return self.release(tab, cx);
        }
        let fetches = self.reads.forget(tab);
        self.trim();
        self.start_linger(cx);
        fetches
    }

    /// The tab let go of the document before it heard that a query has found it, and takes it again
    /// then. It keeps what it was sent after that; what it had before, it has no longer.
    fn take_again(&mut self, tab: &str, heard: u64, cx: &mut Context<'_>) -> Vec<Waiter> {
        let fetches = self.reads.forget(tab);
        if self.holder(tab).take_after(heard) {
            self.bring_up_to_date(tab, cx);
        }
        self.start_linger(cx);
        fetches
    }

    /// The tab is gone. Returns what waited for a fetch.
    pub fn release(&mut self, tab: &str, cx: &mut Context<'_>) -> Vec<Waiter> {
        if self.remove_holder(tab, cx) {
            self.note_last_use(cx);
        }
        let fetches = self.reads.forget(tab);
        self.trim();
        self.start_linger(cx);
        fetches
    }
}
