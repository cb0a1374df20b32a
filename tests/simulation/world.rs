//! Everything there is in a simulation: a server, a hub, tabs, a client beside the hub, the links
//! between them, and one clock.

use std::cell::RefCell;
use std::rc::Rc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use tabmux::codecs::Limits;
use tabmux::hub::{Hub, HubEvent, HubSettings, PeerId};
use tabmux::middleware::LayerConfig;
use tabmux::ot::{Op, Origin};
use tabmux::protocol::DocId;
use tabmux::transports::{Faults, Frame, FrameKind, Guarantees, Link};
use tabmux::{Error, Payload};

use super::client::{Client, Shared};
use super::ledger::Ledger;
use super::server::{AgentId, Committed, Reply, Request, Server};
use super::tab::{Common, TabDriver, Trace};
use crate::support::Registry;

/// How long the hub keeps what no tab wants.
pub const LINGER: u64 = 1000;

/// How the tabs reach the hub.
#[derive(Clone)]
pub struct Setup {
    pub faults: Faults,
    pub layers: Vec<LayerConfig>,
    /// How long a message between a client and the server travels.
    pub server_delay: u64,
    /// A tab's timers run at multiples of this.
    pub timer_step: u64,
    /// How many ops listeners submit while changes are applied.
    pub reentrant_edits: u32,
}

pub fn guarantees(faults: &Faults) -> Guarantees {
    Guarantees {
        ordered: faults.reordering == 0.0,
        reliable: faults.loss == 0.0 && faults.duplication == 0.0,
        carries: vec![FrameKind::Text],
        addressed: false,
    }
}

/// A transport between a tab and the hub.
struct Wire {
    peer: PeerId,
    up: Link<Frame>,
    down: Link<Frame>,
}

struct Seat {
    driver: TabDriver,
    wire: Wire,
    /// Nothing of the tab runs until then.
    frozen_until: u64,
}

impl Seat {
    /// When the tab's timer runs.
    fn due(&self, timer_step: u64) -> Option<u64> {
        let deadline = self.driver.tab.deadline()?;
        Some(deadline.next_multiple_of(timer_step).max(self.frozen_until))
    }
}

/// A client and its link to the server.
pub struct Party {
    pub client: Rc<RefCell<Client>>,
    socket: Option<Socket>,
    reconnect_at: Option<u64>,
}

struct Socket {
    agent: AgentId,
    up: Link<Request>,
    down: Link<Reply>,
}

pub struct World {
    pub setup: Setup,
    pub common: Common,
    pub server: Server,
    pub hub: Hub,
    pub upstream: Party,
    pub outside: Party,
    /// What the hub said of frames it dropped.
    pub faults: Vec<Error>,
    /// The tabs that left or vanished.
    pub gone: Vec<String>,
    epoch: u64,
    next_tab: u32,
    tabs: Vec<Seat>,
    /// Transports that their tabs gave up; what was sent on them still arrives.
    old_wires: Vec<Wire>,
    /// Tabs whose end the hub will be told of.
    ends: Vec<(u64, String)>,
    steps: u32,
}

/// How many steps a simulation takes at most.
const STEPS: u32 = 100_000;

impl World {
    pub fn new(seed: u64, setup: Setup, trace: bool) -> Self {
        let common = Common {
            now: 0,
            rng: ChaCha8Rng::seed_from_u64(seed),
            ledger: Ledger::default(),
            trace: Trace { wanted: trace, lines: Vec::new() },
            reentrant_edits: setup.reentrant_edits,
        };
        let upstream = Party::new("upstream-1");
        let hub = new_hub(1, &upstream);
        let mut world = World {
            setup,
            common,
            server: Server::default(),
            hub,
            upstream,
            outside: Party::new("outside"),
            faults: Vec::new(),
            gone: Vec::new(),
            epoch: 1,
            next_tab: 0,
            tabs: Vec::new(),
            old_wires: Vec::new(),
            ends: Vec::new(),
            steps: 0,
        };
        world.connect_upstream();
        world.connect_outside();
        world
    }

    pub fn now(&self) -> u64 {
        self.common.now
    }

    // Tabs

