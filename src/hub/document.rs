use tabmux_middleware::Millis;

use super::context::{Context, Waiter};
use super::journal::{Failure, LogEntry};
use super::{Head, Untold};
use crate::error::Error;
use crate::ot::{Entry, Op, Origin};
use crate::protocol::*;

mod blocked;
mod broadcast;
mod checkpoint;
mod ingested;
mod lost;
mod ops;
mod outdated;
mod recall;
mod records;
mod requests;
mod state;
mod subscriptions;
mod unload_journal;

use state::{
    History, Holder, Holders, Loading, LostOps, Reads, Retention, Storage, Subscription,
    Uncommitted, Unplaced, WaitingSubmit,
};
pub(super) use subscriptions::is_silent;

/// What became of a fetch.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Fetch {
    /// The tab has what it asked for.
    Done,
    /// It waits for a fetch that is under way.
    Waits,
    /// It waits, and the upstream document must be fetched.
    AskServer,
}

/// One document of the hub: the order of its changes, who holds it, and what waits for it.
pub(super) struct Document {
    id: DocId,
    /// The upstream document's, as far as the hub was told.
    head: Head,
    history: History,
    holders: Holders,
    subscription: Subscription,
    reads: Reads,
    unplaced: Unplaced,
    uncommitted: Uncommitted,
    loading: Loading,
    retention: Retention,
    storage: Storage,
    lost: LostOps,
}

impl Document {
    /// A document of which nothing is known. No tab knows a revision of it as high as this.
    pub fn new(id: DocId, rev: Rev) -> Self {
        Document {
            id,
            head: Head::default(),
            history: History::starting_at(rev),
            holders: Holders::default(),
            subscription: Subscription::default(),
            reads: Reads::default(),
            unplaced: Unplaced::default(),
            uncommitted: Uncommitted::default(),
            loading: Loading::default(),
            retention: Retention::default(),
            storage: Storage::default(),
            lost: LostOps::default(),
        }
    }

    pub fn id(&self) -> &DocId {
        &self.id
    }

    /// Whether it has ops that the server has not acknowledged.
    pub fn has_uncommitted(&self) -> bool {
        !self.uncommitted.is_empty()
    }

    /// How many changes are kept for tabs that may need them.
    pub fn kept(&self) -> usize {
        self.history.kept()
    }

    pub fn rev(&self) -> Rev {
        self.history.rev()
    }

    // Upstream

    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The upstream document's head, if it is another now.
    pub fn set_head(&mut self, head: Option<Head>) {
        if let Some(head) = head {
            self.head = head;
        }
    }

    pub fn loaded(&mut self, cx: &mut Context<'_>) {
        if self.is_loaded_again() {
            return self.send_again(cx);
        }
        self.loading.loaded();
        self.history.reset();
        self.write_anew(cx);
        self.take_up_again(cx);
        let is_committed = cx.upstream.pending(&self.id).is_empty();
        let version = self.head.version.filter(|_| is_committed);
        self.history.note_load(version);
        self.broadcast(None, cx);
        self.sequence_deferred(cx);
        self.sequence_blocked(cx);
    }

    /// An op was refused, and what there is without it could not be loaded: who has seen the op must not
    /// take it for committed.
    pub fn unloaded(&mut self, cx: &mut Context<'_>) {
        if !self.loading.lost() {
            return;
        }
        self.history.reset();
        self.write_anew(cx);
        self.broadcast(None, cx);
        // With a client of its own, a tab that has no part in the op would still have the document.
        let uncommitted = &self.uncommitted;
        let bystanders =
            self.holders.which(|tab, holder| holder.is_live() && !uncommitted.has_of(tab));
        if !bystanders.is_empty() {
            cx.upstream.fetch(&self.id);
        }
    }

    /// `raw` is the server's op before it met the uncommitted ones.
    pub fn changed(&mut self, change: Change, raw: Option<Op>, cx: &mut Context<'_>) {
        self.loading.loaded();
        match raw {
            Some(raw) => self.write(&LogEntry::Changed { change: change.clone(), raw }, cx),
            None => self.write_anew(cx),
        }
        self.history.push(Entry { change, origin: None });
        self.broadcast(None, cx);
        self.sequence_deferred(cx);
        self.sequence_blocked(cx);
    }

    /// The server has an op that does nothing to the state. The uncommitted ops come after it now, and
    /// no log entry says so.
    pub fn moved(&mut self, cx: &mut Context<'_>) {
        if self.has_uncommitted() {
            self.write_anew(cx);
        }
    }

    /// A fetch has ended; returns those who waited for it.
    pub fn fetched(&mut self, error: &Option<Error>, cx: &mut Context<'_>) -> Vec<Waiter> {
        let loading = &self.loading;
        let waits = |error| loading.is_outdated_for(error) || loading.is_too_early_for(error);
        if error.as_ref().is_some_and(waits) {
            return Vec::new();
        }
        let waiters = self.reads.end_fetches();
        if error.is_none() {
            for waiter in &waiters {
                self.bring_up_to_date(&waiter.tab, cx);
            }
        }
        // If the server does not say what there is, what the hub knows stands.
        self.unplaced.server_has_answered();
        self.sequence_deferred(cx);
        waiters
    }

