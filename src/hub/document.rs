use std::collections::VecDeque;
use tabmux_middleware::SortedMap;

use tabmux_middleware::Millis;

use super::journal::{Failure, Journal, Outgoing, Record};
use super::{Head, PendingOp, Untold, Upstream};
use crate::error::Error;
use crate::ot::{Entry, Op, Origin, Sequencer, Types};
use crate::platform::Payload;
use crate::protocol::*;

mod blocked;
mod departed;
mod holders;
mod ingested;
mod log;
mod lost;
mod ops;
mod outdated;
mod requests;
mod subscriptions;
mod unload_journal;

pub(super) use departed::Departed;
use holders::Holder;
use log::Log;
use lost::Unheard;
pub(super) use subscriptions::is_silent;

/// What a document works with.
pub(super) struct Context<'a> {
    pub upstream: &'a mut dyn Upstream,
    pub types: &'a dyn Types,
    /// Messages to tabs, oldest first.
    pub out: &'a mut Vec<Outgoing>,
    /// With a store.
    pub journal: Option<&'a mut Journal>,
    /// The server can't be reached, so what the store has must do.
    pub offline: bool,
    pub now: Millis,
    pub linger: Millis,
}

impl Context<'_> {
    pub fn send(&mut self, tab: &str, message: ToTab) {
        self.out.push((tab.to_owned(), message));
    }

    pub fn working(&mut self, waiter: &Waiter) {
        self.send(&waiter.tab, ToTab::Working(Working { request: waiter.request }));
    }

    pub fn callback(&mut self, waiter: &Waiter, error: Option<Error>) {
        let callback = Callback { request: waiter.request, error };
        self.send(&waiter.tab, ToTab::Callback(callback));
    }
}

/// A request that waits for the server.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Waiter {
    pub tab: String,
    pub request: u64,
}

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

/// How far the upstream subscription is.
#[derive(Clone, Copy, PartialEq)]
enum Subscription {
    None,
    /// The server is asked for it, or will be as soon as it can be reached.
    Asked,
    Live,
    /// The connection was lost, and the subscription with it; the server is asked with the next.
    Lost,
    /// The server has refused it, and is asked again with the next connection.
    Refused,
}

/// An op the server has not answered for, as it was when it got its place.
pub(super) struct Unsettled {
    pub origin: Origin,
    pub op: Op,
    pub source: Option<Payload>,
    /// Deletions by other tabs, which this one made superfluous: they are answered as it is.
    pub followers: Vec<Origin>,
}

/// One document of the hub: the order of its changes, who holds it, and what waits for it.
pub(super) struct Document {
    id: DocId,
    /// The upstream document's, as far as the hub was told.
    head: Head,
    /// What the tabs know of a lower revision they have from an earlier hub.
    first_rev: Rev,
    order: Sequencer,
    holders: SortedMap<String, Holder>,
    departed: Departed,
    subscription: Subscription,
    fetches: Vec<Waiter>,
    subscribes: Vec<Waiter>,
    /// Creations that came before the document's state was known.
    deferred: Vec<(String, DocSubmitOp)>,
    /// The server was asked for the sake of these, and has answered.
    server_was_asked: bool,
    /// Ops that wait for what becomes of an uncommitted creation or deletion of a sibling.
    blocked: Vec<(String, DocSubmitOp)>,
    /// The revision of the state that was loaded last, and its version, if all of it was committed.
    loaded: (Rev, Option<u64>),
    /// The ops the server has not answered for, oldest first.
    unsettled: VecDeque<Unsettled>,
    last_submitter: Option<String>,
    /// The upstream document had a version: without one, it lost its state and is loaded anew.
    was_loaded: bool,
    /// It lost its state, and could not be loaded anew: until it is, that is its state.
    is_blank: bool,
    linger: Option<Millis>,
    /// If it is kept in the store.
    log: Option<Log>,
    /// It can no longer be kept in the store: what that has is dropped.
    is_removed: bool,
    /// When it was last written that it is in use.
    used: Millis,
    /// The tabs of an earlier hub may come back until then.
    grace: Option<Millis>,
    /// The document is loaded anew since the server no longer has what came after its version:
    /// why, and the ops it had.
    outdated: Option<(Error, Vec<PendingOp>)>,
    lost: Vec<Unheard>,
}

