use std::collections::VecDeque;
use std::rc::Rc;

use tabmux_middleware::Millis;
use tabmux_transports::{Frame, Guarantees};

use super::document::{Context, Waiter};
use super::documents::Documents;
use super::peers::{PeerId, Peers};
use super::queries::Queries;
use super::relay::Relay;
use super::{HubSettings, Upstream, UpstreamEvent};
use crate::error::{Error, codes};
use crate::ot::Types;
use crate::protocol::*;

/// What a [`Hub`] tells its owner.
#[derive(Clone, Debug, PartialEq)]
pub enum HubEvent {
    /// A tab was let in; watch for its end and call [`Hub::tab_gone`].
    Joined {
        /// The tab's id.
        tab: String,
        /// Its transport.
        peer: PeerId,
    },
    /// A tab is gone; its transport is of no more use.
    Left {
        /// The tab's id.
        tab: String,
        /// Its transport.
        peer: PeerId,
    },
    /// Something a tab sent was dropped; the connection goes on.
    Fault(Error),
}

struct TabEntry {
    info: TabInfo,
    peer: PeerId,
}

/// The hub, as a state machine without I/O.
///
/// After each call, send what [`Hub::poll_transmit`] returns, act on what [`Hub::poll_event`]
/// returns, and call [`Hub::wake`] at [`Hub::deadline`]. Only the [`Upstream`] is called directly.
pub struct Hub {
    settings: HubSettings,
    types: Rc<dyn Types>,
    upstream: Box<dyn Upstream>,
    state: ConnectionEvent,
    peers: Peers,
    /// In the order they joined.
    tabs: Vec<TabEntry>,
    docs: Documents,
    queries: Queries,
    relay: Relay,
    /// Messages that wait to be handed to the links, so that consecutive ones can merge.
    out: Vec<(String, Message)>,
    events: VecDeque<HubEvent>,
    now: Millis,
}

impl Hub {
    /// A hub without tabs.
    pub fn new(settings: HubSettings, types: Rc<dyn Types>, upstream: Box<dyn Upstream>) -> Self {
        Hub {
            settings,
            types,
            upstream,
            state: ConnectionEvent {
                state: "connecting".to_owned(),
                id: None,
                reason: None,
                losses: 0,
            },
            peers: Peers::default(),
            tabs: Vec::new(),
            docs: Documents::default(),
            queries: Queries::default(),
            relay: Relay::default(),
            out: Vec::new(),
            events: VecDeque::new(),
            now: 0,
        }
    }

    /// How many documents the hub holds, and how many of their changes it keeps for tabs.
    pub fn size(&self) -> (usize, usize) {
        self.docs.size()
    }

    /// A transport to a tab has come.
    pub fn connect(&mut self, guarantees: Guarantees) -> PeerId {
        self.peers.add(guarantees)
    }

    /// A transport has closed.
    pub fn disconnected(&mut self, peer: PeerId, now: Millis) {
        self.now = now;
        if let Some(tab) = self.peers.remove(peer).and_then(|peer| peer.tab) {
            self.remove_tab(&tab);
        }
    }

    /// A tab is known to be gone, by its Web Lock.
    pub fn tab_gone(&mut self, tab: &str, now: Millis) {
        self.now = now;
        self.remove_tab(tab);
    }

    fn remove_tab(&mut self, tab: &str) {
        let Some(at) = self.tabs.iter().position(|entry| entry.info.id == tab) else { return };
        let entry = self.tabs.remove(at);
        self.peers.remove(entry.peer);
        self.release_all(tab);
        self.events.push_back(HubEvent::Left { tab: tab.to_owned(), peer: entry.peer });
        self.announce_tabs();
    }

    fn release_all(&mut self, tab: &str) {
        let (docs, queries, relay, mut cx) = self.parts();
        queries.release_all(tab, docs, &mut cx);
        docs.release_all(tab, &mut cx);
        relay.release_all(tab, &mut cx);
    }

