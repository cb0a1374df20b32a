use wasm_bindgen::JsValue;

use super::upstream_event::{Caught, UpstreamEvent, UpstreamFailure};
use tabmux::hub::{
    Head, PendingOp, Reapplied, Restored, Sent, Submission, Submitted, Untold, Upstream,
};
use tabmux::ot::{Create, Op, Origin};
use tabmux::protocol::{DocId, QueryDiff, QuerySpec, Snapshot};
use tabmux::{Error, Payload, codes, wire};
use tabmux_bindings::errors::from_js;
use tabmux_bindings::{declare_types, door};

use super::upstream_event::SinceOp;

door! {
    /// `js/src/hub/upstream.ts`: the real ShareDB connection.
    interface UpstreamAdapter = "Upstream" {
        fn connect(options: Option<Payload>);
        fn fetch(collection: &str, id: &str);
        fn start_bulk as startBulk();
        fn end_bulk as endBulk();
        fn flush(collection: &str, id: &str);
        fn ingest(collection: &str, id: &str, snapshot: &Snapshot) -> Option<Head>;
        fn fetch_since as fetchSince(collection: &str, id: &str, version: u64);
        fn subscribe(collection: &str, id: &str);
        fn unsubscribe(collection: &str, id: &str);
        fn destroy(collection: &str, id: &str);
        fn send(message: Payload);
        fn handle_message as handleMessage(message: Payload);
        fn query(id: u64, spec: &QuerySpec);
        fn end_query as endQuery(id: u64);
        fn submit(
            collection: &str,
            id: &str,
            op: &Op,
            source: Option<Payload>,
            compose: bool,
            origin: &Origin,
        ) -> Submitted;
        fn release(collection: &str, id: &str, src: &str, seq: u64);
        fn pending(collection: &str, id: &str) -> Vec<PendingOp>;
        fn materialize(snapshot: &Snapshot, ops: &Vec<Op>) -> Snapshot;
        fn restore(
            collection: &str,
            id: &str,
            snapshot: &Snapshot,
            ops: &Vec<Op>,
            pending: &Vec<PendingOp>,
        ) -> Head;
        fn start_over as startOver(collection: &str, id: &str);
        fn reapply(collection: &str, id: &str, pending: &Vec<PendingOp>) -> Fitted;
        fn untold(collection: &str, id: &str) -> Untold;
        fn snapshot(collection: &str, id: &str) -> Snapshot;
        /// Tells the hub, like anything else that happens upstream, that one of the above threw.
        fn tell(failure: &UpstreamFailure);
    }
}

declare_types!(
    &Create,
    &DocId,
    &Fitted,
    &Head,
    &Op,
    &Origin,
    &PendingOp,
    &QueryDiff,
    &QuerySpec,
    &Sent,
    &SinceOp,
    &Snapshot,
    &Submitted,
    &UnappliedOp,
    &Untold,
    &UpstreamEvent,
    &UpstreamFailure,
);

/// An op that does not fit the document's data: which one, and why.
pub struct UnappliedOp {
    index: u64,
    error: Caught,
}

wire!(UnappliedOp { index, error });

/// What became of ops that were to be applied again, and the document's head, if it is another now.
pub struct Fitted {
    unapplied: Vec<UnappliedOp>,
    head: Option<Head>,
}

wire!(Fitted { unapplied, head });

impl UpstreamAdapter {
    /// What was returned. If it threw instead, the hub is told so by an event, and nothing was
    /// returned: an exception must not pass through the core.
    fn returned<T>(
        &self,
        result: Result<T, JsValue>,
        failure: impl FnOnce(Caught) -> UpstreamFailure,
    ) -> Option<T> {
        match result {
            Ok(returned) => Some(returned),
            Err(thrown) => {
                // There is nobody else to tell.
                let _ = self.tell(&failure(Caught::of(thrown)));
                None
            }
        }
    }

    /// As `returned`, for what is done with a document.
    fn done<T>(&self, result: Result<T, JsValue>, doc: &DocId) -> Option<T> {
        self.returned(result, |error| UpstreamFailure::Failed { doc: doc.clone(), error })
    }

    /// As `returned`, for what loads a document.
    fn fetched(&self, result: Result<(), JsValue>, doc: &DocId) {
        self.returned(result, |error| UpstreamFailure::Fetched { doc: doc.clone(), error });
    }

    /// As `returned`, for what has nobody who waits for it.
    fn tried(&self, result: Result<(), JsValue>) {
        self.returned(result, |error| UpstreamFailure::Fault { error });
    }
}

impl Upstream for UpstreamAdapter {
    fn connect(&mut self, options: Option<&Payload>) -> Result<(), Error> {
        UpstreamAdapter::connect(self, options.cloned()).map_err(|thrown| {
            let cause = from_js(thrown).message;
            let message = format!("the hub's connect function failed: {cause}");
            Error::new(codes::HUB_START, message)
        })
    }

