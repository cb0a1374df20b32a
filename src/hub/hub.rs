use std::collections::VecDeque;
use std::rc::Rc;
use tabmux_codecs::Codec;
use tabmux_middleware::{MakeLayer, Millis};
use tabmux_transports::{Frame, Guarantees};

use super::arrival_queue::{Arrival, ArrivalQueue, docs_of_event};
use super::context::Context;
use super::documents::Documents;
use super::found::Found;
use super::journal::{Journal, Outgoing};
use super::peers::{PeerId, Peers};
use super::queries::Queries;
use super::reachable::Offline;
use super::relay::Relay;
use super::stored_docs::documents;
use super::tabs::{Removed, Tabs};
use super::upkeep::Upkeep;
use super::{Head, HubSettings, StoreRequest, Upstream, UpstreamEvent};
use crate::error::{Error, codes};
use crate::ot::Types;
use crate::protocol::*;
use crate::store::PER_EPOCH;

/// Makes a hub's end of a layer of the application, for the peer with this number.
pub type MakeHubLayer = MakeLayer<Layered<ToTab>, Layered<ToHub>>;

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
    /// A tab of an earlier hub may come back; watch for its end and call [`Hub::tab_gone`].
    Expected {
        /// The tab's id.
        tab: String,
    },
    /// Another hub owns the store now: this one must stop, and close.
    Fenced(Error),
    /// Something a tab sent was dropped; the connection goes on.
    Fault(Error),
}

/// The hub, as a state machine without I/O.
///
/// After each call, send what [`Hub::poll_transmit`] returns, act on what [`Hub::poll_event`]
/// returns, and call [`Hub::wake`] at [`Hub::deadline`]. Only the [`Upstream`] is called directly.
pub struct Hub {
    pub(super) settings: HubSettings,
    pub(super) types: Rc<dyn Types>,
    pub(super) upstream: Box<dyn Upstream>,
    pub(super) state: ConnectionEvent,
    pub(super) peers: Peers,
    pub(super) tabs: Tabs,
    pub(super) docs: Documents,
    pub(super) queries: Queries,
    relay: Relay,
    pub(super) journal: Option<Journal>,
    pub(super) upkeep: Upkeep,
    pub(super) queue: ArrivalQueue,
    /// Documents that were read before the upstream connection was made.
    pub(super) found: Vec<(DocId, Found)>,
    pub(super) is_connected: bool,
    pub(super) offline: Offline,
    /// Messages that wait to be handed to the links, so that consecutive ones can merge.
    pub(super) out: Vec<Outgoing>,
    pub(super) events: VecDeque<HubEvent>,
    /// Tabs have come or gone, and the others are to be told so with the next messages.
    pub(super) has_other_tabs: bool,
    pub(super) now: Millis,
}

impl Hub {
    /// A hub without tabs.
    pub fn new(settings: HubSettings, types: Rc<dyn Types>, upstream: Box<dyn Upstream>) -> Self {
        let mut journal =
            settings.stored.as_ref().map(|_| Journal::new(settings.epoch * PER_EPOCH));
        let mut queue = ArrivalQueue::default();
        for doc in settings.stored.iter().flatten() {
            if queue.reading.insert(doc.clone())
                && let Some(journal) = &mut journal
            {
                journal.ask(StoreRequest::Read(doc.clone()));
            }
        }
        let docs = documents(settings.epoch, journal.is_some());
        let losses = settings.epoch * PER_EPOCH;
        Hub {
            settings,
            types,
            upstream,
            state: ConnectionEvent {
                state: "connecting".to_owned(),
                id: None,
                reason: None,
                // No other hub counts these, so that what was sent on another's connection is known.
                losses,
            },
            peers: Peers::default(),
            tabs: Tabs::default(),
            docs,
            queries: Queries::default(),
            relay: Relay::default(),
            journal,
            upkeep: Upkeep::default(),
            queue,
            found: Vec::new(),
            is_connected: false,
            offline: Offline::default(),
            out: Vec::new(),
            events: VecDeque::new(),
            has_other_tabs: false,
            now: 0,
        }
    }

    /// Tabs may use this codec, from their next session on.
    pub fn add_codec(&mut self, codec: Rc<dyn Codec>) {
        self.settings.codecs.add(codec);
    }

    /// Tabs may have a layer of this name, from their next session on.
    pub fn add_layer(&mut self, name: &str, make: MakeHubLayer) {
        self.settings.layers.add(name, make);
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
        self.queue.arrivals.push_back(Arrival::Closed(peer));
        self.proceed(now);
    }

    pub(super) fn transport_closed(&mut self, peer: PeerId) {
        let Some(tab) = self.peers.remove(peer) else { return };
        if self.tabs.is_leaving(&tab) {
            self.tab_left(&tab);
        } else {
            self.tab_ended(&tab);
        }
    }

    /// The tab has gone without a word.
    pub(super) fn tab_ended(&mut self, tab: &str) {
        if self.takes_unload_journals() {
            let (docs, _, _, cx) = self.parts();
            docs.await_unload_journals(tab, &cx);
        }
        self.remove_tab(tab);
    }

    /// A tab is known to have ended, by its Web Lock. What it has sent before may be on its way for a
    /// while.
    pub fn tab_gone(&mut self, tab: &str, now: Millis) {
        self.tabs.end(tab, now);
    }

    /// Nobody can watch for the end of this tab of an earlier hub: it is given up unless it comes back
    /// soon.
    pub fn cannot_watch(&mut self, tab: &str, now: Millis) {
        self.tabs.cannot_watch(tab, now);
    }

    /// Whether some tab is here that is not known to have ended.
    pub fn has_tabs(&self) -> bool {
        self.tabs.has_living()
    }

