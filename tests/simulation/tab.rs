//! A tab as JavaScript drives it: it keeps the data, and does what the events say.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use tabmux::codecs::{Json, Limits};
use tabmux::middleware::LayerConfig;
use tabmux::ot::{Create, Op, Replica, SubmitOptions, Token};
use tabmux::protocol::{ConnectionUnloadJournal, DocId};
use tabmux::tab::{DocKey, Tab, TabEvent, TabSettings};
use tabmux::transports::{Frame, Guarantees};
use tabmux::{Error, Payload, codes, to_value};

use super::ledger::Ledger;
use super::presence::Presences;
use super::queries::Queries;
use super::server::spec;
use crate::support::{Copy, Registry};

/// What a tab shares with everyone in the simulation.
pub struct Common {
    pub now: u64,
    pub rng: ChaCha8Rng,
    pub ledger: Ledger,
    /// What tabs that are gone have left, and no hub has taken yet.
    pub left: Vec<ConnectionUnloadJournal>,
    pub trace: Trace,
    /// How many ops listeners will still submit while changes are applied.
    pub reentrant_edits: u32,
}

/// What happened, for people; kept only if asked for.
#[derive(Default)]
pub struct Trace {
    pub wanted: bool,
    pub lines: Vec<String>,
}

impl Common {
    pub fn trace(&mut self, line: impl FnOnce() -> String) {
        if self.trace.wanted {
            self.trace.lines.push(format!("{:>6} {}", self.now, line()));
        }
    }
}

/// A document as a tab holds it.
pub struct TabDoc {
    pub key: DocKey,
    pub copy: Copy,
}

pub struct TabDriver {
    pub id: String,
    pub tab: Tab,
    pub docs: BTreeMap<DocId, TabDoc>,
    /// The hub that let the tab in last.
    pub epoch: Option<u64>,
    /// The requests that have not ended.
    pub requests: BTreeSet<u64>,
    /// Those that pass on what other tabs have left, and which tabs.
    passing_on: BTreeMap<u64, String>,
    /// Everything the tab was told that is not about a document's data.
    pub notes: Vec<TabEvent>,
    pub queries: Queries,
    pub presences: Presences,
    /// Documents with ops that go at the end of the turn.
    unsent: BTreeSet<DocKey>,
}

impl TabDriver {
    pub fn new(id: &str, layers: &[LayerConfig], guarantees: &Guarantees, seed: u64) -> Self {
        let settings = TabSettings {
            id: id.to_owned(),
            secret: None,
            identity: "someone".to_owned(),
            options: None,
            codec: Rc::new(Json::new(Limits::default())),
            layers: layers.to_vec(),
            guarantees: guarantees.clone(),
            own_layers: Default::default(),
            seed,
            tracer: None,
        };
        TabDriver {
            id: id.to_owned(),
            tab: Tab::new(settings, Rc::new(Registry)).expect("the layers fit"),
            docs: BTreeMap::new(),
            epoch: None,
            requests: BTreeSet::new(),
            passing_on: BTreeMap::new(),
            notes: Vec::new(),
            queries: Queries::default(),
            presences: Presences::new(id),
            unsent: BTreeSet::new(),
        }
    }

    pub fn open(&mut self, id: &DocId) -> DocKey {
        let key = self.tab.open(id.clone());
        self.docs.entry(id.clone()).or_insert(TabDoc { key, copy: Copy::default() });
        key
    }

    pub fn close(&mut self, id: &DocId, common: &mut Common) {
        if let Some(doc) = self.docs.remove(id) {
            common.trace(|| format!("{} closes {id}", self.id));
            self.tab.close(doc.key, common.now);
            self.queries.closed(id);
        }
    }

    pub fn attach(&mut self, common: &mut Common) {
        common.trace(|| format!("{} attaches", self.id));
        self.presences.interrupt();
        self.tab.attach(common.now);
    }

    pub fn detach(&mut self, common: &mut Common) {
        common.trace(|| format!("{} detaches", self.id));
        self.presences.interrupt();
        self.tab.detach();
    }

    /// Asks for the documents of the query of this modulus.
    pub fn query(&mut self, modulus: u64, subscribe: bool, common: &mut Common) {
        let spec = spec(modulus, subscribe);
        let request = self.tab.query(spec.clone(), common.now);
        common.trace(|| format!("{} asks {request}: {spec:?}", self.id));
        self.queries.begin(request, spec);
    }

