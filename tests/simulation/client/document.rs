//! A model of ShareDB's client: `lib/client/connection.js` and `lib/client/doc.js`, in our own
//! words, as the hub's upstream and as a client beside the hub.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::rc::Rc;

use tabmux::hub::{Submission, Upstream, UpstreamEvent};
use tabmux::ot::{Op, Origin, TypeHandle, Types, transform_pair};
use tabmux::protocol::{Change, ConnectionEvent, DocId, QuerySpec, Snapshot};
use tabmux::{Error, Payload};

use super::server::{Committed, Reply, Request};
use crate::support::{Copy, Registry};

/// ShareDB's `Connection`.
#[derive(Default)]
pub struct Client {
    conn: Conn,
    docs: BTreeMap<DocId, Doc>,
}

/// What the documents share.
#[derive(Default)]
struct Conn {
    src: String,
    seq: u64,
    can_send: bool,
    out: Vec<Request>,
    events: VecDeque<UpstreamEvent>,
}

/// ShareDB's `Doc`.
#[derive(Default)]
struct Doc {
    id: Option<DocId>,
    version: Option<u64>,
    copy: Copy,
    inflight: Option<Pending>,
    pending: VecDeque<Pending>,
    inflight_fetch: VecDeque<Done>,
    pending_fetch: VecDeque<Done>,
    inflight_subscribe: Option<Ask>,
    pending_subscribe: VecDeque<Ask>,
    want_subscribe: bool,
    in_hard_rollback: bool,
    wants_destroy: bool,
    destroyed: bool,
    /// Callbacks that wait until no write is pending.
    after_writes: Vec<Done>,
}

struct Pending {
    op: Op,
    ty: Option<TypeHandle>,
    origins: Vec<Origin>,
    /// `src` and `seq`, once it was sent.
    sent: Option<(String, u64)>,
}

struct Ask {
    want: bool,
    done: Vec<Done>,
}

/// What to do when a fetch or subscription ends.
enum Done {
    Nothing,
    Fetched,
    Subscribed,
    Destroy,
    /// The reload after a hard rollback: why it was, the inflight op and the others.
    Reloaded(Error, Box<Option<Pending>>, VecDeque<Pending>),
}

impl Client {
    pub fn new(src: &str) -> Self {
        let conn = Conn { src: src.to_owned(), seq: 1, ..Conn::default() };
        Client { conn, docs: BTreeMap::new() }
    }

    pub fn src(&self) -> &str {
        &self.conn.src
    }

    pub fn poll_request(&mut self) -> Option<Request> {
        (!self.conn.out.is_empty()).then(|| self.conn.out.remove(0))
    }

    pub fn poll_event(&mut self) -> Option<UpstreamEvent> {
        self.conn.events.pop_front()
    }

    pub fn set_connected(&mut self, connected: bool) {
        self.conn.can_send = connected;
        self.conn.out.clear();
        for doc in self.docs.values_mut() {
            doc.connection_changed(&mut self.conn);
        }
        let (state, id) = match connected {
            true => ("connected", Some(self.conn.src.clone())),
            false => ("disconnected", None),
        };
        let event = ConnectionEvent { state: state.to_owned(), id, reason: None };
        self.conn.events.push_back(UpstreamEvent::State(event));
        self.end_turn();
    }

    pub fn receive(&mut self, reply: Reply) {
        let (Reply::Fetched { doc: id, .. }
        | Reply::Subscribed { doc: id, .. }
        | Reply::Unsubscribed { doc: id }
        | Reply::Op { doc: id, .. }
        | Reply::Ack { doc: id, .. }
        | Reply::Refused { doc: id, .. }) = &reply;
        if let Some(doc) = self.docs.get_mut(id) {
            doc.receive(reply, &mut self.conn);
        }
    }

    /// What ShareDB does at the next tick. Returns whether that led to events.
    pub fn end_turn(&mut self) -> bool {
        for doc in self.docs.values_mut() {
            doc.flush(&mut self.conn);
            doc.destroy_if_idle(&mut self.conn);
        }
        self.docs.retain(|_, doc| !doc.destroyed);
        !self.conn.events.is_empty()
    }

