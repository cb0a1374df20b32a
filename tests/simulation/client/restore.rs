//! What a hub with a store does to its client: holds back what is sent, and gives documents the state
//! and the ops they had.

use tabmux::Error;
use tabmux::hub::{PendingOp, Restored, Sent};
use tabmux::ot::{Op, Types};
use tabmux::protocol::DocId;

use super::document::Done;
use super::ops::Pending;
use super::{Client, Conn};
use crate::server::Request;
use crate::support::{Copy, Registry};

impl Client {
    pub fn release(&mut self, doc: &DocId, sent: &Sent) {
        let Conn { held, out, unrecorded, .. } = &mut self.conn;
        let released = held.iter_mut().flat_map(|held| {
            held.extract_if(.., |(other, name, _)| (&*other, &*name) == (doc, sent))
        });
        for (_, _, request) in released {
            if let Request::Submit { op, .. } = &request {
                unrecorded.push(op.clone());
            }
            out.push(request);
        }
    }

    pub fn pending(&self, doc: &DocId) -> Vec<PendingOp> {
        let Some(doc) = self.docs.get(doc) else { return Vec::new() };
        doc.inflight.iter().chain(&doc.pending).map(Pending::as_told).collect()
    }

    pub fn restore(&mut self, id: &DocId, restored: &Restored) -> Result<(), Error> {
        let Restored { snapshot, ops, pending } = restored;
        let data = snapshot.data.clone().map(|data| data.0);
        let mut copy = Copy { type_name: snapshot.type_name.clone(), data };
        for op in ops {
            copy.apply(op)?;
        }
        let (doc, conn) = self.doc(id);
        if doc.head().is_known() {
            return Ok(());
        }
        (doc.version, doc.copy) = (snapshot.version, copy);
        doc.pending = pending.iter().cloned().map(Pending::told).collect();
        doc.flush(conn);
        Ok(())
    }

    pub fn start_over(&mut self, id: &DocId) {
        let (doc, conn) = self.doc(id);
        (doc.version, doc.copy, doc.inflight) = (None, Copy::default(), None);
        doc.pending.clear();
        doc.fetch(Done::Fetched, true, conn);
    }

    pub fn reapply(&mut self, id: &DocId, pending: Vec<PendingOp>) -> Vec<(PendingOp, Error)> {
        let (doc, conn) = self.doc(id);
        let mut unfit = Vec::new();
        for op in pending {
            let mut copy = doc.copy.clone();
            let exists = copy.type_name.is_some();
            let taken = match &op.op {
                Op::Create(_) if exists => Err(Error::new("ERR_DOC_ALREADY_CREATED", "it exists")),
                Op::Del if !exists => {
                    Err(Error::new("ERR_DOC_DOES_NOT_EXIST", "it does not exist"))
                }
                op => copy.apply(op),
            };
            match taken {
                Ok(()) => {
                    doc.copy = copy;
                    doc.pending.push_back(Pending::told(op));
                }
                Err(error) => unfit.push((op, error)),
            }
        }
        doc.flush(conn);
        unfit
    }
}

impl Pending {
    fn as_told(&self) -> PendingOp {
        PendingOp {
            op: self.op.clone(),
            type_name: self.ty.as_ref().map(|ty| ty.uri()),
            source: None,
            origins: self.origins.clone(),
            sent: self.sent.clone(),
        }
    }

    fn told(op: PendingOp) -> Self {
        let PendingOp { op, type_name, origins, sent, .. } = op;
        let ty = type_name.and_then(|name| Registry.get(&name));
        Pending { op, ty, origins, sent }
    }
}
