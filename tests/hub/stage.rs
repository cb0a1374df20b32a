//! A hub, its tabs and a scripted upstream; nothing is lost or late.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;
use tabmux::codecs::{Json, Limits};
use tabmux::hub::{Hub, HubEvent, HubSettings, PeerId};
use tabmux::middleware::defaults;
use tabmux::ot::{Create, Op, SubmitOptions, TypeHandle, Types};
use tabmux::protocol::DocId;
use tabmux::tab::{DocKey, Tab, TabEvent, TabSettings};
use tabmux::transports::{Frame, FrameKind, Guarantees};
use tabmux::{Error, Payload};

use crate::support::{Copy, Registry, Text};
use crate::upstream::{Script, Scripted};

pub const LINGER: u64 = 1000;

pub fn doc(id: &str) -> DocId {
    DocId::new("docs", id)
}

/// A party that knows no type.
pub struct NoTypes;

impl Types for NoTypes {
    fn get(&self, _name: &str) -> Option<TypeHandle> {
        None
    }
}

/// A tab, the data of its documents, and what it was told.
pub struct Seat {
    pub tab: Tab,
    pub peer: PeerId,
    pub copies: BTreeMap<DocKey, Copy>,
    pub events: Vec<TabEvent>,
    last_token: u64,
}

pub struct Stage {
    pub hub: Hub,
    pub script: Rc<RefCell<Script>>,
    pub seats: Vec<Seat>,
    /// What the hub said of frames it dropped.
    pub faults: Vec<Error>,
    pub now: u64,
}

fn guarantees() -> Guarantees {
    Guarantees { ordered: true, reliable: true, carries: vec![FrameKind::Text], addressed: false }
}

pub fn settings(id: &str) -> TabSettings {
    TabSettings {
        id: id.to_owned(),
        identity: "someone".to_owned(),
        options: None,
        codec: Rc::new(Json::new(Limits::default())),
        layers: defaults(&guarantees()),
        guarantees: guarantees(),
        seed: 1,
        tracer: None,
    }
}

impl Stage {
    /// A hub that is connected to its server, and so many tabs, which are `tab-0` and so on.
    pub fn new(tabs: usize) -> Self {
        Stage::with_types(tabs, Rc::new(Registry))
    }

    /// As `new`, with the types that the hub knows.
    pub fn with_types(tabs: usize, types: Rc<dyn Types>) -> Self {
        let script = Rc::new(RefCell::new(Script::default()));
        script.borrow_mut().connection("connected");
        let settings = HubSettings {
            identity: "someone".to_owned(),
            epoch: 1,
            lineage: "first".to_owned(),
            stored: None,
            linger: LINGER,
            limits: Limits::default(),
            seed: 1,
        };
        let hub = Hub::new(settings, types, Box::new(Scripted(Rc::clone(&script))));
        let mut stage = Stage { hub, script, seats: Vec::new(), faults: Vec::new(), now: 0 };
        for at in 0..tabs {
            stage.join(self::settings(&format!("tab-{at}")));
        }
        stage
    }

    /// A tab attaches to the hub. Returns its place.
    pub fn join(&mut self, settings: TabSettings) -> usize {
        self.join_with_types(settings, Rc::new(Registry))
    }

    pub fn join_with_types(&mut self, settings: TabSettings, types: Rc<dyn Types>) -> usize {
        let mut tab = Tab::new(settings, types).expect("the layers fit");
        tab.attach(self.now);
        let peer = self.hub.connect(guarantees());
        let (copies, events) = (BTreeMap::new(), Vec::new());
        self.seats.push(Seat { tab, peer, copies, events, last_token: 0 });
        self.settle();
        self.seats.len() - 1
    }

    /// The tab takes another transport.
    pub fn rejoin(&mut self, at: usize) {
        self.seats[at].peer = self.hub.connect(guarantees());
        self.seats[at].tab.attach(self.now);
        self.settle();
    }

    /// The server has a text.
    pub fn seed(&self, id: &DocId, text: &str) {
        let copy = Copy { type_name: Some(Text::URI.to_owned()), data: Some(text.into()) };
        self.script.borrow_mut().server.insert(id.clone(), (1, copy));
    }

    /// Another client changes a document to which the hub is subscribed.
    pub fn edit_outside(&mut self, id: &DocId, op: Value) {
        self.script.borrow_mut().edit(id, Op::Edit(Payload(op)));
        self.settle();
    }

    /// Does something with a tab, and lets everyone hear of it.
    pub fn tab<T>(&mut self, at: usize, act: impl FnOnce(&mut Tab, u64) -> T) -> T {
        let result = act(&mut self.seats[at].tab, self.now);
        self.settle();
        result
    }

    pub fn open(&mut self, at: usize, id: &DocId) -> DocKey {
        self.seats[at].tab.open(id.clone())
    }

    pub fn subscribe(&mut self, at: usize, id: &DocId) -> u64 {
        let key = self.open(at, id);
        self.tab(at, |tab, now| tab.subscribe(key, now)).expect("it is open")
    }

    pub fn fetch(&mut self, at: usize, id: &DocId) -> u64 {
        let key = self.open(at, id);
        self.tab(at, |tab, now| tab.fetch(key, false, now)).expect("it is open")
    }