    fn doc(&mut self, id: &DocId) -> (&mut Doc, &mut Conn) {
        let doc = self.docs.entry(id.clone()).or_default();
        doc.id = Some(id.clone());
        doc.wants_destroy = false;
        (doc, &mut self.conn)
    }

    pub fn flush(&mut self, id: &DocId) {
        let (doc, conn) = self.doc(id);
        doc.flush(conn);
    }

    pub fn fetch(&mut self, id: &DocId) {
        let (doc, conn) = self.doc(id);
        doc.fetch(Done::Fetched, false, conn);
    }

    pub fn subscribe(&mut self, id: &DocId) {
        let (doc, conn) = self.doc(id);
        doc.queue_subscribe(true, Done::Subscribed, conn);
    }

    pub fn unsubscribe(&mut self, id: &DocId) {
        let (doc, conn) = self.doc(id);
        doc.queue_subscribe(false, Done::Nothing, conn);
    }

    pub fn destroy(&mut self, id: &DocId) {
        self.doc(id).0.wants_destroy = true;
    }

    pub fn submit(
        &mut self,
        id: &DocId,
        op: Op,
        compose: bool,
        origin: Origin,
    ) -> Result<(), Error> {
        let (doc, conn) = self.doc(id);
        doc.submit(op, compose, origin, conn)
    }

    pub fn version(&self, id: &DocId) -> Option<u64> {
        self.docs.get(id)?.version
    }

    fn type_name(&self, id: &DocId) -> Option<String> {
        self.docs.get(id)?.copy.type_name.clone()
    }

    pub fn copy(&self, id: &DocId) -> Copy {
        self.docs.get(id).map(|doc| doc.copy.clone()).unwrap_or_default()
    }

    /// Whether a document is being created of which the client has never heard. ShareDB commits
    /// such a creation twice, if its acknowledgement is lost and the document deleted meanwhile.
    pub fn creates_blindly(&self) -> bool {
        self.docs.values().any(|doc| doc.version.is_none() && doc.has_write_pending())
    }

    pub fn holds(&self, id: &DocId) -> bool {
        self.docs.contains_key(id)
    }

    /// How many documents there are.
    pub fn size(&self) -> usize {
        self.docs.len()
    }
}

impl Conn {
    fn settle(&mut self, doc: &DocId, op: Pending, error: Option<&Error>) {
        for origin in op.origins {
            let event = UpstreamEvent::Settled(doc.clone(), origin, error.cloned());
            self.events.push_back(event);
        }
    }
}

impl Doc {
    fn id(&self) -> DocId {
        self.id.clone().expect("set when it was made")
    }

    fn has_write_pending(&self) -> bool {
        self.inflight.is_some() || !self.pending.is_empty()
    }

    fn has_pending(&self) -> bool {
        self.has_write_pending()
            || !self.inflight_fetch.is_empty()
            || !self.pending_fetch.is_empty()
            || self.inflight_subscribe.is_some()
            || !self.pending_subscribe.is_empty()
    }

    fn receive(&mut self, reply: Reply, conn: &mut Conn) {
        match reply {
            Reply::Fetched { snapshot, .. } => {
                let mut done: Vec<Done> = self.inflight_fetch.pop_front().into_iter().collect();
                done.extend(mem::take(&mut self.pending_fetch));
                self.ingest(snapshot, done, conn);
                self.nothing_pending(conn);
            }
            Reply::Subscribed { snapshot, .. } => self.subscribe_ended(snapshot, conn),
            Reply::Unsubscribed { .. } => self.subscribe_ended(None, conn),
            Reply::Op { committed, .. } => {
                let Committed { version, src, seq, op } = committed;
                self.op_arrived(version, &src, seq, Some(op), conn);
            }
            Reply::Ack { version, src, seq, .. } => {
                self.op_arrived(version, &src, seq, None, conn);
            }
            Reply::Refused { error, .. } => match self.inflight.is_some() {
                true => self.roll_back(error, conn),
                false => conn.events.push_back(UpstreamEvent::Failed(self.id(), error)),
            },
        }
    }

    // Snapshots

