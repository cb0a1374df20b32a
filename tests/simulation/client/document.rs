//! A document's state, fetches and subscriptions: half of `lib/client/doc.js`.

use std::collections::VecDeque;
use std::mem;

use tabmux::Error;
use tabmux::hub::{Head, UpstreamEvent};
use tabmux::protocol::{DocId, Snapshot};

use super::{Conn, Pending};
use crate::server::{Committed, Reply, Request};
use crate::support::Copy;

/// ShareDB's `Doc`.
#[derive(Default)]
pub(super) struct Doc {
    pub id: Option<DocId>,
    pub version: Option<u64>,
    pub copy: Copy,
    pub inflight: Option<Pending>,
    pub pending: VecDeque<Pending>,
    pub inflight_fetch: VecDeque<Done>,
    pub pending_fetch: VecDeque<Done>,
    pub inflight_subscribe: Option<Ask>,
    pub pending_subscribe: VecDeque<Ask>,
    pub want_subscribe: bool,
    pub subscribed: bool,
    pub in_hard_rollback: bool,
    pub wants_destroy: bool,
    pub destroyed: bool,
    /// Callbacks that wait until no write is pending.
    pub after_writes: Vec<Done>,
}

pub(super) struct Ask {
    pub want: bool,
    pub done: Vec<Done>,
}

/// What to do when a fetch or subscription ends.
pub(super) enum Done {
    Nothing,
    Fetched,
    /// The server has answered for a subscription.
    Subscribed,
    Destroy,
    /// The query's answer of this round waits for the document to be up to date.
    Found(u64, u64),
    /// The reload after a hard rollback: why it was, the inflight op and the others.
    Reloaded(Error, Box<Option<Pending>>, VecDeque<Pending>),
}

impl Doc {
    pub fn id(&self) -> DocId {
        self.id.clone().expect("set when it was made")
    }

    pub fn head(&self) -> Head {
        Head { version: self.version, type_name: self.copy.type_name.clone() }
    }

    /// Whoever gave it up has forgotten its head.
    pub fn take_again(&mut self, conn: &mut Conn) {
        if mem::take(&mut self.wants_destroy) && self.head().is_known() {
            conn.events.push_back(UpstreamEvent::Moved(self.id()));
        }
    }

    pub fn has_write_pending(&self) -> bool {
        self.inflight.is_some() || !self.pending.is_empty()
    }

    pub fn has_pending(&self) -> bool {
        self.has_write_pending()
            || !self.inflight_fetch.is_empty()
            || !self.pending_fetch.is_empty()
            || self.inflight_subscribe.is_some()
            || !self.pending_subscribe.is_empty()
    }

    pub fn receive(&mut self, reply: Reply, conn: &mut Conn) {
        match reply {
            Reply::Fetched { snapshot, .. } => {
                let mut done: Vec<Done> = self.inflight_fetch.pop_front().into_iter().collect();
                done.extend(mem::take(&mut self.pending_fetch));
                self.ingest(snapshot, done, conn);
                self.nothing_pending(conn);
            }
            Reply::FetchRefused { error, .. } => {
                let mut done: Vec<Done> = self.inflight_fetch.pop_front().into_iter().collect();
                done.extend(mem::take(&mut self.pending_fetch));
                self.refused(error, done, conn);
            }
            Reply::Subscribed { snapshot, .. } => self.subscribe_ended(snapshot, conn),
            Reply::SubscriptionRefused { error, .. } => {
                let ask = self.inflight_subscribe.take().expect("it was asked");
                let event =
                    UpstreamEvent::Subscribed(self.id(), Some(error.clone()), self.subscribed);
                conn.events.push_back(event);
                let mut done: Vec<Done> = mem::take(&mut self.pending_fetch).into();
                done.extend(ask.done);
                self.refused(error, done, conn);
                if conn.guarded {
                    self.flush_subscribe(conn);
                }
            }
            Reply::Unsubscribed { .. } => self.subscribe_ended(None, conn),
            Reply::Op { committed, .. } => {
                let Committed { version, src, seq, op } = committed;
                self.op_arrived(version, &src, seq, Some(op), conn);
            }
            Reply::Ack { version, src, seq, .. } => {
                self.op_arrived(version, &src, seq, None, conn);
            }
            Reply::Refused { error, src, seq, .. } => match &self.inflight {
                Some(inflight) => {
                    if conn.guarded && !inflight.was_sent_as(&src, seq) {
                        return conn.events.push_back(UpstreamEvent::Failed(self.id(), error));
                    }
                    if let Some(op) = inflight.refused_instead_of(&src, seq) {
                        let undone = self.inverse_of(&op).is_some();
                        conn.misled.push((op, Some(self.id()).filter(|_| undone)));
                    }
                    self.roll_back(error, conn);
                }
                None => conn.events.push_back(UpstreamEvent::Failed(self.id(), error)),
            },
            other => unreachable!("{other:?} is not about a document"),
        }
    }