    /// Takes a frame that arrived on a transport.
    pub fn receive(&mut self, peer: PeerId, frame: Frame, now: Millis) {
        self.now = now;
        if let Err(error) = self.peers.receive(peer, frame, &self.settings, now) {
            self.events.push_back(HubEvent::Fault(error));
        }
        while let Some(message) = self.peers.poll_message(peer) {
            self.handle(peer, message);
        }
        // A tab that is gone can't end what it began.
        self.upstream.end_bulk();
    }

    /// Takes an event of the upstream connection.
    pub fn upstream_event(&mut self, event: UpstreamEvent, now: Millis) {
        self.now = now;
        let (docs, queries, relay, mut cx) = self.parts();
        match event {
            UpstreamEvent::State(state) => {
                match state.state.as_str() {
                    "connecting" => relay.connecting(),
                    "connected" => relay.connected(),
                    _ => relay.disconnected(),
                }
                let lost = self.state.state == "connected" && state.state != "connected";
                let losses = self.state.losses + u64::from(lost);
                self.state = ConnectionEvent { losses, ..state };
                self.tell_all(&Message::ConnectionEvent(self.state.clone()));
            }
            UpstreamEvent::ConnectionFailed(failed) => {
                self.tell_all(&Message::ConnectionFailed(failed));
            }
            UpstreamEvent::Message(message) => relay.take_from_server(&message, &mut cx),
            UpstreamEvent::QueryReady(id, found) => queries.ready(id, found, docs, &mut cx),
            UpstreamEvent::QueryChanged(id, diff) => queries.changed(id, diff, docs, &mut cx),
            UpstreamEvent::QueryExtra(id, extra) => queries.extra(id, extra, &mut cx),
            UpstreamEvent::QueryFailed(id, error) => queries.failed(id, &error, &mut cx),
            event => docs.upstream(event, &mut cx),
        }
    }

    /// When [`Hub::wake`] wants to be called. A time that has come means: within the current turn
    /// of the event loop.
    pub fn deadline(&self) -> Option<Millis> {
        let waiting = (!self.out.is_empty()).then_some(self.now);
        [waiting, self.peers.deadline(), self.docs.deadline()].into_iter().flatten().min()
    }

    /// The deadline has come.
    pub fn wake(&mut self, now: Millis) {
        self.now = now;
        let (docs, _, _, mut cx) = self.parts();
        docs.wake(&mut cx);
        self.hand_out();
        self.peers.wake(now);
    }