impl Document {
    /// A document of which nothing is known. No tab knows a revision of it as high as this.
    pub fn new(id: DocId, rev: Rev) -> Self {
        Document {
            id,
            head: Head::default(),
            first_rev: rev,
            order: Sequencer::starting_at(rev),
            holders: SortedMap::default(),
            departed: Departed::default(),
            subscription: Subscription::None,
            fetches: Vec::new(),
            subscribes: Vec::new(),
            deferred: Vec::new(),
            server_was_asked: false,
            blocked: Vec::new(),
            loaded: (rev, None),
            unsettled: VecDeque::new(),
            last_submitter: None,
            was_loaded: false,
            is_blank: false,
            linger: None,
            log: None,
            is_removed: false,
            used: 0,
            grace: None,
            outdated: None,
            lost: Vec::new(),
        }
    }

    /// How many changes are kept for tabs that may need them.
    pub fn kept(&self) -> usize {
        self.order.kept()
    }

    pub fn rev(&self) -> Rev {
        self.order.rev()
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
        self.was_loaded = true;
        self.is_blank = false;
        let rev = self.order.reset();
        self.write_anew(cx);
        self.take_up_again(cx);
        let is_committed = cx.upstream.pending(&self.id).is_empty();
        let version = self.head.version.filter(|_| is_committed);
        self.loaded = (rev, version);
        self.broadcast(None, cx);
        self.sequence_deferred(cx);
        self.sequence_blocked(cx);
    }

    /// An op was refused, and what there is without it could not be loaded: who has seen the op must not
    /// take it for committed.
    pub fn unloaded(&mut self, cx: &mut Context<'_>) {
        if std::mem::replace(&mut self.is_blank, true) {
            return;
        }
        self.was_loaded = false;
        self.order.reset();
        self.write_anew(cx);
        self.broadcast(None, cx);
        // With a client of its own, a tab that has no part in the op would still have the document.
        let is_bystander = |(tab, holder): (&String, &Holder)| {
            holder.is_live() && self.unsettled.iter().all(|op| op.origin.tab != *tab)
        };
        if self.holders.iter().any(is_bystander) {
            cx.upstream.fetch(&self.id);
        }
    }

    /// `raw` is the server's op before it met the uncommitted ones.
    pub fn changed(&mut self, change: Change, raw: Option<Op>, cx: &mut Context<'_>) {
        self.was_loaded = true;
        self.is_blank = false;
        match raw {
            Some(raw) => self.write(&Record::Changed { change: change.clone(), raw }, cx),
            None => self.write_anew(cx),
        }
        self.order.push(Entry { change, origin: None });
        self.broadcast(None, cx);
        self.sequence_deferred(cx);
        self.sequence_blocked(cx);
    }

    /// A fetch has ended; returns those who waited for it.
    pub fn fetched(&mut self, error: &Option<Error>, cx: &mut Context<'_>) -> Vec<Waiter> {
        if error.as_ref().is_some_and(|error| self.is_loaded_anew_for(error)) {
            return Vec::new();
        }
        let waiters = std::mem::take(&mut self.fetches);
        if error.is_none() {
            for waiter in &waiters {
                self.bring_up_to_date(&waiter.tab, cx);
            }
        }
        // If the server does not say what there is, what the hub knows stands.
        self.server_was_asked = !self.deferred.is_empty();
        self.sequence_deferred(cx);
        waiters
    }

    /// Creations that waited for the server get their place after all that the upstream document
    /// has gone through.
    fn sequence_deferred(&mut self, cx: &mut Context<'_>) {
        if self.server_was_asked && cx.upstream.untold(&self.id) == Untold::default() {
            self.server_was_asked = false;
            let deferred = std::mem::take(&mut self.deferred);
            self.finish(deferred, cx);
        }
    }

    /// Ops outlive their tab: it may be gone by now.
    fn finish(&mut self, submits: Vec<(String, DocSubmitOp)>, cx: &mut Context<'_>) {
        for (tab, submit) in submits {
            let is_held = self.holders.contains_key(&tab);
            if !is_held {
                let last_op_id = submit.ops.last().map_or(0, |op| op.op_id);
                let gone = Holder { away: true, last_op_id, ..Holder::default() };
                self.holders.insert(tab.clone(), gone);
            }
            self.sequence(&tab, submit, cx);
            if !is_held {
                self.forget_refused(&tab);
                self.remove_holder(&tab, cx);
            }
        }
    }

