//! The document as a whole, as it is written down.

use tabmux_middleware::SortedMap;

use super::state::UncommittedOp;
use super::{Context, Document};
use crate::hub::journal::{Checkpoint, Failure, KnownTab, Lost, to_bytes};
use crate::hub::{PendingOp, Untold};
use crate::ot::{Origin, state_lost};
use crate::store::Write;

impl Document {
    /// Writes the document as a whole. After a hard rollback that is what became of the ops, without
    /// a state: what the store has would send them again.
    pub fn write_checkpoint(&mut self, cx: &mut Context<'_>) {
        let Some(journal) = cx.journal.as_deref_mut() else { return };
        let is_given_up = self.storage.is_given_up();
        let Some(log) = self.storage.log() else {
            if is_given_up {
                // It could not be.
                journal.write(Write::Remove { doc: self.id.clone() });
            }
            journal.saved(&self.id);
            return;
        };
        let snapshot = cx.upstream.snapshot(&self.id);
        let unknown = snapshot.version.is_none() && snapshot.type_name.is_none();
        if cx.upstream.untold(&self.id) != Untold::default() || self.loading.is_outdated() {
            return;
        }
        let is_logged = journal.saved(&self.id);
        let pending = cx.upstream.pending(&self.id);
        let mut lost = self.lost.all();
        // A hard rollback has dropped these, and their callbacks are still to hear of it. If this hub
        // dies before that, the next one can tell only the tabs that come back.
        let dropped = self.uncommitted.dropped(&pending);
        let ops: Vec<PendingOp> = dropped.iter().filter_map(|op| op.as_lost()).collect();
        if !ops.is_empty() {
            lost.push(Lost { ops, error: state_lost() });
        }
        let is_pending = !(pending.is_empty() && lost.is_empty());
        if unknown && !is_pending && !self.loading.was_loaded() && !log.has_checkpoint() {
            return;
        }
        log.reach(snapshot.version);
        let mut tabs = self.holders.known();
        // These have no place yet: they are as if they had not come.
        for (tab, submit) in self.unplaced.iter() {
            if let (Some(known), Some(first)) = (tabs.get_mut(tab), submit.ops.first()) {
                known.last_op_id = known.last_op_id.min(first.op_id - 1);
            }
        }
        note_dropped(&dropped, &mut tabs);
        let (rev, history) = (self.history.rev(), self.history.entries());
        let departed = self.holders.departed().clone();
        let checkpoint = Checkpoint { snapshot, pending, rev, history, tabs, departed, lost };
        match to_bytes(&checkpoint) {
            Ok(record) => {
                log.checkpoint(record.len());
                let (doc, next, pending) = (self.id.clone(), log.next(), is_pending);
                journal.write(Write::Checkpoint { doc, record, next, pending });
                journal.write(Write::Use { doc: self.id.clone(), at: cx.now });
                self.storage.note_use(cx.now);
            }
            Err(error) => {
                if log.note_unfit() {
                    journal.tell_error(&self.id, &error);
                }
                if is_pending && is_logged {
                    // It may fit by the time that the log is as long again.
                    return log.go_on();
                }
                self.storage.give_up();
                // The next hub would send again what is in it.
                journal.write(Write::Remove { doc: self.id.clone() });
                self.lose(checkpoint.pending, &error, cx);
                for Lost { ops, error } in checkpoint.lost.into_iter().skip(self.lost.len()) {
                    self.lose(ops, &error, cx);
                }
            }
        }
    }
}

/// The tabs of these ops are told that they were dropped.
fn note_dropped(dropped: &[&UncommittedOp], tabs: &mut SortedMap<String, KnownTab>) {
    for op in dropped {
        let Origin { tab, op_id } = op.origin().clone();
        let failure = Failure { op_id, error: state_lost(), placed: true };
        tabs.get_or_insert_with(tab, Default::default).failures.push(failure);
    }
}
