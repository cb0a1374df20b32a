//! The ops of tabs: their place in the order, and what becomes of those that find none.

use super::{Context, Document};
use crate::error::{Error, codes};
use crate::hub::Submission;
use crate::hub::journal::{Failure, LogEntry, Placed};
use crate::ot::{Entry, Op, Origin, state_lost};
use crate::protocol::*;

impl Document {
    pub fn submit(&mut self, tab: &str, mut submit: DocSubmitOp, cx: &mut Context<'_>) {
        let last_op_id = self.holder(tab).ops().last_op_id();
        let seen: Vec<SubmittedOp> =
            submit.ops.extract_if(.., |op| op.op_id <= last_op_id).collect();
        for op_id in ids(&seen) {
            self.answer_again(tab, op_id, false, cx);
        }
        let Some(last) = submit.ops.last() else { return };
        self.holder(tab).ops_mut().take(last.op_id);
        // Others who wait for the document see the creation at once, if it can be.
        let may_be_missing = self.subscription.is_none() && self.head.is_known() && !cx.offline;
        let may_be_outdated =
            !self.subscription.is_live() && (self.head.exists() || may_be_missing);
        if submit.base_rev.is_none() && may_be_outdated {
            // A creation by a tab that never loaded the document. What the hub knows of it may be
            // out of date: the server must be asked first. The tab may have let go of it before.
            self.holder(tab).take_again();
            self.unplaced.defer(tab, submit);
            return cx.upstream.fetch(&self.id);
        }
        self.sequence(tab, submit, cx);
    }

    pub(super) fn sequence(&mut self, tab: &str, mut submit: DocSubmitOp, cx: &mut Context<'_>) {
        if submit.base_rev.is_some_and(|base| self.is_blocked(tab, base)) {
            return self.unplaced.block(tab, submit);
        }
        let held = submit.base_rev.map(|base| self.same_as_loaded(tab, base).unwrap_or(base));
        let base = held.unwrap_or(self.history.rev());
        let (exists, creates) = (self.head.exists(), matches!(submit.ops[0].op, Op::Create(_)));
        let is_unfounded = submit.base_rev.is_none() && (exists || !creates);
        let holder = self.holder(tab);
        if is_unfounded {
            // The tab may have loaded the document meanwhile.
        } else if submit.base_rev.is_none() {
            holder.create_at(base);
        } else {
            holder.edits_at(base);
        }
        self.told(tab, submit.base_rev);
        let (mut placed, mut error) = if is_unfounded {
            (0, Some(not_loaded(exists)))
        } else {
            let ty = self.head.type_name.as_deref().and_then(|name| cx.types.get(name));
            self.history.transform(base, submit.ops.iter_mut().map(|op| &mut op.op), ty, cx.types)
        };
        if self.may_have_forgotten(Some(base)) {
            error = error.map(|_| self.unknown_op());
        }
        error = error.map(|error| self.why_lost(tab, error));
        for (at, submitted) in submit.ops[..placed].iter().enumerate() {
            let origin = Origin { tab: tab.to_owned(), op_id: submitted.op_id };
            let unloaded = submit.base_rev.is_none() && at == 0;
            if let Err(refused) = self.place(submitted, origin, unloaded, cx) {
                (placed, error) = (at, Some(refused));
                break;
            }
        }
        // As in a client of its own, what the tab submits from now on is not composed into this.
        cx.upstream.flush(&self.id);
        self.broadcast(Some(tab), cx);
        if let Some(error) = error {
            self.reject(tab, submit.ops.split_off(placed), error, cx);
        }
    }

    /// Why an op has no place, if that is since the document was loaded anew: as in ShareDB, what refused
    /// the tab's op before it.
    fn why_lost(&mut self, tab: &str, error: Error) -> Error {
        if error.code_text() != state_lost().code_text() {
            return error;
        }
        let before = self.holder(tab).ops().failure_before();
        before.map_or(error, |failure| failure.error.clone())
    }

    pub(super) fn reject(
        &mut self,
        tab: &str,
        ops: Vec<SubmittedOp>,
        error: Error,
        cx: &mut Context<'_>,
    ) {
        let op_ids = ids(&ops);
        self.note_rejected(tab, op_ids.clone(), &error, cx);
        if self.holder(tab).is_away() {
            self.lose_ops(tab, ops, &error, cx);
        }
        self.tell_rejected(tab, op_ids, error, cx);
    }

    fn note_rejected(&mut self, tab: &str, op_ids: Vec<u64>, error: &Error, cx: &mut Context<'_>) {
        let refused =
            LogEntry::Refused { tab: tab.to_owned(), op_ids: op_ids.clone(), error: error.clone() };
        self.write(&refused, cx);
        for op_id in &op_ids {
            let failure = Failure { op_id: *op_id, error: error.clone(), placed: false };
            self.holder(tab).ops_mut().fail(failure);
        }
    }

