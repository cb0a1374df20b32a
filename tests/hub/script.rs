//! A ShareDB client and its server, as far as the hub's stories need them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tabmux::hub::{Head, PendingOp, Restored, Sent, UpstreamEvent};
use tabmux::ot::{Op, Types, transform_pair};
use tabmux::protocol::{Change, ConnectionEvent, DocId};
use tabmux::{Error, Payload};

use crate::support::{Copy, Registry};

/// What the upstream is asked, the server's documents and the client's.
#[derive(Default)]
pub struct Script {
    /// What the hub asked, oldest first.
    pub calls: Vec<String>,
    /// What the hub is to be told.
    pub events: VecDeque<UpstreamEvent>,
    /// The documents the server has.
    pub server: BTreeMap<DocId, (u64, Copy)>,
    /// The ops the server has, by the versions they are for.
    log: BTreeMap<(DocId, u64), (Op, Option<Sent>)>,
    pub(crate) docs: BTreeMap<DocId, ClientDoc>,
    /// Those of which the hub was told that the server lacks the ops since their version.
    outdated: BTreeSet<DocId>,
    /// What waits for the server.
    waiting: Vec<(DocId, Ask)>,
    /// The names of the ops that have reached the server.
    sent: BTreeSet<(String, u64)>,
    connected: bool,
    /// How many clients there were, and how many ops the last of them has sent.
    names: (u64, u64),
    /// What others do to a document right after the hub has subscribed to it, before the hub is
    /// told of either.
    pub edits_after_subscribing: Vec<Op>,
    /// The types the hub's side knows are none.
    pub knows_no_types: bool,
    /// The hub has a store: what is sent waits to be released.
    holds: bool,
    /// The server commits ops, and its acknowledgements are lost.
    pub is_mute: bool,
    /// The server refuses all subscriptions.
    pub refused_subscriptions: Option<Error>,
    /// The server refuses the next op.
    pub refusal: Option<Error>,
    /// What an op that is refused costs its state is not loaded again.
    pub stays_unloaded: bool,
    /// The states that documents were given back.
    pub restored: Vec<(DocId, Restored)>,
}

/// A document of the client.
#[derive(Default)]
pub(crate) struct ClientDoc {
    pub version: Option<u64>,
    pub copy: Copy,
    /// The ops that the server has not acknowledged, oldest first.
    pub pending: VecDeque<PendingOp>,
    /// The first of them is on its way.
    is_sending: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Ask {
    Fetch,
    Subscribe,
}

impl Script {
    /// For a hub with a store.
    pub fn holding() -> Self {
        Script { holds: true, names: (1, 0), ..Script::default() }
    }

    /// How often something was asked.
    pub fn count(&self, call: &str) -> usize {
        self.calls.iter().filter(|made| *made == call).count()
    }

    /// The names under which ops were let go to the server.
    pub fn released(&self) -> Vec<&str> {
        self.calls.iter().filter_map(|call| call.strip_prefix("release ")).collect()
    }

    // The connection

    /// The next thing to tell the hub, and the head of the document it is about.
    pub fn poll_event(&mut self) -> Option<(UpstreamEvent, Option<Head>)> {
        let event = self.events.pop_front()?;
        let doc = event.doc().and_then(|id| self.docs.get(id));
        let head = doc.map(ClientDoc::head);
        Some((event, head))
    }

    /// The client is another, which knows no document.
    pub fn new_client(&mut self) {
        self.docs.clear();
        self.waiting.clear();
        self.events.clear();
        self.connected = false;
        self.names = (self.names.0 + 1, 0);
    }

    pub fn connection(&mut self, state: &str) {
        let event = ConnectionEvent { state: state.to_owned(), id: None, reason: None, losses: 0 };
        self.events.push_back(UpstreamEvent::State(event));
        let was_connected = std::mem::replace(&mut self.connected, state == "connected");
        if !self.connected {
            self.docs.values_mut().for_each(|doc| doc.is_sending = false);
        } else if !was_connected {
            for (id, ask) in std::mem::take(&mut self.waiting) {
                self.answer(&id, ask);
            }
            for id in self.docs.keys().cloned().collect::<Vec<_>>() {
                self.flush(&id);
            }
        }
    }

    /// Asks the server, now or as soon as it can be reached.
    pub(crate) fn ask(&mut self, id: &DocId, ask: Ask) {
        if self.connected {
            self.answer(id, ask);
        } else {
            self.waiting.push((id.clone(), ask));
        }
    }

