//! The queries of a tab, as `js/src/tab/query.ts` keeps their results.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tabmux::protocol::{DocId, QuerySpec};
use tabmux::tab::{Tab, TabEvent};
use tabmux::{Error, codes};

use super::client::apply;
use super::tab::TabDoc;

/// A query that the tab holds.
pub struct TabQuery {
    pub spec: QuerySpec,
    /// `None` before they are known.
    pub results: Option<Vec<DocId>>,
    pub extra: Option<Value>,
}

#[derive(Default)]
pub struct Queries {
    /// By the numbers of their requests.
    pub held: BTreeMap<u64, TabQuery>,
    /// Documents that the tab let go of since a query has found them: no query promises to follow them.
    let_go: BTreeSet<DocId>,
    /// Why queries failed.
    pub errors: Vec<Error>,
}

impl Queries {
    pub fn begin(&mut self, request: u64, spec: QuerySpec) {
        self.held.insert(request, TabQuery { spec, results: None, extra: None });
    }

    /// The tab closed this document.
    pub fn closed(&mut self, doc: &DocId) {
        self.let_go.insert(doc.clone());
    }

    /// A query has found this document, which is open from now on.
    pub fn found(&mut self, doc: &DocId) {
        self.let_go.remove(doc);
    }

    /// The documents that follow the server because a query found them.
    pub fn followed(&self) -> impl Iterator<Item = &DocId> {
        let live = self.held.values().filter(|query| query.spec.subscribe);
        let found = live.flat_map(|query| query.results.iter().flatten());
        found.filter(|doc| !self.let_go.contains(doc))
    }

    /// Takes what the tab is told of queries; gives back anything else.
    pub fn take(
        &mut self,
        event: TabEvent,
        tab: &Tab,
        docs: &BTreeMap<DocId, TabDoc>,
    ) -> Option<TabEvent> {
        match event {
            TabEvent::QueryReady(ready) => {
                let query = self.held.get_mut(&ready.request)?;
                if let Some(error) = ready.error {
                    self.errors.push(error);
                    self.held.remove(&ready.request);
                    return None;
                }
                let results = ready.results.expect("these queries always find a list");
                let extra = ready.extra.map(|extra| extra.0);
                for id in &results {
                    let doc = docs.get(id);
                    assert!(doc.is_some() || self.let_go.contains(id), "{id} is found, not opened");
                    let replica = doc.and_then(|doc| tab.replica(doc.key));
                    assert!(
                        replica.is_none_or(|it| it.rev().is_some() || it.is_rolled_back()),
                        "{id} is found without a state"
                    );
                    let version = replica.and_then(|replica| replica.version());
                    let least = extra.as_ref().and_then(|extra| extra[&id.id].as_u64());
                    assert!(
                        query.spec.subscribe
                            || version.is_none_or(|version| Some(version) >= least),
                        "{id} was found at version {least:?}, and the tab is at {version:?}"
                    );
                }
                (query.results, query.extra) = (Some(results), extra);
                if !query.spec.subscribe {
                    self.held.remove(&ready.request);
                }
            }
            TabEvent::QueryChange(change) => {
                let query = self.held.get_mut(&change.request)?;
                if let Some(results) = &mut query.results {
                    apply(&change.diff, results);
                    for id in results {
                        assert!(docs.contains_key(id) || self.let_go.contains(id), "{id} is new");
                    }
                }
            }
            TabEvent::QueryExtra(extra) => {
                if let Some(query) = self.held.get_mut(&extra.request) {
                    query.extra = extra.extra.map(|extra| extra.0);
                }
            }
            TabEvent::QueryFailed(failed) => self.errors.push(failed.error),
            other => return Some(other),
        }
        None
    }

    /// Whether the hub was silent until a query ran out.
    pub fn were_left_alone(&self) -> bool {
        self.errors.iter().any(|error| error.code_text().as_deref() == Some(codes::TIMEOUT))
    }
}
