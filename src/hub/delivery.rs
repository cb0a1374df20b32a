//! What the hub says: to whom, and when it may be said.

use super::journal::{Batch, Journal, Outgoing};
use super::unload_journal::not_taken_now;
use super::{Hub, HubEvent};
use crate::error::{Error, codes};
use crate::protocol::*;

impl Hub {
    /// Takes the messages of this turn to what they wait for, or to the links.
    pub(super) fn hand_out(&mut self) {
        if self.waits_to_write() {
            return;
        }
        let has_tabs = self.tabs.has_any();
        self.tell_store_events();
        if std::mem::take(&mut self.has_other_tabs) {
            self.announce_tabs();
        }
        let (docs, _, _, mut cx) = self.parts();
        docs.write_checkpoints(&mut cx);
        if has_tabs {
            docs.tell_lost(&mut cx);
        }
        let messages = std::mem::take(&mut self.out);
        match &mut self.journal {
            Some(journal) => {
                let batch = journal.advance(messages);
                self.let_go(batch);
            }
            None => self.deliver(messages),
        }
    }

    /// While a document is read the hub does not know all that happened to the others, and can't write
    /// checkpoints.
    pub(super) fn waits_to_write(&self) -> bool {
        self.is_stalled() && self.journal.as_ref().is_some_and(Journal::has_unsaved)
    }

    fn tell_store_events(&mut self) {
        let has_tabs = self.tabs.has_any();
        let Some(journal) = self.journal.as_mut().filter(|_| has_tabs) else { return };
        for event in journal.take_events() {
            self.tell_all(&ToTab::StoreEvent(event));
        }
    }

    /// What the batch was written for may be seen now.
    pub(super) fn let_go(&mut self, batch: Batch) {
        for (doc, sent) in &batch.sends {
            self.upstream.release(doc, sent);
        }
        self.deliver(batch.messages);
    }

    /// Gives messages to the links; what the server answered for several ops at once is one message.
    pub(super) fn deliver(&mut self, messages: Vec<Outgoing>) {
        let mut out = messages.into_iter().peekable();
        while let Some((tab, mut message)) = out.next() {
            while let (ToTab::DocCommitted(first), Some((next_tab, ToTab::DocCommitted(next)))) =
                (&mut message, out.peek())
            {
                if *next_tab != tab || !first.absorb(next) {
                    break;
                }
                out.next();
            }
            if let ToTab::Welcome(Welcome { lineage, .. }) | ToTab::Lineage(Lineage { lineage }) =
                &mut message
            {
                // The store may have failed since.
                *lineage = self.lineage();
            }
            let is_behind = self.is_behind();
            let mut session = self.tabs.session_mut(&tab);
            if let (Some(session), ToTab::Callback(Callback { request, error })) =
                (&mut session, &mut message)
                && session.end_passing_on(*request)
                && is_behind
            {
                *error = Some(not_taken_now());
            }
            // A tab that has begun another session has not been let in again yet.
            match (session, message) {
                (Some(session), message) if self.peers.serves(session.peer(), &tab) => {
                    session.tell(&message);
                    if self.peers.send(session.peer(), message, &self.settings, self.now) {
                        let reason =
                            format!("tab {tab} lets all that it is told lie: its session ends");
                        self.events.push_back(HubEvent::Fault(Error::new(codes::TOO_MUCH, reason)));
                    }
                }
                (Some(session), ToTab::StoreEvent(event)) => session.miss(event),
                (None, ToTab::StoreEvent(event)) => self.keep_for_next_tab(event),
                _ => {}
            }
        }
    }

    /// What happened to the store could not be told to a tab that is gone. Others are told as well,
    /// if there are any.
    pub(super) fn keep_for_next_tab(&mut self, event: StoreEvent) {
        if let Some(journal) = self.journal.as_mut().filter(|_| !self.tabs.has_any()) {
            journal.keep_event(event);
        }
    }

    /// A tab that was told of lost ops may not have heard of it.
    pub(super) fn tell_lost_again(&mut self) {
        let (docs, _, _, mut cx) = self.parts();
        docs.tell_lost_again(&mut cx);
    }

    fn announce_tabs(&mut self) {
        let tabs = self.tabs.infos();
        self.tell_all(&ToTab::ConnectionTabs(ConnectionTabs { tabs }));
    }

    pub(super) fn tell_all(&mut self, message: &ToTab) {
        self.out.extend(self.tabs.ids().map(|tab| (tab.clone(), message.clone())));
    }
}