    /// A new tab, which attaches to the hub. Returns its place.
    pub fn add_tab(&mut self) -> usize {
        self.next_tab += 1;
        let id = format!("tab-{}", self.next_tab);
        let guarantees = guarantees(&self.setup.faults);
        let seed = self.common.rng.random();
        let driver = TabDriver::new(&id, &self.setup.layers, &guarantees, seed);
        let wire = self.new_wire();
        self.tabs.push(Seat { driver, wire, frozen_until: 0 });
        let at = self.tabs.len() - 1;
        self.attach(at);
        at
    }

    fn new_wire(&mut self) -> Wire {
        let peer = self.hub.connect(guarantees(&self.setup.faults));
        let mut link = || Link::new(self.common.rng.random(), self.setup.faults.clone());
        Wire { peer, up: link(), down: link() }
    }

    pub fn tab_count(&self) -> usize {
        self.tabs.len()
    }

    /// Does something with a tab, and lets it run.
    pub fn tab<T>(&mut self, at: usize, act: impl FnOnce(&mut TabDriver, &mut Common) -> T) -> T {
        let result = act(&mut self.tabs[at].driver, &mut self.common);
        self.run_tab(at);
        result
    }

    pub fn driver(&self, at: usize) -> &TabDriver {
        &self.tabs[at].driver
    }

    pub fn attach(&mut self, at: usize) {
        self.tab(at, |driver, common| {
            common.trace(|| format!("{} attaches", driver.id));
            driver.tab.attach(common.now);
        });
    }

    pub fn detach(&mut self, at: usize) {
        self.tab(at, |driver, common| {
            common.trace(|| format!("{} detaches", driver.id));
            driver.tab.detach();
        });
    }

    /// Gives the tab another transport.
    pub fn rewire(&mut self, at: usize) {
        let wire = self.new_wire();
        self.old_wires.push(std::mem::replace(&mut self.tabs[at].wire, wire));
    }

    pub fn freeze(&mut self, at: usize, until: u64) {
        let id = &self.tabs[at].driver.id;
        self.common.trace(|| format!("{id} is frozen until {until}"));
        self.tabs[at].frozen_until = until;
    }

    /// The tab says goodbye, or vanishes; the hub is told of its end a little later.
    pub fn remove_tab(&mut self, at: usize, says_bye: bool, noticed_after: u64) {
        if says_bye {
            self.tab(at, |driver, common| driver.tab.leave(common.now));
        }
        let Seat { driver, wire, .. } = self.tabs.remove(at);
        self.common.trace(|| format!("{} is gone", driver.id));
        self.old_wires.push(wire);
        self.ends.push((self.now() + noticed_after, driver.id.clone()));
        self.gone.push(driver.id);
    }

    fn run_tab(&mut self, at: usize) {
        let seat = &mut self.tabs[at];
        if seat.frozen_until <= self.common.now {
            for frame in seat.driver.run(&mut self.common) {
                self.common.trace(|| format!("{} sends {}", seat.driver.id, text(&frame)));
                seat.wire.up.send(self.common.now, frame);
            }
        }
    }

    // Clients and the server

    /// Creates a document on the server before the simulation begins.
    pub fn seed_doc(&mut self, id: &DocId, type_name: &str) {
        let (token, marker) = self.common.ledger.submit("before", id, true);
        self.common.ledger.answer(token, None);
        let data = Registry::find(type_name).map(|ty| Payload(ty.create(marker)));
        let create = tabmux::ot::Create { type_name: type_name.to_owned(), data, snapshot: false };
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
        self.run_hub();
    }

    pub fn disconnect_outside(&mut self, reconnect_after: Option<u64>) {
        self.outside.disconnect(&mut self.server, reconnect_after, &mut self.common);
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
        let exists = self.outside.client.borrow().copy(id).type_name.is_some();
        let (token, marker) = self.common.ledger.submit("outside", id, !exists);
        let op = if exists {
            Op::Del
        } else {
            let data = Registry::find(type_name).map(|ty| Payload(ty.create(marker)));
            Op::Create(tabmux::ot::Create {
                type_name: type_name.to_owned(),
                data,
                snapshot: false,
            })
        };
        self.submit_outside(id, op, token);
    }

    fn submit_outside(&mut self, id: &DocId, op: Op, token: u64) {
        self.common.trace(|| format!("outside submits {token} on {id}: {}", json!(op)));
        let origin = Origin { tab: "outside".to_owned(), op_id: token };
        let result = self.outside.client.borrow_mut().submit(id, op, true, origin);
        if let Err(error) = result {
            self.common.ledger.answer(token, Some(&error));
        }
        self.run_outside();
    }