    fn fetch(&mut self, doc: &DocId) {
        self.fetched(UpstreamAdapter::fetch(self, &doc.collection, &doc.id), doc);
    }

    fn start_bulk(&mut self) {
        self.tried(UpstreamAdapter::start_bulk(self));
    }

    fn end_bulk(&mut self) {
        self.tried(UpstreamAdapter::end_bulk(self));
    }

    fn flush(&mut self, doc: &DocId) {
        self.done(UpstreamAdapter::flush(self, &doc.collection, &doc.id), doc);
    }

    fn ingest(&mut self, doc: &DocId, snapshot: &Snapshot) -> Option<Head> {
        self.done(UpstreamAdapter::ingest(self, &doc.collection, &doc.id, snapshot), doc).flatten()
    }

    fn fetch_since(&mut self, doc: &DocId, version: u64) {
        self.done(UpstreamAdapter::fetch_since(self, &doc.collection, &doc.id, version), doc);
    }

    fn subscribe(&mut self, doc: &DocId) {
        let done = UpstreamAdapter::subscribe(self, &doc.collection, &doc.id);
        self.returned(done, |error| UpstreamFailure::Subscribed {
            doc: doc.clone(),
            error,
            live: false,
        });
    }

    fn unsubscribe(&mut self, doc: &DocId) {
        self.done(UpstreamAdapter::unsubscribe(self, &doc.collection, &doc.id), doc);
    }

    fn destroy(&mut self, doc: &DocId) {
        self.done(UpstreamAdapter::destroy(self, &doc.collection, &doc.id), doc);
    }

    fn send(&mut self, message: &Payload) {
        self.tried(UpstreamAdapter::send(self, message.clone()));
    }

    fn handle_message(&mut self, message: &Payload) {
        self.tried(UpstreamAdapter::handle_message(self, message.clone()));
    }

    fn query(&mut self, query: u64, spec: &QuerySpec) {
        let done = UpstreamAdapter::query(self, query, spec);
        self.returned(done, |error| UpstreamFailure::QueryReady { query, error });
    }

    fn end_query(&mut self, query: u64) {
        self.tried(UpstreamAdapter::end_query(self, query));
    }

    fn submit(&mut self, doc: &DocId, submission: Submission<'_>) -> Result<Submitted, Error> {
        let Submission { op, source, compose, origin } = submission;
        let (collection, id, source) = (&doc.collection, &doc.id, source.cloned());
        UpstreamAdapter::submit(self, collection, id, op, source, compose, origin).map_err(from_js)
    }

    fn release(&mut self, doc: &DocId, sent: &Sent) {
        let Sent { src, seq } = sent;
        self.done(UpstreamAdapter::release(self, &doc.collection, &doc.id, src, *seq), doc);
    }

    fn pending(&self, doc: &DocId) -> Vec<PendingOp> {
        let pending = UpstreamAdapter::pending(self, &doc.collection, &doc.id);
        self.done(pending, doc).unwrap_or_default()
    }

    fn restore(&mut self, doc: &DocId, restored: &Restored) -> Result<Head, Error> {
        let Restored { snapshot, ops, pending } = restored;
        UpstreamAdapter::restore(self, &doc.collection, &doc.id, snapshot, ops, pending)
            .map_err(from_js)
    }

    fn start_over(&mut self, doc: &DocId) {
        self.fetched(UpstreamAdapter::start_over(self, &doc.collection, &doc.id), doc);
    }

    fn reapply(&mut self, doc: &DocId, pending: Vec<PendingOp>) -> Reapplied {
        match UpstreamAdapter::reapply(self, &doc.collection, &doc.id, &pending) {
            Ok(Fitted { unapplied, head }) => {
                let op = |index| pending.get(index as usize).cloned();
                let unapplied =
                    unapplied.into_iter().filter_map(|it| Some((op(it.index)?, it.error.0)));
                Reapplied { unapplied: unapplied.collect(), head }
            }
            Err(thrown) => {
                let error = from_js(thrown);
                let unapplied = pending.into_iter().map(|op| (op, error.clone()));
                Reapplied { unapplied: unapplied.collect(), head: None }
            }
        }
    }

    fn untold(&self, doc: &DocId) -> Untold {
        let untold = UpstreamAdapter::untold(self, &doc.collection, &doc.id);
        self.done(untold, doc).unwrap_or_default()
    }

    fn snapshot(&self, doc: &DocId) -> Snapshot {
        let snapshot = UpstreamAdapter::snapshot(self, &doc.collection, &doc.id);
        self.done(snapshot, doc).unwrap_or_default()
    }
}
