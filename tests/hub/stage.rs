//! A hub, its tabs and a scripted upstream; nothing is lost or late.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;
use tabmux::codecs::{Codecs, Json, Limits};
use tabmux::hub::{Head, Hub, HubEvent, HubSettings, PeerId, UpstreamEvent};
use tabmux::middleware::defaults;
use tabmux::ot::{Create, Op, SubmitOptions, TypeHandle, Types};
use tabmux::protocol::DocId;
use tabmux::store::MemoryDisk;
use tabmux::tab::{DocKey, Tab, TabEvent, TabSettings};
use tabmux::transports::{Frame, FrameKind, Guarantees};
use tabmux::{Error, Payload};

use crate::disk::Disk;
use crate::script::Script;
use crate::support::{Copy, Registry, Text};
use crate::upstream::Scripted;

pub const LINGER: u64 = 1000;

/// How long the hub waits for the last messages of a tab that has ended.
const LAST_MESSAGES: u64 = 200;

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
    /// With a store.
    pub disk: Option<Disk>,
    pub seats: Vec<Seat>,
    /// What the hub said of frames it dropped.
    pub faults: Vec<Error>,
    /// What else the hub told its owner.
    pub events: Vec<HubEvent>,
    pub now: u64,
}

pub fn guarantees() -> Guarantees {
    Guarantees { ordered: true, reliable: true, carries: vec![FrameKind::Text], addressed: false }
}

pub fn settings(id: &str) -> TabSettings {
    TabSettings {
        id: id.to_owned(),
        secret: None,
        identity: "someone".to_owned(),
        options: None,
        codec: Rc::new(Json::new(Limits::default())),
        layers: defaults(&guarantees()),
        guarantees: guarantees(),
        own_layers: Default::default(),
        seed: 1,
        tracer: None,
    }
}