    /// Submits an op without sending it yet. Returns its token, or why the tab refused it.
    pub fn submit(&mut self, at: usize, id: &DocId, op: Op) -> Result<u64, Error> {
        let key = self.open(at, id);
        let seat = &mut self.seats[at];
        seat.last_token += 1;
        seat.tab.submit(key, op.clone(), SubmitOptions::default(), seat.last_token)?;
        seat.copies.entry(key).or_default().apply(&op)?;
        Ok(seat.last_token)
    }

    /// Sends what the tab has submitted.
    pub fn flush(&mut self, at: usize, id: &DocId) {
        let key = self.open(at, id);
        self.tab(at, |tab, now| tab.flush(key, now));
    }

    /// Sends what the tab has submitted; nothing that the hub says of it arrives.
    pub fn flush_unheard(&mut self, at: usize, id: &DocId) {
        let (key, now) = (self.open(at, id), self.now);
        let Seat { tab, peer, .. } = &mut self.seats[at];
        tab.flush(key, now);
        tab.wake(now);
        while let Some(frame) = tab.poll_transmit() {
            self.hub.receive(*peer, frame, now);
        }
        self.hub.wake(now);
        while self.hub.poll_transmit().is_some() {}
    }

    /// The text of a tab's document.
    pub fn text(&mut self, at: usize, id: &DocId) -> Option<String> {
        let key = self.open(at, id);
        self.seats[at].copies.get(&key)?.data.as_ref()?.as_str().map(str::to_owned)
    }

    /// How a tab's request ended, if it did.
    pub fn callback(&self, at: usize, asked: u64) -> Option<Option<Error>> {
        self.seats[at].events.iter().find_map(|event| match event {
            TabEvent::Callback { request, error } if *request == asked => Some(error.clone()),
            _ => None,
        })
    }

    /// The codes with which a tab's submit was answered: none for success.
    pub fn answers(&self, at: usize, token: u64) -> Vec<Option<String>> {
        let answers = self.seats[at].events.iter().filter_map(|event| match event {
            TabEvent::Settled { tokens, error, .. } if tokens.contains(&token) => {
                Some(error.as_ref().and_then(Error::code_text))
            }
            TabEvent::RolledBack { dropped, error, .. } if dropped.contains(&token) => {
                Some(error.code_text())
            }
            _ => None,
        });
        answers.collect()
    }

    pub fn run_for(&mut self, span: u64) {
        self.now += span;
        self.settle();
    }

    pub fn receive(&mut self, peer: PeerId, frame: Frame) {
        self.hub.receive(peer, frame, self.now);
        self.settle();
    }

    /// Lets everyone act until all wait.
    pub fn settle(&mut self) {
        let mut busy = true;
        while busy {
            busy = self.run_hub();
            for at in 0..self.seats.len() {
                busy |= self.run_tab(at);
            }
        }
    }

    fn run_hub(&mut self) -> bool {
        let now = self.now;
        let mut busy = false;
        loop {
            let event = self.script.borrow_mut().events.pop_front();
            if let Some((peer, frame)) = self.hub.poll_transmit() {
                if let Some(seat) = self.seats.iter_mut().find(|seat| seat.peer == peer) {
                    seat.tab.receive(frame, now);
                }
                if let Some(event) = event {
                    self.script.borrow_mut().events.push_front(event);
                }
            } else if let Some(event) = event {
                self.hub.upstream_event(event, now);
            } else if let Some(event) = self.hub.poll_event() {
                if let HubEvent::Fault(error) = event {
                    self.faults.push(error);
                }
            } else if self.hub.deadline().is_some_and(|at| at <= now) {
                self.hub.wake(now);
            } else {
                return busy;
            }
            busy = true;
        }
    }

    fn run_tab(&mut self, at: usize) -> bool {
        let (now, mut busy) = (self.now, false);
        let Stage { hub, seats, .. } = self;
        let seat = &mut seats[at];
        loop {
            if let Some(frame) = seat.tab.poll_transmit() {
                hub.receive(seat.peer, frame, now);
            } else if let Some(event) = seat.tab.poll_event(now) {
                seat.take(event, now);
            } else if seat.tab.deadline().is_some_and(|at| at <= now) {
                seat.tab.wake(now);
            } else {
                return busy;
            }
            busy = true;
        }
    }
}

impl Seat {
    fn take(&mut self, event: TabEvent, now: u64) {
        match &event {
            TabEvent::Load { doc, snapshot, .. } => {
                let data = snapshot.data.clone().map(|data| data.0);
                let copy = Copy { type_name: snapshot.type_name.clone(), data };
                self.copies.insert(*doc, copy);
            }
            TabEvent::Apply { doc, op, .. } => {
                self.copies.entry(*doc).or_default().apply(op).expect("the op fits");
            }
            TabEvent::RolledBack { doc, .. } => {
                self.copies.insert(*doc, Copy::default());
                self.tab.fetch(*doc, true, now);
            }
            TabEvent::QueryDocs(docs) => {
                for id in docs {
                    self.tab.open(id.clone());
                }
            }
            _ => {}
        }
        self.events.push(event);
    }
}

/// The creation of a text.
pub fn create(text: &str) -> Op {
    let data = Some(Payload(text.into()));
    Op::Create(Create { type_name: Text::URI.to_owned(), data, snapshot: false })
}
