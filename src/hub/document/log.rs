//! What is written down of a document.

use std::collections::HashSet;

use tabmux_middleware::{Millis, SortedMap};

use super::{Context, Document, Holder, Unsettled};
use crate::error::Error;
use crate::hub::Untold;
use crate::hub::journal::{
    Checkpoint, Failure, KnownTab, Lost, Placed, Recalled, Record, to_bytes,
};
use crate::hub::settings::GRACE;
use crate::hub::{PendingOp, Sent};
use crate::ot::{Op, Origin, Sequencer, state_lost};
use crate::protocol::{DocId, Rev};
use crate::store::Write;

/// A log is replaced by a checkpoint when it has so many entries, and as many as there are changes in
/// the checkpoint…
const ENTRIES: u64 = 1000;
/// …or when it is larger than the last checkpoint, and than this.
const SIZE: u64 = 64 * 1024;

/// How often it is written that a document is in use.
const USE_NOTED: Millis = 60 * 60 * 1000;

/// Stands for these tabs among the holders.
const UNKNOWN: &str = "";

/// The document's log in the store.
#[derive(Default)]
pub(super) struct Log {
    /// The number of the next entry.
    next: u64,
    entries: u64,
    size: u64,
    /// That of the last checkpoint; 0 if there is none yet.
    checkpoint_size: u64,
    /// The upstream version as of the last entry.
    version: Option<u64>,
    /// A checkpoint can't be encoded: it is told, and the log goes on without.
    is_unfit: bool,
}

impl Document {
    /// Begins a log at this number; what the store has of the document is of no more use.
    pub fn start_log(&mut self, next: u64) {
        self.log = Some(Log { next, ..Log::default() });
    }

    pub fn is_stored(&self) -> bool {
        self.log.is_some()
    }

    pub fn stop_log(&mut self) {
        self.log = None;
    }

    /// Takes up what an earlier hub left, or this one before it forgot the document.
    pub fn recall(&mut self, recalled: Recalled, cx: &mut Context<'_>) -> Result<(), Error> {
        let Recalled { restored, known, next, entries, log_size, checkpoint_size, .. } = recalled;
        let version = restored.snapshot.version;
        let oldest = known.rev - known.history.len() as u64;
        for lost in known.lost {
            self.keep_lost(lost, cx);
        }
        if !self.head.is_known() {
            self.head = cx.upstream.restore(&self.id, &restored)?;
        }
        self.was_loaded = version.is_some();
        if self.head.version == version {
            let size = log_size;
            self.log = Some(Log { next, entries, size, checkpoint_size, version, is_unfit: false });
            self.order = Sequencer::resume(known.rev, known.history);
            self.unsettled = restored.pending.into_iter().flat_map(Unsettled::of).collect();
            self.keep_history_from(oldest);
            self.grace = Some(cx.now + GRACE);
        } else {
            // The upstream document was not forgotten yet; what it went through since then is not
            // known.
            self.order = Sequencer::starting_at(known.rev + 1);
            self.start_log(next);
            self.write_anew(cx);
        }
        self.departed = known.departed;
        for (tab, known) in known.tabs {
            self.departed.take(&tab);
            let (away, sent, seen) = (true, Some(oldest), oldest);
            self.holders.insert(tab, Holder { away, sent, seen, ..Holder::of(known) });
        }
        self.start_linger(cx);
        Ok(())
    }

    /// Tabs that only read are not written down: any of them may come back with what it held.
    fn keep_history_from(&mut self, rev: Rev) {
        let holder = self.holder(UNKNOWN);
        (holder.away, holder.sent, holder.seen) = (true, Some(rev), rev);
    }

    /// Whether a tab is known that has the document open.
    fn is_open(&self) -> bool {
        self.holders.keys().any(|tab| tab != UNKNOWN)
    }

    /// The tab has ended, and may have left ops that it made at the revision it had.
    pub fn await_unload_journals(&mut self, tab: &str, cx: &Context<'_>) {
        let held = self.holders.get(tab).filter(|holder| holder.sent.is_some());
        if let Some(seen) = held.map(|holder| holder.seen) {
            let unknown = self.holders.get(UNKNOWN).map_or(seen, |holder| holder.seen);
            self.keep_history_from(seen.min(unknown));
            self.grace = Some(cx.now + GRACE);
        }
    }

    /// The tabs of the earlier hub have come back, or never will.
    pub(super) fn end_grace(&mut self, cx: &mut Context<'_>) {
        if self.grace.take_if(|at| *at <= cx.now).is_some() {
            self.holders.remove(UNKNOWN);
            self.trim();
            self.start_linger(cx);
        }
    }