    // Snapshots

    pub fn ingest(&mut self, snapshot: Option<Snapshot>, done: Vec<Done>, conn: &mut Conn) {
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

    /// The server does not show the document.
    fn refused(&mut self, error: Error, done: Vec<Done>, conn: &mut Conn) {
        let silent = error.code_text().as_deref() == Some("ERR_SNAPSHOT_READ_SILENT_REJECTION");
        self.want_subscribe &= !silent;
        self.call_with(Some(error).filter(|_| !silent), done, conn);
        self.nothing_pending(conn);
    }

    pub fn call(&mut self, done: Vec<Done>, conn: &mut Conn) {
        self.call_with(None, done, conn);
    }

    fn call_with(&mut self, error: Option<Error>, done: Vec<Done>, conn: &mut Conn) {
        let id = self.id();
        for done in done {
            match done {
                Done::Nothing => {}
                Done::Fetched => {
                    conn.events.push_back(UpstreamEvent::Fetched(id.clone(), error.clone()));
                }
                Done::Subscribed => {
                    let event = UpstreamEvent::Subscribed(id.clone(), None, self.subscribed);
                    conn.events.push_back(event);
                }
                Done::Found(query, round) => conn.found.push((query, round, error.clone())),
                Done::Destroy => self.destroyed = self.wants_destroy,
                Done::Reloaded(why, inflight, pending) => {
                    self.reloaded(why, error.as_ref(), *inflight, pending, conn);
                }
            }
        }
    }

    pub fn fetch(&mut self, done: Done, force: bool, conn: &mut Conn) {
        self.pending_fetch.push_back(done);
        if conn.can_send && (force || self.inflight_fetch.is_empty()) {
            self.inflight_fetch.extend(self.pending_fetch.pop_front());
            conn.out.push(Request::Fetch { doc: self.id(), version: self.version });
        }
    }

    // Subscriptions

    pub fn queue_subscribe(&mut self, want: bool, done: Done, conn: &mut Conn) {
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
        self.subscribed &= want;
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
        self.subscribed = ask.want && conn.can_send;
        if ask.want {
            done.push(Done::Subscribed);
        }
        self.ingest(snapshot.filter(|_| ask.want), done, conn);
        self.nothing_pending(conn);
        self.flush_subscribe(conn);
    }

    pub fn connection_changed(&mut self, conn: &mut Conn) {
        if conn.can_send {
            self.flush(conn);
            return self.resubscribe(conn);
        }
        if let Some(op) = self.inflight.take() {
            self.pending.push_front(op);
        }
        self.subscribed = false;
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

    pub fn destroy_if_idle(&mut self, conn: &mut Conn) {
        if !self.wants_destroy || self.has_pending() {
            return;
        }
        match self.want_subscribe {
            true => self.queue_subscribe(false, Done::Destroy, conn),
            false => self.destroyed = true,
        }
    }
}
