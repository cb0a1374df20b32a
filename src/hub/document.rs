use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tabmux_middleware::Millis;

use super::{Submission, Untold, Upstream};
use crate::error::{Error, codes};
use crate::ot::{Entry, Op, Origin, Sequencer, Types, state_lost};
use crate::protocol::*;

/// How many refused ops a document remembers for each tab, for a tab that resumes its session.
const FAILURES_KEPT: usize = 256;

/// What a document works with.
pub(super) struct Context<'a> {
    pub upstream: &'a mut dyn Upstream,
    pub types: &'a dyn Types,
    /// Messages to tabs, oldest first.
    pub out: &'a mut Vec<(String, Message)>,
    pub now: Millis,
    pub linger: Millis,
}

impl Context<'_> {
    pub fn send(&mut self, tab: &str, message: Message) {
        self.out.push((tab.to_owned(), message));
    }

    pub fn working(&mut self, waiter: &Waiter) {
        self.send(&waiter.tab, Message::Working(Working { request: waiter.request }));
    }

    pub fn callback(&mut self, waiter: &Waiter, error: Option<Error>) {
        let callback = Callback { request: waiter.request, error };
        self.send(&waiter.tab, Message::Callback(callback));
    }
}

/// A request that waits for the server.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Waiter {
    pub tab: String,
    pub request: u64,
}

/// What became of a fetch.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Fetch {
    /// The tab has what it asked for.
    Done,
    /// It waits for a fetch that is under way.
    Waits,
    /// It waits, and the upstream document must be fetched.
    AskServer,
}

/// How far the upstream subscription is.
#[derive(Clone, Copy, PartialEq)]
enum Subscription {
    None,
    Asked,
    Live,
}

/// What the hub knows of a tab that holds the document.
#[derive(Default)]
struct Holder {
    /// The revision up to which changes were sent; `None` if the tab must be sent the state. It is
    /// ahead of the document's while the upstream is yet to tell of changes that a state had.
    sent: Option<Rev>,
    /// The revision from which the tab may still submit ops.
    seen: Rev,
    /// The revision at which the tab, which had not loaded the document, created it.
    created_at: Option<Rev>,
    /// The upstream version the tab was told last, and whether all ops up to it have their answer.
    told: (Option<u64>, bool),
    /// The tab is subscribed to the document.
    live: bool,
    /// The tab's subscribed queries that have the document among their results.
    queries: BTreeSet<u64>,
    /// Those of them that are to be forgotten after the linger.
    departing: BTreeSet<u64>,
    /// The tab began a new session and has not said yet what it holds: nothing can be sent to it.
    away: bool,
    last_op_id: u64,
    failures: VecDeque<Failure>,
}

/// An op that was refused.
#[derive(Clone)]
struct Failure {
    op_id: u64,
    error: Error,
    /// It had its revision; the server refused it.
    placed: bool,
}

impl Holder {
    /// Whether the tab is sent every change as it comes.
    fn is_live(&self) -> bool {
        self.live || !self.queries.is_empty()
    }
}

/// One document of the hub: the order of its changes, who holds it, and what waits for it.
pub(super) struct Document {
    id: DocId,
    order: Sequencer,
    holders: BTreeMap<String, Holder>,
    subscription: Subscription,
    fetches: Vec<Waiter>,
    subscribes: Vec<Waiter>,
    /// Creations that came before the document's state was known.
    deferred: Vec<(String, DocSubmit)>,
    /// The server was asked for the sake of these, and has answered.
    server_was_asked: bool,
    /// The ops the server has not answered for, oldest first.
    unsettled: VecDeque<Origin>,
    last_submitter: Option<String>,
    /// The upstream document had a version: without one, it lost its state and is loaded anew.
    was_loaded: bool,
    linger: Option<Millis>,
}

impl Document {
    pub fn new(id: DocId) -> Self {
        Document {
            id,
            order: Sequencer::default(),
            holders: BTreeMap::new(),
            subscription: Subscription::None,
            fetches: Vec::new(),
            subscribes: Vec::new(),
            deferred: Vec::new(),
            server_was_asked: false,
            unsettled: VecDeque::new(),
            last_submitter: None,
            was_loaded: false,
            linger: None,
        }
    }

