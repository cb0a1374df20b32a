//! Which tabs are subscribed, and whether the hub is, without which none of them is.

use super::state::Holder;
use super::{Context, Document, Waiter};
use crate::error::{Error, codes};
use crate::protocol::*;

impl Document {
    pub fn subscribe(&mut self, waiter: Waiter, rev: Option<Rev>, cx: &mut Context<'_>) {
        self.told(&waiter.tab, rev);
        // Queries that are to be forgotten then still are.
        if !self.holders.values().any(Holder::is_departing) {
            self.retention.stop_linger();
        }
        let again = self.holder(&waiter.tab).is_subscribed();
        let is_lost = self.subscription.is_lost();
        if self.may_answer() && !again && self.head.is_known() {
            self.begin_live(&waiter.tab, cx);
            if rev.is_none() || !is_lost {
                return cx.callback(&waiter, None);
            }
            // As in ShareDB it waits for the server, but it follows its siblings meanwhile.
        }
        if self.may_answer_from_store(cx) {
            self.bring_up_to_date(&waiter.tab, cx);
            if cx.offline {
                self.begin_live(&waiter.tab, cx);
                cx.callback(&waiter, None);
                return self.ask_for_subscription(cx);
            }
        }
        cx.working(&waiter);
        self.reads.add_subscribe(waiter);
        if self.subscription.is_live() {
            // A tab that asks twice means the server, as it would with a client of its own.
            return cx.upstream.subscribe(&self.id);
        }
        self.ask_for_subscription(cx);
    }

    pub fn unsubscribe(&mut self, waiter: Waiter, rev: Option<Rev>, cx: &mut Context<'_>) {
        self.told(&waiter.tab, rev);
        let holder = self.holder(&waiter.tab);
        holder.unsubscribe();
        // Nor is it sent any for the sake of a query that finds it no longer.
        holder.forget_departing();
        cx.callback(&waiter, None);
        self.start_linger(cx);
    }

    /// Whether the document can be shown without asking the server: without a connection, as it was
    /// when that was lost.
    pub(super) fn may_answer(&self) -> bool {
        self.subscription.is_live() || self.subscription.is_lost()
    }

    fn ask_for_subscription(&mut self, cx: &mut Context<'_>) {
        if self.subscription.want() {
            cx.upstream.subscribe(&self.id);
        }
    }

    /// The tab is back, and was subscribed.
    pub(super) fn resume_subscription(&mut self, tab: &str, cx: &mut Context<'_>) {
        match self.subscription.is_live() {
            true => self.tell_subscribed(tab, None, cx),
            false => self.ask_for_subscription(cx),
        }
    }

    pub(super) fn begin_live(&mut self, tab: &str, cx: &mut Context<'_>) {
        self.holder(tab).subscribe();
        self.bring_up_to_date(tab, cx);
    }

    /// The connection to the server is there. ShareDB subscribes anew by itself, to most of what it was
    /// subscribed to: what it asks already, it does not ask twice.
    pub fn connected(&mut self, cx: &mut Context<'_>) {
        let is_wanted = self.is_wanted();
        if self.subscription.connect(is_wanted) {
            cx.upstream.subscribe(&self.id);
        }
    }

    /// The connection to the server is lost, and the subscription with it; also one that was refused
    /// is asked for again with the next.
    pub fn disconnected(&mut self) {
        self.subscription.disconnect();
        self.holders.values_mut().for_each(Holder::forget_refusal);
    }

    /// The server has answered for a subscription. Who asked hears of it as the request ends; the
    /// other tabs that want it, if it was lost or refused for them as well, by a message of its own.
    pub fn subscribed(&mut self, error: Option<Error>, is_live: bool, cx: &mut Context<'_>) {
        if error.as_ref().is_some_and(|error| self.is_loaded_anew_for(error)) {
            return cx.upstream.subscribe(&self.id);
        }
        if error.as_ref().is_some_and(|error| self.loading.is_too_early_for(error)) {
            return;
        }
        if self.subscription.is_none() {
            // Nobody wants it any more.
            return;
        }
        let was_live = self.subscription.is_live();
        self.subscription.answer(is_live, error.is_some());
        let waiters = self.reads.end_subscribes();
        for tab in self.holders.which(|_, _| true) {
            let holder = self.holder(&tab);
            let asked = waiters.iter().any(|waiter| waiter.tab == tab);
            let (live, wanted) = (holder.is_subscribed(), holder.wants_subscription());
            match &error {
                Some(error) if !is_live && (live || asked) => {
                    holder.refuse(!is_silent(error));
                    if !asked {
                        self.tell_subscribed(&tab, Some(error.clone()), cx);
                    }
                }
                None if asked => self.begin_live(&tab, cx),
                None if wanted && !was_live => {
                    self.begin_live(&tab, cx);
                    self.tell_subscribed(&tab, None, cx);
                }
                _ => {}
            }
        }
        for waiter in waiters {
            cx.callback(&waiter, error.clone());
        }
        self.start_linger(cx);
    }

    fn tell_subscribed(&mut self, tab: &str, error: Option<Error>, cx: &mut Context<'_>) {
        if !self.holder(tab).is_away() {
            let subscribed = DocSubscribed { doc: self.id.clone(), error };
            cx.send(tab, ToTab::DocSubscribed(subscribed));
        }
    }
}

/// The server does not show the document, and does not want that told. As ShareDB does, the tab no longer
/// wants it then.
pub(in crate::hub) fn is_silent(error: &Error) -> bool {
    error.code_text().as_deref() == Some(codes::READ_SILENTLY_REJECTED)
}