    fn run_outside(&mut self) {
        let client = Rc::clone(&self.outside.client);
        client.borrow_mut().end_turn();
        while let Some(event) = client.borrow_mut().poll_event() {
            self.common.trace(|| format!("outside is told {event:?}"));
            if let tabmux::hub::UpstreamEvent::Settled(_, origin, error) = event {
                self.common.ledger.answer(origin.op_id, error.as_ref());
            }
        }
        self.outside.send(self.common.now);
    }

    // The hub

    /// A hub without memory takes the place of the present one, on the same transports.
    pub fn restart_hub(&mut self) {
        self.epoch += 1;
        self.common.trace(|| format!("the hub restarts with epoch {}", self.epoch));
        self.upstream.disconnect(&mut self.server, None, &mut self.common);
        self.upstream = Party::new(&format!("upstream-{}", self.epoch));
        self.hub = new_hub(self.epoch, &self.upstream);
        self.old_wires.clear();
        self.ends.clear();
        for at in 0..self.tabs.len() {
            let peer = self.hub.connect(guarantees(&self.setup.faults));
            self.tabs[at].wire.peer = peer;
        }
        self.connect_upstream();
    }

    fn run_hub(&mut self) {
        let now = self.common.now;
        for _ in 0..10_000 {
            if let Some((peer, frame)) = self.hub.poll_transmit() {
                self.transmit(peer, frame);
            } else if let Some(event) = self.hub.poll_event() {
                self.common.trace(|| format!("the hub says {event:?}"));
                match event {
                    HubEvent::Fault(error) => self.faults.push(error),
                    // The Web Lock of a tab that is gone is free.
                    HubEvent::Joined { tab, .. } if self.gone.contains(&tab) => {
                        self.hub.tab_gone(&tab, now);
                    }
                    _ => {}
                }
            } else if let Some(event) = self.upstream.poll_event() {
                self.common.trace(|| format!("the hub is told {event:?}"));
                self.hub.upstream_event(event, now);
            } else if self.hub.deadline().is_some_and(|at| at <= now) {
                self.hub.wake(now);
            } else if !self.upstream.client.borrow_mut().end_turn() {
                return self.upstream.send(now);
            }
        }
        panic!("the hub never comes to rest: its deadline is {:?}", self.hub.deadline());
    }

    fn transmit(&mut self, peer: PeerId, frame: Frame) {
        let seat = self.tabs.iter_mut().find(|seat| seat.wire.peer == peer);
        if let Some(seat) = seat {
            self.common.trace(|| format!("the hub sends {} {}", seat.driver.id, text(&frame)));
            seat.wire.down.send(self.common.now, frame);
        }
    }

    // Time

    /// When something happens next.
    fn next_time(&self) -> Option<u64> {
        let of_tabs = self.tabs.iter().flat_map(|seat| {
            let arrival = seat.wire.down.next_arrival().map(|at| at.max(seat.frozen_until));
            seat.due(self.setup.timer_step)
                .into_iter()
                .chain(arrival)
                .chain(seat.wire.up.next_arrival())
        });
        let of_wires = self.old_wires.iter().filter_map(|wire| wire.up.next_arrival());
        let of_parties = [&self.upstream, &self.outside].into_iter().flat_map(Party::next_time);
        let of_ends = self.ends.iter().map(|(at, _)| *at);
        of_tabs
            .chain(of_wires)
            .chain(of_parties)
            .chain(of_ends)
            .chain(self.hub.deadline())
            .min()
            .map(|at| at.max(self.now()))
    }

    /// Does what is due next, up to a time. Returns whether there was something.
    fn step(&mut self, until: u64) -> bool {
        let Some(now) = self.next_time().filter(|at| *at <= until) else { return false };
        self.common.now = now;
        self.steps += 1;
        assert!(self.steps < STEPS, "it never comes to rest");
        for end in self.ends.extract_if(.., |(at, _)| *at <= now).collect::<Vec<_>>() {
            self.hub.tab_gone(&end.1, now);
        }
        let mut frames = Vec::new();
        for wire in self.old_wires.iter_mut().chain(self.tabs.iter_mut().map(|seat| &mut seat.wire))
        {
            frames.extend(wire.up.receive(now).into_iter().map(|frame| (wire.peer, frame)));
        }
        for (peer, frame) in frames {
            self.hub.receive(peer, frame, now);
            self.run_hub();
        }
        for at in 0..self.tabs.len() {
            let seat = &mut self.tabs[at];
            if seat.frozen_until > now {
                continue;
            }
            for frame in seat.wire.down.receive(now) {
                self.tabs[at].driver.tab.receive(frame, now);
                self.run_tab(at);
            }
            if self.tabs[at].due(self.setup.timer_step).is_some_and(|at| at <= now) {
                self.run_tab(at);
            }
        }
        self.serve();
        self.run_hub();
        self.run_outside();
        true
    }

