//! The hub's upstream and the client beside the hub, and their links to the server.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use rand::RngExt;
use serde_json::json;

use tabmux::hub::{Head, UpstreamEvent};
use tabmux::ot::{Create, Op, Origin};
use tabmux::protocol::DocId;
use tabmux::transports::{Faults, FaultyLink};
use tabmux::{Payload, to_value};

use super::client::Client;
use super::server::{AgentId, Committed, Reply, Request, Server};
use super::tab::Common;
use super::world::World;
use crate::support::Registry;

/// A client and its link to the server.
pub struct Party {
    pub client: Rc<RefCell<Client>>,
    socket: Option<Socket>,
    reconnect_at: Option<u64>,
    /// What the server has said since it spoke of documents that the hub has to read first.
    held: VecDeque<Reply>,
}

struct Socket {
    agent: AgentId,
    up: FaultyLink<Request>,
    down: FaultyLink<Reply>,
}

impl Party {
    pub(super) fn new(client: Client) -> Self {
        let client = Rc::new(RefCell::new(client));
        Party { client, socket: None, reconnect_at: None, held: VecDeque::new() }
    }

    fn connect(&mut self, server: &mut Server, delay: u64, common: &mut Common) {
        self.reconnect_at = None;
        if self.socket.is_some() {
            return;
        }
        let mut client = self.client.borrow_mut();
        common.trace(|| format!("{} connects", client.src()));
        let faults = Faults { delay: 0..=delay, ..Faults::default() };
        let mut seed = || common.rng.random();
        let (up, down) =
            (FaultyLink::new(seed(), faults.clone()), FaultyLink::new(seed(), faults.clone()));
        self.socket = Some(Socket { agent: server.connect(client.src()), up, down });
        client.set_connected(true);
    }

    pub(super) fn disconnect(
        &mut self,
        server: &mut Server,
        again: Option<u64>,
        common: &mut Common,
    ) {
        let Some(socket) = self.socket.take() else { return };
        self.held.clear();
        let mut client = self.client.borrow_mut();
        common.trace(|| format!("{} loses its connection", client.src()));
        server.disconnect(socket.agent);
        client.set_connected(false);
        self.reconnect_at = again.map(|after| common.now + after);
    }

    pub(super) fn send(&mut self, now: u64) {
        while let Some(request) = self.client.borrow_mut().poll_request() {
            if let Some(socket) = &mut self.socket {
                socket.up.send(now, request);
            }
        }
    }

    pub(super) fn poll_event(&mut self) -> Option<(UpstreamEvent, Option<Head>)> {
        self.client.borrow_mut().poll_event()
    }

    fn receive(&mut self, reply: Reply, server: &mut Server) {
        let mut client = self.client.borrow_mut();
        client.receive(reply);
        for (op, undone_in) in client.take_misled() {
            server.misjudged.push(op);
            server.astray.extend(undone_in);
        }
    }

    fn receive_at_server(&mut self, now: u64) -> Vec<Request> {
        self.socket.as_mut().map(|socket| socket.up.receive(now)).unwrap_or_default()
    }

    fn receive_at_client(&mut self, now: u64) -> Vec<Reply> {
        self.socket.as_mut().map(|socket| socket.down.receive(now)).unwrap_or_default()
    }

    fn is_due(&self, now: u64) -> bool {
        self.reconnect_at.is_some_and(|at| at <= now)
    }

    pub(super) fn next_time(&self) -> impl Iterator<Item = u64> {
        let socket = self.socket.as_ref();
        let arrivals = socket.map(|socket| [socket.up.next_arrival(), socket.down.next_arrival()]);
        arrivals.into_iter().flatten().flatten().chain(self.reconnect_at)
    }
}

impl World {
    /// Creates a document on the server before the simulation begins.
    pub fn seed_doc(&mut self, id: &DocId, type_name: &str) {
        let (token, marker) = self.common.ledger.submit("before", id, true);
        self.common.ledger.answer(token, None);
        let data = Registry::find(type_name).map(|ty| Payload(ty.create(marker)));
        let create = Create { type_name: type_name.to_owned(), data, snapshot: false };
        let doc = self.server.doc(id);
        let op = Op::Create(create);
        doc.copy.apply(&op).expect("a creation always fits");
        doc.log.push(Committed { version: 0, src: "before".to_owned(), seq: token, op });
    }

    pub fn connect_upstream(&mut self) {
        self.upstream.connect(&mut self.server, self.setup.server_delay, &mut self.common);
        self.run_hub();
    }

    pub fn connect_outside(&mut self) {
        self.outside.connect(&mut self.server, self.setup.server_delay, &mut self.common);
        self.run_outside();
    }

    /// Cuts the upstream's socket; what is on its way is lost.
    pub fn disconnect_upstream(&mut self, reconnect_after: Option<u64>) {
        self.upstream.disconnect(&mut self.server, reconnect_after, &mut self.common);
        self.hand_out();
        self.run_hub();
    }

    pub fn disconnect_outside(&mut self, reconnect_after: Option<u64>) {
        self.outside.disconnect(&mut self.server, reconnect_after, &mut self.common);
        self.hand_out();
        self.run_outside();
    }

    /// The client beside the hub shows itself on a channel, or leaves it.
    pub fn show_outside(&mut self, channel: &str) {
        let value = json!(self.common.rng.random::<u32>());
        self.common.trace(|| format!("outside shows {value} on {channel}"));
        self.outside_presences.set(channel, value);
        self.run_outside();
    }