    /// Ends one of its queries.
    pub fn end_query(&mut self, common: &mut Common) {
        let requests: Vec<u64> = self.queries.held.keys().copied().collect();
        if requests.is_empty() {
            return;
        }
        let request = requests[common.rng.random_range(0..requests.len())];
        common.trace(|| format!("{} ends query {request}", self.id));
        self.queries.held.remove(&request);
        self.tab.end_query(request, common.now);
    }

    pub fn show(&mut self, channel: &str, common: &mut Common) {
        let value = json!(common.rng.random::<u32>());
        common.trace(|| format!("{} shows {value} on {channel}", self.id));
        self.presences.set(channel, value);
    }

    pub fn listen(&mut self, channel: &str, common: &mut Common) {
        common.trace(|| format!("{} listens to {channel}", self.id));
        self.presences.subscribe(channel);
    }

    pub fn end_presence(&mut self, channel: &str, common: &mut Common) {
        common.trace(|| format!("{} leaves {channel}", self.id));
        self.presences.end(channel);
    }

    pub fn subscribe(&mut self, id: &DocId, common: &mut Common) {
        let key = self.open(id);
        self.requests.extend(self.tab.subscribe(key, common.now));
        common.trace(|| format!("{} subscribes to {id}", self.id));
    }

    pub fn unsubscribe(&mut self, id: &DocId, common: &mut Common) {
        let key = self.open(id);
        self.requests.extend(self.tab.unsubscribe(key, common.now));
        common.trace(|| format!("{} unsubscribes from {id}", self.id));
    }

    pub fn fetch(&mut self, id: &DocId, common: &mut Common) {
        let key = self.open(id);
        self.requests.extend(self.tab.fetch(key, false, common.now));
        common.trace(|| format!("{} fetches {id}", self.id));
    }

    pub fn get_bulk(&mut self, ids: &[DocId], common: &mut Common) {
        let keys: Vec<DocKey> = ids.iter().map(|id| self.open(id)).collect();
        self.requests.insert(self.tab.get_bulk(&keys, common.now));
        common.trace(|| format!("{} fetches {ids:?}", self.id));
    }

    pub fn pause(&mut self, id: &DocId, paused: bool, common: &mut Common) {
        let key = self.open(id);
        self.tab.set_paused(key, paused);
        self.unsent.insert(key);
        common.trace(|| format!("{} pauses {id}: {paused}", self.id));
    }

    /// The tab is about to end, and leaves what the hub may not have.
    pub fn leave_unload_journal(&mut self, common: &mut Common) {
        let Some(journal) = self.tab.unload_journal() else { return };
        common.trace(|| format!("{} leaves {}", self.id, to_value(&journal)));
        for held in &journal.docs {
            let replica = self.tab.replica(self.docs[&held.doc].key).expect("it is open");
            let is_left = |op_id| held.ops.iter().any(|op| op.op_id == op_id);
            for slot in replica.pending().filter(|slot| is_left(slot.op_id)) {
                slot.tokens.iter().for_each(|token| common.ledger.leave(*token, slot.op_id));
            }
        }
        common.left.push(journal);
    }

    /// Passes on what a tab that is gone has left.
    pub fn pass_on(&mut self, at: usize, common: &mut Common) {
        let journal = common.left[at].clone();
        let tab = journal.tab.clone();
        let request = self.tab.pass_on(journal, common.now);
        common.trace(|| format!("{} passes on what {tab} has left, {request}", self.id));
        self.requests.insert(request);
        self.passing_on.insert(request, tab);
    }

    /// A random edit, if there is something to edit.
    pub fn edit(&mut self, id: &DocId, common: &mut Common) -> Option<Token> {
        let ty = self.docs.get(id)?.copy.ty()?;
        let data = self.docs[id].copy.data.clone()?;
        let (token, marker) = common.ledger.submit(&self.id, id, true);
        let op = Op::Edit(Payload(ty.edit(&data, marker, &mut common.rng)));
        self.submit(id, op, token, common);
        Some(token)
    }

    pub fn create(&mut self, id: &DocId, type_name: &str, common: &mut Common) -> Option<Token> {
        let key = self.open(id);
        let replica = self.tab.replica(key)?;
        if replica.ty().is_some() || replica.is_rolled_back() {
            return None;
        }
        let (token, marker) = common.ledger.submit(&self.id, id, true);
        common.ledger.creates(token);
        let data = Registry::find(type_name).map(|ty| Payload(ty.create(marker)));
        let create = Create { type_name: type_name.to_owned(), data, snapshot: false };
        self.submit(id, Op::Create(create), token, common);
        Some(token)
    }