    fn ingest(&mut self, snapshot: Option<Snapshot>, done: Vec<Done>, conn: &mut Conn) {
        let Some(snapshot) = snapshot else { return self.call(done, conn) };
        if self.copy.type_name.is_some() || self.has_write_pending() {
            match self.version {
                None if self.has_write_pending() => self.after_writes.extend(done),
                None => panic!("a created document without a version has no write pending"),
                version if snapshot.version > version => {
                    let mut done = done.into_iter();
                    self.fetch(done.next().unwrap_or(Done::Nothing), false, conn);
                    self.pending_fetch.extend(done);
                }
                _ => self.call(done, conn),
            }
            return;
        }
        if self.version <= snapshot.version {
            self.version = snapshot.version;
            self.copy =
                Copy { type_name: snapshot.type_name, data: snapshot.data.map(|data| data.0) };
            conn.events.push_back(UpstreamEvent::Loaded(self.id()));
        }
        self.call(done, conn);
    }

    fn call(&mut self, done: Vec<Done>, conn: &mut Conn) {
        let id = self.id();
        for done in done {
            match done {
                Done::Nothing => {}
                Done::Fetched => conn.events.push_back(UpstreamEvent::Fetched(id.clone(), None)),
                Done::Subscribed => {
                    conn.events.push_back(UpstreamEvent::Subscribed(id.clone(), None));
                }
                Done::Destroy => self.destroyed = self.wants_destroy,
                Done::Reloaded(error, inflight, pending) => {
                    self.reloaded(error, *inflight, pending, conn);
                }
            }
        }
    }

    fn fetch(&mut self, done: Done, force: bool, conn: &mut Conn) {
        self.pending_fetch.push_back(done);
        if conn.can_send && (force || self.inflight_fetch.is_empty()) {
            self.inflight_fetch.extend(self.pending_fetch.pop_front());
            conn.out.push(Request::Fetch { doc: self.id(), version: self.version });
        }
    }

    // Subscriptions

    fn queue_subscribe(&mut self, want: bool, done: Done, conn: &mut Conn) {
        let last = self.pending_subscribe.back_mut().or(self.inflight_subscribe.as_mut());
        if let Some(last) = last.filter(|last| last.want == want) {
            return last.done.push(done);
        }
        self.pending_subscribe.push_back(Ask { want, done: vec![done] });
        self.flush_subscribe(conn);
    }

    fn flush_subscribe(&mut self, conn: &mut Conn) {
        if self.inflight_subscribe.is_some() {
            return;
        }
        let Some(next) = self.pending_subscribe.front() else { return };
        let want = next.want;
        if !conn.can_send && want {
            return;
        }
        self.inflight_subscribe = self.pending_subscribe.pop_front();
        if !conn.can_send {
            return self.subscribe_ended(None, conn);
        }
        self.want_subscribe = want;
        let (doc, version) = (self.id(), self.version);
        conn.out.push(match want {
            true => Request::Subscribe { doc, version },
            false => Request::Unsubscribe { doc },
        });
    }

    fn subscribe_ended(&mut self, snapshot: Option<Snapshot>, conn: &mut Conn) {
        let ask = self.inflight_subscribe.take().expect("the server answers what was asked");
        let mut done: Vec<Done> = mem::take(&mut self.pending_fetch).into();
        done.extend(ask.done);
        self.ingest(snapshot.filter(|_| ask.want), done, conn);
        self.nothing_pending(conn);
        self.flush_subscribe(conn);
    }

    fn connection_changed(&mut self, conn: &mut Conn) {
        if conn.can_send {
            self.flush(conn);
            return self.resubscribe(conn);
        }
        if let Some(op) = self.inflight.take() {
            self.pending.push_front(op);
        }
        match &self.inflight_subscribe {
            Some(ask) if !ask.want => self.subscribe_ended(None, conn),
            _ => {
                if let Some(ask) = self.inflight_subscribe.take() {
                    self.pending_subscribe.push_front(ask);
                }
            }
        }
        self.pending_fetch.extend(mem::take(&mut self.inflight_fetch));
    }

    fn resubscribe(&mut self, conn: &mut Conn) {
        if self.pending_subscribe.is_empty() && self.want_subscribe {
            return self.queue_subscribe(true, Done::Nothing, conn);
        }
        let will_fetch = self.pending_subscribe.iter().any(|ask| ask.want);
        if !will_fetch && !self.pending_fetch.is_empty() {
            self.fetch(Done::Nothing, false, conn);
        }
        self.flush_subscribe(conn);
    }

