//! The tabs that hold a document, and what each of them is sent.

use std::collections::VecDeque;
use tabmux_middleware::SortedSet;

use super::ingested::Ingested;
use super::{Context, Document};
use crate::error::Error;
use crate::hub::journal::{Failure, KnownTab};
use crate::ot::Entry;
use crate::protocol::*;

/// How many changes are kept for tabs that are not there; one that comes back after more is sent the
/// state, and what it did meanwhile is lost.
const KEPT_FOR_AWAY: Rev = 10_000;

/// What the hub knows of a tab that holds the document.
#[derive(Default)]
pub(super) struct Holder {
    /// The revision up to which changes were sent; `None` if the tab must be sent the state. It is
    /// ahead of the document's while the upstream is yet to tell of changes that a state had.
    pub sent: Option<Rev>,
    /// The revision from which the tab may still submit ops.
    pub seen: Rev,
    /// The revision at which the tab, which had not loaded the document, created it.
    pub created_at: Option<Rev>,
    /// The upstream version the tab was told last, and whether all ops up to it have their answer.
    pub told: (Option<u64>, bool),
    /// The version of the state that it was sent, if all of that was committed.
    pub committed: Option<u64>,
    /// The tab is subscribed to the document.
    pub live: bool,
    /// It asked for that, and the server refused: as in ShareDB, it is subscribed once the server
    /// allows it after all.
    pub refused: bool,
    /// The tab's subscribed queries that have the document among their results.
    pub queries: SortedSet<u64>,
    /// Those of them that are to be forgotten after the linger.
    pub departing: SortedSet<u64>,
    /// The number of the last message that told the tab that a query has found the document, and of the
    /// last such message when the tab was sent the state.
    pub found: u64,
    pub loaded: u64,
    /// The state could not be sent when it was due: it was being loaded.
    pub is_owed: bool,
    /// The tab began a new session and has not said yet what it holds: nothing can be sent to it.
    pub away: bool,
    /// The tab let go of the document, which only its queries hold: up to which revision it was told
    /// that there are changes.
    pub let_go: Option<Rev>,
    /// The tab has a state from elsewhere, and is sent nothing until it can be led on from there.
    pub ingested: Option<Ingested>,
    pub last_op_id: u64,
    pub failures: VecDeque<Failure>,
}

impl Holder {
    pub fn of(known: KnownTab) -> Self {
        let KnownTab { last_op_id, created_at, failures } = known;
        Holder { last_op_id, created_at, failures: failures.into(), ..Holder::default() }
    }

    /// Whether the tab is sent every change as it comes.
    pub fn is_live(&self) -> bool {
        self.live || !self.queries.is_empty()
    }
}

impl Document {
    pub(super) fn holder(&mut self, tab: &str) -> &mut Holder {
        let departed = &mut self.departed;
        self.holders.get_or_insert_with(tab.to_owned(), || {
            departed.take(tab).map(Holder::of).unwrap_or_default()
        })
    }

    /// The tab is gone; what its unload journal may repeat must be known. Returns whether it had the
    /// document open.
    pub(super) fn remove_holder(&mut self, tab: &str, cx: &Context<'_>) -> bool {
        let Some(holder) = self.holders.remove(tab) else { return false };
        if holder.must_be_known() && cx.journal.is_some() && !self.defers(tab) {
            self.departed.add(tab, holder.as_known(), self.order.rev());
        }
        true
    }

    /// The tab has said which revision it holds.
    pub(super) fn told(&mut self, tab: &str, rev: Option<Rev>) {
        let holder = self.holder(tab);
        holder.let_go = None;
        holder.seen = holder.seen.max(rev.unwrap_or(0));
        self.trim();
    }

    /// The tab wants the whole state, whatever it was sent.
    pub fn send_anew(&mut self, tab: &str) {
        let holder = self.holder(tab);
        (holder.sent, holder.ingested) = (None, None);
    }

    pub(super) fn trim(&mut self) {
        let held = self.holders.values().filter(|holder| holder.sent.is_some());
        let longest_ago = self.order.rev().saturating_sub(KEPT_FOR_AWAY);
        let wanted = held.map(|it| if it.away { it.seen.max(longest_ago) } else { it.seen });
        let lowest = wanted.min();
        self.order.trim(lowest.unwrap_or(self.order.rev()));
    }

    /// Sends what is new to all who want it at once, and to `also`.
    pub(super) fn broadcast(&mut self, also: Option<&str>, cx: &mut Context<'_>) {
        let tabs: Vec<String> = self
            .holders
            .iter()
            .filter(|(tab, holder)| holder.is_live() || holder.is_owed || also == Some(tab))
            .map(|(tab, _)| tab.clone())
            .collect();
        for tab in tabs {
            self.bring_up_to_date(&tab, cx);
        }
        self.trim();
    }

