//! What the hub does with what a tab says.

use super::context::{Context, Waiter};
use super::documents::Documents;
use super::peers::PeerId;
use super::{Hub, HubEvent};
use crate::protocol::*;

impl Hub {
    pub(super) fn handle(&mut self, peer: PeerId, message: ToHub) {
        let tab = self.peers.tab(peer).map(str::to_owned);
        if let Some(tab) = &tab
            && let Err(error) = self.may_ask(tab, &message)
        {
            return self.refuse(tab, &message, error);
        }
        match (tab, message) {
            (_, ToHub::Hello(hello)) => self.hello(peer, hello),
            (None, _) => self.fault("a message came before its tab was let in"),
            (Some(tab), ToHub::Away) => self.goes_away(&tab),
            (Some(tab), ToHub::Bye) => self.tab_left(&tab),
            (Some(tab), ToHub::ConnectionResume(resume)) => self.resume(peer, &tab, resume),
            (Some(tab), ToHub::ConnectionUnloadJournal(words)) => {
                self.take_unload_journal(tab, words)
            }
            (Some(tab), ToHub::ConnectionQuery(ConnectionQuery { request, spec })) => {
                let (docs, queries, _, mut cx) = self.parts();
                queries.ask(Waiter { tab, request }, spec, docs, &mut cx);
            }
            (Some(tab), ToHub::QueryEnd(QueryEnd { request })) => {
                let (docs, queries, _, mut cx) = self.parts();
                queries.end(&Waiter { tab, request }, docs, &mut cx);
            }
            (Some(tab), ToHub::ConnectionSend(send)) => self.pass_to_server(&tab, send),
            (Some(tab), ToHub::ConnectionHandleMessage(handle)) => {
                self.take_by_hand(&tab, &handle.message);
            }
            (Some(tab), ToHub::StoreAsk(ask)) => self.ask_store(tab, ask),
            (Some(_), ToHub::ConnectionBulkBegin) => self.upstream.start_bulk(),
            (Some(_), ToHub::ConnectionBulkEnd) => self.upstream.end_bulk(),
            (Some(tab), ToHub::ConnectionGetBulk(bulk)) => {
                self.docs(|docs, cx| docs.get_bulk(&tab, bulk, cx));
            }
            (Some(tab), ToHub::DocFetch(ask)) => self.docs(|docs, cx| docs.fetch(&tab, ask, cx)),
            (Some(tab), ToHub::DocSubscribe(ask)) => {
                self.docs(|docs, cx| docs.subscribe(&tab, ask, cx));
            }
            (Some(tab), ToHub::DocUnsubscribe(ask)) => {
                self.docs(|docs, cx| docs.unsubscribe(&tab, ask, cx));
            }
            (Some(tab), ToHub::DocSubmitOp(submit)) => {
                self.docs(|docs, cx| docs.submit(&tab, submit, cx));
            }
            (Some(tab), ToHub::DocIngest(it)) => self.docs(|docs, cx| docs.ingest(&tab, it, cx)),
            (Some(tab), ToHub::DocSeen(seen)) => self.docs(|docs, _| docs.seen(&tab, seen)),
            (Some(tab), ToHub::DocRelease(it)) => self.docs(|docs, cx| docs.release(&tab, it, cx)),
            (Some(_), ToHub::StoreHeard(heard)) => self.docs(|docs, cx| docs.heard(heard, cx)),
        }
    }

    fn docs(&mut self, act: impl FnOnce(&mut Documents, &mut Context<'_>)) {
        let (docs, _, _, mut cx) = self.parts();
        act(docs, &mut cx);
    }

    fn resume(&mut self, peer: PeerId, tab: &str, mut resume: ConnectionResume) {
        if !self.tabs.session_mut(tab).is_some_and(|session| session.end_resuming()) {
            // The tab answers an earlier hub, which the same hello has reached. What that one had would
            // be taken for new.
            return self.peers.end_session(peer, &self.settings);
        }
        self.refuse_implausible(&mut resume);
        self.heard_of_tab();
        self.docs(|docs, cx| docs.resume(tab, resume.docs, cx));
    }

    /// What was meant for a connection that is lost is lost with it.
    fn pass_to_server(&mut self, tab: &str, ConnectionSend { message, losses }: ConnectionSend) {
        if losses != 0 && losses != self.state.losses {
            return;
        }
        let own = self.state.id.clone();
        let (_, _, relay, mut cx) = self.parts();
        let taken = relay.take_from_tab(tab, &message, own.as_deref(), &mut cx);
        if let Err(error) = taken {
            self.events.push_back(HubEvent::Fault(error));
        }
    }
}