    fn destroy_if_idle(&mut self, conn: &mut Conn) {
        if !self.wants_destroy || self.has_pending() {
            return;
        }
        match self.want_subscribe {
            true => self.queue_subscribe(false, Done::Destroy, conn),
            false => self.destroyed = true,
        }
    }

    // Ops

    fn submit(
        &mut self,
        op: Op,
        compose: bool,
        origin: Origin,
        conn: &mut Conn,
    ) -> Result<(), Error> {
        let exists = self.copy.type_name.is_some();
        match &op {
            Op::Edit(_) if !exists && self.in_hard_rollback => {
                return Err(Error::new("ERR_DOC_IN_HARD_ROLLBACK", "in hard rollback"));
            }
            Op::Edit(_) | Op::Del if !exists => {
                return Err(Error::new("ERR_DOC_DOES_NOT_EXIST", "Document does not exist"));
            }
            Op::Create(_) if exists => {
                return Err(Error::new("ERR_DOC_ALREADY_CREATED", "Document already exists"));
            }
            Op::Create(create) if Registry.get(&create.type_name).is_none() => {
                return Err(Error::new("ERR_DOC_TYPE_NOT_RECOGNIZED", "Unknown type"));
            }
            _ => {}
        }
        let ty = self.copy.type_name.as_deref().and_then(|name| Registry.get(name));
        let composed = compose && self.compose(&op, ty.as_ref(), &origin)?;
        if !composed {
            let pending = Pending { op: op.clone(), ty, origins: vec![origin], sent: None };
            self.pending.push_back(pending);
        }
        if let Err(error) = self.copy.apply(&op) {
            self.hard_roll_back(error, conn);
        }
        Ok(())
    }

    fn compose(
        &mut self,
        op: &Op,
        ty: Option<&TypeHandle>,
        origin: &Origin,
    ) -> Result<bool, Error> {
        let last = self.pending.back_mut().filter(|last| last.sent.is_none());
        let (Some(last), Some(ty), Op::Edit(op)) = (last, ty, op) else { return Ok(false) };
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
        last.origins.push(origin.clone());
        Ok(true)
    }

    fn flush(&mut self, conn: &mut Conn) {
        if !conn.can_send || self.inflight.is_some() {
            return;
        }
        let Some(mut next) = self.pending.pop_front() else { return };
        let (src, seq) = next.sent.get_or_insert_with(|| {
            conn.seq += 1;
            (conn.src.clone(), conn.seq)
        });
        conn.out.push(Request::Submit {
            doc: self.id.clone().expect("set when it was made"),
            version: self.version,
            src: src.clone(),
            seq: *seq,
            op: next.op.clone(),
        });
        self.inflight = Some(next);
    }

    /// An op of the server; `None` for the acknowledgement of an own one.
    fn op_arrived(&mut self, at: u64, src: &str, seq: u64, op: Option<Op>, conn: &mut Conn) {
        let own = self.inflight.as_ref().and_then(|inflight| inflight.sent.as_ref());
        if own.is_some_and(|(own_src, own_seq)| own_src == src && *own_seq == seq) {
            return self.acknowledged(at, conn);
        }
        match self.version {
            Some(version) if at < version => return,
            Some(version) if at == version => {}
            _ => return self.fetch(Done::Nothing, false, conn),
        }
        let mut op = op.unwrap_or(Op::NoOp);
        for own in self.inflight.iter_mut().chain(&mut self.pending) {
            if let Err(error) = transform_pair(&mut own.op, &mut op, own.ty.as_ref()) {
                return self.hard_roll_back(error, conn);
            }
        }
        self.version = Some(at + 1);
        self.apply(op, Some(src.to_owned()), conn);
    }

    /// Applies an op of others, and says so; ShareDB is silent about one that does nothing.
    fn apply(&mut self, mut op: Op, src: Option<String>, conn: &mut Conn) {
        if let Err(error) = self.copy.apply(&op) {
            return self.hard_roll_back(error, conn);
        }
        if let Op::Create(create) = &mut op {
            create.snapshot = true;
        }
        if op != Op::NoOp {
            let change = Change { op, version: self.version, src };
            conn.events.push_back(UpstreamEvent::Changed(self.id(), change));
        }
    }