    pub fn create_or_delete(&mut self, id: &DocId, type_name: &str, common: &mut Common) {
        if self.delete(id, common).is_none() {
            self.create(id, type_name, common);
        }
    }

    /// Whether nothing is on its way that concerns the document, nor any request.
    pub fn can_close(&self, id: &DocId) -> bool {
        let replica = self.docs.get(id).and_then(|doc| self.tab.replica(doc.key));
        self.requests.is_empty() && replica.is_some_and(|replica| replica.pending().count() == 0)
    }

    /// Whether the hub was silent until a request ran out.
    pub fn was_left_alone(&self) -> bool {
        let timed_out = |error: &Error| error.code_text().as_deref() == Some(codes::TIMEOUT);
        self.queries.were_left_alone()
            || self.notes.iter().any(|note| match note {
                TabEvent::Callback { error: Some(error), .. } => timed_out(error),
                TabEvent::Refused(error) => timed_out(error),
                _ => false,
            })
    }

    pub fn delete(&mut self, id: &DocId, common: &mut Common) -> Option<Token> {
        self.docs.get(id)?.copy.ty()?;
        let (token, _) = common.ledger.submit(&self.id, id, false);
        self.submit(id, Op::Del, token, common);
        Some(token)
    }

    fn submit(&mut self, id: &DocId, op: Op, token: Token, common: &mut Common) {
        common.trace(|| format!("{} submits {token} on {id}: {}", self.id, to_value(&op)));
        let doc = self.docs.get_mut(id).expect("opened before");
        let prevent_compose = common.rng.random_bool(0.1);
        let options = SubmitOptions { prevent_compose, ..SubmitOptions::default() };
        match self.tab.submit(doc.key, op.clone(), options, token) {
            Ok(()) => {
                doc.copy.apply(&op).expect("the op was made for this data");
                self.unsent.insert(doc.key);
            }
            Err(error) => common.ledger.answer(token, Some(&error)),
        }
    }

    /// What the tab does of its own accord until it has to wait. Returns the frames to send.
    pub fn run(&mut self, common: &mut Common) -> Vec<Frame> {
        let mut frames = Vec::new();
        for _ in 0..10_000 {
            frames.extend(std::iter::from_fn(|| self.tab.poll_transmit()));
            if let Some(event) = self.tab.poll_event(common.now) {
                self.act_on(event, common);
            } else if let Some(key) = self.unsent.pop_first() {
                self.tab.flush(key, common.now);
            } else if let Some(message) = self.presences.poll() {
                self.tab.send(Payload(message), common.now).expect("it is for a tab to send");
            } else if self.tab.deadline().is_some_and(|at| at <= common.now) {
                self.tab.wake(common.now);
            } else {
                return frames;
            }
        }
        panic!("{} never comes to rest: its deadline is {:?}", self.id, self.tab.deadline());
    }