    fn answer(&mut self, id: &DocId, ask: Ask) {
        if self.lacks_ops(id) && self.docs[id].is_sending {
            // As the hub's side of ShareDB, it is asked again once the op has its answer.
            return self.waiting.push((id.clone(), ask));
        }
        if let Some(error) = self.refused_subscriptions.clone().filter(|_| ask == Ask::Subscribe) {
            let refused = UpstreamEvent::Subscribed(id.clone(), Some(error), false);
            return self.events.push_back(refused);
        }
        let error = self.catch_up(id).err();
        if ask == Ask::Fetch {
            return self.events.push_back(UpstreamEvent::Fetched(id.clone(), error));
        }
        let is_live = error.is_none();
        self.events.push_back(UpstreamEvent::Subscribed(id.clone(), error, is_live));
        for op in std::mem::take(&mut self.edits_after_subscribing) {
            self.edit(id, op);
        }
    }

    /// Tells the hub the ops that the server has since a version.
    pub(crate) fn tell_since(&mut self, id: &DocId, from: u64) {
        let ops = (from..).map_while(|at| self.log.get(&(id.clone(), at)).map(|entry| (at, entry)));
        let changes = ops.map(|(at, (op, _))| {
            let (op, src) = (op.clone(), Some("outside".to_owned()));
            Change { op, version: Some(at + 1), src }
        });
        let told = UpstreamEvent::Since(id.clone(), from, Ok(changes.collect()));
        self.events.push_back(told);
    }

    // The client's documents

    /// The upstream document loses its state, as in a hard rollback.
    pub fn lose(&mut self, id: &DocId) {
        self.docs.insert(id.clone(), ClientDoc::default());
        self.events.push_back(UpstreamEvent::Moved(id.clone()));
    }

    /// Brings the upstream document to the server's state.
    pub fn load(&mut self, id: &DocId) {
        let (version, copy) = self.server.get(id).cloned().unwrap_or_default();
        let doc = self.docs.entry(id.clone()).or_default();
        if doc.version != Some(version) {
            (doc.version, doc.copy) = (Some(version), copy);
            self.events.push_back(UpstreamEvent::Loaded(id.clone()));
        }
    }

    /// Whether the server lacks ops since the version that the client is at.
    fn lacks_ops(&self, id: &DocId) -> bool {
        let held = self.docs.get(id).and_then(|doc| doc.version);
        let version = self.server.get(id).map_or(0, |(version, _)| *version);
        let mut missing = held.into_iter().flat_map(|held| held..version);
        self.holds && missing.any(|at| !self.log.contains_key(&(id.clone(), at)))
    }

    /// Tells the client what the server has done since the version it is at.
    fn catch_up(&mut self, id: &DocId) -> Result<(), Error> {
        let doc = self.docs.entry(id.clone()).or_default();
        let Some(held) = doc.version else {
            if doc.pending.is_empty() {
                self.load(id);
            }
            return Ok(());
        };
        let version = self.server.get(id).map_or(0, |(version, _)| *version);
        for at in held..version {
            match self.log.get(&(id.clone(), at)).cloned() {
                Some((op, sent)) => self.take(id, at, op, sent.as_ref()),
                None if self.holds => {
                    let error = Error::new("ERR_TEST_MISSING_OPS", "Missing ops");
                    if self.outdated.insert(id.clone()) {
                        let event = UpstreamEvent::Outdated(id.clone(), error.clone());
                        self.events.push_back(event);
                    }
                    return Err(error);
                }
                None => self.load(id),
            }
        }
        Ok(())
    }

    /// An op of the server reaches the client.
    fn take(&mut self, id: &DocId, at: u64, op: Op, sent: Option<&Sent>) {
        let Some(doc) = self.docs.get_mut(id) else { return };
        if doc.version.is_some_and(|version| version != at) {
            return;
        }
        doc.version = Some(at + 1);
        if sent.is_some() && doc.pending.front().is_some_and(|own| own.sent.as_ref() == sent) {
            doc.is_sending = false;
            let own = doc.pending.pop_front().expect("it is the first");
            return self.settle(id, own, None);
        }
        let (raw, mut op) = (op.clone(), op);
        for own in &mut doc.pending {
            let ty = own.type_name.as_deref().and_then(|name| Registry.get(name));
            transform_pair(&mut own.op, &mut op, ty.as_ref()).expect("the stories keep to that");
        }
        doc.copy.apply(&op).expect("the op fits");
        // ShareDB is silent about an op that does nothing.
        if op != Op::NoOp {
            let change = Change { op, version: Some(at + 1), src: Some("outside".to_owned()) };
            self.events.push_back(UpstreamEvent::Changed(id.clone(), change, Some(raw)));
        } else {
            self.events.push_back(UpstreamEvent::Moved(id.clone()));
        }
    }

    fn settle(&mut self, id: &DocId, op: PendingOp, error: Option<&Error>) {
        for origin in op.origins {
            let event = UpstreamEvent::Answered(id.clone(), origin, error.cloned());
            self.events.push_back(event);
        }
    }