    fn acknowledged(&mut self, at: u64, conn: &mut Conn) {
        let created = matches!(&self.inflight, Some(Pending { op: Op::Create(_), .. }));
        if !created && self.version != Some(at) {
            return self.fetch(Done::Nothing, false, conn);
        }
        self.version = Some(at + 1);
        self.clear_inflight(None, conn);
    }

    fn clear_inflight(&mut self, error: Option<Error>, conn: &mut Conn) {
        if let Some(op) = self.inflight.take() {
            conn.settle(&self.id(), op, error.as_ref());
        }
        self.flush(conn);
        self.nothing_pending(conn);
    }

    fn nothing_pending(&mut self, conn: &mut Conn) {
        if !self.has_write_pending() {
            let done = mem::take(&mut self.after_writes);
            self.call(done, conn);
        }
    }

    fn roll_back(&mut self, error: Error, conn: &mut Conn) {
        let inverse = self.inflight.as_ref().and_then(|inflight| match &inflight.op {
            Op::Edit(op) => self.copy.ty()?.invert(&op.0).map(Payload),
            _ => None,
        });
        let Some(inverse) = inverse else { return self.hard_roll_back(error, conn) };
        let mut op = Op::Edit(inverse);
        for own in &mut self.pending {
            if let Err(error) = transform_pair(&mut own.op, &mut op, own.ty.as_ref()) {
                return self.hard_roll_back(error, conn);
            }
        }
        self.apply(op, None, conn);
        let rejected = error.code_text().as_deref() == Some("ERR_OP_SUBMIT_REJECTED");
        self.clear_inflight(Some(error).filter(|_| !rejected), conn);
    }

    fn hard_roll_back(&mut self, error: Error, conn: &mut Conn) {
        self.in_hard_rollback = true;
        self.version = None;
        self.copy = Copy::default();
        let (inflight, pending) = (self.inflight.take(), mem::take(&mut self.pending));
        self.fetch(Done::Reloaded(error, Box::new(inflight), pending), true, conn);
    }

    fn reloaded(
        &mut self,
        mut error: Error,
        inflight: Option<Pending>,
        pending: VecDeque<Pending>,
        conn: &mut Conn,
    ) {
        self.in_hard_rollback = false;
        let id = self.id();
        if inflight.is_none() && pending.is_empty() {
            conn.events.push_back(UpstreamEvent::Failed(id.clone(), error.clone()));
        }
        let rejected = error.code_text().as_deref() == Some("ERR_OP_SUBMIT_REJECTED");
        if let Some(inflight) = inflight {
            conn.settle(&id, inflight, Some(&error).filter(|_| !rejected));
        }
        if rejected {
            let code = "ERR_PENDING_OP_REMOVED_BY_OP_SUBMIT_REJECTED";
            error = Error::new(code, "Discarding pending op because of hard rollback");
        }
        for op in pending {
            conn.settle(&id, op, Some(&error));
        }
    }
}

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

    fn ingest(&mut self, _doc: &DocId, _snapshot: &Snapshot) {
        unreachable!("no tab of the simulation ingests a snapshot");
    }

    fn send(&mut self, _message: &Payload) {
        unreachable!("no tab of the simulation sends messages by hand");
    }

    fn handle_message(&mut self, _message: &Payload) {
        unreachable!("no tab of the simulation makes up messages");
    }

    fn query(&mut self, _query: u64, _spec: &QuerySpec) {
        unreachable!("no tab of the simulation queries");
    }

    fn end_query(&mut self, _query: u64) {
        unreachable!("no tab of the simulation queries");
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

    fn submit(&mut self, doc: &DocId, submission: Submission<'_>) -> Result<(), Error> {
        let Submission { op, compose, origin, .. } = submission;
        self.0.borrow_mut().submit(doc, op.clone(), compose, origin.clone())
    }

    fn snapshot(&self, doc: &DocId) -> Snapshot {
        let copy = self.0.borrow().copy(doc);
        Snapshot { data: copy.data.map(Payload), ..self.head(doc) }
    }

    fn head(&self, doc: &DocId) -> Snapshot {
        let client = self.0.borrow();
        Snapshot { version: client.version(doc), type_name: client.type_name(doc), data: None }
    }
}
