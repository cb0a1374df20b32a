use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use tabmux_middleware::{Environment, Message as _, Millis, Stack};
use tabmux_transports::Frame;

use super::changes::QueuedChange;
use super::documents::{DocKey, Documents};
use super::{TabEvent, TabSettings};
use crate::Payload;
use crate::error::{Error, codes};
use crate::ot::{Loaded, Op, Replica, SubmitOptions, Token, Types, state_lost};
use crate::protocol::*;

/// A tab's end of the connection, as a state machine without I/O.
///
/// After each call, send what [`Tab::poll_transmit`] returns, act on what [`Tab::poll_event`]
/// returns, one event at a time and before the next is asked for, and call [`Tab::wake`] at
/// [`Tab::deadline`].
pub struct Tab {
    settings: TabSettings,
    types: Rc<dyn Types>,
    link: Option<Link>,
    sessions: u64,
    joined: bool,
    /// The hub whose state the documents hold.
    epoch: Option<u64>,
    /// What waits until the tab has joined.
    waiting: Vec<Message>,
    /// Requests without an answer, to be asked again of the next hub.
    outstanding: BTreeMap<u64, Message>,
    hello: u64,
    next_request: u64,
    next_op_id: u64,
    docs: Documents,
    /// The rest of a `doc.change`: listeners may submit ops between one change and the next.
    changes: VecDeque<QueuedChange>,
    /// Documents whose next ops may go, once the owner has heard of the answer to those before.
    answered: VecDeque<DocKey>,
    /// Ops wait for [`Tab::flush`].
    manual: bool,
    /// How often the hub has lost its connection, as far as the owner knows.
    losses: u64,
    events: VecDeque<TabEvent>,
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
            waiting: Vec::new(),
            outstanding: BTreeMap::new(),
            hello: 0,
            next_request: 1,
            next_op_id: 1,
            docs: Documents::default(),
            changes: VecDeque::new(),
            answered: VecDeque::new(),
            manual: false,
            losses: 0,
            events: VecDeque::new(),
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
        self.hello = self.new_request();
        let stack = build_stack(&self.settings, self.sessions).expect("checked in new");
        let settings = &self.settings;
        let layers = settings.layers.clone();
        let codec = Rc::clone(&settings.codec);
        let link = self.link.insert(Link::of_tab(self.sessions, layers, codec, stack));
        let hello = Hello {
            request: self.hello,
            protocol: PROTOCOL,
            codec: settings.codec.name().to_owned(),
            tab: settings.id.clone(),
            identity: settings.identity.clone(),
            resume: self.epoch,
            options: settings.options.clone(),
        };
        link.send(Message::Hello(hello), now);
    }

    /// Takes the tab off its transport: what is sent meanwhile waits.
    pub fn detach(&mut self) {
        self.link = None;
        self.joined = false;
    }

    /// Leaves the hub.
    pub fn leave(&mut self, now: Millis) {
        if let Some(link) = &mut self.link {
            link.send(Message::Bye, now);
            link.wake(now);
        }
        self.joined = false;
    }

    /// Takes a frame that arrived.
    pub fn receive(&mut self, frame: Frame, now: Millis) {
        let Some(link) = &mut self.link else { return };
        let envelope = match Envelope::decode(&**link.codec(), frame) {
            Ok(envelope) => envelope,
            Err(error) => return self.events.push_back(TabEvent::Fault(error)),
        };
        if envelope.session != link.session() {
            return;
        }
        let other_hub = self.joined && envelope.epoch != self.epoch;
        if envelope.stale || other_hub {
            return self.attach(now);
        }
        link.receive(envelope.packet, now);
        if !self.joined {
            self.await_welcome(envelope.epoch, now);
        }
    }

    /// Handles what comes before the tab has joined. The epoch is that of the frame's hub.
    fn await_welcome(&mut self, epoch: Option<u64>, now: Millis) {
        while !self.joined {
            let Some(message) = self.link.as_mut().and_then(Link::poll_message) else { return };
            match message {
                Message::Welcome(welcome) if welcome.request == self.hello => {
                    let Some(epoch) = epoch else { return };
                    self.welcomed(epoch, welcome.resumed, now);
                }
                Message::Refusal(refusal) if refusal.request == self.hello => {
                    self.refused(refusal.error);
                }
                Message::Callback(Callback { request, error: Some(error) })
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

    fn welcomed(&mut self, epoch: u64, resumed: bool, now: Millis) {
        self.joined = true;
        let known = self.epoch.replace(epoch);
        if let Some(link) = &mut self.link {
            link.established();
        }
        self.events.push_back(TabEvent::Joined { epoch });
        if known.is_some() {
            if resumed && known == Some(epoch) {
                self.resume(now);
            } else {
                self.abandon();
            }
        }
        let waiting = std::mem::take(&mut self.waiting);
        let asked = |message: &&Message| {
            waiting.iter().all(|waiting| waiting.request() != message.request())
        };
        let again: Vec<Message> = self.outstanding.values().filter(asked).cloned().collect();
        for message in again.into_iter().chain(waiting) {
            self.transmit(message, now);
        }
        self.flush_all(now);
    }

    fn flush_all(&mut self, now: Millis) {
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
        self.transmit(Message::Resume(Resume { docs }), now);
        for message in self.outstanding.values_mut() {
            if let Message::DocFetch(request) = message
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
            if !doc.replica.needs_hub() {
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
                Message::DocFetch(request)
                | Message::DocSubscribe(request)
                | Message::DocUnsubscribe(request) => request.rev = None,
                Message::GetBulk(bulk) => bulk.docs.iter_mut().for_each(|doc| doc.rev = None),
                _ => {}
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
            self.await_welcome(None, now);
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
                if let TabEvent::State(state) = &event {
                    self.losses = state.losses;
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
            if !self.joined {
                return None;
            }
            let message = self.link.as_mut()?.poll_message()?;
            self.handle(message, now);
        }
    }

    // Requests

    fn new_request(&mut self) -> u64 {
        let request = self.next_request;
        self.next_request += 1;
        request
    }

    fn transmit(&mut self, message: Message, now: Millis) {
        match &mut self.link {
            Some(link) if self.joined => link.send(message, now),
            _ => self.waiting.push(message),
        }
    }

    fn ask(&mut self, request: u64, message: Message, now: Millis) -> u64 {
        self.outstanding.insert(request, message.clone());
        self.transmit(message, now);
        request
    }

    fn doc_request(&mut self, key: DocKey, anew: bool) -> Option<DocRequest> {
        let request = self.new_request();
        let doc = self.docs.get_mut(key)?;
        let rev = doc.replica.rev().filter(|_| !anew);
        doc.told(rev);
        Some(DocRequest { request, doc: doc.id.clone(), rev, anew })
    }

    /// Asks for the document's present state; `anew` replaces what the tab holds. Returns the
    /// request's number, which comes back in [`TabEvent::Callback`].
    pub fn fetch(&mut self, key: DocKey, anew: bool, now: Millis) -> Option<u64> {
        let request = self.doc_request(key, anew)?;
        Some(self.ask(request.request, Message::DocFetch(request), now))
    }

    /// Asks for the document's state and all changes from there. As [`Tab::fetch`].
    pub fn subscribe(&mut self, key: DocKey, now: Millis) -> Option<u64> {
        let request = self.doc_request(key, false)?;
        self.docs.get_mut(key)?.subscribed = true;
        Some(self.ask(request.request, Message::DocSubscribe(request), now))
    }

    /// Asks for no more changes. As [`Tab::fetch`].
    pub fn unsubscribe(&mut self, key: DocKey, now: Millis) -> Option<u64> {
        let request = self.doc_request(key, false)?;
        self.docs.get_mut(key)?.subscribed = false;
        Some(self.ask(request.request, Message::DocUnsubscribe(request), now))
    }

    /// Asks for the present state of many documents. As [`Tab::fetch`].
    pub fn get_bulk(&mut self, keys: &[DocKey], now: Millis) -> u64 {
        let request = self.new_request();
        let mut docs = Vec::with_capacity(keys.len());
        for key in keys {
            if let Some(doc) = self.docs.get_mut(*key) {
                let rev = doc.replica.rev();
                doc.told(rev);
                docs.push(BulkDoc { doc: doc.id.clone(), rev });
            }
        }
        self.ask(request, Message::GetBulk(GetBulk { request, docs }), now)
    }

    /// Asks the database; returns the query's number, which comes back in the events of queries.
    pub fn query(&mut self, spec: QuerySpec, now: Millis) -> u64 {
        let request = self.new_request();
        self.ask(request, Message::Query(QueryRequest { request, spec }), now)
    }

    /// Ends a query.
    pub fn end_query(&mut self, request: u64, now: Millis) {
        if self.outstanding.remove(&request).is_some() {
            self.transmit(Message::QueryEnd(QueryEnd { request }), now);
        }
    }

    /// The requests up to `end_bulk` may be asked of the server as one.
    pub fn begin_bulk(&mut self, now: Millis) {
        self.transmit(Message::BulkBegin, now);
    }

    /// Ends what `begin_bulk` began.
    pub fn end_bulk(&mut self, now: Millis) {
        self.transmit(Message::BulkEnd, now);
    }

    /// Gives the server a message of ShareDB's own protocol.
    pub fn send(&mut self, message: Payload, now: Millis) {
        let losses = self.losses;
        self.transmit(Message::Send(ToServer { message, losses }), now);
    }

    /// Has the hub take a message as if the server had sent it.
    pub fn handle_message(&mut self, message: Payload, now: Millis) {
        self.transmit(Message::HandleMessage(Relayed { message }), now);
    }

    // Documents

    /// The document of this name; the same key each time until it is closed.
    pub fn open(&mut self, id: DocId) -> DocKey {
        self.docs.open(id)
    }

    /// Lets go of a document.
    pub fn close(&mut self, key: DocKey, now: Millis) {
        if let Some(doc) = self.docs.close(key) {
            self.changes.retain(|change| change.doc != key);
            self.transmit(Message::DocRelease(DocRelease { doc: doc.id }), now);
        }
    }

    /// The document's replica.
    pub fn replica(&self, key: DocKey) -> Option<&Replica> {
        self.docs.get(key).map(|doc| &doc.replica)
    }

    /// Whether the server has answered for every op in the document's state. A document that was
    /// closed waits for nothing.
    pub fn is_settled(&self, key: DocKey) -> bool {
        self.docs.get(key).is_none_or(|doc| doc.settled && doc.replica.pending().next().is_none())
    }

    /// The document's replica, for the calls that bracket the application of a change.
    pub fn replica_mut(&mut self, key: DocKey) -> Option<&mut Replica> {
        self.docs.get_mut(key).map(|doc| &mut doc.replica)
    }

    /// Takes an op that the owner is about to apply; [`Tab::flush`] sends it.
    ///
    /// # Errors
    /// As [`Replica::submit`].
    pub fn submit(
        &mut self,
        key: DocKey,
        op: Op,
        options: SubmitOptions,
        token: Token,
    ) -> Result<(), Error> {
        match self.docs.get_mut(key) {
            Some(doc) => doc.replica.submit(op, options, token, &*self.types),
            None => Err(Error::new(codes::CLOSED, "the document was destroyed")),
        }
    }

    /// Takes a document's state that the owner had by other means.
    ///
    /// # Errors
    /// As [`Replica::ingest`].
    pub fn ingest(&mut self, key: DocKey, snapshot: Snapshot, now: Millis) -> Result<(), Error> {
        let Some(doc) = self.docs.get_mut(key) else { return Ok(()) };
        doc.replica.ingest(&snapshot, &*self.types)?;
        let doc = doc.id.clone();
        self.transmit(Message::DocIngest(DocIngest { doc, snapshot }), now);
        Ok(())
    }

    /// Holds a document's ops back, or lets them go again: then the server gets them one by one, so
    /// that the owner can hold the rest back once more when it hears of the first.
    pub fn set_paused(&mut self, key: DocKey, paused: bool) {
        if let Some(doc) = self.docs.get_mut(key) {
            doc.paused = paused;
            doc.one_by_one |= paused;
        }
    }

    /// Sends the document's ops that wait, unless some are inflight.
    pub fn flush(&mut self, key: DocKey, now: Millis) {
        if !self.joined {
            return;
        }
        let Some(doc) = self.docs.get_mut(key).filter(|doc| !doc.paused) else { return };
        let batch = doc.replica.take_batch(doc.one_by_one, &mut self.next_op_id);
        doc.one_by_one &= doc.replica.has_unsent();
        if let Some((base_rev, ops)) = batch {
            doc.told(base_rev);
            let doc = doc.id.clone();
            let sent = ops.iter().map(|op| op.op.clone()).collect();
            self.events.push_back(TabEvent::Sent { doc: key, ops: sent });
            self.transmit(Message::DocSubmit(DocSubmit { doc, base_rev, ops }), now);
        }
    }

    /// As [`Tab::flush`], without waiting for the server where a pause made ops go one by one.
    pub fn write(&mut self, key: DocKey, now: Millis) {
        if let Some(doc) = self.docs.get_mut(key).filter(|doc| !doc.paused) {
            doc.one_by_one = false;
        }
        self.flush(key, now);
    }

    /// Sends ops by itself, as soon as those before have their place, or only in [`Tab::flush`].
    pub fn set_auto_flush(&mut self, auto: bool, now: Millis) {
        self.manual = !auto;
        self.flush_all(now);
    }

    /// Whether ops are sent without [`Tab::flush`].
    pub fn is_auto_flush(&self) -> bool {
        !self.manual
    }

    fn auto_flush(&mut self, key: DocKey, now: Millis) {
        if !self.manual {
            self.flush(key, now);
        }
    }

    /// Whether the hub has every op of the document. One that was closed waits for nothing.
    pub fn is_sequenced(&self, key: DocKey) -> bool {
        self.docs.get(key).is_none_or(|doc| doc.replica.is_sequenced())
    }

    /// Gives up a document's state after an op could not be applied; returns what was dropped.
    /// The owner must [`Tab::fetch`] it anew.
    pub fn roll_back(&mut self, key: DocKey) -> Vec<Token> {
        self.changes.retain(|change| change.doc != key);
        self.docs.get_mut(key).map(|doc| doc.replica.roll_back()).unwrap_or_default()
    }

    // What the hub says

    fn handle(&mut self, message: Message, now: Millis) {
        match message {
            Message::Callback(Callback { request, error }) => {
                match self.outstanding.remove(&request) {
                    Some(Message::Query(_)) => {
                        // The hub did not answer in time.
                        self.transmit(Message::QueryEnd(QueryEnd { request }), now);
                        let ready = QueryReady { request, results: None, extra: None, error };
                        self.events.push_back(TabEvent::QueryReady(ready));
                    }
                    Some(_) => self.events.push_back(TabEvent::Callback { request, error }),
                    None => {}
                }
            }
            Message::ConnectionEvent(event) => self.events.push_back(TabEvent::State(event)),
            Message::ConnectionFailed(failed) => {
                self.events.push_back(TabEvent::ConnectionFailed(failed));
            }
            Message::ConnectionTabs(tabs) => self.events.push_back(TabEvent::Tabs(tabs.tabs)),
            Message::QueryDocs(QueryDocs { docs }) => {
                self.events.push_back(TabEvent::QueryDocs(docs));
            }
            Message::QueryReady(ready) => self.query_ready(ready),
            Message::QueryChange(change) => self.events.push_back(TabEvent::QueryChange(change)),
            Message::QueryExtra(extra) => self.events.push_back(TabEvent::QueryExtra(extra)),
            Message::QueryFailed(failed) => self.events.push_back(TabEvent::QueryFailed(failed)),
            Message::Receive(Relayed { message }) => {
                self.events.push_back(TabEvent::Receive(message));
            }
            Message::DocLoad(load) => self.load(load, now),
            Message::DocChange(change) => self.queue_changes(change),
            Message::DocSequenced(sequenced) => {
                let Some((key, doc)) = self.docs.find(&sequenced.doc) else { return };
                match doc.replica.sequenced(sequenced.rev, sequenced.op_id) {
                    Ok(()) => {
                        self.auto_flush(key, now);
                        self.events.push_back(TabEvent::Sequenced { doc: key });
                    }
                    Err(error) => self.lose_state(key, error, Vec::new()),
                }
            }
            Message::DocCommitted(committed) => {
                let Some((key, doc)) = self.docs.find(&committed.doc) else { return };
                let (tokens, misplaced) =
                    doc.replica.committed(&committed.op_ids, committed.version);
                doc.settled = committed.settled;
                let error = committed.error;
                self.events.push_back(TabEvent::Settled { doc: key, tokens, error });
                self.answered.push_back(key);
                if misplaced {
                    self.lose_state(key, state_lost(), Vec::new());
                }
            }
            Message::DocRejected(rejected) => self.reject(rejected),
            Message::DocEvent(DocEvent { doc, error }) => {
                let Some((key, _)) = self.docs.find(&doc) else { return };
                self.events.push_back(TabEvent::DocError { doc: key, error });
            }
            Message::Working(_) | Message::Welcome(_) | Message::Refusal(_) => {}
            other => {
                let message = format!("a hub sent what only tabs send: {other:?}");
                self.events.push_back(TabEvent::Fault(Error::new(codes::BAD_FRAME, message)));
            }
        }
    }

    fn query_ready(&mut self, ready: QueryReady) {
        let lives = |message: &Message| match message {
            Message::Query(query) => query.spec.subscribe && ready.error.is_none(),
            _ => false,
        };
        if self.outstanding.get(&ready.request).is_some_and(|message| !lives(message)) {
            self.outstanding.remove(&ready.request);
        }
        self.events.push_back(TabEvent::QueryReady(ready));
    }

    fn load(&mut self, load: DocLoad, now: Millis) {
        let Some((key, doc)) = self.docs.find(&load.doc) else { return };
        doc.told(Some(load.rev));
        doc.settled = load.settled;
        match doc.replica.load(load.rev, &load.snapshot, &*self.types) {
            Ok(Loaded::Kept) => {
                self.events.push_back(TabEvent::Settled { doc: key, tokens: vec![], error: None });
            }
            Ok(Loaded::Taken(dropped)) => {
                let snapshot = load.snapshot;
                self.events.push_back(TabEvent::Load { doc: key, snapshot, dropped });
            }
            Err(error) => self.events.push_back(TabEvent::DocError { doc: key, error }),
        }
        self.auto_flush(key, now);
    }

    fn queue_changes(&mut self, change: DocChange) {
        let Some((key, doc)) = self.docs.find(&change.doc) else { return };
        let coalesce = change.coalesced && doc.replica.is_sequenced();
        let steps = change.changes.len() as u64;
        let first = change.rev.saturating_sub(steps);
        let mut queue: Vec<QueuedChange> = Vec::with_capacity(change.changes.len());
        let settled = change.settled;
        for (rev, change) in (first..).zip(change.changes) {
            let next = QueuedChange { doc: key, from: rev, to: rev + 1, change, settled };
            let composed = coalesce
                && queue.last_mut().is_some_and(|last| last.compose(&next, doc.replica.ty()));
            if !composed {
                queue.push(next);
            }
        }
        self.changes.extend(queue);
    }

    fn change(&mut self, queued: QueuedChange, now: Millis) {
        let QueuedChange { doc: key, from, to, change, settled } = queued;
        let Some(doc) = self.docs.get_mut(key) else { return };
        let Some(held) = doc.replica.rev() else { return };
        if to <= held {
            return;
        }
        let src = change.src.clone();
        let result = if from == held {
            doc.replica.change(to, change, &*self.types)
        } else {
            let message = format!("change {to} of {} came after change {held}", doc.id);
            Err(Error::new(codes::BAD_FRAME, message))
        };
        match result {
            Ok(op) => {
                doc.settled = settled;
                self.events.push_back(TabEvent::Apply { doc: key, op, src });
                if let Some(rev) = doc.seen() {
                    let doc = doc.id.clone();
                    self.transmit(Message::DocSeen(DocSeen { doc, rev }), now);
                }
            }
            Err(error) => self.lose_state(key, error, Vec::new()),
        }
    }

    fn lose_state(&mut self, key: DocKey, error: Error, mut dropped: Vec<Token>) {
        dropped.extend(self.roll_back(key));
        self.events.push_back(TabEvent::RolledBack { doc: key, error, dropped });
    }

    fn reject(&mut self, rejected: DocRejected) {
        let Some((key, doc)) = self.docs.find(&rejected.doc) else { return };
        let (tokens, contained) = doc.replica.rejected(&rejected.op_ids);
        let error = rejected.error;
        if contained {
            self.lose_state(key, error, tokens);
        } else {
            self.events.push_back(TabEvent::Settled { doc: key, tokens, error: Some(error) });
            self.answered.push_back(key);
        }
    }
}

fn build_stack(
    settings: &TabSettings,
    session: u64,
) -> Result<Stack<Message>, tabmux_middleware::ConfigError> {
    let environment = Environment {
        seed: settings.seed.wrapping_add(session),
        tracer: settings.tracer.as_ref().map(|tracer| tracer()),
    };
    Stack::build(&settings.layers, &settings.guarantees, environment)
}
