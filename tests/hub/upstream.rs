//! The script as the hub's upstream: it notes what the hub asks, and does it.

use std::cell::RefCell;
use std::rc::Rc;

use tabmux::hub::{
    Head, PendingOp, Reapplied, Restored, Sent, Submission, Submitted, Untold, Upstream,
};
use tabmux::ot::{Op, Types};
use tabmux::protocol::{DocId, QuerySpec, Snapshot};
use tabmux::{Error, Payload};

use crate::script::{Ask, Script};
use crate::support::{Copy, Registry};

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
        self.0.borrow_mut().ask(doc, Ask::Fetch);
    }

    fn start_bulk(&mut self) {
        self.note("start bulk".to_owned());
    }

    fn end_bulk(&mut self) {
        self.note("end bulk".to_owned());
    }

    fn flush(&mut self, doc: &DocId) {
        self.0.borrow_mut().flush(doc);
    }

    fn ingest(&mut self, doc: &DocId, _snapshot: &Snapshot) -> Option<Head> {
        self.note(format!("ingest {doc}"));
        None
    }

    fn fetch_since(&mut self, doc: &DocId, version: u64) {
        self.note(format!("fetch {doc} since {version}"));
        self.0.borrow_mut().tell_since(doc, version);
    }

    fn subscribe(&mut self, doc: &DocId) {
        self.note(format!("subscribe {doc}"));
        self.0.borrow_mut().ask(doc, Ask::Subscribe);
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

    fn submit(&mut self, doc: &DocId, submission: Submission<'_>) -> Result<Submitted, Error> {
        self.note(format!("submit to {doc}"));
        let mut script = self.0.borrow_mut();
        let unknown = script.knows_no_types;
        if let Op::Create(create) = submission.op
            && (unknown || Registry.get(&create.type_name).is_none())
        {
            return Err(Error::new("ERR_DOC_TYPE_NOT_RECOGNIZED", "Unknown type"));
        }
        let client = script.docs.entry(doc.clone()).or_default();
        let op = PendingOp {
            op: submission.op.clone(),
            type_name: client.copy.type_name.clone(),
            source: submission.source.cloned(),
            origins: vec![submission.origin.clone()],
            sent: None,
        };
        let before = client.head();
        let composed = client.submit(op, submission.compose)?;
        Ok(Submitted { composed, head: Some(client.head()).filter(|it| *it != before) })
    }

    fn release(&mut self, doc: &DocId, sent: &Sent) {
        self.note(format!("release {}:{}", sent.src, sent.seq));
        self.0.borrow_mut().send(doc, sent);
    }

    fn pending(&self, doc: &DocId) -> Vec<PendingOp> {
        let script = self.0.borrow();
        script.docs.get(doc).map(|doc| doc.pending.iter().cloned().collect()).unwrap_or_default()
    }

    fn restore(&mut self, doc: &DocId, restored: &Restored) -> Result<Head, Error> {
        let mut script = self.0.borrow_mut();
        script.restored.push((doc.clone(), restored.clone()));
        let Snapshot { version, type_name, data } = restored.snapshot.clone();
        let mut copy = Copy { type_name, data: data.map(|data| data.0) };
        for op in &restored.ops {
            copy.apply(op)?;
        }
        let client = script.docs.entry(doc.clone()).or_default();
        (client.version, client.copy) = (version, copy);
        client.pending = restored.pending.clone().into();
        let head = client.head();
        script.flush(doc);
        Ok(head)
    }

    fn start_over(&mut self, doc: &DocId) {
        self.note(format!("start over {doc}"));
        self.0.borrow_mut().start_over(doc);
    }

    fn reapply(&mut self, doc: &DocId, pending: Vec<PendingOp>) -> Reapplied {
        let mut script = self.0.borrow_mut();
        let client = script.docs.entry(doc.clone()).or_default();
        let mut unapplied = Vec::new();
        for op in pending {
            if let Err(error) = client.submit(op.clone(), false) {
                unapplied.push((op, error));
            }
        }
        let head = client.head();
        script.flush(doc);
        Reapplied { unapplied, head: Some(head) }
    }

    fn snapshot(&self, doc: &DocId) -> Snapshot {
        let script = self.0.borrow();
        let Some(client) = script.docs.get(doc) else { return Snapshot::default() };
        let Head { version, type_name } = client.head();
        Snapshot { version, type_name, data: client.copy.data.clone().map(Payload) }
    }
}
