use std::collections::VecDeque;
use std::rc::Rc;

use tabmux_middleware::{Environment, Millis, Request, SortedMap, Stack};
use tabmux_transports::Frame;

use super::changes::QueuedChange;
use super::offline::Offline;
use super::queries::WaitingResults;
use super::tab_docs::{DocKey, TabDoc, TabDocs};
use super::{TabEvent, TabSettings};
use crate::error::{Error, codes};
use crate::ot::Types;
use crate::protocol::*;

/// A tab's end of the connection, as a state machine without I/O.
///
/// After each call, send what [`Tab::poll_transmit`] returns, act on what [`Tab::poll_event`]
/// returns, one event at a time and before the next is asked for, and call [`Tab::wake`] at
/// [`Tab::deadline`].
pub struct Tab {
    pub(super) settings: TabSettings,
    pub(super) types: Rc<dyn Types>,
    pub(super) link: Option<TabLink>,
    pub(super) sessions: u64,
    pub(super) joined: bool,
    /// The hub that has answered in this session; it need not have let the tab in.
    pub(super) epoch: Option<u64>,
    /// The lineage of the hub whose state the documents hold.
    pub(super) lineage: Option<String>,
    /// Whether hubs of this lineage take unload journals.
    pub(super) takes_unload_journals: bool,
    /// What waits until the tab has joined.
    pub(super) waiting: Vec<ToHub>,
    /// Requests without an answer, to be asked again of the next hub.
    pub(super) outstanding: SortedMap<u64, ToHub>,
    pub(super) hello: u64,
    pub(super) next_request: u64,
    pub(super) next_op_id: u64,
    pub(super) docs: TabDocs,
    /// The rest of a `doc.change`: listeners may submit ops between one change and the next.
    pub(super) changes: VecDeque<QueuedChange>,
    /// Documents whose next ops may go, once the owner has heard of the answer to those before.
    pub(super) answered: VecDeque<DocKey>,
    /// Ops wait for [`Tab::flush`].
    pub(super) manual: bool,
    pub(super) offline: Offline,
    /// How often the hub has lost its connection, as far as the owner knows.
    pub(super) losses: u64,
    /// Whether the hub has a connection to the server.
    pub(super) is_connected: bool,
    pub(super) events: VecDeque<TabEvent>,
    /// The number of the last `query.docs` of this session.
    pub(super) heard: u64,
    /// What is to be told of queries once the documents that it names have come, oldest first.
    pub(super) held: VecDeque<WaitingResults>,
}

impl Tab {
    /// A tab that is not attached to a transport yet.
    ///
    /// # Errors
    /// The layers do not fit each other or the transport.
    pub fn new(
        settings: TabSettings,
        types: Rc<dyn Types>,
    ) -> Result<Self, tabmux_middleware::ConfigError> {
        build_stack(&settings, 0)?;
        Ok(Tab {
            settings,
            types,
            link: None,
            sessions: 0,
            joined: false,
            epoch: None,
            lineage: None,
            takes_unload_journals: false,
            waiting: Vec::new(),
            outstanding: SortedMap::default(),
            hello: 0,
            next_request: 1,
            next_op_id: 1,
            docs: TabDocs::default(),
            changes: VecDeque::new(),
            answered: VecDeque::new(),
            manual: false,
            offline: Offline::default(),
            losses: 0,
            is_connected: false,
            events: VecDeque::new(),
            heard: 0,
            held: VecDeque::new(),
        })
    }

    /// Whether the hub has let the tab in.
    pub fn is_joined(&self) -> bool {
        self.joined
    }

    /// Begins a session over a transport that is ready to send.
    pub fn attach(&mut self, now: Millis) {
        self.sessions += 1;
        self.joined = false;
        self.epoch = None;
        // Queries whose results did not come in full are asked again.
        self.heard = 0;
        self.held.clear();
        self.hello = self.new_request();
        let Ok(stack) = build_stack(&self.settings, self.sessions) else {
            unreachable!("checked in new");
        };
        let settings = &self.settings;
        let layers = settings.layers.clone();
        let codec = Rc::clone(&settings.codec);
        let link = self.link.insert(TabLink::of_tab(self.sessions, layers, codec, stack));
        let hello = Hello {
            request: self.hello,
            protocol: PROTOCOL,
            codec: settings.codec.name().to_owned(),
            tab: settings.id.clone(),
            secret: settings.secret.clone(),
            identity: settings.identity.clone(),
            resume: self.lineage.clone(),
            options: settings.options.clone(),
        };
        link.send(ToHub::Hello(hello), now);
    }