    /// Writes down what happened.
    pub(super) fn write(&mut self, record: &Record, cx: &mut Context<'_>) {
        let (Some(log), Some(journal)) = (&mut self.log, cx.journal.as_deref_mut()) else { return };
        if let Record::Changed { change, .. } = record
            && change.version != log.version.map(|version| version + 1)
        {
            // ShareDB is silent about changes that do nothing.
            return journal.needs_checkpoint(&self.id);
        }
        match record {
            // ShareDB may have dropped what the log has, and takes a creation then.
            Record::Placed(Placed { op: Op::Create(_), .. }) => {
                return journal.needs_checkpoint(&self.id);
            }
            Record::Placed(_) | Record::Refused { .. } | Record::Sending(_) => {}
            Record::Changed { change, .. } => log.version = change.version,
            Record::Committed { version, .. } => {
                let last = log.version;
                log.version = *version;
                if last.is_some() && last != *version && last.map(|last| last + 1) != *version {
                    return journal.needs_checkpoint(&self.id);
                }
            }
        }
        if log.checkpoint_size == 0 || !journal.takes_entries(&self.id) {
            return journal.needs_checkpoint(&self.id);
        }
        let Ok(bytes) = to_bytes(record) else { return journal.needs_checkpoint(&self.id) };
        log.entries += 1;
        log.size += bytes.len() as u64;
        journal.write(Write::Append {
            doc: self.id.clone(),
            n: log.next,
            record: bytes,
            pending: !(self.unsettled.is_empty() && self.lost.is_empty()),
        });
        log.next += 1;
        // While a tab lags, a checkpoint has all changes since then.
        let entries = ENTRIES.max(self.order.kept() as u64);
        if log.entries >= entries || log.size >= log.checkpoint_size.max(SIZE) {
            journal.wants_checkpoint(&self.id);
        }
    }

    /// What happened is more than an entry can say.
    pub fn write_anew(&mut self, cx: &mut Context<'_>) {
        if let (Some(_), Some(journal)) = (&self.log, cx.journal.as_deref_mut()) {
            journal.needs_checkpoint(&self.id);
        }
    }

    /// The oldest uncommitted op is about to be sent.
    pub fn sending(&mut self, sent: Sent, cx: &mut Context<'_>) {
        self.write(&Record::Sending(sent.clone()), cx);
        match cx.journal.as_deref_mut().filter(|_| self.log.is_some()) {
            Some(journal) => journal.send(self.id.clone(), sent),
            None => cx.upstream.release(&self.id, &sent),
        }
    }

    /// Writes the document as a whole. After a hard rollback that is what became of the ops, without
    /// a state: what the store has would send them again.
    pub fn write_checkpoint(&mut self, cx: &mut Context<'_>) {
        let Some(journal) = cx.journal.as_deref_mut() else { return };
        let Some(log) = &mut self.log else {
            if self.is_removed {
                // It could not be.
                journal.write(Write::Remove { doc: self.id.clone() });
            }
            journal.saved(&self.id);
            return;
        };
        let snapshot = cx.upstream.snapshot(&self.id);
        let unknown = snapshot.version.is_none() && snapshot.type_name.is_none();
        if cx.upstream.untold(&self.id) != Untold::default() || self.outdated.is_some() {
            return;
        }
        let is_logged = journal.saved(&self.id);
        let pending = cx.upstream.pending(&self.id);
        let mut lost: Vec<Lost> = self.lost.iter().map(|it| it.lost.clone()).collect();
        // A hard rollback has dropped these, and their callbacks are still to hear of it. If this hub
        // dies before that, the next one can tell only the tabs that come back.
        let kept: HashSet<&Origin> = pending.iter().flat_map(|op| &op.origins).collect();
        let dropped: Vec<&Unsettled> =
            self.unsettled.iter().filter(|op| !kept.contains(&op.origin)).collect();
        let ops: Vec<PendingOp> = dropped.iter().filter_map(|op| op.as_lost()).collect();
        if !ops.is_empty() {
            lost.push(Lost { ops, error: state_lost() });
        }
        let says_something = self.was_loaded || !(pending.is_empty() && lost.is_empty());
        if unknown && !says_something && log.checkpoint_size == 0 {
            return;
        }
        let is_pending = !(pending.is_empty() && lost.is_empty());
        log.version = snapshot.version;
        let known = self.holders.iter().filter(|(_, holder)| holder.must_be_known());
        let mut tabs: SortedMap<String, KnownTab> =
            known.map(|(tab, holder)| (tab.clone(), holder.as_known())).collect();
        // These have no place yet: they are as if they had not come.
        for (tab, submit) in self.deferred.iter().chain(&self.blocked) {
            if let (Some(known), Some(first)) = (tabs.get_mut(tab), submit.ops.first()) {
                known.last_op_id = known.last_op_id.min(first.op_id - 1);
            }
        }
        for Unsettled { origin: Origin { tab, op_id }, .. } in dropped {
            let failure = Failure { op_id: *op_id, error: state_lost(), placed: true };
            tabs.get_or_insert_with(tab.clone(), Default::default).failures.push(failure);
        }
        let (rev, history) = (self.order.rev(), self.order.entries());
        let departed = self.departed.clone();
        let checkpoint = Checkpoint { snapshot, pending, rev, history, tabs, departed, lost };
        match to_bytes(&checkpoint) {
            Ok(record) => {
                (log.entries, log.size, log.checkpoint_size) = (0, 0, record.len() as u64);
                log.is_unfit = false;
                let (doc, next, pending) = (self.id.clone(), log.next, is_pending);
                journal.write(Write::Checkpoint { doc, record, next, pending });
                journal.write(Write::Use { doc: self.id.clone(), at: cx.now });
                self.used = cx.now;
            }
            Err(error) => {
                if !std::mem::replace(&mut log.is_unfit, true) {
                    journal.tell_error(&self.id, &error);
                }
                if is_pending && is_logged {
                    // It may fit by the time that the log is as long again.
                    (log.entries, log.size) = (0, 0);
                    return;
                }
                self.log = None;
                self.is_removed = true;
                // The next hub would send again what is in it.
                journal.write(Write::Remove { doc: self.id.clone() });
                self.lose(checkpoint.pending, &error, cx);
                for Lost { ops, error } in checkpoint.lost.into_iter().skip(self.lost.len()) {
                    self.lose(ops, &error, cx);
                }
            }
        }
    }

