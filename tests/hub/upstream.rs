//! An upstream that a test drives by hand: it notes what the hub asks, and answers when told to.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use tabmux::hub::{PendingOp, Restored, Sent, Submission, Untold, Upstream, UpstreamEvent};
use tabmux::ot::{Op, Types};
use tabmux::protocol::{Change, ConnectionEvent, DocId, QuerySpec, Snapshot};
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
    docs: BTreeMap<DocId, (Option<u64>, Copy)>,
    /// What others do to a document right after the hub has subscribed to it, before the hub is
    /// told of either.
    pub edits_after_subscribing: Vec<Op>,
    /// The types the hub's side knows are none.
    pub knows_no_types: bool,
}

impl Script {
    /// How often something was asked.
    pub fn count(&self, call: &str) -> usize {
        self.calls.iter().filter(|made| *made == call).count()
    }

    pub fn connection(&mut self, state: &str) {
        let event = ConnectionEvent { state: state.to_owned(), id: None, reason: None, losses: 0 };
        self.events.push_back(UpstreamEvent::State(event));
    }

    /// The upstream document loses its state, as in a hard rollback.
    pub fn lose(&mut self, id: &DocId) {
        self.docs.insert(id.clone(), (None, Copy::default()));
    }

    /// Another client changes a document to which the hub is subscribed.
    pub fn edit(&mut self, id: &DocId, op: Op) {
        let (version, copy) = self.server.get_mut(id).expect("the server has it");
        copy.apply(&op).expect("the op fits");
        *version += 1;
        self.docs.insert(id.clone(), (Some(*version), copy.clone()));
        let change = Change { op, version: Some(*version), src: Some("outside".to_owned()) };
        let raw = Some(change.op.clone());
        self.events.push_back(UpstreamEvent::Changed(id.clone(), change, raw));
    }

    /// Brings the upstream document to the server's state.
    pub fn load(&mut self, id: &DocId) {
        let (version, copy) = self.server.get(id).cloned().unwrap_or_default();
        if self.docs.get(id).is_none_or(|(held, _)| *held != Some(version)) {
            self.docs.insert(id.clone(), (Some(version), copy));
            self.events.push_back(UpstreamEvent::Loaded(id.clone()));
        }
    }
}

/// The script as the hub's upstream.
pub struct Scripted(pub Rc<RefCell<Script>>);

impl Scripted {
    fn note(&self, call: String) {
        self.0.borrow_mut().calls.push(call);
    }
}

impl Upstream for Scripted {
    fn connect(&mut self, _options: Option<&Payload>) -> Result<(), Error> {
        Ok(())
    }

    fn fetch(&mut self, doc: &DocId) {
        self.note(format!("fetch {doc}"));
        let mut script = self.0.borrow_mut();
        script.load(doc);
        script.events.push_back(UpstreamEvent::Fetched(doc.clone(), None));
    }

    fn start_bulk(&mut self) {
        self.note("start bulk".to_owned());
    }

    fn end_bulk(&mut self) {
        self.note("end bulk".to_owned());
    }

    fn flush(&mut self, _doc: &DocId) {}

    fn ingest(&mut self, doc: &DocId, _snapshot: &Snapshot) {
        self.note(format!("ingest {doc}"));
    }

    fn subscribe(&mut self, doc: &DocId) {
        self.note(format!("subscribe {doc}"));
        let mut script = self.0.borrow_mut();
        script.load(doc);
        script.events.push_back(UpstreamEvent::Subscribed(doc.clone(), None));
        for op in std::mem::take(&mut script.edits_after_subscribing) {
            script.edit(doc, op);
        }
    }

    fn untold(&self, doc: &DocId) -> Untold {
        Untold::among(doc, self.0.borrow().events.iter())
    }

    fn unsubscribe(&mut self, doc: &DocId) {
        self.note(format!("unsubscribe {doc}"));
    }

    fn destroy(&mut self, doc: &DocId) {
        self.note(format!("destroy {doc}"));
        self.0.borrow_mut().docs.remove(doc);
    }

    fn query(&mut self, query: u64, _spec: &QuerySpec) {
        self.note(format!("query {query}"));
    }

    fn end_query(&mut self, query: u64) {
        self.note(format!("end query {query}"));
    }

    fn send(&mut self, message: &Payload) {
        self.note(format!("send {}", message.0));
    }

    fn handle_message(&mut self, message: &Payload) {
        self.note(format!("handle {}", message.0));
    }

    /// The server takes the op at once, and says so when the hub is told of events.
    fn submit(&mut self, doc: &DocId, submission: Submission<'_>) -> Result<bool, Error> {
        self.note(format!("submit to {doc}"));
        let mut script = self.0.borrow_mut();
        let unknown = script.knows_no_types;
        let (version, copy) = script.docs.entry(doc.clone()).or_default();
        match submission.op {
            Op::Create(create) if unknown || Registry.get(&create.type_name).is_none() => {
                return Err(Error::new("ERR_DOC_TYPE_NOT_RECOGNIZED", "Unknown type"));
            }
            Op::Create(_) if copy.type_name.is_some() => {
                return Err(Error::new("ERR_DOC_ALREADY_CREATED", "Document already exists"));
            }
            _ => copy.apply(submission.op)?,
        }
        let next = version.unwrap_or(0) + 1;
        *version = Some(next);
        let copy = copy.clone();
        script.server.insert(doc.clone(), (next, copy));
        let event = UpstreamEvent::Settled(doc.clone(), submission.origin.clone(), None);
        script.events.push_back(event);
        Ok(false)
    }

    fn release(&mut self, _doc: &DocId, _sent: &Sent) {
        unreachable!("there is no store");
    }

    fn pending(&self, _doc: &DocId) -> Vec<PendingOp> {
        unreachable!("there is no store");
    }

    fn restore(&mut self, _doc: &DocId, _restored: &Restored) -> Result<(), Error> {
        unreachable!("there is no store");
    }

    fn start_over(&mut self, _doc: &DocId) {
        unreachable!("there is no store");
    }

    fn reapply(&mut self, _doc: &DocId, _pending: Vec<PendingOp>) -> Vec<(PendingOp, Error)> {
        unreachable!("there is no store");
    }

    fn snapshot(&self, doc: &DocId) -> Snapshot {
        let data = self.0.borrow().docs.get(doc).and_then(|(_, copy)| copy.data.clone());
        Snapshot { data: data.map(Payload), ..self.head(doc) }
    }

    fn head(&self, doc: &DocId) -> Snapshot {
        let script = self.0.borrow();
        let (version, copy) = script.docs.get(doc).cloned().unwrap_or_default();
        Snapshot { version, type_name: copy.type_name, data: None }
    }
}