    fn act_on(&mut self, event: TabEvent, common: &mut Common) {
        common.trace(|| format!("{} is told {}", self.id, describe(&event)));
        if let TabEvent::Joined { epoch } = event {
            self.epoch = Some(epoch);
        }
        let Some(event) = self.queries.take(event, &self.tab, &self.docs) else { return };
        match event {
            TabEvent::QueryDocs(docs) => {
                for id in docs {
                    self.open(&id);
                    self.queries.found(&id);
                }
            }
            TabEvent::Receive(message) => {
                assert_ne!(message.0["src"], self.id, "{} hears its own presence", self.id);
                self.presences.receive(&message.0);
            }
            TabEvent::State(state) => self.presences.set_can_send(state.state == "connected"),
            TabEvent::HubLost => {
                self.presences.interrupt();
                self.notes.push(TabEvent::HubLost);
            }
            TabEvent::Callback { request, ref error } => {
                assert!(self.requests.remove(&request), "L1: request {request} ended twice");
                if let (Some(tab), None) = (self.passing_on.remove(&request), error) {
                    common.left.retain(|journal| journal.tab != tab);
                }
                self.notes.push(event);
            }
            TabEvent::Load { doc, snapshot, dropped } => {
                self.copy(doc).1.type_name = snapshot.type_name;
                self.copy(doc).1.data = snapshot.data.map(|data| data.0);
                let error = Error::new("ERR_TEST_DROPPED_BY_LOAD", "the document was loaded anew");
                self.answer(&dropped, Some(&error), common);
            }
            TabEvent::Apply { doc, op, .. } => self.apply(doc, op, common),
            TabEvent::RolledBack { doc, error, dropped } => {
                *self.copy(doc).1 = Copy::default();
                self.answer(&dropped, Some(&error), common);
                self.requests.extend(self.tab.fetch(doc, true, common.now));
                self.notes.push(TabEvent::RolledBack { doc, error, dropped });
            }
            TabEvent::Sequenced { doc } => {
                let replica = self.tab.replica(doc).expect("it is open");
                let awaiting = replica.awaiting();
                let durable = replica.pending().filter(|op| awaiting.contains(&op.op_id));
                let epoch = self.epoch.expect("it has joined");
                for op in durable {
                    for token in &op.tokens {
                        common.ledger.durable(*token, op.op_id, epoch);
                    }
                }
            }
            TabEvent::Answered { tokens, error, .. } => {
                self.answer(&tokens, error.as_ref(), common);
            }
            TabEvent::StoreEvent(event) if event.name == "lost" => {
                common.ledger.lose(&event.detail.0);
            }
            TabEvent::StoreEvent(event) if event.name == "evicted" => {
                common.ledger.evict(&event.detail.0);
            }
            TabEvent::StoreEvent(event) if event.name == "error" => {
                common.ledger.tell_error(&event.detail.0);
            }
            other => self.notes.push(other),
        }
    }

    /// Fetches what lost its state, where that was not answered in time, or the server refused to show it.
    pub fn reload(&mut self, common: &mut Common) {
        let is_blank = |replica: &Replica| {
            let was_refused = replica.rev().is_some() && replica.version().is_none();
            replica.is_rolled_back() || was_refused
        };
        for doc in self.docs.values_mut() {
            if self.tab.replica(doc.key).is_some_and(is_blank) {
                self.requests.extend(self.tab.fetch(doc.key, true, common.now));
            }
        }
    }

    fn answer(&mut self, tokens: &[Vec<Token>], error: Option<&Error>, common: &mut Common) {
        for token in tokens.iter().flatten() {
            common.ledger.answer(*token, error);
        }
    }

    fn copy(&mut self, key: DocKey) -> (&DocId, &mut Copy) {
        let mut docs = self.docs.iter_mut();
        let (id, doc) = docs.find(|(_, doc)| doc.key == key).expect("it is open");
        (id, &mut doc.copy)
    }

    /// Applies a change of others piece by piece, while listeners may submit ops.
    fn apply(&mut self, key: DocKey, op: Op, common: &mut Common) {
        let id = self.copy(key).0.clone();
        let pieces = match (&op, self.copy(key).1.ty()) {
            (Op::Edit(edit), Some(ty)) => ty.pieces(&edit.0),
            _ => Vec::new(),
        };
        if pieces.len() < 2 {
            self.copy(key)
                .1
                .apply(&op)
                .unwrap_or_else(|error| panic!("{} on {id}: {error}", self.id));
            return self.react(&id, common);
        }
        let since = self.tab.replica_mut(key).expect("it is open").begin_apply();
        for piece in pieces {
            self.react(&id, common);
            let replica = self.tab.replica_mut(key).expect("it is open");
            let piece = replica.transform_piece(since, Op::Edit(Payload(piece)));
            let piece = piece.expect("only edits were submitted meanwhile");
            self.copy(key)
                .1
                .apply(&piece)
                .unwrap_or_else(|error| panic!("{} on {id}: {error}", self.id));
            self.react(&id, common);
        }
        let replica = self.tab.replica_mut(key).expect("it is open");
        replica.end_apply(since).expect("the ops compose");
    }

    /// What listeners do.
    fn react(&mut self, id: &DocId, common: &mut Common) {
        if common.reentrant_edits > 0 && common.rng.random_bool(0.1) {
            common.reentrant_edits -= 1;
            self.edit(id, common);
        }
    }
}

fn describe(event: &TabEvent) -> String {
    match event {
        TabEvent::Apply { doc, op, .. } => format!("Apply {doc} {}", to_value(op)),
        TabEvent::Load { doc, snapshot, dropped } => {
            format!("Load {doc} {} dropped {dropped:?}", to_value(snapshot))
        }
        other => format!("{other:?}"),
    }
}
