use super::results::Results;
use super::tab_ops::TabOps;
use crate::hub::journal::KnownTab;
use crate::protocol::Rev;

/// How many changes are kept for tabs that are not there; one that comes back after more is sent the
/// state, and what it did meanwhile is lost.
const KEPT_FOR_AWAY: Rev = 10_000;

/// Whether a tab wants to be subscribed to the document.
#[derive(Clone, Copy, Default, PartialEq)]
enum Wish {
    #[default]
    None,
    Granted,
    /// The server refused: as in ShareDB, the tab is subscribed once the server allows it after all.
    Refused,
}

/// A state that a tab has ingested, and is to be brought from to the document's.
struct Ingested {
    version: u64,
    /// The document's version when the server was asked for the ops since.
    asked_at: Option<u64>,
}

/// What the hub knows of a tab that holds the document.
#[derive(Default)]
pub(in crate::hub::document) struct Holder {
    /// The revision up to which changes were sent; `None` if the tab must be sent the state. It is
    /// ahead of the document's while the upstream is yet to tell of changes that a state had.
    sent: Option<Rev>,
    /// The revision from which the tab may still submit ops.
    seen: Rev,
    /// The upstream version the tab was told last, and whether all ops up to it have their answer.
    told: (Option<u64>, bool),
    /// The version of the state that it was sent, if all of that was committed.
    committed: Option<u64>,
    wish: Wish,
    results: Results,
    /// The state could not be sent when it was due: it was being loaded.
    is_owed: bool,
    /// The tab began a new session and has not said yet what it holds: nothing can be sent to it.
    is_away: bool,
    /// The tab let go of the document, which only its queries hold: up to which revision it was told
    /// that there are changes.
    let_go: Option<Rev>,
    /// The tab has a state from elsewhere, and is sent nothing until it can be led on from there.
    ingested: Option<Ingested>,
    ops: TabOps,
}

impl Holder {
    /// A tab of which only this is known is back.
    pub fn of(known: KnownTab) -> Self {
        Holder { ops: TabOps::of(known), ..Holder::default() }
    }

    /// A tab that is gone, and has sent ops up to this one.
    pub fn gone(last_op_id: u64) -> Self {
        Holder { is_away: true, ops: TabOps::up_to(last_op_id), ..Holder::default() }
    }

    /// A tab of which only this is known may come back with any revision from this one on.
    pub fn expected(known: KnownTab, rev: Rev) -> Self {
        Holder { is_away: true, sent: Some(rev), seen: rev, ..Holder::of(known) }
    }

    /// What is known of the tab's ops.
    pub fn ops(&self) -> &TabOps {
        &self.ops
    }

    pub fn ops_mut(&mut self) -> &mut TabOps {
        &mut self.ops
    }

    // Its place in the order

    /// The revision up to which changes were sent; `None` if the tab must be sent the state.
    pub fn sent(&self) -> Option<Rev> {
        self.sent
    }

    /// The revision from which the tab may still submit ops.
    pub fn seen(&self) -> Rev {
        self.seen
    }

    /// From which revision on changes must be kept for it, at this revision of the document.
    pub fn needs_from(&self, now: Rev) -> Option<Rev> {
        self.sent?;
        let longest_ago = if self.is_away { now.saturating_sub(KEPT_FOR_AWAY) } else { 0 };
        Some(self.seen.max(longest_ago))
    }

    /// The tab has said which revision it holds.
    pub fn holds(&mut self, rev: Option<Rev>) {
        self.let_go = None;
        self.seen = self.seen.max(rev.unwrap_or(0));
    }

    /// The tab, which had not loaded the document, creates it at this revision.
    pub fn create_at(&mut self, rev: Rev) {
        self.sent = Some(rev);
        self.seen = self.seen.max(rev);
        self.ops.create_at(rev);
    }

    /// The tab makes ops at this revision, so it has that.
    pub fn edits_at(&mut self, rev: Rev) {
        self.sent.get_or_insert(rev);
    }

