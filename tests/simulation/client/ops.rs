//! A document's ops, from their submission to the server's answer: the other half of
//! `lib/client/doc.js`.

use std::collections::VecDeque;
use std::mem;

use tabmux::hub::{Sent, UpstreamEvent};
use tabmux::ot::{Op, Origin, TypeHandle, Types, transform_pair};
use tabmux::protocol::Change;
use tabmux::{Error, Payload};

use super::{Conn, Doc, Done};
use crate::server::Request;
use crate::support::{Copy, Registry};

/// An op on its way.
pub(super) struct Pending {
    pub op: Op,
    pub ty: Option<TypeHandle>,
    pub origins: Vec<Origin>,
    /// Its name, once it was sent.
    pub sent: Option<Sent>,
}

impl Pending {
    /// The edit, if the refusal is that of another op. After a hard rollback, ShareDB takes the
    /// refusal of the op that was inflight for that of the one that is, where a query or a
    /// subscription has brought the document's state before.
    pub fn refused_instead_of(&self, src: &str, seq: u64) -> Option<Op> {
        let other = !self.was_sent_as(src, seq);
        Some(self.op.clone()).filter(|op| other && matches!(op, Op::Edit(_)))
    }

    pub fn was_sent_as(&self, src: &str, seq: u64) -> bool {
        self.sent.as_ref().is_some_and(|sent| (sent.src.as_str(), sent.seq) == (src, seq))
    }
}

impl Doc {
    pub fn submit(
        &mut self,
        op: Op,
        compose: bool,
        origin: Origin,
        conn: &mut Conn,
    ) -> Result<bool, Error> {
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
        Ok(composed)
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

    pub fn flush(&mut self, conn: &mut Conn) {
        if !conn.can_send || self.inflight.is_some() {
            return;
        }
        let Some(mut next) = self.pending.pop_front() else { return };
        let sent = next.sent.get_or_insert_with(|| {
            conn.seq += 1;
            Sent { src: conn.src.clone(), seq: conn.seq }
        });
        let doc = self.id();
        let request = Request::Submit {
            doc: doc.clone(),
            version: self.version,
            src: sent.src.clone(),
            seq: sent.seq,
            op: next.op.clone(),
        };
        match &mut conn.held {
            Some(held) => {
                held.push((doc.clone(), sent.clone(), request));
                conn.events.push_back(UpstreamEvent::Sending(doc, sent.clone()));
            }
            None => conn.out.push(request),
        }
        self.inflight = Some(next);
    }

    /// An op of the server; `None` for the acknowledgement of an own one.
    pub fn op_arrived(&mut self, at: u64, src: &str, seq: u64, op: Option<Op>, conn: &mut Conn) {
        let own = self.inflight.as_ref().and_then(|inflight| inflight.sent.as_ref());
        if own.is_some_and(|own| own.src == src && own.seq == seq) {
            return self.acknowledged(at, conn);
        }
        match self.version {
            Some(version) if at < version => return,
            Some(version) if at == version && op.is_none() && conn.guarded => {
                return self.fetch(Done::Nothing, false, conn);
            }
            Some(version) if at == version => {
                if op.is_none() {
                    // ShareDB counts the version, and lacks what the op did.
                    conn.misled.push((Op::NoOp, Some(self.id())));
                }
            }
            _ => return self.fetch(Done::Nothing, false, conn),
        }
        let mut op = op.unwrap_or(Op::NoOp);
        let raw = op.clone();
        for own in self.inflight.iter_mut().chain(&mut self.pending) {
            if let Err(error) = transform_pair(&mut own.op, &mut op, own.ty.as_ref()) {
                return self.hard_roll_back(error, conn);
            }
        }
        self.version = Some(at + 1);
        self.apply(op, Some(src.to_owned()), Some(raw), conn);
    }

    /// Applies an op of others, and says so; ShareDB is silent about one that does nothing.
    fn apply(&mut self, mut op: Op, src: Option<String>, raw: Option<Op>, conn: &mut Conn) {
        if let Err(error) = self.copy.apply(&op) {
            return self.hard_roll_back(error, conn);
        }
        if let Op::Create(create) = &mut op {
            create.snapshot = true;
        }
        if op != Op::NoOp {
            let change = Change { op, version: self.version, src };
            conn.events.push_back(UpstreamEvent::Changed(self.id(), change, raw));
        } else {
            conn.events.push_back(UpstreamEvent::Moved(self.id()));
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

    pub fn nothing_pending(&mut self, conn: &mut Conn) {
        if !self.has_write_pending() {
            let done = mem::take(&mut self.after_writes);
            self.call(done, conn);
        }
    }

    /// The op that undoes this one, where the type has it.
    pub fn inverse_of(&self, op: &Op) -> Option<Payload> {
        match op {
            Op::Edit(op) => self.copy.ty()?.invert(&op.0).map(Payload),
            _ => None,
        }
    }

    pub fn roll_back(&mut self, error: Error, conn: &mut Conn) {
        let inverse = self.inflight.as_ref().and_then(|inflight| self.inverse_of(&inflight.op));
        let Some(inverse) = inverse else { return self.hard_roll_back(error, conn) };
        let mut op = Op::Edit(inverse);
        for own in &mut self.pending {
            if let Err(error) = transform_pair(&mut own.op, &mut op, own.ty.as_ref()) {
                return self.hard_roll_back(error, conn);
            }
        }
        self.apply(op, None, None, conn);
        let rejected = error.code_text().as_deref() == Some("ERR_OP_SUBMIT_REJECTED");
        self.clear_inflight(Some(error).filter(|_| !rejected), conn);
    }

    fn hard_roll_back(&mut self, error: Error, conn: &mut Conn) {
        self.in_hard_rollback = true;
        self.version = None;
        self.copy = Copy::default();
        conn.events.push_back(UpstreamEvent::Moved(self.id()));
        let (inflight, pending) = (self.inflight.take(), mem::take(&mut self.pending));
        let dropped = inflight.iter().chain(&pending);
        conn.dropped.extend(dropped.flat_map(|op| op.origins.iter().cloned()));
        self.fetch(Done::Reloaded(error, Box::new(inflight), pending), true, conn);
    }

    pub fn reloaded(
        &mut self,
        mut error: Error,
        fetch_error: Option<&Error>,
        inflight: Option<Pending>,
        pending: VecDeque<Pending>,
        conn: &mut Conn,
    ) {
        self.in_hard_rollback = false;
        let id = self.id();
        if self.version.is_none() && self.copy.type_name.is_none() {
            conn.events.push_back(UpstreamEvent::Unloaded(id.clone()));
        }
        if let Some(fetch_error) = fetch_error {
            let failed = Error::new("ERR_HARD_ROLLBACK_FETCH_FAILED", fetch_error.message.clone());
            conn.events.push_back(UpstreamEvent::Failed(id.clone(), failed));
        }
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