    /// Gives the first op that waits its name, and sends it, unless one is on its way.
    pub(crate) fn flush(&mut self, id: &DocId) {
        let Some(doc) = self.docs.get_mut(id) else { return };
        if !self.connected || doc.is_sending {
            return;
        }
        let Some(next) = doc.pending.front_mut() else { return };
        doc.is_sending = true;
        let (client, last) = &mut self.names;
        let sent = next.sent.get_or_insert_with(|| {
            *last += 1;
            Sent { src: format!("client-{client}"), seq: *last }
        });
        let sent = sent.clone();
        if self.holds {
            self.events.push_back(UpstreamEvent::Sending(id.clone(), sent));
        } else {
            self.send(id, &sent);
        }
    }

    /// The document is loaded, whatever it was.
    pub(crate) fn start_over(&mut self, id: &DocId) {
        self.outdated.remove(id);
        self.lose(id);
        self.ask(id, Ask::Fetch);
    }

    // The server

    /// An op reaches the server.
    pub(crate) fn send(&mut self, id: &DocId, sent: &Sent) {
        if !self.connected {
            return;
        }
        let is_first_attempt = self.sent.insert((sent.src.clone(), sent.seq));
        if self.catch_up(id).is_err() {
            let op = self.docs.get_mut(id).and_then(|doc| doc.pending.front_mut());
            if let Some(op) = op.filter(|_| is_first_attempt) {
                // It was refused, so the server can't have it.
                op.sent = None;
            }
            if let Some(doc) = self.docs.get_mut(id) {
                doc.is_sending = false;
            }
            for (_, ask) in
                self.waiting.extract_if(.., |(other, _)| other == id).collect::<Vec<_>>()
            {
                self.answer(id, ask);
            }
            return;
        }
        let Some(doc) = self.docs.get_mut(id) else { return };
        let Some(op) = doc.pending.front().filter(|op| op.sent.as_ref() == Some(sent)) else {
            return self.flush(id);
        };
        let op = op.op.clone();
        if let Some(error) = self.refusal.take() {
            let pending = std::mem::take(&mut doc.pending);
            self.lose(id);
            if !self.stays_unloaded {
                self.load(id);
            }
            return pending.into_iter().for_each(|op| self.settle(id, op, Some(&error)));
        }
        let at = self.commit(id, op.clone(), Some(sent.clone()));
        if !self.is_mute {
            self.take(id, at, op, Some(sent));
            self.flush(id);
        }
    }

    /// Returns the version the op is for.
    fn commit(&mut self, id: &DocId, op: Op, sent: Option<Sent>) -> u64 {
        let (version, copy) = self.server.entry(id.clone()).or_default();
        copy.apply(&op).expect("the op fits");
        self.log.insert((id.clone(), *version), (op, sent));
        *version += 1;
        *version - 1
    }

    /// Another client changes a document, and the hub's is told at once if it has it.
    pub fn edit(&mut self, id: &DocId, op: Op) {
        let at = self.commit(id, op.clone(), None);
        if self.connected {
            self.take(id, at, op, None);
        }
    }

    /// The server keeps only the states of its documents.
    pub fn forget_ops(&mut self) {
        self.log.clear();
    }

    /// The text the server has.
    pub fn text(&self, id: &DocId) -> Option<String> {
        self.server.get(id)?.1.data.as_ref()?.as_str().map(str::to_owned)
    }
}

impl ClientDoc {
    pub fn head(&self) -> Head {
        Head { version: self.version, type_name: self.copy.type_name.clone() }
    }

    /// Takes an op of the hub. Returns whether it became a part of the one before.
    pub fn submit(&mut self, op: PendingOp, compose: bool) -> Result<bool, Error> {
        let exists = self.copy.type_name.is_some();
        match &op.op {
            Op::Create(_) if exists => {
                return Err(Error::new("ERR_DOC_ALREADY_CREATED", "Document already exists"));
            }
            Op::Edit(_) | Op::Del if !exists => {
                return Err(Error::new("ERR_DOC_DOES_NOT_EXIST", "Document does not exist"));
            }
            _ => {}
        }
        let mut copy = self.copy.clone();
        copy.apply(&op.op)?;
        self.copy = copy;
        let composed = compose && self.compose(&op)?;
        if !composed {
            self.pending.push_back(op);
        }
        Ok(composed)
    }

    fn compose(&mut self, next: &PendingOp) -> Result<bool, Error> {
        let ty = next.type_name.as_deref().and_then(|name| Registry.get(name));
        let last = self.pending.back_mut().filter(|last| last.sent.is_none());
        let (Some(last), Some(ty), Op::Edit(op)) = (last, ty, &next.op) else { return Ok(false) };
        match &mut last.op {
            Op::Create(create) => {
                let data = create.data.take().unwrap_or_else(Payload::undefined);
                create.data = Some(ty.apply(data, op)?);
            }
            Op::Edit(first) => match ty.compose(first, op) {
                Some(both) => *first = both?,
                None => return Ok(false),
            },
            Op::Del | Op::NoOp => return Ok(false),
        }
        last.origins.extend(next.origins.clone());
        Ok(true)
    }
}
