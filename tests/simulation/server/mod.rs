//! A model of ShareDB's server, `lib/agent.js` above all, in our own words.

mod documents;
mod presence;
mod queries;

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tabmux::Error;
use tabmux::ot::Op;
use tabmux::protocol::{DocId, QueryDiff, QuerySpec, Snapshot};

pub use documents::{Committed, ServerDoc};
use presence::Presences;
use queries::Live;
pub use queries::{MODULI, spec};

/// Stands for one connected client.
pub type AgentId = u32;

/// What a client sends.
#[derive(Clone, Debug)]
pub enum Request {
    Fetch {
        doc: DocId,
        version: Option<u64>,
    },
    Subscribe {
        doc: DocId,
        version: Option<u64>,
    },
    Unsubscribe {
        doc: DocId,
    },
    Submit {
        doc: DocId,
        version: Option<u64>,
        src: String,
        seq: u64,
        op: Op,
    },
    /// `held`: the results the client has from before its connection was lost.
    Query {
        id: u64,
        spec: QuerySpec,
        held: Option<Vec<(DocId, Option<u64>)>>,
    },
    EndQuery {
        id: u64,
    },
    /// About presence.
    Message(Value),
}

/// Documents and their states.
pub type Snapshots = Vec<(DocId, Snapshot)>;

/// What a client gets.
#[derive(Clone, Debug)]
pub enum Reply {
    Fetched {
        doc: DocId,
        snapshot: Option<Snapshot>,
    },
    FetchRefused {
        doc: DocId,
        error: Error,
    },
    Subscribed {
        doc: DocId,
        snapshot: Option<Snapshot>,
    },
    SubscriptionRefused {
        doc: DocId,
        error: Error,
    },
    Unsubscribed {
        doc: DocId,
    },
    Op {
        doc: DocId,
        committed: Committed,
    },
    Ack {
        doc: DocId,
        src: String,
        seq: u64,
        version: u64,
    },
    Refused {
        doc: DocId,
        src: String,
        seq: u64,
        error: Error,
    },
    Found {
        id: u64,
        docs: Snapshots,
        extra: Value,
    },
    /// The answer to one who held results: what else there was to know came before.
    FoundAgain {
        id: u64,
        unknown: Snapshots,
    },
    QueryRefused {
        id: u64,
        error: Error,
    },
    Diff {
        id: u64,
        diff: Vec<QueryDiff>,
        inserted: Snapshots,
    },
    Extra {
        id: u64,
        extra: Value,
    },
    Message(Value),
}

impl Reply {
    /// The documents of which a query has found these states.
    pub fn found(&self) -> impl Iterator<Item = &DocId> {
        let snapshots = match self {
            Reply::Found { docs, .. } => docs.as_slice(),
            Reply::FoundAgain { unknown, .. } => unknown,
            Reply::Diff { inserted, .. } => inserted,
            _ => &[],
        };
        snapshots.iter().map(|(doc, _)| doc)
    }
}

struct Agent {
    src: String,
    subscribed: BTreeSet<DocId>,
    queries: BTreeMap<u64, Live>,
    presences: Presences,
}

#[derive(Default)]
pub struct Server {
    docs: BTreeMap<DocId, ServerDoc>,
    agents: BTreeMap<AgentId, Agent>,
    next_agent: AgentId,
    /// How likely an op, a query, a subscription or a fetch of a whole state is to be refused for no
    /// reason of its own.
    pub refusals: f64,
    /// Ops that were refused with `ERR_OP_SUBMIT_REJECTED`, of which a client's callback is not
    /// told.
    pub rejected: Vec<Op>,
    /// Ops that were committed, and yet may count as refused: ShareDB refuses one that is sent again,
    /// if its document was deleted since, and see `Pending::refused_instead_of`.
    pub misjudged: Vec<Op>,
    /// Creations that were sent again after their document had been deleted: ShareDB's server can't
    /// tell, if their client never knew a version of it, and commits them twice.
    pub created_twice: Vec<Op>,
    /// Documents of which a client has undone such an op, so that its copy is wrong for good.
    pub astray: BTreeSet<DocId>,
    /// Presence whose client is gone and that was not taken back, because its client had not
    /// subscribed to the channel: by channel and id.
    pub ghosts: BTreeSet<(String, String)>,
    pub out: Vec<(AgentId, Reply)>,
}

impl Server {
    pub fn connect(&mut self, src: &str) -> AgentId {
        self.next_agent += 1;
        let agent = Agent {
            src: src.to_owned(),
            subscribed: BTreeSet::new(),
            queries: BTreeMap::new(),
            presences: Presences::default(),
        };
        self.agents.insert(self.next_agent, agent);
        self.next_agent
    }

    pub fn disconnect(&mut self, id: AgentId) {
        let Some(agent) = self.agents.remove(&id) else { return };
        self.out.retain(|(to, _)| *to != id);
        self.end_presences(agent);
    }

    /// What the connections of this client are subscribed to: documents, queries and channels.
    pub fn subscriptions(&self, src: &str) -> (Vec<DocId>, Vec<QuerySpec>, Vec<String>) {
        let own = || self.agents.values().filter(|agent| agent.src == src);
        (
            own().flat_map(|agent| agent.subscribed.iter().cloned()).collect(),
            own().flat_map(|agent| agent.queries.values()).map(|live| live.spec.clone()).collect(),
            own().flat_map(|agent| agent.presences.channels().cloned()).collect(),
        )
    }

    pub fn receive(&mut self, agent: AgentId, request: Request, rng: &mut ChaCha8Rng) {
        match request {
            Request::Fetch { doc, version: None } if rng.random_bool(self.refusals) => {
                self.out.push((agent, Reply::FetchRefused { doc, error: read_refused(rng) }));
            }
            Request::Fetch { doc, version } => {
                let snapshot = self.read(agent, &doc, version);
                self.out.push((agent, Reply::Fetched { doc, snapshot }));
            }
            Request::Subscribe { doc, .. } if rng.random_bool(self.refusals) => {
                self.out
                    .push((agent, Reply::SubscriptionRefused { doc, error: read_refused(rng) }));
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
            Request::Query { id, held: None, .. } if rng.random_bool(self.refusals) => {
                let error = Error::new("ERR_TEST_REFUSED", "refused by the server");
                self.out.push((agent, Reply::QueryRefused { id, error }));
            }
            Request::Query { id, spec, held } => self.query(agent, id, spec, held),
            Request::EndQuery { id } => {
                if let Some(agent) = self.agents.get_mut(&agent) {
                    agent.queries.remove(&id);
                }
            }
            Request::Message(message) => self.take_message(agent, message),
        }
    }
}

/// Why a document is not shown. Of some refusals, ShareDB's client keeps quiet.
fn read_refused(rng: &mut ChaCha8Rng) -> Error {
    let code = match rng.random_bool(0.5) {
        true => "ERR_SNAPSHOT_READ_SILENT_REJECTION",
        false => "ERR_TEST_REFUSED",
    };
    Error::new(code, "refused by the server")
}