    /// Takes the tab off its transport: what is sent meanwhile waits.
    pub fn detach(&mut self) {
        self.link = None;
        self.joined = false;
    }

    /// Leaves the hub.
    pub fn leave(&mut self, now: Millis) {
        if let Some(link) = &mut self.link {
            link.send(ToHub::Bye, now);
            link.wake(now);
        }
        self.joined = false;
    }

    /// Takes a frame that arrived.
    pub fn receive(&mut self, frame: Frame, now: Millis) {
        let Some(link) = &mut self.link else { return };
        let envelope = match EnvelopeToTab::decode(&**link.codec(), frame) {
            Ok(envelope) => envelope,
            Err(error) => return self.events.push_back(TabEvent::Fault(error)),
        };
        if envelope.session != link.session() {
            return;
        }
        // Frames of two hubs make no one session, even before either has let the tab in.
        let other_hub = self.epoch.is_some_and(|epoch| epoch != envelope.epoch);
        if envelope.stale || other_hub {
            return self.attach(now);
        }
        self.epoch = Some(envelope.epoch);
        link.receive(envelope.packet, now);
        if !self.joined {
            self.await_welcome(now);
        }
    }

    /// Handles what comes before the tab has joined.
    fn await_welcome(&mut self, now: Millis) {
        while !self.joined {
            let Some(message) = self.link.as_mut().and_then(Link::poll_message) else { return };
            match message {
                ToTab::Welcome(welcome) if welcome.request == self.hello => {
                    let Some(epoch) = self.epoch else { return };
                    self.welcomed(epoch, welcome, now);
                }
                ToTab::Refusal(refusal) if refusal.request == self.hello => {
                    self.refused(refusal.error);
                }
                ToTab::Callback(Callback { request, error: Some(error) })
                    if request == self.hello =>
                {
                    self.refused(error);
                }
                _ => {}
            }
        }
    }

    fn refused(&mut self, error: Error) {
        self.events.push_back(TabEvent::Refused(error));
    }

    fn welcomed(&mut self, epoch: u64, welcome: Welcome, now: Millis) {
        self.joined = true;
        let known = self.lineage.replace(welcome.lineage);
        self.takes_unload_journals = welcome.unload_journals;
        if let Some(link) = &mut self.link {
            link.established();
        }
        self.events.push_back(TabEvent::Joined { epoch });
        if known.is_some() {
            if welcome.resumed {
                self.resume(now);
            } else {
                self.abandon();
            }
        }
        if self.is_offline() {
            return self.welcomed_offline(now);
        }
        self.ingest_again();
        let waiting = std::mem::take(&mut self.waiting);
        let asked =
            |message: &&ToHub| waiting.iter().all(|waiting| waiting.request() != message.request());
        let again: Vec<ToHub> = self.outstanding.values().filter(asked).cloned().collect();
        for message in again.into_iter().chain(waiting) {
            self.transmit(message, now);
        }
        self.flush_all(now);
    }

    /// What was ingested and has no answer may not have reached this hub.
    fn ingest_again(&mut self) {
        for (_, TabDoc { id, ingested, .. }) in self.docs.iter_mut() {
            let waits =
                |message: &ToHub| matches!(message, ToHub::DocIngest(ingest) if ingest.doc == *id);
            if let Some(snapshot) = ingested.clone().filter(|_| !self.waiting.iter().any(waits)) {
                let doc = id.clone();
                self.waiting.push(ToHub::DocIngest(DocIngest { doc, snapshot }));
            }
        }
    }

    pub(super) fn flush_all(&mut self, now: Millis) {
        let keys: Vec<DocKey> = self.docs.iter_mut().map(|(key, _)| key).collect();
        for key in keys {
            self.auto_flush(key, now);
        }
    }

    /// Goes on where the last session with this hub ended.
    fn resume(&mut self, now: Millis) {
        let held = self.docs.iter_mut().map(|(_, doc)| HeldDoc {
            doc: doc.id.clone(),
            rev: doc.replica.rev(),
            subscribed: doc.subscribed,
            awaiting: doc.replica.awaiting(),
            ops: doc.replica.inflight_batch(),
        });
        let docs = held.collect();
        self.transmit(ToHub::ConnectionResume(ConnectionResume { docs }), now);
        for message in self.outstanding.values_mut() {
            if let ToHub::DocFetch(request) = message
                && let Some((_, doc)) = self.docs.find(&request.doc)
            {
                request.anew &= doc.replica.is_rolled_back();
            }
        }
    }