    /// The tab's state is the one that was loaded at this revision: it need not be sent that.
    pub fn has_loaded(&mut self, rev: Rev) {
        self.sent = Some(rev);
    }

    /// Whether the tab has the state of this version, and was sent nothing after `base`.
    pub fn is_at_committed(&self, version: u64, base: Rev) -> bool {
        self.committed == Some(version) && self.sent == Some(base)
    }

    /// Whether the tab is there, was sent nothing after `base`, and knew of nothing uncommitted then.
    pub fn is_committed_at(&self, base: Rev) -> bool {
        self.sent == Some(base) && self.committed.is_some() && !self.is_away
    }

    /// The tab must be sent the state again.
    pub fn resend(&mut self) {
        self.sent = None;
    }

    /// The tab wants the whole state, whatever it has.
    pub fn send_anew(&mut self) {
        (self.sent, self.ingested) = (None, None);
    }

    // What it is told

    /// Whether the tab is sent every change as it comes.
    pub fn is_live(&self) -> bool {
        self.wish == Wish::Granted || !self.results.is_empty()
    }

    /// Whether what is new is to be sent to it at once.
    pub fn wants_news(&self) -> bool {
        self.is_live() || self.is_owed
    }

    /// Whether it can be sent changes, or the state, at this revision of the document.
    pub fn takes(&self, now: Rev) -> bool {
        let is_ahead = self.sent.is_some_and(|sent| sent > now);
        !(self.is_away || self.ingested.is_some() || is_ahead)
    }

    /// The tab was sent all changes up to `rev`. Returns whether it is still to be told of the version,
    /// which `tells_version` says the changes did.
    pub fn follow(
        &mut self,
        rev: Rev,
        version: Option<u64>,
        all_committed: bool,
        tells_version: bool,
    ) -> bool {
        (self.sent, self.committed) = (Some(rev), version.filter(|_| all_committed));
        if tells_version {
            self.told = (version, all_committed);
        }
        self.told != (version, all_committed)
    }

    /// The state can't be sent yet.
    pub fn owe(&mut self) {
        (self.sent, self.is_owed) = (None, true);
    }

    /// The tab is sent the state.
    pub fn load(&mut self, rev: Rev, version: Option<u64>, all_committed: bool) {
        self.results.load();
        (self.seen, self.sent, self.is_owed) = (rev, Some(rev), false);
        (self.told, self.committed) = ((version, all_committed), version.filter(|_| all_committed));
    }

    /// The tab is told of this version.
    pub fn tell(&mut self, version: Option<u64>, all_committed: bool) {
        self.told = (version, all_committed);
    }

    // Its subscription

    pub fn is_subscribed(&self) -> bool {
        self.wish == Wish::Granted
    }

    /// Whether the tab is subscribed, or wants to be.
    pub fn wants_subscription(&self) -> bool {
        self.wish != Wish::None
    }

    pub fn subscribe(&mut self) {
        self.wish = Wish::Granted;
    }

    pub fn unsubscribe(&mut self) {
        self.wish = Wish::None;
    }

    /// The server refuses; `for_now`: the tab still wants it.
    pub fn refuse(&mut self, for_now: bool) {
        self.wish = if for_now { Wish::Refused } else { Wish::None };
    }

    /// The connection is lost: what was refused is asked for again with the next.
    pub fn forget_refusal(&mut self) {
        if self.wish == Wish::Refused {
            self.wish = Wish::Granted;
        }
    }

    // Its queries

    /// A query of the tab has found the document. The tab is told so with this number.
    pub fn join_results(&mut self, query: u64, number: u64, keep: bool) {
        self.let_go = None;
        self.results.join(query, number, keep);
    }

    /// As [`Results::leave`].
    pub fn leave_results(&mut self, query: u64) -> bool {
        self.results.leave(query)
    }

    /// As [`Results::end`].
    pub fn end_results(&mut self, has_ended: impl Fn(u64) -> bool) -> bool {
        self.results.end(has_ended)
    }

