use std::cell::RefCell;
use std::rc::Rc;

use tabmux::hub::{
    Head, PendingOp, Reapplied, Restored, Sent, Submission, Submitted, Untold, Upstream,
};
use tabmux::protocol::{DocId, QuerySpec, Snapshot};
use tabmux::{Error, Payload};

use super::Client;

/// The client as the hub's upstream.
pub struct Shared(pub Rc<RefCell<Client>>);

impl Upstream for Shared {
    fn connect(&mut self, _options: Option<&Payload>) -> Result<(), Error> {
        Ok(())
    }

    fn fetch(&mut self, doc: &DocId) {
        self.0.borrow_mut().fetch(doc);
    }

    fn start_bulk(&mut self) {}

    fn end_bulk(&mut self) {}

    fn flush(&mut self, doc: &DocId) {
        self.0.borrow_mut().flush(doc);
    }

    fn ingest(&mut self, _doc: &DocId, _snapshot: &Snapshot) -> Option<Head> {
        unreachable!("no tab of the simulation ingests a snapshot");
    }

    fn fetch_since(&mut self, _doc: &DocId, _version: u64) {
        unreachable!("no tab of the simulation ingests a snapshot");
    }

    fn send(&mut self, message: &Payload) {
        self.0.borrow_mut().send(message.0.clone());
    }

    fn handle_message(&mut self, _message: &Payload) {
        unreachable!("no tab of the simulation makes up messages");
    }

    fn query(&mut self, query: u64, spec: &QuerySpec) {
        self.0.borrow_mut().query(query, spec);
    }

    fn end_query(&mut self, query: u64) {
        self.0.borrow_mut().end_query(query);
    }

    fn subscribe(&mut self, doc: &DocId) {
        self.0.borrow_mut().subscribe(doc);
    }

    fn unsubscribe(&mut self, doc: &DocId) {
        self.0.borrow_mut().unsubscribe(doc);
    }

    fn destroy(&mut self, doc: &DocId) {
        self.0.borrow_mut().destroy(doc);
    }

    fn submit(&mut self, doc: &DocId, submission: Submission<'_>) -> Result<Submitted, Error> {
        let Submission { op, compose, origin, .. } = submission;
        let mut client = self.0.borrow_mut();
        let before = client.head(doc);
        let composed = client.submit(doc, op.clone(), compose, origin.clone())?;
        Ok(Submitted { composed, head: Some(client.head(doc)).filter(|it| *it != before) })
    }

    fn release(&mut self, doc: &DocId, sent: &Sent) {
        self.0.borrow_mut().release(doc, sent);
    }

    fn pending(&self, doc: &DocId) -> Vec<PendingOp> {
        self.0.borrow().pending(doc)
    }

    fn restore(&mut self, doc: &DocId, restored: &Restored) -> Result<Head, Error> {
        self.0.borrow_mut().restore(doc, restored)?;
        Ok(self.0.borrow().head(doc))
    }

    fn start_over(&mut self, doc: &DocId) {
        self.0.borrow_mut().start_over(doc);
    }

    fn reapply(&mut self, doc: &DocId, pending: Vec<PendingOp>) -> Reapplied {
        let mut client = self.0.borrow_mut();
        let unfit = client.reapply(doc, pending);
        Reapplied { unapplied: unfit, head: Some(client.head(doc)) }
    }

    fn untold(&self, doc: &DocId) -> Untold {
        self.0.borrow().untold(doc)
    }

    fn snapshot(&self, doc: &DocId) -> Snapshot {
        let client = self.0.borrow();
        let Head { version, type_name } = client.head(doc);
        Snapshot { version, type_name, data: client.copy(doc).data.map(Payload) }
    }
}