    /// The next frame to send, and on which transport.
    pub fn poll_transmit(&mut self) -> Option<(PeerId, Frame)> {
        self.peers.poll_transmit()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<HubEvent> {
        self.events.pop_front().or_else(|| self.peers.poll_fault().map(HubEvent::Fault))
    }

    fn parts(&mut self) -> (&mut Documents, &mut Queries, &mut Relay, Context<'_>) {
        let cx = Context {
            upstream: &mut *self.upstream,
            types: &*self.types,
            out: &mut self.out,
            now: self.now,
            linger: self.settings.linger,
        };
        (&mut self.docs, &mut self.queries, &mut self.relay, cx)
    }

    /// Gives the messages of this turn to the links; what the server answered for several ops at
    /// once is one message.
    fn hand_out(&mut self) {
        let mut out = std::mem::take(&mut self.out).into_iter().peekable();
        while let Some((tab, mut message)) = out.next() {
            while let (
                Message::DocCommitted(first),
                Some((next_tab, Message::DocCommitted(next))),
            ) = (&mut message, out.peek())
            {
                if *next_tab != tab || !first.absorb(next) {
                    break;
                }
                out.next();
            }
            if let Some(entry) = self.tabs.iter().find(|entry| entry.info.id == tab) {
                self.peers.send(entry.peer, message, self.now);
            }
        }
    }

    fn handle(&mut self, peer: PeerId, message: Message) {
        let tab = self.peers.get_mut(peer).and_then(|peer| peer.tab.clone());
        match (tab, message) {
            (_, Message::Hello(hello)) => self.hello(peer, hello),
            (None, _) => self.fault("a message came before its tab was let in"),
            (Some(tab), Message::Bye) => self.remove_tab(&tab),
            (Some(tab), Message::Query(QueryRequest { request, spec })) => {
                let (docs, queries, _, mut cx) = self.parts();
                queries.ask(Waiter { tab, request }, spec, docs, &mut cx);
            }
            (Some(tab), Message::QueryEnd(QueryEnd { request })) => {
                let (docs, queries, _, mut cx) = self.parts();
                queries.end(&Waiter { tab, request }, docs, &mut cx);
            }
            (Some(_), Message::HandleMessage(Relayed { message })) => {
                self.upstream.handle_message(&message);
            }
            (Some(_), Message::Send(ToServer { losses, .. })) if losses != self.state.losses => {}
            (Some(tab), Message::Send(ToServer { message, .. })) => {
                let (_, _, relay, mut cx) = self.parts();
                relay.take_from_tab(&tab, &message, &mut cx);
            }
            (Some(tab), message) => {
                let (docs, _, _, mut cx) = self.parts();
                if let Err(other) = docs.handle(&tab, message, &mut cx) {
                    self.fault(&format!("a tab sent what only hubs send: {other:?}"));
                }
            }
        }
    }

    fn fault(&mut self, message: &str) {
        self.events.push_back(HubEvent::Fault(Error::new(codes::BAD_FRAME, message)));
    }

    fn hello(&mut self, peer: PeerId, hello: Hello) {
        let accepted =
            self.check(&hello).and_then(|()| self.upstream.connect(hello.options.as_ref()));
        if let Err(error) = accepted {
            let refusal = Refusal { request: hello.request, error };
            return self.peers.send(peer, Message::Refusal(refusal), self.now);
        }
        let known = self.tabs.iter().position(|entry| entry.info.id == hello.tab);
        let session = self.peers.session(peer);
        if known.is_some_and(|at| self.peers.session(self.tabs[at].peer) > session) {
            // The tab has a newer session on another transport; this hello was late.
            self.peers.remove(peer);
            return;
        }
        let lineage = self.settings.lineage.clone();
        let keeps = known.is_some() || self.settings.stored.is_some();
        let resumed = keeps && hello.resume.as_ref() == Some(&lineage);
        if let Some(at) = known {
            let before = self.tabs[at].peer;
            if before != peer {
                self.peers.remove(before);
            }
            self.tabs[at].peer = peer;
        } else {
            let info = TabInfo { id: hello.tab.clone(), since: self.now };
            self.tabs.push(TabEntry { info, peer });
        }
        if resumed {
            let (docs, queries, relay, mut cx) = self.parts();
            queries.release_all(&hello.tab, docs, &mut cx);
            docs.suspend_all(&hello.tab);
            relay.suspend(&hello.tab, &mut cx);
        } else {
            self.release_all(&hello.tab);
        }
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.tab = Some(hello.tab.clone());
        }
        let welcome = Welcome { request: hello.request, protocol: PROTOCOL, lineage, resumed };
        self.out.push((hello.tab.clone(), Message::Welcome(welcome)));
        self.out.push((hello.tab.clone(), Message::ConnectionEvent(self.state.clone())));
        self.events.push_back(HubEvent::Joined { tab: hello.tab, peer });
        self.announce_tabs();
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
                "this hub holds the data of {:?}, not of {:?}: give each identity a worker name \
                 of its own",
                self.settings.identity, hello.identity
            );
            return Err(Error::new(codes::IDENTITY, message));
        }
        Ok(())
    }

    fn announce_tabs(&mut self) {
        let tabs: Vec<TabInfo> = self.tabs.iter().map(|entry| entry.info.clone()).collect();
        self.tell_all(&Message::ConnectionTabs(ConnectionTabs { tabs }));
    }

    fn tell_all(&mut self, message: &Message) {
        for entry in &self.tabs {
            self.out.push((entry.info.id.clone(), message.clone()));
        }
    }
}