    pub fn is_departing(&self) -> bool {
        self.results.is_departing()
    }

    pub fn forget_departing(&mut self) {
        self.results.forget_departing();
    }

    /// Whether a query has found the document since the message of which the tab has heard.
    pub fn is_found_after(&self, heard: u64) -> bool {
        self.results.has_news_after(heard)
    }

    // Its coming and going

    /// Whether nothing can be sent to the tab.
    pub fn is_away(&self) -> bool {
        self.is_away
    }

    /// Nothing can be sent to the tab any more.
    pub fn go_away(&mut self) {
        self.is_away = true;
    }

    /// The tab begins a new session: what was sent to it may be lost, and it will ask again.
    pub fn suspend(&mut self) {
        self.is_away = true;
        self.results.forget_messages();
        self.ingested = None;
    }

    /// The tab has gone offline: it wants no news.
    pub fn rest(&mut self) {
        if self.wish == Wish::Granted {
            self.wish = Wish::None;
        }
        self.results.clear();
    }

    /// The tab is back with this revision; with `unsent` ops, it may have created the document without
    /// having loaded it, and knows no revision then.
    pub fn resume(&mut self, rev: Option<Rev>, unsent: bool, is_subscribed: bool) {
        (self.is_away, self.let_go, self.told) = (false, None, (None, false));
        self.wish = if is_subscribed { Wish::Granted } else { Wish::None };
        self.sent = rev.or(self.ops.created_at().filter(|_| unsent));
    }

    /// The tab keeps a history from this revision on, and from no higher one.
    pub fn keep_from(&mut self, rev: Rev) {
        (self.is_away, self.sent, self.seen) = (true, Some(rev), rev);
    }

    /// Whether the tab has let go of the document.
    pub fn has_let_go(&self) -> bool {
        self.let_go.is_some()
    }

    /// Whether it has, and no query holds the document for it.
    pub fn is_done(&self) -> bool {
        self.has_let_go() && !self.is_live()
    }

    /// The tab lets go of the document at this revision. Returns whether its queries still hold it.
    pub fn let_go(&mut self, rev: Rev) -> bool {
        let mut results = std::mem::take(&mut self.results);
        results.forget_messages();
        let is_held = !results.is_empty();
        *self = Holder { results, let_go: Some(rev), ..Holder::default() };
        is_held
    }

    /// The tab takes the document, of which it may ask again, without a new revision.
    pub fn take_again(&mut self) {
        self.let_go = None;
    }

    /// The tab let go of what it had before this message. Returns whether it was not sent the state since.
    pub fn take_after(&mut self, heard: u64) -> bool {
        self.unsubscribe();
        let is_without = !self.results.was_loaded_after(heard);
        if is_without {
            self.send_anew();
        }
        is_without
    }

    /// The tab, which let go of the document, is told of changes up to this revision. Returns whether
    /// that is news.
    pub fn tell_of_changes(&mut self, rev: Rev) -> bool {
        self.let_go.replace(rev) != Some(rev)
    }

    // A state from elsewhere

    /// The tab has a state of this version that is not from the hub.
    pub fn ingest(&mut self, version: Option<u64>) {
        (self.sent, self.let_go) = (None, None);
        self.ingested = version.map(|version| Ingested { version, asked_at: None });
    }

    /// The version of the state that it has from elsewhere.
    pub fn ingested(&self) -> Option<u64> {
        self.ingested.as_ref().map(|ingested| ingested.version)
    }

    /// The server is to be asked for the ops since, at this version of the document. Returns whether it
    /// was not asked for them before.
    pub fn ask_since(&mut self, version: u64) -> bool {
        let asked_at = self.ingested.as_mut().map(|it| it.asked_at.replace(version));
        asked_at != Some(Some(version))
    }

    /// It is sent the document's state.
    pub fn end_ingest(&mut self) {
        self.ingested = None;
    }
}