    /// Gives up what only the lost hub knew, and asks its successor for the documents.
    fn abandon(&mut self) {
        self.events.push_back(TabEvent::HubLost);
        self.changes.clear();
        // Requests are outstanding as well; the rest was meant for the lost hub.
        self.waiting.clear();
        for (key, doc) in self.docs.iter_mut() {
            let needs_hub = doc.replica.needs_hub();
            doc.lost_with_hub = needs_hub || doc.replica.is_rolled_back();
            if !needs_hub {
                continue;
            }
            let error = Error::new(
                codes::HUB_LOST,
                format!(
                    "the hub that held {} is gone; whether the server has the op is unknown",
                    doc.id
                ),
            );
            let dropped = doc.replica.abandon();
            self.events.push_back(TabEvent::RolledBack { doc: key, error, dropped });
        }
        for message in self.outstanding.values_mut() {
            match message {
                ToHub::DocFetch(fetch) => (fetch.rev, fetch.anew) = (None, false),
                ToHub::DocSubscribe(DocSubscribe { rev, .. })
                | ToHub::DocUnsubscribe(DocUnsubscribe { rev, .. }) => *rev = None,
                ToHub::ConnectionGetBulk(bulk) => {
                    bulk.docs.iter_mut().for_each(|doc| doc.rev = None)
                }
                ToHub::Hello(_)
                | ToHub::Away
                | ToHub::Bye
                | ToHub::ConnectionResume(_)
                | ToHub::ConnectionUnloadJournal(_)
                | ToHub::ConnectionBulkBegin
                | ToHub::ConnectionBulkEnd
                | ToHub::ConnectionQuery(_)
                | ToHub::ConnectionSend(_)
                | ToHub::ConnectionHandleMessage(_)
                | ToHub::QueryEnd(_)
                | ToHub::DocSubmitOp(_)
                | ToHub::DocIngest(_)
                | ToHub::DocSeen(_)
                | ToHub::DocRelease(_)
                | ToHub::StoreAsk(_)
                | ToHub::StoreHeard(_) => {}
            }
        }
    }

    /// When [`Tab::wake`] wants to be called. A time that has come means: within the current turn
    /// of the event loop.
    pub fn deadline(&self) -> Option<Millis> {
        self.link.as_ref().and_then(Link::deadline)
    }

    /// The deadline has come.
    pub fn wake(&mut self, now: Millis) {
        if let Some(link) = &mut self.link {
            link.wake(now);
        }
        if !self.joined {
            self.await_welcome(now);
        }
    }

    /// The next frame to send.
    pub fn poll_transmit(&mut self) -> Option<Frame> {
        self.link.as_mut()?.poll_transmit()
    }

    /// The next event.
    pub fn poll_event(&mut self, now: Millis) -> Option<TabEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                match &event {
                    TabEvent::State(state) => self.losses = state.losses,
                    TabEvent::StoreEvent(StoreEvent { heard: Some(heard), .. }) if self.joined => {
                        self.transmit(ToHub::StoreHeard(heard.clone()), now);
                    }
                    _ => {}
                }
                return Some(event);
            }
            if let Some(key) = self.answered.pop_front() {
                self.auto_flush(key, now);
                continue;
            }
            if let Some(change) = self.changes.pop_front() {
                self.change(change, now);
                continue;
            }
            if let Some(fault) = self.link.as_mut().and_then(Link::poll_fault) {
                return Some(TabEvent::Fault(fault));
            }
            let joined = self.link.as_mut().filter(|_| self.joined);
            let Some(message) = joined.and_then(Link::poll_message) else {
                return self.poll_offline();
            };
            self.handle(message, now);
        }
    }
}

fn build_stack(
    settings: &TabSettings,
    session: u64,
) -> Result<Stack<Layered<ToHub>, Layered<ToTab>>, tabmux_middleware::ConfigError> {
    let environment = Environment {
        seed: settings.seed.wrapping_add(session),
        tracer: settings.tracer.as_ref().map(|tracer| tracer()),
        layers: settings.own_layers.clone(),
        link: session,
    };
    Stack::build(&settings.layers, &settings.guarantees, environment)
}