    /// How many changes are kept for tabs that may need them.
    pub fn kept(&self) -> usize {
        self.order.kept()
    }

    // Requests

    /// Brings the tab up to date from the hub where it can; else the waiter waits.
    pub fn fetch(&mut self, waiter: &Waiter, rev: Option<Rev>, cx: &mut Context<'_>) -> Fetch {
        self.told(&waiter.tab, rev);
        if rev.is_none() && self.subscription == Subscription::Live {
            self.bring_up_to_date(&waiter.tab, cx);
            return Fetch::Done;
        }
        cx.working(waiter);
        self.fetches.push(waiter.clone());
        if self.fetches.len() == 1 { Fetch::AskServer } else { Fetch::Waits }
    }

    pub fn subscribe(&mut self, waiter: Waiter, rev: Option<Rev>, cx: &mut Context<'_>) {
        self.told(&waiter.tab, rev);
        // Queries that are to be forgotten then still are.
        self.linger.take_if(|_| self.holders.values().all(|holder| holder.departing.is_empty()));
        let again = self.holder(&waiter.tab).live;
        if self.subscription == Subscription::Live && !again {
            self.begin_live(&waiter.tab, cx);
            return cx.callback(&waiter, None);
        }
        cx.working(&waiter);
        self.subscribes.push(waiter);
        if self.subscription == Subscription::Live {
            // A tab that asks twice means the server, as it would with a client of its own.
            return cx.upstream.subscribe(&self.id);
        }
        self.ask_for_subscription(cx);
    }

    pub fn unsubscribe(&mut self, waiter: Waiter, rev: Option<Rev>, cx: &mut Context<'_>) {
        self.told(&waiter.tab, rev);
        self.holder(&waiter.tab).live = false;
        cx.callback(&waiter, None);
        self.start_linger(cx);
    }

    /// The tab begins a new session: what was sent to it may be lost, and it will ask again.
    pub fn suspend(&mut self, tab: &str) {
        if let Some(holder) = self.holders.get_mut(tab) {
            holder.away = true;
        }
        self.forget_waiters(tab);
    }

    /// Whether the tab has not said yet what it holds of this document.
    pub fn is_away(&self, tab: &str) -> bool {
        self.holders.get(tab).is_some_and(|holder| holder.away)
    }

    pub fn resume(&mut self, tab: &str, held: HeldDoc, cx: &mut Context<'_>) {
        let holder = self.holder(tab);
        holder.away = false;
        holder.told = (None, false);
        holder.live = held.subscribed;
        // A tab that created the document without loading it knows no revision yet.
        holder.sent = held.rev.or(holder.created_at.filter(|_| !held.ops.is_empty()));
        let last_op_id = holder.last_op_id;
        let sent = holder.sent;
        let is_kept = sent.is_some_and(|sent| self.order.since(sent).is_some());
        if is_kept {
            self.bring_up_to_date(tab, cx);
        }
        let (seen, new): (Vec<SubmittedOp>, Vec<SubmittedOp>) =
            held.ops.into_iter().partition(|op| op.op_id <= last_op_id);
        for op_id in held.awaiting.into_iter().chain(ids(&seen)) {
            self.answer_again(tab, op_id, cx);
        }
        if sent.is_some() && !is_kept {
            self.bring_up_to_date(tab, cx);
        }
        self.submit(tab, DocSubmit { doc: held.doc, base_rev: held.rev, ops: new }, cx);
        if held.subscribed {
            self.ask_for_subscription(cx);
        }
    }

    fn ask_for_subscription(&mut self, cx: &mut Context<'_>) {
        if self.subscription == Subscription::None {
            self.subscription = Subscription::Asked;
            cx.upstream.subscribe(&self.id);
        }
    }

    /// The tab has a state from elsewhere, which the upstream document may have taken, and asks for
    /// the hub's.
    pub fn ingested(&mut self, tab: &str, taken: bool, cx: &mut Context<'_>) {
        if taken {
            self.loaded(cx);
        }
        self.holder(tab).sent = None;
        self.bring_up_to_date(tab, cx);
    }

    /// The document is among the results of this query; `keep`: for as long as that lives.
    pub fn join_results(&mut self, query: &Waiter, keep: bool, cx: &mut Context<'_>) {
        let holder = self.holder(&query.tab);
        if keep {
            holder.queries.insert(query.request);
            holder.departing.remove(&query.request);
        }
        self.bring_up_to_date(&query.tab, cx);
    }