    /// The document was used, as the eviction of old ones wants to know.
    pub fn note_use(&mut self, cx: &mut Context<'_>) {
        if let (Some(_), Some(journal)) = (&self.log, cx.journal.as_deref_mut()) {
            self.used = cx.now;
            journal.write_in_passing(Write::Use { doc: self.id.clone(), at: cx.now }, cx.now);
        }
    }

    /// When it is to be written again that the document is in use, as one is that a tab has open.
    pub fn next_use(&self) -> Option<Millis> {
        (self.log.is_some() && self.is_open()).then_some(self.used + USE_NOTED)
    }

    pub(super) fn note_long_use(&mut self, cx: &mut Context<'_>) {
        if self.next_use().is_some_and(|at| at <= cx.now) {
            self.note_use(cx);
        }
    }

    /// No tab has it open any more. The hub may end with its last tab, so this is written at once.
    pub(super) fn note_last_use(&mut self, cx: &mut Context<'_>) {
        if self.log.is_some() && !self.is_open() && cx.now > self.used {
            self.used = cx.now;
            if let Some(journal) = cx.journal.as_deref_mut() {
                journal.write(Write::Use { doc: self.id.clone(), at: cx.now });
            }
        }
    }

    pub fn has_uncommitted(&self) -> bool {
        !self.unsettled.is_empty()
    }

    pub fn id(&self) -> &DocId {
        &self.id
    }
}

impl Unsettled {
    /// The op as it is told of when nobody can commit it any more; none if it did nothing.
    pub fn as_lost(&self) -> Option<PendingOp> {
        let Unsettled { origin, op, source, .. } = self;
        let (op, source, origins) = (op.clone(), source.clone(), vec![origin.clone()]);
        (op != Op::NoOp).then_some(PendingOp { op, type_name: None, source, origins, sent: None })
    }

    /// The ops of tabs that an op of an earlier hub is composed of.
    fn of(pending: PendingOp) -> impl Iterator<Item = Self> {
        let PendingOp { op, source, origins, .. } = pending;
        // What they did together stands with the first.
        let ops = std::iter::once(op).chain(std::iter::repeat(Op::NoOp));
        origins.into_iter().zip(ops).map(move |(origin, op)| Unsettled {
            origin,
            op,
            source: source.clone(),
            followers: Vec::new(),
        })
    }
}

impl Holder {
    pub fn must_be_known(&self) -> bool {
        self.last_op_id > 0 || self.created_at.is_some()
    }

    pub fn as_known(&self) -> KnownTab {
        KnownTab {
            last_op_id: self.last_op_id,
            created_at: self.created_at,
            failures: self.failures.iter().cloned().collect(),
        }
    }
}