    /// Sends a tab the changes it has not been sent, or the whole state.
    pub(super) fn bring_up_to_date(&mut self, tab: &str, cx: &mut Context<'_>) {
        let rev = self.order.rev();
        let holder = self.holder(tab);
        let sent = holder.sent;
        if holder.away || holder.ingested.is_some() || sent.is_some_and(|sent| sent > rev) {
            return;
        }
        if self.holder(tab).let_go.is_some() {
            return self.tell_of_changes(tab, cx);
        }
        let changes = sent.and_then(|sent| {
            self.order.since(sent).map(|entries| in_messages(&self.id, tab, sent, entries))
        });
        let Some(mut messages) = changes else { return self.send_state(tab, None, cx) };
        let version = self.head.version;
        self.was_loaded |= version.is_some();
        let settled = self.unsettled.is_empty();
        let mut tells_version = false;
        if let Some(ToTab::DocChange(change)) = messages.last_mut() {
            change.settled = settled;
            if let Some(last) = change.changes.last_mut() {
                last.version = version;
                tells_version = true;
            }
        }
        for message in messages {
            cx.send(tab, message);
        }
        let holder = self.holder(tab);
        (holder.sent, holder.committed) = (Some(rev), version.filter(|_| settled));
        if tells_version {
            holder.told = (version, settled);
        } else if holder.told != (version, settled) {
            self.tell_settled(tab, Vec::new(), None, cx);
        }
    }

    /// Sends a tab the whole state; `since`: and what leads to it from the one it has ingested.
    pub(super) fn send_state(
        &mut self,
        tab: &str,
        since: Option<Vec<Change>>,
        cx: &mut Context<'_>,
    ) {
        let snapshot = cx.upstream.snapshot(&self.id);
        let version = snapshot.version;
        self.was_loaded |= version.is_some();
        if version.is_none() && snapshot.type_name.is_none() && !self.is_blank {
            // The upstream document is being loaded; the load will be sent.
            let holder = self.holder(tab);
            (holder.sent, holder.is_owed) = (None, true);
            return;
        }
        // The snapshot has what the hub is yet to be told of.
        let rev = self.order.rev() + cx.upstream.untold(&self.id).changes;
        let settled = self.unsettled.is_empty();
        let holder = self.holder(tab);
        (holder.seen, holder.loaded, holder.is_owed) = (rev, holder.found, false);
        (holder.sent, holder.told) = (Some(rev), (version, settled));
        holder.committed = version.filter(|_| settled);
        let doc = self.id.clone();
        cx.send(tab, ToTab::DocLoad(DocLoad { doc, rev, snapshot, since, settled }));
    }

    /// Tells a tab that let go of the document that there are changes: if it took it again, it asks
    /// for them.
    fn tell_of_changes(&mut self, tab: &str, cx: &mut Context<'_>) {
        let (rev, settled) = (self.order.rev(), self.unsettled.is_empty());
        if self.holder(tab).let_go.replace(rev) != Some(rev) {
            let (doc, changes) = (self.id.clone(), Vec::new());
            let change = DocChange { doc, rev, changes, settled, coalesced: false };
            cx.send(tab, ToTab::DocChange(change));
        }
    }

    pub(super) fn tell_rejected(
        &mut self,
        tab: &str,
        op_ids: Vec<u64>,
        error: Error,
        cx: &mut Context<'_>,
    ) {
        if self.holder(tab).away {
            return;
        }
        let rejected = DocRejected { doc: self.id.clone(), op_ids, error };
        cx.send(tab, ToTab::DocRejected(rejected));
    }

    pub(super) fn tell_settled(
        &mut self,
        tab: &str,
        op_ids: Vec<u64>,
        error: Option<Error>,
        cx: &mut Context<'_>,
    ) {
        if self.holder(tab).away {
            return;
        }
        let version = self.head.version;
        let settled = self.unsettled.is_empty();
        self.holder(tab).told = (version, settled);
        let committed = DocCommitted { doc: self.id.clone(), op_ids, version, settled, error };
        cx.send(tab, ToTab::DocCommitted(committed));
    }
}

/// The changes after `sent` as a tab is told of them: its own are acknowledged.
fn in_messages<'a>(
    doc: &DocId,
    tab: &str,
    sent: Rev,
    entries: impl Iterator<Item = &'a Entry>,
) -> Vec<ToTab> {
    let mut messages: Vec<ToTab> = Vec::new();
    for (rev, entry) in (sent + 1..).zip(entries) {
        let own = entry.origin.as_ref().filter(|origin| origin.tab == tab);
        match (messages.last_mut(), own) {
            (Some(ToTab::DocSequenced(last)), Some(origin)) => {
                (last.rev, last.op_id) = (rev, origin.op_id);
            }
            (Some(ToTab::DocChange(last)), None) => {
                last.rev = rev;
                last.changes.push(entry.change.clone());
            }
            (_, Some(origin)) => {
                let (doc, op_id) = (doc.clone(), origin.op_id);
                messages.push(ToTab::DocSequenced(DocSequenced { doc, rev, op_id }));
            }
            (_, None) => {
                let (doc, changes) = (doc.clone(), vec![entry.change.clone()]);
                messages.push(ToTab::DocChange(DocChange {
                    doc,
                    rev,
                    changes,
                    settled: false,
                    coalesced: false,
                }));
            }
        }
    }
    messages
}
