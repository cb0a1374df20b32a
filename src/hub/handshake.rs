//! How a tab is let in.

use super::caps::MAX_NAME;
use super::journal::Outgoing;
use super::{Hub, HubEvent, PeerId};
use crate::error::{Error, codes};
use crate::protocol::*;

impl Hub {
    pub(super) fn hello(&mut self, peer: PeerId, hello: Hello) {
        let accepted = self
            .check(&hello)
            .and_then(|()| self.check_id(peer, &hello))
            .and_then(|()| self.upstream.connect(hello.options.as_ref()));
        if let Err(error) = accepted {
            let refusal = Refusal { request: hello.request, error };
            self.peers.send(peer, ToTab::Refusal(refusal), &self.settings, self.now);
            return;
        }
        self.connected();
        let before = self.tabs.session(&hello.tab).map(|session| session.peer());
        if before.is_some_and(|before| self.peers.session(before) > self.peers.session(peer)) {
            // The tab has a newer session on another transport; this hello was late.
            self.peers.remove(peer);
            return;
        }
        let store_events = self.drop_messages_to(&hello.tab);
        let keeps =
            before.is_some() || self.tabs.is_offline(&hello.tab) || self.settings.stored.is_some();
        let resumed = keeps && hello.resume.as_ref().is_some_and(|it| self.is_of(it));
        self.tabs.let_in(&hello.tab, peer, resumed, self.now);
        if let Some(before) = before {
            if before != peer {
                self.peers.remove(before);
            }
            self.tell_lost_again();
        }
        if resumed {
            let (docs, queries, relay, mut cx) = self.parts();
            queries.release_all(&hello.tab, docs, &mut cx);
            docs.suspend_all(&hello.tab);
            relay.suspend(&hello.tab, &mut cx);
        } else {
            self.release_all(&hello.tab);
        }
        self.peers.let_in(peer, &hello.tab);
        let (request, lineage) = (hello.request, self.lineage());
        let unload_journals = self.takes_unload_journals();
        let welcome = Welcome { request, protocol: PROTOCOL, lineage, resumed, unload_journals };
        self.out.push((hello.tab.clone(), ToTab::Welcome(welcome)));
        self.out.push((hello.tab.clone(), ToTab::ConnectionEvent(self.state.clone())));
        self.out.extend(store_events);
        self.events.push_back(HubEvent::Joined { tab: hello.tab, peer });
        self.has_other_tabs = true;
        self.heard_of_tab();
    }

    /// The tab begins a new session, to which nothing of the last one is of use but what happened to
    /// the store, which is returned.
    fn drop_messages_to(&mut self, tab: &str) -> Vec<Outgoing> {
        let missed = self.tabs.take_missed(tab);
        let mut kept: Vec<Outgoing> =
            missed.into_iter().map(|event| (tab.to_owned(), ToTab::StoreEvent(event))).collect();
        let mut dropped = Vec::new();
        if let Some(journal) = &mut self.journal {
            dropped.extend(journal.drop_messages_to(tab));
        }
        dropped.extend(self.out.extract_if(.., |(other, _)| other == tab));
        kept.extend(dropped.into_iter().filter(|(_, it)| matches!(it, ToTab::StoreEvent(_))));
        kept
    }

    /// Whether the id is the tab's own, and the transport too.
    fn check_id(&mut self, peer: PeerId, hello: &Hello) -> Result<(), Error> {
        let Hello { tab, secret, .. } = hello;
        let owner = self.peers.owner(peer);
        let reason = if tab.len() > MAX_NAME {
            format!("a tab's id has {} bytes; at most {MAX_NAME} are taken", tab.len())
        } else if !proves(tab, secret.as_deref()) {
            format!("a tab says it is {tab}, and can't prove it: its `secret` must be that tab's")
        } else if let Some(owner) = owner.filter(|owner| *owner != tab) {
            format!("a tab says it is {tab} where {owner} was let in: each needs its own transport")
        } else {
            return Ok(());
        };
        let error = Error::new(codes::TAB_ID, reason);
        self.events.push_back(HubEvent::Fault(error.clone()));
        Err(error)
    }

    fn check(&self, hello: &Hello) -> Result<(), Error> {
        if hello.protocol != PROTOCOL {
            let message = format!(
                "the tab speaks protocol {}, the hub {PROTOCOL}: reload the older of the two",
                hello.protocol
            );
            return Err(Error::new(codes::PROTOCOL_VERSION, message));
        }
        if hello.identity != self.settings.identity {
            let message = format!(
                "this hub holds the data of \"{}\", not of \"{}\": give each identity a worker name \
                 of its own",
                self.settings.identity, hello.identity
            );
            return Err(Error::new(codes::IDENTITY, message));
        }
        Ok(())
    }
}
