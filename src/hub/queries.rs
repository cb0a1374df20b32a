use super::by_ids::ids_of;
use super::context::{Context, Waiter};
use super::documents::Documents;
use super::upstream::{Head, QueryResults};
use crate::error::{Error, codes};
use crate::protocol::*;

/// A query of the hub: one upstream, however many tabs ask the same.
struct Query {
    /// Its number upstream.
    id: u64,
    spec: QuerySpec,
    /// The tabs' queries it answers.
    members: Vec<Waiter>,
    /// Those that came while the server was away: they wait for what it finds now.
    late: Vec<Waiter>,
    results: Option<QueryResults>,
    /// The results are the server's, who says when they change.
    is_live: bool,
}

/// The queries of the hub.
#[derive(Default)]
pub(super) struct Queries {
    queries: Vec<Query>,
    last_id: u64,
}

impl Queries {
    /// How many queries the tab has.
    pub fn count(&self, tab: &str) -> usize {
        self.queries.iter().flat_map(|query| &query.members).filter(|it| it.tab == tab).count()
    }

    /// A tab asks. Subscribed queries that ask the same share one upstream.
    pub fn ask(
        &mut self,
        waiter: Waiter,
        spec: QuerySpec,
        docs: &mut Documents,
        cx: &mut Context<'_>,
    ) {
        let same = |query: &&mut Query| query.spec.subscribe && query.spec == spec;
        if let Some(query) = self.queries.iter_mut().find(same) {
            match &query.results {
                Some(results) if query.is_live || cx.offline => {
                    tell_results(&waiter, results, true, docs, cx);
                }
                Some(_) => {
                    cx.working(&waiter);
                    return query.late.push(waiter);
                }
                None => {
                    cx.working(&waiter);
                    if cx.offline {
                        tell_offline(&query.spec, [&waiter], cx);
                    }
                }
            }
            query.members.push(waiter);
            return;
        }
        cx.working(&waiter);
        self.last_id += 1;
        cx.upstream.query(self.last_id, &spec);
        self.queries.push(Query {
            id: self.last_id,
            spec,
            members: vec![waiter],
            late: Vec::new(),
            results: None,
            is_live: false,
        });
        if cx.offline {
            let before = self.queries.len() - 1;
            self.answer_offline(before, docs, cx);
        }
    }

    /// The server can't be reached: the store answers where it knows the results. Other queries
    /// fail, but for those that live, which will have their results from the server.
    pub fn offline(&mut self, docs: &mut Documents, cx: &mut Context<'_>) {
        self.answer_offline(0, docs, cx);
    }

    /// The same for the queries from this one on.
    fn answer_offline(&mut self, from: usize, docs: &mut Documents, cx: &mut Context<'_>) {
        let mut at = 0;
        self.queries.retain_mut(|query| {
            at += 1;
            if at <= from {
                return true;
            }
            if let Some(results) = &query.results {
                for member in std::mem::take(&mut query.late) {
                    tell_results(&member, results, query.spec.subscribe, docs, cx);
                    query.members.push(member);
                }
                return true;
            }
            match ids_of(&query.spec).filter(|ids| docs.are_known(ids)) {
                Some(ids) => {
                    let exists = |id: &DocId| docs.head(id).is_some_and(Head::exists);
                    let found = ids.into_iter().filter(exists).collect();
                    let results = QueryResults { docs: Some(found), extra: None };
                    for member in &query.members {
                        tell_results(member, &results, query.spec.subscribe, docs, cx);
                    }
                    query.results = Some(results);
                }
                None => tell_offline(&query.spec, &query.members, cx),
            }
            if !query.spec.subscribe {
                cx.upstream.end_query(query.id);
            }
            query.spec.subscribe
        });
    }

    /// The connection to the server is lost: it is asked again for the results.
    pub fn disconnected(&mut self) {
        self.queries.iter_mut().for_each(|query| query.is_live = false);
    }

    /// A tab no longer wants a query.
    pub fn end(&mut self, waiter: &Waiter, docs: &mut Documents, cx: &mut Context<'_>) {
        self.drop_members(|member| member == waiter, cx);
        docs.end_results(&waiter.tab, |query| query == waiter.request, cx);
    }

    /// A tab is gone.
    pub fn release_all(&mut self, tab: &str, docs: &mut Documents, cx: &mut Context<'_>) {
        self.drop_members(|member| member.tab == tab, cx);
        docs.end_results(tab, |_| true, cx);
    }

    fn drop_members(&mut self, gone: impl Fn(&Waiter) -> bool, cx: &mut Context<'_>) {
        self.queries.retain_mut(|query| {
            query.members.retain(|member| !gone(member));
            query.late.retain(|member| !gone(member));
            let is_wanted = !(query.members.is_empty() && query.late.is_empty());
            if !is_wanted {
                cx.upstream.end_query(query.id);
            }
            is_wanted
        });
    }