    /// Creations that waited for the server get their place after all that the upstream document
    /// has gone through.
    fn sequence_deferred(&mut self, cx: &mut Context<'_>) {
        if self.unplaced.has_answered() && cx.upstream.untold(&self.id) == Untold::default() {
            let deferred = self.unplaced.take_answered();
            self.finish(deferred, cx);
        }
    }

    /// Ops outlive their tab: it may be gone by now.
    fn finish(&mut self, submits: Vec<WaitingSubmit>, cx: &mut Context<'_>) {
        for (tab, submit) in submits {
            let is_held = self.holders.has(&tab);
            if !is_held {
                let last_op_id = submit.ops.last().map_or(0, |op| op.op_id);
                self.holders.add_gone(&tab, last_op_id);
            }
            self.sequence(&tab, submit, cx);
            if !is_held {
                self.forget_refused(&tab);
                self.remove_holder(&tab, cx);
            }
        }
    }

    pub fn answered(&mut self, origin: Origin, error: Option<Error>, cx: &mut Context<'_>) {
        let (op, answered) = self.uncommitted.remove(&origin);
        match &error {
            Some(error) => {
                self.write_anew(cx);
                self.lose_if_gone(op, error, cx);
            }
            None => {
                let version = self.head.version;
                self.write(&LogEntry::Committed { origin: origin.clone(), version }, cx);
            }
        }
        for Origin { tab, op_id } in answered {
            if !self.holders.has(&tab) {
                continue;
            }
            if let Some(error) = error.clone() {
                self.holder(&tab).ops_mut().fail(Failure { op_id, error, placed: true });
            }
            self.bring_up_to_date(&tab, cx);
            self.tell_committed(&tab, vec![op_id], error.clone(), cx);
        }
        self.broadcast(None, cx);
        self.sequence_blocked(cx);
        self.ask_again(cx);
        self.start_linger(cx);
    }

    pub fn failed(&mut self, error: Error, cx: &mut Context<'_>) {
        for tab in self.holders.which(|_, _| true) {
            // The error may have cost the document its state: a tab that acts on the error needs
            // the new one.
            let sent = self.holder(&tab).sent();
            let is_lost = sent.is_some_and(|sent| !self.history.reaches_back_to(sent));
            // Without a state, it is so for those whose ops are about to be refused.
            if is_lost && (!self.loading.is_blank() || self.uncommitted.has_of(&tab)) {
                self.bring_up_to_date(&tab, cx);
            }
            let event = DocEvent { doc: self.id.clone(), error: error.clone() };
            cx.send(&tab, ToTab::DocEvent(event));
        }
    }

    // Lifetime

    /// When [`Document::wake`] wants to be called.
    pub fn deadline(&self) -> Option<Millis> {
        self.retention.deadline()
    }

    /// Nobody holds the document, nor is the hub subscribed to it: its state only gets older, until the
    /// server no longer has what came after it.
    pub fn is_left_behind(&self) -> bool {
        self.holders.is_empty() && self.subscription.is_none()
    }

    /// Nothing is gained if it lingers.
    pub fn end_linger(&mut self, cx: &Context<'_>) {
        self.retention.cut_short(cx.now);
    }

    /// The linger may be over. Returns whether the document can be forgotten.
    pub fn wake(&mut self, cx: &mut Context<'_>) -> bool {
        self.end_grace(cx);
        self.note_long_use(cx);
        if !self.retention.end_linger(cx.now) {
            return false;
        }
        self.holders.end_linger();
        self.end_subscription(cx);
        let is_written =
            cx.journal.as_deref().is_none_or(|journal| !journal.is_busy_with(&self.id));
        let forget = self.holders.is_empty()
            && is_written
            && self.uncommitted.is_empty()
            && self.unplaced.is_empty()
            && self.lost.is_empty()
            && self.subscription.is_none();
        if forget {
            cx.upstream.destroy(&self.id);
        } else if !is_written || !self.lost.is_empty() {
            self.start_linger(cx);
        }
        forget
    }

    /// Ends the upstream subscription, if no tab wants it.
    pub fn end_subscription(&mut self, cx: &mut Context<'_>) {
        if !self.is_wanted() && self.subscription.end() {
            cx.upstream.unsubscribe(&self.id);
        }
    }

    fn is_wanted(&self) -> bool {
        let wants = |holder: &Holder| holder.is_live() || holder.wants_subscription();
        self.reads.has_subscribes() || self.holders.values().any(wants)
    }

    pub fn start_linger(&mut self, cx: &Context<'_>) {
        if !self.is_wanted() {
            self.retention.linger_until(cx.now + cx.linger);
        }
    }
}