fn hub(script: &Rc<RefCell<Script>>, types: Rc<dyn Types>, disk: Option<&Disk>) -> Hub {
    let settings = HubSettings {
        identity: "someone".to_owned(),
        epoch: disk.map_or(1, |disk| disk.opened.epoch),
        lineage: disk.map_or("first", |disk| &disk.opened.lineage).to_owned(),
        stored: disk.map(|disk| disk.opened.pending.clone()),
        store_limits: tabmux::store::Limits::default(),
        unload_journals: disk.is_some(),
        linger: LINGER,
        codecs: Codecs::built_in(Limits::default()),
        layers: Default::default(),
        seed: 1,
    };
    Hub::new(settings, types, Box::new(Scripted(Rc::clone(script))))
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
        let hub = hub(&script, types, None);
        let mut stage = Stage::of(hub, script, None);
        stage.join_many(tabs);
        stage
    }

    /// As `new`, with a store on an empty disk.
    pub fn with_store(tabs: usize) -> Self {
        let mut stage = Stage::before_tabs(&MemoryDisk::default(), "connected");
        stage.join_many(tabs);
        stage
    }

    /// A hub with a store on this disk, to which nobody has come yet.
    pub fn before_tabs(disk: &MemoryDisk, state: &str) -> Self {
        let script = Rc::new(RefCell::new(Script::holding()));
        script.borrow_mut().connection(state);
        let disk = Disk::new(disk, "first");
        let hub = hub(&script, Rc::new(Registry), Some(&disk));
        Stage::of(hub, script, Some(disk))
    }

    fn of(hub: Hub, script: Rc<RefCell<Script>>, disk: Option<Disk>) -> Self {
        let (seats, faults, events) = (Vec::new(), Vec::new(), Vec::new());
        Stage { hub, script, disk, seats, faults, events, now: 0 }
    }

    fn join_many(&mut self, tabs: usize) {
        for at in 0..tabs {
            self.join(self::settings(&format!("tab-{at}")));
        }
    }

    /// The hub ends at once, and another begins with what is on the disk; its connection to the
    /// server is in this state. The tabs come to it.
    pub fn replace_hub(&mut self, state: &str) {
        self.replace_hub_with_types(state, Rc::new(Registry));
    }

    /// As `replace_hub`, with a hub that is not to store any document.
    pub fn replace_hub_that_keeps_nothing(&mut self, state: &str) {
        self.begin_hub(state, Rc::new(Registry));
        self.hub.keep_only(Box::new(|_| false));
        self.attach_all();
    }

    /// As `replace_hub`, with the types that the next hub knows.
    pub fn replace_hub_with_types(&mut self, state: &str, types: Rc<dyn Types>) {
        self.begin_hub(state, types);
        self.attach_all();
    }

    fn begin_hub(&mut self, state: &str, types: Rc<dyn Types>) {
        let disk = Disk::new(&self.disk().disk, "second");
        self.script.borrow_mut().new_client();
        self.script.borrow_mut().connection(state);
        self.hub = hub(&self.script, types, Some(&disk));
        self.disk = Some(disk);
    }

    fn attach_all(&mut self) {
        for seat in &mut self.seats {
            seat.peer = self.hub.connect(guarantees());
            seat.tab.attach(self.now);
        }
        self.settle();
    }

    /// The connection to the server is in another state.
    pub fn connection(&mut self, state: &str) {
        self.script.borrow_mut().connection(state);
        self.settle();
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

    /// Submits an edit of a text and sends it. Returns its token.
    pub fn edit(&mut self, at: usize, id: &DocId, op: Value) -> u64 {
        let token = self.submit(at, id, Op::Edit(Payload(op))).expect("the op fits");
        self.flush(at, id);
        token
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
            TabEvent::Answered { tokens, error, .. } if tokens.concat().contains(&token) => {
                Some(error.as_ref().and_then(Error::code_text))
            }
            TabEvent::RolledBack { dropped, error, .. } if dropped.concat().contains(&token) => {
                Some(error.code_text())
            }
            _ => None,
        });
        answers.collect()
    }

    /// What a tab was told of the store.
    pub fn store_events(&self, at: usize) -> Vec<(&str, &Value)> {
        let events = self.seats[at].events.iter().filter_map(|event| match event {
            TabEvent::StoreEvent(event) => Some((event.name.as_str(), &event.detail.0)),
            _ => None,
        });
        events.collect()
    }

    pub fn run_for(&mut self, span: u64) {
        self.now += span;
        self.settle();
    }

    /// The tab has ended, and all that it has sent has come.
    pub fn tab_gone(&mut self, tab: &str) {
        self.hub.tab_gone(tab, self.now);
        self.run_for(LAST_MESSAGES);
    }

    pub fn receive(&mut self, peer: PeerId, frame: Frame) {
        self.hub.receive(peer, frame, self.now);
        self.settle();
    }

    /// Lets everyone act until all wait.
    pub fn settle(&mut self) {
        for _ in 0..1000 {
            let mut busy = self.run_hub();
            for at in 0..self.seats.len() {
                busy |= self.run_tab(at);
                busy |= self.run_hub();
            }
            if !busy {
                return;
            }
        }
        panic!("they never come to rest");
    }

    fn run_hub(&mut self) -> bool {
        let now = self.now;
        for done in 0..10_000 {
            if let Some((peer, frame)) = self.hub.poll_transmit() {
                if let Some(seat) = self.seats.iter_mut().find(|seat| seat.peer == peer) {
                    seat.tab.receive(frame, now);
                }
            } else if let Some(event) = self.hub.poll_event() {
                match event {
                    HubEvent::Fault(error) => self.faults.push(error),
                    event => self.events.push(event),
                }
            } else if self.disk.as_mut().is_some_and(|disk| disk.serve(&mut self.hub, now)) {
                // What happened upstream meanwhile is told before what tabs said.
            } else if let Some((event, head)) = self.next_upstream_event() {
                self.hub.upstream_event(event, head, now);
            } else if self.hub.has_arrivals() && !self.hub.is_stalled() {
                self.hub.proceed(now);
            } else if self.hub.deadline().is_some_and(|at| at <= now) {
                self.hub.wake(now);
            } else {
                self.check_heads();
                return done > 0;
            }
        }
        panic!("the hub never comes to rest: its deadline is {:?}", self.hub.deadline());
    }

    /// What the hub holds of each upstream document's version and type is what that has.
    fn check_heads(&self) {
        let script = self.script.borrow();
        // With many documents, stories measure how long it takes.
        if script.docs.len() > 100 || !script.events.is_empty() {
            return;
        }
        for (id, doc) in &script.docs {
            assert_eq!(self.hub.head(id), doc.head(), "the head of {id}");
        }
    }

    fn next_upstream_event(&mut self) -> Option<(UpstreamEvent, Option<Head>)> {
        if self.hub.is_stalled() { None } else { self.script.borrow_mut().poll_event() }
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
