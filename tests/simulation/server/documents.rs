//! A model of ShareDB's server: `lib/submit-request.js`, `lib/ot.js` and what of `lib/agent.js`
//! concerns documents, in our own words.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tabmux::ot::{Op, Side, Types};
use tabmux::protocol::{DocId, Snapshot};
use tabmux::{Error, Payload};

use crate::support::{Copy, Registry};

/// Stands for one connected client.
pub type AgentId = u32;

/// What a client sends.
#[derive(Clone, Debug)]
pub enum Request {
    Fetch { doc: DocId, version: Option<u64> },
    Subscribe { doc: DocId, version: Option<u64> },
    Unsubscribe { doc: DocId },
    Submit { doc: DocId, version: Option<u64>, src: String, seq: u64, op: Op },
}

/// What a client gets.
#[derive(Clone, Debug)]
pub enum Reply {
    Fetched { doc: DocId, snapshot: Option<Snapshot> },
    Subscribed { doc: DocId, snapshot: Option<Snapshot> },
    Unsubscribed { doc: DocId },
    Op { doc: DocId, committed: Committed },
    Ack { doc: DocId, src: String, seq: u64, version: u64 },
    Refused { doc: DocId, error: Error },
}

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

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            version: Some(self.version()),
            type_name: self.copy.type_name.clone(),
            data: self.copy.data.clone().map(Payload),
        }
    }

    fn since(&self, version: u64) -> &[Committed] {
        &self.log[(version as usize).min(self.log.len())..]
    }
}

struct Agent {
    src: String,
    subscribed: BTreeSet<DocId>,
}

#[derive(Default)]
pub struct Server {
    docs: BTreeMap<DocId, ServerDoc>,
    agents: BTreeMap<AgentId, Agent>,
    next_agent: AgentId,
    /// How likely an op is to be refused for no reason of its own.
    pub refusals: f64,
    /// How many snapshots were sent to anyone.
    pub reads: usize,
    pub out: Vec<(AgentId, Reply)>,
}

impl Server {
    pub fn doc(&mut self, id: &DocId) -> &mut ServerDoc {
        self.docs.entry(id.clone()).or_default()
    }

    pub fn docs(&self) -> impl Iterator<Item = (&DocId, &ServerDoc)> {
        self.docs.iter()
    }

    pub fn connect(&mut self, src: &str) -> AgentId {
        self.next_agent += 1;
        let agent = Agent { src: src.to_owned(), subscribed: BTreeSet::new() };
        self.agents.insert(self.next_agent, agent);
        self.next_agent
    }

    pub fn disconnect(&mut self, agent: AgentId) {
        self.agents.remove(&agent);
        self.out.retain(|(to, _)| *to != agent);
    }

    /// The documents that this client's connections are subscribed to.
    pub fn subscriptions(&self, src: &str) -> Vec<DocId> {
        let own = self.agents.values().filter(|agent| agent.src == src);
        own.flat_map(|agent| agent.subscribed.iter().cloned()).collect()
    }

    pub fn receive(&mut self, agent: AgentId, request: Request, rng: &mut ChaCha8Rng) {
        match request {
            Request::Fetch { doc, version } => {
                let snapshot = self.read(agent, &doc, version);
                self.out.push((agent, Reply::Fetched { doc, snapshot }));
            }
            Request::Subscribe { doc, version } => {
                let snapshot = self.read(agent, &doc, version);
                if let Some(agent) = self.agents.get_mut(&agent) {
                    agent.subscribed.insert(doc.clone());
                }
                self.out.push((agent, Reply::Subscribed { doc, snapshot }));
            }
            Request::Unsubscribe { doc } => {
                if let Some(agent) = self.agents.get_mut(&agent) {
                    agent.subscribed.remove(&doc);
                }
                self.out.push((agent, Reply::Unsubscribed { doc }));
            }
            Request::Submit { doc, version, src, seq, op } => {
                let committed = Committed { version: 0, src, seq, op };
                self.submit(agent, doc, version, committed, rng);
            }
        }
    }

    /// The snapshot; or, for one who has an older version, the ops since then.
    fn read(&mut self, agent: AgentId, id: &DocId, version: Option<u64>) -> Option<Snapshot> {
        let Some(version) = version else {
            self.reads += 1;
            return Some(self.doc(id).snapshot());
        };
        let ops = self.doc(id).since(version).to_vec();
        self.send_ops(agent, id, ops);
        None
    }

    fn send_ops(&mut self, agent: AgentId, id: &DocId, ops: Vec<Committed>) {
        let ops = ops.into_iter().map(|committed| Reply::Op { doc: id.clone(), committed });
        self.out.extend(ops.map(|op| (agent, op)));
    }

    fn submit(
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
        let refuse = |error| Reply::Refused { doc: id.clone(), error };
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
            let code =
                ["ERR_OP_SUBMIT_REJECTED", "ERR_TEST_REFUSED"][usize::from(rng.random_bool(0.5))];
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
