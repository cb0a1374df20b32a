//! ShareDB's `Query`: `lib/client/query.js`.

use std::collections::BTreeSet;

use serde_json::Value;
use tabmux::Payload;
use tabmux::hub::{QueryResults, UpstreamEvent};
use tabmux::protocol::{DocId, QueryDiff, QuerySpec};

use super::{Client, Done};
use crate::server::{Reply, Request, Snapshots};

pub(super) struct Query {
    spec: QuerySpec,
    results: QueryResults,
    sent: bool,
    /// Which of its answers this is.
    round: u64,
    /// The server has answered; how many documents of the results are not up to date yet.
    waits: Option<usize>,
}

impl Client {
    pub fn query(&mut self, id: u64, spec: &QuerySpec) {
        let (spec, results) = (spec.clone(), QueryResults::default());
        self.queries.insert(id, Query { spec, results, sent: false, round: 0, waits: None });
        self.send_query(id);
    }

    pub fn end_query(&mut self, id: u64) {
        let ended = self.queries.remove(&id);
        if self.conn.can_send && ended.is_some_and(|query| query.spec.subscribe) {
            self.conn.out.push(Request::EndQuery { id });
        }
    }

    fn send_query(&mut self, id: u64) {
        let Some(query) = self.queries.get_mut(&id) else { return };
        if !self.conn.can_send {
            return;
        }
        query.sent = true;
        let versions = |doc: &DocId| (doc.clone(), self.docs.get(doc).and_then(|doc| doc.version));
        let held = query.results.docs.as_ref().map(|docs| docs.iter().map(versions).collect());
        self.conn.out.push(Request::Query { id, spec: query.spec.clone(), held });
    }

    /// The connection came or went.
    pub(super) fn requery(&mut self) {
        let answered = |query: &Query| !query.spec.subscribe && query.waits.is_some();
        let open = self.queries.iter().filter(|(_, query)| !answered(query));
        for (id, sent) in open.map(|(id, query)| (*id, query.sent)).collect::<Vec<_>>() {
            if self.conn.can_send && !sent {
                self.send_query(id);
            } else if let Some(query) = self.queries.get_mut(&id) {
                query.sent = false;
            }
        }
    }

    pub(super) fn receive_for_query(&mut self, reply: Reply) {
        let (Reply::Found { id, .. }
        | Reply::FoundAgain { id, .. }
        | Reply::QueryRefused { id, .. }
        | Reply::Diff { id, .. }
        | Reply::Extra { id, .. }) = &reply
        else {
            return;
        };
        let id = *id;
        let Some(query) = self.queries.get_mut(&id) else { return };
        match reply {
            Reply::Found { docs, extra, .. } => {
                let ids = docs.iter().map(|(doc, _)| doc.clone()).collect();
                query.results = QueryResults { docs: Some(ids), extra: Some(Payload(extra)) };
                self.take_results(id, docs);
            }
            Reply::FoundAgain { unknown, .. } => self.take_results(id, unknown),
            Reply::QueryRefused { error, .. } => {
                self.queries.remove(&id);
                self.conn.events.push_back(UpstreamEvent::QueryReady(id, Err(error)));
            }
            Reply::Diff { diff, inserted, .. } => {
                for (doc, snapshot) in inserted {
                    let (doc, conn) = self.doc(&doc);
                    doc.ingest(Some(snapshot), vec![Done::Nothing], conn);
                }
                let results = self.queries.get_mut(&id).map(|query| &mut query.results);
                let docs = results.and_then(|results| results.docs.as_mut());
                apply(&diff, docs.expect("the server answers before it tells of changes"));
                self.conn.events.push_back(UpstreamEvent::QueryChanged(id, diff));
            }
            Reply::Extra { extra, .. } => {
                query.results.extra = Some(Payload(extra.clone()));
                let event = UpstreamEvent::QueryExtra(id, Some(Payload(extra)));
                self.conn.events.push_back(event);
            }
            _ => {}
        }
    }

    fn take_results(&mut self, id: u64, docs: Snapshots) {
        let Some(query) = self.queries.get_mut(&id) else { return };
        query.waits = Some(docs.len() + 1);
        query.round += 1;
        let round = query.round;
        self.conn.found.push((id, round, None));
        for (doc, snapshot) in docs {
            let (doc, conn) = self.doc(&doc);
            doc.ingest(Some(snapshot), vec![Done::Found(id, round)], conn);
        }
    }

    /// The documents that a query has found which is not told of yet. If they are given up, the hub's
    /// side of ShareDB makes them anew as it tells of them.
    pub(super) fn being_found(&self) -> BTreeSet<DocId> {
        let waiting = self.queries.values().filter(|query| query.waits.is_some_and(|it| it > 0));
        waiting.flat_map(|query| query.results.docs.iter().flatten().cloned()).collect()
    }

    /// Tells of the queries whose documents are all up to date now.
    pub(super) fn finish_queries(&mut self) {
        for (id, round, error) in std::mem::take(&mut self.conn.found) {
            let Some(query) = self.queries.get_mut(&id) else { continue };
            if query.round != round {
                continue;
            }
            if let Some(error) = error {
                // The server knows nothing of that.
                self.end_query(id);
                self.conn.events.push_back(UpstreamEvent::QueryReady(id, Err(error)));
                continue;
            }
            let Some(waits) = query.waits.as_mut().filter(|waits| **waits > 0) else { continue };
            *waits -= 1;
            if *waits == 0 {
                let mut results = query.results.clone();
                for doc in results.docs.iter().flatten() {
                    if let Some(doc) = self.docs.get_mut(doc) {
                        doc.take_again(&mut self.conn);
                    }
                }
                if !query.spec.subscribe {
                    self.queries.remove(&id);
                    // ShareDB may not wait for documents that are loaded after a hard rollback, or of
                    // which the server answers a subscription while they are fetched, as when it
                    // silently refuses it: the versions they were found at promise nothing.
                    if let Some(Payload(Value::Object(extra))) = &mut results.extra {
                        extra.retain(|id, found| {
                            let version = self.version(&DocId::new("docs", id));
                            version.is_some() && version >= found.as_u64()
                        });
                    }
                }
                self.conn.events.push_back(UpstreamEvent::QueryReady(id, Ok(results)));
            }
        }
    }
}

/// Does to a list of results what the diff says.
pub fn apply(diff: &[QueryDiff], results: &mut Vec<DocId>) {
    for step in diff {
        match step {
            QueryDiff::Insert { index, docs } => {
                let at = *index as usize;
                results.splice(at..at, docs.iter().cloned());
            }
            QueryDiff::Remove { index, count } => {
                let at = *index as usize;
                results.drain(at..at + *count as usize);
            }
            QueryDiff::Move { from, to, count } => {
                let (from, to) = (*from as usize, *to as usize);
                let moved: Vec<DocId> = results.drain(from..from + *count as usize).collect();
                results.splice(to..to, moved);
            }
        }
    }
}