    /// The document is no longer among the results of this query. For a while the tab is still
    /// sent its changes: the one that took it out of the results may come after the results.
    pub fn leave_results(&mut self, query: &Waiter, cx: &mut Context<'_>) {
        if let Some(holder) = self.holders.get_mut(&query.tab)
            && holder.queries.contains(&query.request)
        {
            holder.departing.insert(query.request);
            self.linger.get_or_insert(cx.now + cx.linger);
        }
    }

    pub fn seen(&mut self, tab: &str, rev: Rev) {
        self.told(tab, Some(rev));
    }

    /// The tab lets go of the document, or is gone.
    pub fn release(&mut self, tab: &str, cx: &mut Context<'_>) {
        self.holders.remove(tab);
        self.forget_waiters(tab);
        self.deferred.retain(|(other, _)| other != tab);
        self.trim();
        self.start_linger(cx);
    }

    fn forget_waiters(&mut self, tab: &str) {
        self.fetches.retain(|waiter| waiter.tab != tab);
        self.subscribes.retain(|waiter| waiter.tab != tab);
    }

    // Ops

    pub fn submit(&mut self, tab: &str, mut submit: DocSubmit, cx: &mut Context<'_>) {
        let last_op_id = self.holder(tab).last_op_id;
        submit.ops.retain(|op| op.op_id > last_op_id);
        let Some(last) = submit.ops.last() else { return };
        self.holder(tab).last_op_id = last.op_id;
        let exists = cx.upstream.head(&self.id).type_name.is_some();
        if submit.base_rev.is_none() && exists && self.subscription != Subscription::Live {
            // A creation by a tab that never loaded the document. What the hub knows of it may be
            // out of date: the server must be asked first.
            self.deferred.push((tab.to_owned(), submit));
            return cx.upstream.fetch(&self.id);
        }
        self.sequence(tab, submit, cx);
    }

    fn sequence(&mut self, tab: &str, mut submit: DocSubmit, cx: &mut Context<'_>) {
        let head = cx.upstream.head(&self.id);
        let base = submit.base_rev.unwrap_or(self.order.rev());
        let holder = self.holder(tab);
        if submit.base_rev.is_none() {
            (holder.sent, holder.created_at) = (Some(base), Some(base));
            holder.seen = holder.seen.max(base);
        } else if holder.sent.is_none() {
            holder.sent = Some(base);
        }
        self.told(tab, submit.base_rev);
        let (exists, creates) =
            (head.type_name.is_some(), matches!(submit.ops[0].op, Op::Create(_)));
        let (mut placed, mut error) = if submit.base_rev.is_none() && (exists || !creates) {
            (0, Some(not_loaded(exists)))
        } else {
            let ty = head.type_name.and_then(|name| cx.types.get(&name));
            self.order.transform(base, submit.ops.iter_mut().map(|op| &mut op.op), ty, cx.types)
        };
        for (at, submitted) in submit.ops[..placed].iter().enumerate() {
            let origin = Origin { tab: tab.to_owned(), op_id: submitted.op_id };
            if let Err(refused) = self.place(submitted, origin, cx) {
                (placed, error) = (at, Some(refused));
                break;
            }
        }
        // As in a client of its own, what the tab submits from now on is not composed into this.
        cx.upstream.flush(&self.id);
        self.spread(Some(tab), cx);
        if let Some(error) = error {
            self.reject(tab, ids(&submit.ops[placed..]), error, cx);
        }
    }

    fn reject(&mut self, tab: &str, op_ids: Vec<u64>, error: Error, cx: &mut Context<'_>) {
        for op_id in &op_ids {
            self.note_failure(tab, Failure { op_id: *op_id, error: error.clone(), placed: false });
        }
        self.tell_rejected(tab, op_ids, error, cx);
    }

    /// Remembers a refused op, for a tab that begins a new session before it hears of it.
    fn note_failure(&mut self, tab: &str, failure: Failure) {
        let failures = &mut self.holder(tab).failures;
        failures.push_back(failure);
        if failures.len() > FAILURES_KEPT {
            failures.pop_front();
        }
    }

