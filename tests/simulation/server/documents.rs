//! Documents: `lib/submit-request.js`, `lib/ot.js` and what of `lib/agent.js` concerns them.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tabmux::ot::{Op, Side, Types};
use tabmux::protocol::{DocId, Snapshot};
use tabmux::{Error, Payload};

use super::{AgentId, Reply, Server};
use crate::support::{Copy, Registry};

/// One op of a document's log. Its version is its place there.
#[derive(Clone, Debug)]
pub struct Committed {
    pub version: u64,
    pub src: String,
    pub seq: u64,
    pub op: Op,
}

#[derive(Default)]
pub struct ServerDoc {
    pub copy: Copy,
    pub log: Vec<Committed>,
    created_by: Option<(String, u64, u64)>,
}

impl ServerDoc {
    pub fn version(&self) -> u64 {
        self.log.len() as u64
    }

    /// The document as it was at a version.
    pub fn at(&self, version: u64) -> Copy {
        let mut copy = Copy::default();
        for committed in &self.log[..version as usize] {
            copy.apply(&committed.op).expect("it was applied before");
        }
        copy
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            version: Some(self.version()),
            type_name: self.copy.type_name.clone(),
            data: self.copy.data.clone().map(Payload),
        }
    }

    pub(super) fn since(&self, version: u64) -> &[Committed] {
        &self.log[(version as usize).min(self.log.len())..]
    }
}

impl Server {
    pub fn doc(&mut self, id: &DocId) -> &mut ServerDoc {
        self.docs.entry(id.clone()).or_default()
    }

    pub fn docs(&self) -> impl Iterator<Item = (&DocId, &ServerDoc)> {
        self.docs.iter()
    }

    /// The snapshot; or, for one who has an older version, the ops since then.
    pub(super) fn read(
        &mut self,
        agent: AgentId,
        id: &DocId,
        version: Option<u64>,
    ) -> Option<Snapshot> {
        let Some(version) = version else {
            return Some(self.doc(id).snapshot());
        };
        let ops = self.doc(id).since(version).to_vec();
        self.send_ops(agent, id, ops);
        None
    }

    pub(super) fn send_ops(&mut self, agent: AgentId, id: &DocId, ops: Vec<Committed>) {
        let ops = ops.into_iter().map(|committed| Reply::Op { doc: id.clone(), committed });
        self.out.extend(ops.map(|op| (agent, op)));
    }

    pub(super) fn submit(
        &mut self,
        agent: AgentId,
        id: DocId,
        version: Option<u64>,
        mut op: Committed,
        rng: &mut ChaCha8Rng,
    ) {
        let doc = self.docs.entry(id.clone()).or_default();
        let (src, seq) = (op.src.clone(), op.seq);
        let ack = |version| Reply::Ack { doc: id.clone(), src: src.clone(), seq, version };
        if doc.log.iter().any(|known| (&known.src, known.seq) == (&src, seq)) {
            self.misjudged.push(op.op.clone());
            if version.is_none() && doc.copy.type_name.is_none() {
                self.created_twice.push(op.op.clone());
            }
        }
        let refuse = |error| Reply::Refused { doc: id.clone(), src: src.clone(), seq, error };
        op.version = match (version, &doc.created_by) {
            (None, Some((src, seq, version)))
                if matches!(op.op, Op::Create(_)) && doc.copy.type_name.is_some() =>
            {
                let reply = match (src, seq) == (&op.src, &op.seq) {
                    true => ack(*version),
                    false => refuse(created_already()),
                };
                return self.out.push((agent, reply));
            }
            _ => version.unwrap_or(doc.version()),
        };
        let mut missing = Vec::new();
        for applied in doc.since(op.version) {
            if (&applied.src, applied.seq) == (&op.src, op.seq) {
                let reply = ack(op.version);
                return self.out.push((agent, reply));
            }
            if let Err(error) = transform(doc.copy.type_name.as_deref(), &mut op.op, &applied.op) {
                return self.out.push((agent, refuse(error)));
            }
            op.version += 1;
            missing.push(applied.clone());
        }
        if rng.random_bool(self.refusals) {
            let silent = rng.random_bool(0.5);
            let code = if silent { "ERR_OP_SUBMIT_REJECTED" } else { "ERR_TEST_REFUSED" };
            if silent {
                self.rejected.push(op.op.clone());
            }
            return self.out.push((agent, refuse(Error::new(code, "refused by the server"))));
        }
        if matches!(op.op, Op::Create(_)) && doc.copy.type_name.is_some() {
            return self.out.push((agent, refuse(created_already())));
        }
        if let Err(error) = doc.copy.apply(&op.op) {
            return self.out.push((agent, refuse(error)));
        }
        if matches!(op.op, Op::Create(_)) {
            doc.created_by = Some((op.src.clone(), op.seq, op.version));
        }
        doc.log.push(op.clone());
        let reply = ack(op.version);
        self.publish(&id, &op);
        self.send_ops(agent, &id, missing);
        self.out.push((agent, reply));
    }

    /// Sends a committed op to all who are subscribed, but for those whose own it is.
    fn publish(&mut self, id: &DocId, committed: &Committed) {
        for (to, agent) in &self.agents {
            if agent.subscribed.contains(id) && agent.src != committed.src {
                self.out.push((*to, Reply::Op { doc: id.clone(), committed: committed.clone() }));
            }
        }
        self.tell_queries(id, committed);
    }
}

fn created_already() -> Error {
    Error::new("ERR_DOC_ALREADY_CREATED", "Invalid op submitted. Document already created")
}

/// Transforms an incoming op against one that was applied before it.
fn transform(type_name: Option<&str>, op: &mut Op, applied: &Op) -> Result<(), Error> {
    match (&mut *op, applied) {
        (Op::Create(_) | Op::Edit(_), Op::Del) => {
            return Err(Error::new("ERR_DOC_WAS_DELETED", "Document was deleted"));
        }
        (Op::Create(_) | Op::Edit(_) | Op::Del, Op::Create(_)) | (Op::Create(_), Op::Edit(_)) => {
            return Err(Error::new("ERR_DOC_ALREADY_CREATED", "Document was created remotely"));
        }
        (Op::Edit(op), Op::Edit(applied)) => {
            let ty = type_name.and_then(|name| Registry.get(name));
            let ty = ty.ok_or_else(|| Error::new("ERR_DOC_DOES_NOT_EXIST", "no document"))?;
            *op = ty.transform(op, applied, Side::Left)?;
        }
        _ => {}
    }
    Ok(())
}
