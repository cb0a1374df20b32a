//! Queries, as `lib/query-emitter.js` keeps them up to date.

use serde_json::{Value, json};
use tabmux::Payload;
use tabmux::protocol::{DocId, QueryDiff, QuerySpec};

use super::{AgentId, Committed, Reply, Server, Snapshots};

/// A subscribed query, and what its client was told of it.
pub struct Live {
    pub spec: QuerySpec,
    ids: Vec<DocId>,
    extra: Value,
}

/// The moduli the tests use.
pub const MODULI: [u64; 3] = [2, 3, 5];

/// Asks for the documents whose size leaves a remainder, the smallest remainder first.
pub fn spec(modulus: u64, subscribe: bool) -> QuerySpec {
    let query = Payload(json!({ "modulus": modulus }));
    QuerySpec { collection: "docs".to_owned(), query, options: None, subscribe }
}

impl Server {
    /// What a query finds, and what is said beside it: the version of each document found.
    pub fn find(&self, spec: &QuerySpec) -> (Vec<DocId>, Value) {
        let modulus = spec.query.0["modulus"].as_u64().expect("made by `spec`");
        let of_collection = self.docs.iter().filter(|(id, _)| id.collection == spec.collection);
        let mut found: Vec<(u64, &DocId, u64)> = of_collection
            .filter_map(|(id, doc)| {
                let size = doc.copy.data.as_ref()?.to_string().len() as u64;
                Some((size % modulus, id, doc.version()))
            })
            .filter(|(remainder, ..)| *remainder > 0)
            .collect();
        found.sort();
        let extra = found.iter().map(|(_, id, version)| (id.id.clone(), json!(version)));
        let extra = Value::Object(extra.collect());
        (found.into_iter().map(|(_, id, _)| id.clone()).collect(), extra)
    }

    pub(super) fn query(
        &mut self,
        agent: AgentId,
        id: u64,
        spec: QuerySpec,
        held: Option<Vec<(DocId, Option<u64>)>>,
    ) {
        let (ids, extra) = self.find(&spec);
        if spec.subscribe
            && let Some(agent) = self.agents.get_mut(&agent)
        {
            let twice = agent.queries.values().any(|live| live.spec == spec);
            assert!(!twice, "{} asks {spec:?} twice at a time", agent.src);
            let (ids, extra) = match &held {
                Some(held) => (held.iter().map(|(id, _)| id.clone()).collect(), Value::Null),
                None => (ids.clone(), extra.clone()),
            };
            agent.queries.insert(id, Live { spec, ids, extra });
        }
        let Some(held) = held else {
            let docs = self.snapshots(&ids);
            return self.out.push((agent, Reply::Found { id, docs, extra }));
        };
        let mut unknown = Vec::new();
        for (doc, version) in held {
            match version {
                Some(version) => {
                    let ops = self.doc(&doc).since(version).to_vec();
                    self.send_ops(agent, &doc, ops);
                }
                None => unknown.push(doc),
            }
        }
        let unknown = self.snapshots(&unknown);
        self.poll(agent, id);
        self.out.push((agent, Reply::FoundAgain { id, unknown }));
    }

    fn snapshots(&self, ids: &[DocId]) -> Snapshots {
        let snapshot = |id: &DocId| (id.clone(), self.docs[id].snapshot());
        ids.iter().map(snapshot).collect()
    }

    /// Tells the queries of the collection of a committed op: first what it did to their results,
    /// then the op, if the document was among them.
    pub(super) fn tell_queries(&mut self, doc: &DocId, committed: &Committed) {
        let all = self.agents.iter().flat_map(|(agent, of)| {
            of.queries.iter().map(|(id, live)| (*agent, *id, live.ids.contains(doc)))
        });
        for (agent, id, contained) in all.collect::<Vec<_>>() {
            self.poll(agent, id);
            if contained && self.agents[&agent].src != committed.src {
                self.send_ops(agent, doc, vec![committed.clone()]);
            }
        }
    }

    fn poll(&mut self, agent: AgentId, id: u64) {
        let Some(spec) = self.agents.get(&agent).and_then(|agent| agent.queries.get(&id)) else {
            return;
        };
        let (ids, extra) = self.find(&spec.spec);
        let live = self.agents.get_mut(&agent).and_then(|agent| agent.queries.get_mut(&id));
        let live = live.expect("it was just found");
        let other_extra = live.extra != extra;
        live.extra = extra.clone();
        let before = std::mem::replace(&mut live.ids, ids.clone());
        if other_extra {
            self.out.push((agent, Reply::Extra { id, extra }));
        }
        if before != ids {
            let (diff, inserted) = difference(before, &ids);
            let inserted = self.snapshots(&inserted);
            self.out.push((agent, Reply::Diff { id, diff, inserted }));
        }
    }
}

/// The steps from one list to another, and what they insert.
fn difference(mut from: Vec<DocId>, to: &[DocId]) -> (Vec<QueryDiff>, Vec<DocId>) {
    let (mut diff, mut inserted) = (Vec::new(), Vec::new());
    while let Some(at) = from.iter().position(|id| !to.contains(id)) {
        from.remove(at);
        diff.push(QueryDiff::Remove { index: at as u32, count: 1 });
    }
    for (at, id) in to.iter().enumerate() {
        let index = at as u32;
        match from.iter().position(|other| other == id) {
            Some(held) if held == at => {}
            Some(held) => {
                let moved = from.remove(held);
                from.insert(at, moved);
                diff.push(QueryDiff::Move { from: held as u32, to: index, count: 1 });
            }
            None => {
                from.insert(at, id.clone());
                inserted.push(id.clone());
                diff.push(QueryDiff::Insert { index, docs: vec![id.clone()] });
            }
        }
    }
    (diff, inserted)
}