    /// The tab may have lost the answer to one of its ops.
    fn answer_again(&mut self, tab: &str, op_id: u64, cx: &mut Context<'_>) {
        let origin = Origin { tab: tab.to_owned(), op_id };
        let is_deferred = |(other, submit): &(String, DocSubmit)| {
            other == tab && submit.ops.iter().any(|op| op.op_id == op_id)
        };
        if self.unsettled.contains(&origin) || self.deferred.iter().any(is_deferred) {
            return;
        }
        let holder = self.holder(tab);
        let failure = holder.failures.iter().find(|failure| failure.op_id == op_id).cloned();
        match failure {
            Some(Failure { error, placed: false, .. }) => {
                self.tell_rejected(tab, vec![op_id], error, cx);
            }
            failure if op_id <= holder.last_op_id => {
                self.tell_settled(tab, vec![op_id], failure.map(|failure| failure.error), cx);
            }
            _ => {
                holder.last_op_id = op_id;
                self.reject(tab, vec![op_id], state_lost(), cx);
            }
        }
    }

    /// Gives a transformed op to the upstream document, and a revision.
    fn place(
        &mut self,
        submitted: &SubmittedOp,
        origin: Origin,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        let head = cx.upstream.head(&self.id);
        self.was_loaded |= head.version.is_some();
        if self.was_loaded && head.version.is_none() && head.type_name.is_none() {
            // ShareDB would take a creation, and the refusal of an op before it, which may be still
            // to come, for that of the creation.
            return Err(in_hard_rollback(&self.id));
        }
        // Another tab deleted the document as well: there is nothing left to do. Without a version
        // it may also be that the document is being loaded anew, and is there after all.
        let superfluous =
            submitted.op == Op::Del && head.type_name.is_none() && head.version.is_some();
        let op = if superfluous { Op::NoOp } else { submitted.op.clone() };
        if !superfluous {
            let same_tab = self.last_submitter.as_ref() == Some(&origin.tab);
            let submission = Submission {
                op: &op,
                source: submitted.source.as_ref(),
                compose: submitted.compose && same_tab,
                origin: &origin,
            };
            cx.upstream.submit(&self.id, submission)?;
            self.last_submitter = Some(origin.tab.clone());
            self.unsettled.push_back(origin.clone());
        }
        let version = cx.upstream.head(&self.id).version;
        let change = Change { op, version, src: Some(origin.tab.clone()) };
        self.order.push(Entry { change, origin: Some(origin.clone()) });
        if superfluous {
            self.spread(Some(&origin.tab), cx);
            self.tell_settled(&origin.tab, vec![origin.op_id], None, cx);
        }
        Ok(())
    }

    // Upstream

    pub fn loaded(&mut self, cx: &mut Context<'_>) {
        self.was_loaded = true;
        self.order.reset();
        self.spread(None, cx);
        self.sequence_deferred(cx);
    }

    pub fn changed(&mut self, change: Change, cx: &mut Context<'_>) {
        self.was_loaded = true;
        self.order.push(Entry { change, origin: None });
        self.spread(None, cx);
        self.sequence_deferred(cx);
    }

    /// A fetch has ended; returns those who waited for it.
    pub fn fetched(&mut self, error: &Option<Error>, cx: &mut Context<'_>) -> Vec<Waiter> {
        let waiters = std::mem::take(&mut self.fetches);
        if error.is_none() {
            for waiter in &waiters {
                self.bring_up_to_date(&waiter.tab, cx);
            }
        }
        match error {
            None => {
                self.server_was_asked = true;
                self.sequence_deferred(cx);
            }
            Some(error) => {
                for (tab, submit) in std::mem::take(&mut self.deferred) {
                    self.reject(&tab, ids(&submit.ops), error.clone(), cx);
                }
            }
        }
        waiters
    }

    /// Creations that waited for the server get their place after all that the upstream document
    /// has gone through.
    fn sequence_deferred(&mut self, cx: &mut Context<'_>) {
        if self.server_was_asked && cx.upstream.untold(&self.id) == Untold::default() {
            self.server_was_asked = false;
            for (tab, submit) in std::mem::take(&mut self.deferred) {
                self.sequence(&tab, submit, cx);
            }
        }
    }