    /// Moves what is between the clients and the server.
    fn serve(&mut self) {
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
        for (agent, reply) in std::mem::take(&mut self.server.out) {
            for party in [&mut self.upstream, &mut self.outside] {
                if let Some(socket) = party.socket.as_mut().filter(|socket| socket.agent == agent) {
                    socket.down.send(*now, reply.clone());
                }
            }
        }
        for reply in self.upstream.receive_at_client(self.common.now) {
            self.common.trace(|| format!("upstream gets {reply:?}"));
            self.upstream.client.borrow_mut().receive(reply);
            self.run_hub();
        }
        for reply in self.outside.receive_at_client(self.common.now) {
            self.common.trace(|| format!("outside gets {reply:?}"));
            self.outside.client.borrow_mut().receive(reply);
            self.run_outside();
        }
        if self.upstream.is_due(self.common.now) {
            self.connect_upstream();
        }
        if self.outside.is_due(self.common.now) {
            self.connect_outside();
        }
    }

    pub fn run_until(&mut self, time: u64) {
        while self.step(time) {}
        self.common.now = time;
    }

    pub fn run_for(&mut self, span: u64) {
        self.run_until(self.now() + span);
    }

    /// Runs until nothing is on its way and nobody waits for a time.
    pub fn settle(&mut self) {
        let limit = self.now() + 10 * 60_000;
        while self.step(limit) {}
        assert_eq!(self.next_time(), None, "it never comes to rest");
    }

    /// From now on nobody is frozen, throttled, refused or disturbed; the links stay as they are.
    pub fn calm_down(&mut self) {
        self.setup.timer_step = 1;
        self.server.refusals = 0.0;
        for at in 0..self.tabs.len() {
            self.tabs[at].frozen_until = 0;
            self.run_tab(at);
        }
        self.connect_upstream();
        self.connect_outside();
    }
}

fn text(frame: &Frame) -> &str {
    match frame {
        Frame::Text(text) => text,
        _ => "no text",
    }
}

fn new_hub(epoch: u64, upstream: &Party) -> Hub {
    let settings = HubSettings {
        identity: "someone".to_owned(),
        epoch,
        linger: LINGER,
        limits: Limits::default(),
        seed: epoch,
    };
    Hub::new(settings, Rc::new(Registry), Box::new(Shared(Rc::clone(&upstream.client))))
}

impl Party {
    fn new(src: &str) -> Self {
        let client = Rc::new(RefCell::new(Client::new(src)));
        Party { client, socket: None, reconnect_at: None }
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
        let (up, down) = (Link::new(seed(), faults.clone()), Link::new(seed(), faults.clone()));
        self.socket = Some(Socket { agent: server.connect(client.src()), up, down });
        client.set_connected(true);
    }

    fn disconnect(&mut self, server: &mut Server, again: Option<u64>, common: &mut Common) {
        let Some(socket) = self.socket.take() else { return };
        let mut client = self.client.borrow_mut();
        common.trace(|| format!("{} loses its connection", client.src()));
        server.disconnect(socket.agent);
        client.set_connected(false);
        self.reconnect_at = again.map(|after| common.now + after);
    }

    fn send(&mut self, now: u64) {
        while let Some(request) = self.client.borrow_mut().poll_request() {
            if let Some(socket) = &mut self.socket {
                socket.up.send(now, request);
            }
        }
    }

    fn poll_event(&mut self) -> Option<tabmux::hub::UpstreamEvent> {
        self.client.borrow_mut().poll_event()
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

    fn next_time(&self) -> impl Iterator<Item = u64> {
        let socket = self.socket.as_ref();
        let arrivals = socket.map(|socket| [socket.up.next_arrival(), socket.down.next_arrival()]);
        arrivals.into_iter().flatten().flatten().chain(self.reconnect_at)
    }
}