    /// The upstream query has its results, for the first time or after the server was lost.
    pub fn ready(
        &mut self,
        id: u64,
        found: Result<QueryResults, Error>,
        docs: &mut Documents,
        cx: &mut Context<'_>,
    ) {
        let Some(at) = self.queries.iter().position(|query| query.id == id) else { return };
        let results = match found {
            Ok(results) => results,
            Err(error) => {
                let query = self.queries.remove(at);
                for member in query.members.iter().chain(&query.late) {
                    docs.end_results(&member.tab, |query| query == member.request, cx);
                    let (request, error) = (member.request, Some(error.clone()));
                    let ready = QueryReady { request, results: None, extra: None, error };
                    cx.send(&member.tab, ToTab::QueryReady(ready));
                }
                return;
            }
        };
        let query = &mut self.queries[at];
        let before = query.results.replace(results.clone());
        query.is_live = true;
        query.members.append(&mut query.late);
        for member in &query.members {
            tell_results(member, &results, query.spec.subscribe, docs, cx);
            if let Some(before) = &before {
                let found = results.docs.as_deref().unwrap_or_default();
                let went = before.docs.iter().flatten().filter(|id| !found.contains(id));
                docs.leave_results(member, went, cx);
            }
        }
        if !query.spec.subscribe {
            self.queries.remove(at);
        }
    }

    /// The results of an upstream query changed.
    pub fn changed(
        &mut self,
        id: u64,
        diff: Vec<QueryDiff>,
        docs: &mut Documents,
        cx: &mut Context<'_>,
    ) {
        let Some(query) = self.queries.iter_mut().find(|query| query.id == id) else { return };
        // Before the results are known there is nothing to change: they will come as they are then.
        let Some(results) = &mut query.results else { return };
        let results = results.docs.get_or_insert_default();
        let mut came = Vec::new();
        let mut went = Vec::new();
        for step in &diff {
            apply(step, results, &mut came, &mut went);
        }
        went.retain(|id| !results.contains(id));
        for member in &query.members {
            docs.join_results(member, &came, true, cx);
            let change = QueryChange { request: member.request, diff: diff.clone() };
            cx.send(&member.tab, ToTab::QueryChange(change));
            docs.leave_results(member, went.iter(), cx);
        }
    }

    /// What the database says beside the results changed.
    pub fn extra(&mut self, id: u64, extra: Option<crate::Payload>, cx: &mut Context<'_>) {
        let Some(query) = self.queries.iter_mut().find(|query| query.id == id) else { return };
        let Some(results) = &mut query.results else { return };
        results.extra.clone_from(&extra);
        for member in &query.members {
            let message = QueryExtra { request: member.request, extra: extra.clone() };
            cx.send(&member.tab, ToTab::QueryExtra(message));
        }
    }

    /// An upstream query emitted an error.
    pub fn failed(&self, id: u64, error: &Error, cx: &mut Context<'_>) {
        let members = self.queries.iter().filter(|query| query.id == id);
        for member in members.flat_map(|query| &query.members) {
            let message = QueryError { request: member.request, error: error.clone() };
            cx.send(&member.tab, ToTab::QueryError(message));
        }
    }
}

fn tell_offline<'a>(
    spec: &QuerySpec,
    members: impl IntoIterator<Item = &'a Waiter>,
    cx: &mut Context<'_>,
) {
    let message = format!(
        "a query of {} can't be answered: the server can't be reached, and the store answers only \
         for ids that it has",
        spec.collection
    );
    let error = Error::new(codes::OFFLINE, message);
    for member in members {
        let (request, error) = (member.request, error.clone());
        let message = if spec.subscribe {
            ToTab::QueryError(QueryError { request, error })
        } else {
            let (results, extra, error) = (None, None, Some(error));
            ToTab::QueryReady(QueryReady { request, results, extra, error })
        };
        cx.send(&member.tab, message);
    }
}

fn tell_results(
    waiter: &Waiter,
    results: &QueryResults,
    keep: bool,
    docs: &mut Documents,
    cx: &mut Context<'_>,
) {
    docs.join_results(waiter, results.docs.as_deref().unwrap_or_default(), keep, cx);
    let QueryResults { docs: results, extra } = results.clone();
    let ready = QueryReady { request: waiter.request, results, extra, error: None };
    cx.send(&waiter.tab, ToTab::QueryReady(ready));
}

/// Does to the list what the step says, and notes which documents came and went.
fn apply(step: &QueryDiff, results: &mut Vec<DocId>, came: &mut Vec<DocId>, went: &mut Vec<DocId>) {
    let clamp = |index: u32, length: usize| (index as usize).min(length);
    let cut = |results: &mut Vec<DocId>, at: u32, count: u32| -> Vec<DocId> {
        let at = clamp(at, results.len());
        let end = at.saturating_add(count as usize).min(results.len());
        results.drain(at..end).collect()
    };
    match step {
        QueryDiff::Insert { index, docs } => {
            let at = clamp(*index, results.len());
            results.splice(at..at, docs.iter().cloned());
            came.extend(docs.iter().cloned());
        }
        QueryDiff::Remove { index, count } => went.extend(cut(results, *index, *count)),
        QueryDiff::Move { from, to, count } => {
            let moved = cut(results, *from, *count);
            let at = clamp(*to, results.len());
            results.splice(at..at, moved);
        }
    }
}