    pub fn subscribed(&mut self, error: Option<Error>, cx: &mut Context<'_>) {
        let live = error.is_none();
        self.subscription = if live { Subscription::Live } else { Subscription::None };
        for waiter in std::mem::take(&mut self.subscribes) {
            if live {
                self.begin_live(&waiter.tab, cx);
            }
            cx.callback(&waiter, error.clone());
        }
        self.start_linger(cx);
    }

    pub fn settled(&mut self, origin: Origin, error: Option<Error>, cx: &mut Context<'_>) {
        self.unsettled.retain(|other| *other != origin);
        if self.holders.contains_key(&origin.tab) {
            if let Some(error) = &error {
                let Origin { tab, op_id } = &origin;
                self.note_failure(
                    tab,
                    Failure { op_id: *op_id, error: error.clone(), placed: true },
                );
            }
            self.bring_up_to_date(&origin.tab, cx);
            self.tell_settled(&origin.tab, vec![origin.op_id], error, cx);
        }
        self.spread(None, cx);
        self.start_linger(cx);
    }

    pub fn failed(&mut self, error: Error, cx: &mut Context<'_>) {
        for tab in self.holders.keys().cloned().collect::<Vec<_>>() {
            // The error may have cost the document its state: a tab that acts on the error needs
            // the new one.
            let sent = self.holder(&tab).sent;
            if sent.is_some_and(|sent| self.order.since(sent).is_none()) {
                self.bring_up_to_date(&tab, cx);
            }
            let event = DocEvent { doc: self.id.clone(), error: error.clone() };
            cx.send(&tab, Message::DocEvent(event));
        }
    }

    // Lifetime

    /// When [`Document::wake`] wants to be called.
    pub fn deadline(&self) -> Option<Millis> {
        self.linger
    }

    /// The linger may be over. Returns whether the document can be forgotten.
    pub fn wake(&mut self, cx: &mut Context<'_>) -> bool {
        if self.linger.is_none_or(|at| at > cx.now) {
            return false;
        }
        self.linger = None;
        for holder in self.holders.values_mut() {
            for query in std::mem::take(&mut holder.departing) {
                holder.queries.remove(&query);
            }
        }
        if self.subscription == Subscription::Live && !self.is_wanted() {
            cx.upstream.unsubscribe(&self.id);
            self.subscription = Subscription::None;
        }
        let forget = self.holders.is_empty()
            && self.unsettled.is_empty()
            && self.subscription == Subscription::None;
        if forget {
            cx.upstream.destroy(&self.id);
        }
        forget
    }

    fn is_wanted(&self) -> bool {
        !self.subscribes.is_empty() || self.holders.values().any(Holder::is_live)
    }

    fn start_linger(&mut self, cx: &Context<'_>) {
        if !self.is_wanted() && self.linger.is_none() {
            self.linger = Some(cx.now + cx.linger);
        }
    }

    // Holders

    fn holder(&mut self, tab: &str) -> &mut Holder {
        self.holders.entry(tab.to_owned()).or_default()
    }

    /// The tab has said which revision it holds.
    fn told(&mut self, tab: &str, rev: Option<Rev>) {
        let holder = self.holder(tab);
        holder.seen = holder.seen.max(rev.unwrap_or(0));
        self.trim();
    }

    /// The tab wants the whole state, whatever it was sent.
    pub fn send_anew(&mut self, tab: &str) {
        self.holder(tab).sent = None;
    }

    fn trim(&mut self) {
        let held = self.holders.values().filter(|holder| holder.sent.is_some());
        let lowest = held.map(|holder| holder.seen).min();
        self.order.trim(lowest.unwrap_or(self.order.rev()));
    }

    fn begin_live(&mut self, tab: &str, cx: &mut Context<'_>) {
        self.holder(tab).live = true;
        self.bring_up_to_date(tab, cx);
    }

    /// Sends what is new to all who want it at once, and to `also`.
    fn spread(&mut self, also: Option<&str>, cx: &mut Context<'_>) {
        let tabs: Vec<String> = self
            .holders
            .iter()
            .filter(|(tab, holder)| holder.is_live() || also == Some(tab))
            .map(|(tab, _)| tab.clone())
            .collect();
        for tab in tabs {
            self.bring_up_to_date(&tab, cx);
        }
        self.trim();
    }