    pub fn end_presence_outside(&mut self, channel: &str) {
        self.common.trace(|| format!("outside leaves {channel}"));
        self.outside_presences.end(channel);
        self.run_outside();
    }

    pub fn listen_outside(&mut self, channel: &str) {
        self.outside_presences.subscribe(channel);
        self.run_outside();
    }

    pub fn subscribe_outside(&mut self, id: &DocId) {
        self.outside.client.borrow_mut().subscribe(id);
        self.run_outside();
    }

    pub fn edit_outside(&mut self, id: &DocId) {
        let copy = self.outside.client.borrow().copy(id);
        let (Some(ty), Some(data)) = (copy.ty(), copy.data) else { return };
        let (token, marker) = self.common.ledger.submit("outside", id, true);
        let op = Op::Edit(Payload(ty.edit(&data, marker, &mut self.common.rng)));
        self.submit_outside(id, op, token);
    }

    /// Deletes the document; or creates it, if there is none.
    pub fn create_or_delete_outside(&mut self, id: &DocId, type_name: &str) {
        if self.outside.client.borrow().is_reloading(id) {
            return;
        }
        let exists = self.outside.client.borrow().copy(id).type_name.is_some();
        let (token, marker) = self.common.ledger.submit("outside", id, !exists);
        let op = if exists {
            Op::Del
        } else {
            let data = Registry::find(type_name).map(|ty| Payload(ty.create(marker)));
            Op::Create(Create { type_name: type_name.to_owned(), data, snapshot: false })
        };
        self.submit_outside(id, op, token);
    }

    fn submit_outside(&mut self, id: &DocId, op: Op, token: u64) {
        self.common.trace(|| format!("outside submits {token} on {id}: {}", to_value(&op)));
        let origin = Origin { tab: "outside".to_owned(), op_id: token };
        let result = self.outside.client.borrow_mut().submit(id, op, true, origin);
        if let Err(error) = result {
            self.common.ledger.answer(token, Some(&error));
        }
        self.run_outside();
    }

    pub(super) fn run_outside(&mut self) {
        let client = Rc::clone(&self.outside.client);
        client.borrow_mut().end_turn();
        while let Some((event, _)) = client.borrow_mut().poll_event() {
            self.common.trace(|| format!("outside is told {event:?}"));
            let presences = &mut self.outside_presences;
            match event {
                UpstreamEvent::Answered(_, origin, error) => {
                    self.common.ledger.answer(origin.op_id, error.as_ref());
                }
                UpstreamEvent::State(state) => presences.set_can_send(state.state == "connected"),
                UpstreamEvent::Message(message) => presences.receive(&message.0),
                _ => {}
            }
        }
        while let Some(message) = self.outside_presences.poll() {
            client.borrow_mut().send(message);
        }
        self.outside.send(self.common.now);
    }

    /// Sends the clients what the server has for them.
    pub(super) fn hand_out(&mut self) {
        for (agent, reply) in std::mem::take(&mut self.server.out) {
            for party in [&mut self.upstream, &mut self.outside] {
                if let Some(socket) = party.socket.as_mut().filter(|socket| socket.agent == agent) {
                    socket.down.send(self.common.now, reply.clone());
                }
            }
        }
    }

    /// Gives the upstream what waits until the hub has read the documents that it speaks of.
    pub(super) fn take_held(&mut self) -> bool {
        let Some(found) = self.upstream.held.front().map(|it| it.found().cloned().collect()) else {
            return false;
        };
        let is_at_hand = self.hub.has_at_hand(found, self.common.now);
        if is_at_hand && let Some(reply) = self.upstream.held.pop_front() {
            self.upstream.receive(reply, &mut self.server);
        }
        is_at_hand
    }

    /// Moves what is between the clients and the server.
    pub(super) fn serve(&mut self) {
        let Common { now, rng, trace, .. } = &mut self.common;
        for party in [&mut self.upstream, &mut self.outside] {
            for request in party.receive_at_server(*now) {
                if trace.wanted {
                    let src = party.client.borrow().src().to_owned();
                    trace.lines.push(format!("{now:>6} the server gets from {src} {request:?}"));
                }
                let agent = party.socket.as_ref().expect("it just sent").agent;
                self.server.receive(agent, request, rng);
            }
        }
        self.hand_out();
        // What arrives at once, the upstream may know before the hub is told of the first of it.
        let replies = self.upstream.receive_at_client(self.common.now);
        let at_once = self.common.rng.random_bool(0.5)
            && replies.iter().all(|it| matches!(it, Reply::Op { .. } | Reply::Subscribed { .. }));
        for reply in replies {
            self.common.trace(|| format!("upstream gets {reply:?}"));
            if self.upstream.held.is_empty() && reply.found().next().is_none() {
                self.upstream.receive(reply, &mut self.server);
            } else {
                self.upstream.held.push_back(reply);
            }
            if !at_once {
                self.run_hub();
            }
        }
        self.run_hub();
        for reply in self.outside.receive_at_client(self.common.now) {
            self.common.trace(|| format!("outside gets {reply:?}"));
            self.outside.receive(reply, &mut self.server);
            self.run_outside();
        }
        if self.upstream.is_due(self.common.now) {
            self.connect_upstream();
        }
        if self.outside.is_due(self.common.now) {
            self.connect_outside();
        }
    }
}