    pub fn settled(&mut self, origin: Origin, error: Option<Error>, cx: &mut Context<'_>) {
        let (op, answered) = self.remove_unsettled(&origin);
        match &error {
            Some(error) => {
                self.write_anew(cx);
                self.lose_if_gone(op, error, cx);
            }
            None => {
                let version = self.head.version;
                self.write(&Record::Committed { origin: origin.clone(), version }, cx);
            }
        }
        for Origin { tab, op_id } in answered {
            if !self.holders.contains_key(&tab) {
                continue;
            }
            if let Some(error) = error.clone() {
                self.note_failure(&tab, Failure { op_id, error, placed: true });
            }
            self.bring_up_to_date(&tab, cx);
            self.tell_settled(&tab, vec![op_id], error.clone(), cx);
        }
        self.broadcast(None, cx);
        self.sequence_blocked(cx);
        self.start_linger(cx);
    }

    /// Returns the op, and all that are answered as it is.
    fn remove_unsettled(&mut self, origin: &Origin) -> (Option<Unsettled>, Vec<Origin>) {
        let at = self.unsettled.iter().position(|op| op.origin == *origin);
        let mut op = at.and_then(|at| self.unsettled.remove(at));
        let followers = op.iter_mut().flat_map(|op| op.followers.drain(..));
        let answered = std::iter::once(origin.clone()).chain(followers).collect();
        (op, answered)
    }

    pub fn failed(&mut self, error: Error, cx: &mut Context<'_>) {
        for tab in self.holders.keys().cloned().collect::<Vec<_>>() {
            // The error may have cost the document its state: a tab that acts on the error needs
            // the new one.
            let sent = self.holder(&tab).sent;
            let is_lost = sent.is_some_and(|sent| self.order.since(sent).is_none());
            // Without a state, it is so for those whose ops are about to be refused.
            let has_part = || self.unsettled.iter().any(|op| op.origin.tab == tab);
            if is_lost && (!self.is_blank || has_part()) {
                self.bring_up_to_date(&tab, cx);
            }
            let event = DocEvent { doc: self.id.clone(), error: error.clone() };
            cx.send(&tab, ToTab::DocEvent(event));
        }
    }

    // Lifetime

    /// When [`Document::wake`] wants to be called.
    pub fn deadline(&self) -> Option<Millis> {
        [self.linger, self.grace].into_iter().flatten().min()
    }

    /// Nobody holds the document, nor is the hub subscribed to it: its state only gets older, until the
    /// server no longer has what came after it.
    pub fn is_left_behind(&self) -> bool {
        self.holders.is_empty() && self.subscription == Subscription::None
    }

    /// Nothing is gained if it lingers.
    pub fn end_linger(&mut self, cx: &Context<'_>) {
        self.linger = Some(cx.now);
    }

    /// The linger may be over. Returns whether the document can be forgotten.
    pub fn wake(&mut self, cx: &mut Context<'_>) -> bool {
        self.end_grace(cx);
        self.note_long_use(cx);
        if self.linger.is_none_or(|at| at > cx.now) {
            return false;
        }
        self.linger = None;
        for holder in self.holders.values_mut() {
            for query in std::mem::take(&mut holder.departing) {
                holder.queries.remove(&query);
            }
        }
        self.holders.retain(|_, holder| holder.let_go.is_none() || holder.is_live());
        self.end_subscription(cx);
        let is_written =
            cx.journal.as_deref().is_none_or(|journal| !journal.is_busy_with(&self.id));
        let forget = self.holders.is_empty()
            && is_written
            && self.unsettled.is_empty()
            && self.waiting().next().is_none()
            && self.lost.is_empty()
            && self.subscription == Subscription::None;
        if forget {
            cx.upstream.destroy(&self.id);
        } else if !is_written || !self.lost.is_empty() {
            self.start_linger(cx);
        }
        forget
    }

    /// Ends the upstream subscription, if no tab wants it.
    pub fn end_subscription(&mut self, cx: &mut Context<'_>) {
        if self.subscription != Subscription::None && !self.is_wanted() {
            cx.upstream.unsubscribe(&self.id);
            self.subscription = Subscription::None;
        }
    }

    fn is_wanted(&self) -> bool {
        let wants = |holder: &Holder| holder.is_live() || holder.refused;
        !self.subscribes.is_empty() || self.holders.values().any(wants)
    }

    pub fn start_linger(&mut self, cx: &Context<'_>) {
        if !self.is_wanted() && self.linger.is_none() {
            self.linger = Some(cx.now + cx.linger);
        }
    }
}