    /// Sends a tab the changes it has not been sent, or the whole state.
    fn bring_up_to_date(&mut self, tab: &str, cx: &mut Context<'_>) {
        let mut rev = self.order.rev();
        let sent = self.holder(tab).sent;
        if self.holder(tab).away || sent.is_some_and(|sent| sent > rev) {
            return;
        }
        let changes = sent.and_then(|sent| {
            self.order.since(sent).map(|entries| in_messages(&self.id, tab, sent, entries))
        });
        let mut version = cx.upstream.head(&self.id).version;
        self.was_loaded |= version.is_some();
        let settled = self.unsettled.is_empty();
        let mut messages = match changes {
            Some(messages) => messages,
            None => {
                let snapshot = cx.upstream.snapshot(&self.id);
                if snapshot.version.is_none() && snapshot.type_name.is_none() {
                    // The upstream document is being loaded; the load will be sent.
                    self.holder(tab).sent = None;
                    return;
                }
                // The snapshot has what the hub is yet to be told of.
                rev += cx.upstream.untold(&self.id).changes;
                version = snapshot.version;
                self.holder(tab).seen = rev;
                vec![Message::DocLoad(DocLoad { doc: self.id.clone(), rev, snapshot, settled })]
            }
        };
        let tells_version = match messages.last_mut() {
            Some(Message::DocChange(change)) => {
                change.settled = settled;
                change.changes.iter_mut().next_back().map(|last| last.version = version).is_some()
            }
            Some(Message::DocLoad(_)) => true,
            _ => false,
        };
        for message in messages {
            cx.send(tab, message);
        }
        let holder = self.holder(tab);
        holder.sent = Some(rev);
        if tells_version {
            holder.told = (version, settled);
        } else if holder.told != (version, settled) {
            self.tell_settled(tab, Vec::new(), None, cx);
        }
    }

    fn tell_rejected(&mut self, tab: &str, op_ids: Vec<u64>, error: Error, cx: &mut Context<'_>) {
        if self.holder(tab).away {
            return;
        }
        let rejected = DocRejected { doc: self.id.clone(), op_ids, error };
        cx.send(tab, Message::DocRejected(rejected));
    }

    fn tell_settled(
        &mut self,
        tab: &str,
        op_ids: Vec<u64>,
        error: Option<Error>,
        cx: &mut Context<'_>,
    ) {
        if self.holder(tab).away {
            return;
        }
        let version = cx.upstream.head(&self.id).version;
        let settled = self.unsettled.is_empty();
        self.holder(tab).told = (version, settled);
        let committed = DocCommitted { doc: self.id.clone(), op_ids, version, settled, error };
        cx.send(tab, Message::DocCommitted(committed));
    }
}

/// The changes after `sent` as a tab is told of them: its own are acknowledged.
fn in_messages<'a>(
    doc: &DocId,
    tab: &str,
    sent: Rev,
    entries: impl Iterator<Item = &'a Entry>,
) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    for (rev, entry) in (sent + 1..).zip(entries) {
        let own = entry.origin.as_ref().filter(|origin| origin.tab == tab);
        match (messages.last_mut(), own) {
            (Some(Message::DocSequenced(last)), Some(origin)) => {
                (last.rev, last.op_id) = (rev, origin.op_id);
            }
            (Some(Message::DocChange(last)), None) => {
                last.rev = rev;
                last.changes.push(entry.change.clone());
            }
            (_, Some(origin)) => {
                let (doc, op_id) = (doc.clone(), origin.op_id);
                messages.push(Message::DocSequenced(DocSequenced { doc, rev, op_id }));
            }
            (_, None) => {
                let (doc, changes) = (doc.clone(), vec![entry.change.clone()]);
                messages.push(Message::DocChange(DocChange {
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

fn ids(ops: &[SubmittedOp]) -> Vec<u64> {
    ops.iter().map(|op| op.op_id).collect()
}

fn in_hard_rollback(doc: &DocId) -> Error {
    let message = format!("Cannot submit op. Document is performing hard rollback. {doc}");
    Error::new(codes::DOC_IN_HARD_ROLLBACK, message)
}

fn not_loaded(exists: bool) -> Error {
    if exists {
        Error::new(codes::DOC_ALREADY_CREATED, "Document was created remotely")
    } else {
        Error::new(codes::DOC_DOES_NOT_EXIST, "Cannot apply op to uncreated document")
    }
}
