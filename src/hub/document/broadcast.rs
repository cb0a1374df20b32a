//! What the tabs that hold a document are told of it.

use super::state::Holder;
use super::{Context, Document};
use crate::error::Error;
use crate::ot::Entry;
use crate::protocol::*;

impl Document {
    pub(super) fn holder(&mut self, tab: &str) -> &mut Holder {
        self.holders.hold(tab)
    }

    /// The tab is gone; what its unload journal may repeat must be known. Returns whether it had the
    /// document open.
    pub(super) fn remove_holder(&mut self, tab: &str, cx: &Context<'_>) -> bool {
        let Some(holder) = self.holders.remove(tab) else { return false };
        if cx.journal.is_some() && !self.defers(tab) {
            self.holders.remember(tab, &holder, self.history.rev());
        }
        true
    }

    /// The tab has said which revision it holds.
    pub(super) fn told(&mut self, tab: &str, rev: Option<Rev>) {
        self.holder(tab).holds(rev);
        self.trim();
    }

    /// The tab wants the whole state, whatever it was sent.
    pub fn send_anew(&mut self, tab: &str) {
        self.holder(tab).send_anew();
    }

    pub(super) fn trim(&mut self) {
        let now = self.history.rev();
        self.history.trim(self.holders.need_from(now));
    }

    /// Sends what is new to all who want it at once, and to `also`.
    pub(super) fn broadcast(&mut self, also: Option<&str>, cx: &mut Context<'_>) {
        let tabs = self.holders.which(|tab, holder| holder.wants_news() || also == Some(tab));
        for tab in tabs {
            self.bring_up_to_date(&tab, cx);
        }
        self.trim();
    }

    /// Sends a tab the changes it has not been sent, or the whole state.
    pub(super) fn bring_up_to_date(&mut self, tab: &str, cx: &mut Context<'_>) {
        let rev = self.history.rev();
        let holder = self.holder(tab);
        let sent = holder.sent();
        if !holder.takes(rev) {
            return;
        }
        if holder.has_let_go() {
            return self.tell_of_changes(tab, cx);
        }
        let changes = sent.and_then(|sent| {
            self.history.since(sent).map(|entries| in_messages(&self.id, tab, sent, entries))
        });
        let Some(mut messages) = changes else { return self.send_state(tab, None, cx) };
        let version = self.head.version;
        self.loading.saw_version(version);
        let all_committed = self.uncommitted.is_empty();
        let mut tells_version = false;
        if let Some(ToTab::DocChange(change)) = messages.last_mut() {
            change.all_committed = all_committed;
            if let Some(last) = change.changes.last_mut() {
                last.version = version;
                tells_version = true;
            }
        }
        for message in messages {
            cx.send(tab, message);
        }
        if self.holder(tab).follow(rev, version, all_committed, tells_version) {
            self.tell_committed(tab, Vec::new(), None, cx);
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
        self.loading.saw_version(version);
        if version.is_none() && snapshot.type_name.is_none() && !self.loading.is_blank() {
            // The upstream document is being loaded; the load will be sent.
            return self.holder(tab).owe();
        }
        // The snapshot has what the hub is yet to be told of.
        let rev = self.history.rev() + cx.upstream.untold(&self.id).changes;
        let all_committed = self.uncommitted.is_empty();
        self.holder(tab).load(rev, version, all_committed);
        let doc = self.id.clone();
        cx.send(tab, ToTab::DocLoad(DocLoad { doc, rev, snapshot, since, all_committed }));
    }

    /// Tells a tab that let go of the document that there are changes: if it took it again, it asks
    /// for them.
    fn tell_of_changes(&mut self, tab: &str, cx: &mut Context<'_>) {
        let (rev, all_committed) = (self.history.rev(), self.uncommitted.is_empty());
        if self.holder(tab).tell_of_changes(rev) {
            let (doc, changes) = (self.id.clone(), Vec::new());
            let change = DocChange { doc, rev, changes, all_committed, coalesced: false };
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
        if self.holder(tab).is_away() {
            return;
        }
        let rejected = DocRejected { doc: self.id.clone(), op_ids, error };
        cx.send(tab, ToTab::DocRejected(rejected));
    }

    pub(super) fn tell_committed(
        &mut self,
        tab: &str,
        op_ids: Vec<u64>,
        error: Option<Error>,
        cx: &mut Context<'_>,
    ) {
        if self.holder(tab).is_away() {
            return;
        }
        let version = self.head.version;
        let all_committed = self.uncommitted.is_empty();
        self.holder(tab).tell(version, all_committed);
        let committed =
            DocCommitted { doc: self.id.clone(), op_ids, version, all_committed, error };
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
                    all_committed: false,
                    coalesced: false,
                }));
            }
        }
    }
    messages
}