    /// The tab may have lost the answer to one of its ops; `owed`: it can't send it again.
    pub(super) fn answer_again(&mut self, tab: &str, op_id: u64, owed: bool, cx: &mut Context<'_>) {
        let origin = Origin { tab: tab.to_owned(), op_id };
        if self.uncommitted.will_answer(&origin) || self.unplaced.has(tab, op_id) {
            return;
        }
        let ops = self.holder(tab).ops();
        let (failure, last_op_id) = (ops.failure(op_id).cloned(), ops.last_op_id());
        match failure {
            Some(Failure { error, placed: false, .. }) => {
                self.tell_rejected(tab, vec![op_id], error, cx);
            }
            failure if op_id <= last_op_id => {
                self.tell_committed(tab, vec![op_id], failure.map(|failure| failure.error), cx);
            }
            _ => {
                let error =
                    if self.may_have_forgotten(None) { self.unknown_op() } else { state_lost() };
                self.holder(tab).ops_mut().take(op_id);
                if owed {
                    // The tab may lose this answer, too.
                    let failure = Failure { op_id, error: error.clone(), placed: true };
                    self.holder(tab).ops_mut().fail(failure);
                    self.write_anew(cx);
                    return self.tell_committed(tab, vec![op_id], Some(error), cx);
                }
                self.note_rejected(tab, vec![op_id], &error, cx);
                self.tell_rejected(tab, vec![op_id], error, cx);
            }
        }
    }

    /// Whether there may have been ops made at this revision of which the store has nothing.
    fn may_have_forgotten(&self, rev: Option<Rev>) -> bool {
        let is_earlier = self.history.is_before_this_hub(rev.unwrap_or_default());
        (!self.storage.keeps() && is_earlier) || self.holders.may_have_forgotten(rev)
    }

    /// Why nobody can say what became of an op that a tab gave to an earlier hub, or to this one before
    /// it forgot the document: that is not in the store.
    fn unknown_op(&self) -> Error {
        let message = format!(
            "the hub no longer knows the state of {} that the tab had, and the store does not have it: \
             whether the server has the op is unknown",
            self.id
        );
        Error::new(codes::HUB_LOST, message)
    }

    /// Gives a transformed op to the upstream document, and a revision.
    fn place(
        &mut self,
        submitted: &SubmittedOp,
        origin: Origin,
        unloaded: bool,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        self.loading.saw_version(self.head.version);
        if self.loading.was_loaded() && !self.head.is_known() {
            // ShareDB would take a creation, and the refusal of an op before it, which may be still
            // to come, for that of the creation.
            return Err(in_hard_rollback(&self.id));
        }
        // Another tab deleted the document as well: there is nothing left to do. Without a version
        // it may also be that the document is being loaded anew, and is there after all.
        let superfluous =
            submitted.op == Op::Del && !self.head.exists() && self.head.version.is_some();
        let type_name = self.head.type_name.clone();
        let op = if superfluous { Op::NoOp } else { submitted.op.clone() };
        let mut composed = false;
        if !superfluous {
            let same_tab = self.uncommitted.last_is_of(&origin.tab);
            let submission = Submission {
                op: &op,
                source: submitted.source.as_ref(),
                compose: submitted.compose && same_tab,
                origin: &origin,
            };
            let taken = cx.upstream.submit(&self.id, submission)?;
            composed = taken.composed;
            self.set_head(taken.head);
            self.loading.edited();
            self.uncommitted.push(origin.clone(), op.clone(), submitted.source.clone());
        }
        let version = self.head.version;
        let placed = Placed {
            op: op.clone(),
            origin: origin.clone(),
            source: submitted.source.clone(),
            version,
            composed,
            type_name,
            unloaded,
        };
        self.write(&LogEntry::Placed(placed), cx);
        let change = Change { op, version, src: Some(origin.tab.clone()) };
        self.history.push(Entry { change, origin: Some(origin.clone()) });
        if superfluous {
            self.broadcast(Some(&origin.tab), cx);
            if !self.uncommitted.follow_last(&origin) {
                self.tell_committed(&origin.tab, vec![origin.op_id], None, cx);
            }
        }
        Ok(())
    }
}

pub(super) fn ids(ops: &[SubmittedOp]) -> Vec<u64> {
    ops.iter().map(|op| op.op_id).collect()
}

fn in_hard_rollback(doc: &DocId) -> Error {
    let message = format!("Cannot submit op. Document is performing hard rollback. {doc}");
    Error::new(codes::DOC_IN_HARD_ROLLBACK, message)
}

pub(super) fn not_loaded(exists: bool) -> Error {
    if exists {
        Error::new(codes::DOC_ALREADY_CREATED, "Document was created remotely")
    } else {
        Error::new(codes::DOC_DOES_NOT_EXIST, "Cannot apply op to uncreated document")
    }
}