    pub(super) fn remove_tab(&mut self, tab: &str) {
        let Some(removed) = self.tabs.remove(tab) else { return };
        self.release_all(tab);
        self.tab_removed(tab, removed);
    }

    pub(super) fn tab_removed(&mut self, tab: &str, removed: Removed) {
        if let Removed::Here(peer, missed) = removed {
            self.peers.remove(peer);
            missed.into_iter().for_each(|event| self.keep_for_next_tab(event));
            self.tell_lost_again();
            self.events.push_back(HubEvent::Left { tab: tab.to_owned(), peer });
            self.has_other_tabs = true;
        }
        self.heard_of_tab();
    }

    pub(super) fn release_all(&mut self, tab: &str) {
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
        self.take_messages(peer);
        self.proceed(now);
    }

    fn take_messages(&mut self, peer: PeerId) {
        while let Some(message) = self.peers.poll_message(peer) {
            let session = self.peers.session(peer);
            let arrival = Arrival::Message(peer, session, Box::new(message));
            self.queue.arrivals.push_back(arrival);
        }
    }

    /// A layer of the application has something to pass on, on the way from or to this peer.
    pub fn wake_link(&mut self, peer: PeerId, now: Millis) {
        self.now = now;
        self.peers.wake_link(peer, now);
        self.take_messages(peer);
        self.proceed(now);
    }

    /// The version and type of an upstream document, as far as the hub was told.
    pub fn head(&self, doc: &DocId) -> Head {
        self.docs.head(doc).cloned().unwrap_or_default()
    }

    /// Takes an event of the upstream connection. `head` is that of the document it is about.
    pub fn upstream_event(&mut self, event: UpstreamEvent, head: Option<Head>, now: Millis) {
        self.now = now;
        if let (Some(doc), Some(head)) = (event.doc(), head) {
            self.docs.set_head(doc, head);
        }
        let docs = docs_of_event(&event);
        if self.must_read(docs.clone()) {
            // An upstream document that was about to be forgotten is wanted again.
            for doc in &docs {
                self.upstream.flush(doc);
            }
            self.queue.event = Some(event);
        } else {
            self.handle_event(event);
        }
    }

    pub(super) fn handle_event(&mut self, event: UpstreamEvent) {
        if let UpstreamEvent::State(state) = &event {
            self.reachable(state);
        }
        let (docs, queries, relay, mut cx) = self.parts();
        match event {
            UpstreamEvent::State(state) => {
                if state.is_connected() {
                    docs.connected(&mut cx);
                    relay.connected();
                } else if state.is_connecting() {
                    relay.connecting();
                } else {
                    docs.disconnected();
                    queries.disconnected();
                    relay.disconnected();
                }
                let lost = self.state.is_connected() && !state.is_connected();
                let losses = self.state.losses + u64::from(lost);
                self.state = ConnectionEvent { losses, ..state };
                self.tell_all(&ToTab::ConnectionEvent(self.state.clone()));
            }
            UpstreamEvent::ConnectionFailed(failed) => {
                self.tell_all(&ToTab::ConnectionError(failed));
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
        if self.waits_to_write() {
            return self.peers.deadline();
        }
        let waiting = (!self.out.is_empty() || self.has_other_tabs).then_some(self.now);
        let journal = self
            .journal
            .as_ref()
            .and_then(|journal| journal.deadline(self.now, self.tabs.has_any()));
        let docs = self.docs.deadline().filter(|_| !self.is_stalled());
        let deadlines = [
            waiting,
            journal,
            self.offline.patience,
            self.relay.deadline(),
            self.tabs.deadline(),
            self.upkeep.deadline(),
            self.peers.deadline(),
            docs,
        ];
        deadlines.into_iter().flatten().min()
    }

    /// The deadline has come.
    pub fn wake(&mut self, now: Millis) {
        self.now = now;
        if let Some(journal) = &mut self.journal {
            journal.wake(now);
        }
        if self.offline.patience.is_some_and(|at| at <= now) {
            self.unreachable();
        }
        let (_, _, relay, mut cx) = self.parts();
        relay.wake(&mut cx);
        let ended = self.tabs.take_ended(now).into_iter().map(Arrival::Gone);
        self.queue.arrivals.extend(ended);
        self.start_evicting();
        // What waits for documents that are read may be about others, which must not be forgotten.
        if !self.is_stalled() {
            let (docs, _, _, mut cx) = self.parts();
            docs.wake(&mut cx);
        }
        self.hand_out();
        let woken = self.peers.wake(now);
        woken.into_iter().for_each(|peer| self.take_messages(peer));
        if self.has_arrivals() {
            self.proceed(now);
        }
    }

    /// The next frame to send, and on which transport.
    pub fn poll_transmit(&mut self) -> Option<(PeerId, Frame)> {
        self.peers.poll_transmit()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<HubEvent> {
        self.events.pop_front().or_else(|| self.peers.poll_fault().map(HubEvent::Fault))
    }

    pub(super) fn parts(&mut self) -> (&mut Documents, &mut Queries, &mut Relay, Context<'_>) {
        let cx = Context {
            upstream: &mut *self.upstream,
            types: &*self.types,
            out: &mut self.out,
            journal: self.journal.as_mut(),
            offline: self.offline.is_offline && self.settings.stored.is_some(),
            now: self.now,
            linger: self.settings.linger,
        };
        (&mut self.docs, &mut self.queries, &mut self.relay, cx)
    }

    pub(super) fn fault(&mut self, message: &str) {
        self.events.push_back(HubEvent::Fault(Error::new(codes::BAD_FRAME, message)));
    }
}
