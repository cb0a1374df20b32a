use std::collections::VecDeque;

use crate::hub::journal::{Failure, KnownTab};
use crate::protocol::{Rev, SubmittedOp};

/// How many refused ops a document remembers for each tab, for a tab that resumes its session.
const FAILURES_KEPT: usize = 256;

/// What is known of the ops of one tab, for a tab that does not know what became of them.
#[derive(Default)]
pub(in crate::hub::document) struct TabOps {
    /// Ops up to this one have come.
    last_op_id: u64,
    /// The last op before those that came last.
    op_id_before: u64,
    /// The revision at which the tab, which had not loaded the document, created it.
    created_at: Option<Rev>,
    failures: VecDeque<Failure>,
}

impl TabOps {
    pub fn of(known: KnownTab) -> Self {
        let KnownTab { last_op_id, created_at, failures } = known;
        TabOps { last_op_id, op_id_before: 0, created_at, failures: failures.into() }
    }

    /// The tab has sent ops up to this one.
    pub fn up_to(last_op_id: u64) -> Self {
        TabOps { last_op_id, ..TabOps::default() }
    }

    /// Whether the tab has made any.
    pub fn is_known(&self) -> bool {
        self.last_op_id > 0 || self.created_at.is_some()
    }

    pub fn as_known(&self) -> KnownTab {
        KnownTab {
            last_op_id: self.last_op_id,
            created_at: self.created_at,
            failures: self.failures.iter().cloned().collect(),
        }
    }

    pub fn last_op_id(&self) -> u64 {
        self.last_op_id
    }

    pub fn created_at(&self) -> Option<Rev> {
        self.created_at
    }

    /// Ops up to this one have come.
    pub fn take(&mut self, op_id: u64) {
        if op_id > self.last_op_id {
            self.op_id_before = std::mem::replace(&mut self.last_op_id, op_id);
        }
    }

    /// The tab created the document at this revision.
    pub fn create_at(&mut self, rev: Rev) {
        self.created_at = Some(rev);
    }

    /// Remembers a refused op, for a tab that begins a new session before it hears of it.
    pub fn fail(&mut self, failure: Failure) {
        self.failures.push_back(failure);
        if self.failures.len() > FAILURES_KEPT {
            self.failures.pop_front();
        }
    }

    /// Why the op was refused, if it was.
    pub fn failure(&self, op_id: u64) -> Option<&Failure> {
        self.failures.iter().rev().find(|failure| failure.op_id == op_id)
    }

    /// Why the op before those that came last was refused, if it was.
    pub fn failure_before(&self) -> Option<&Failure> {
        self.failure(self.op_id_before)
    }

    /// Forgets which of these ops were refused a place, and returns that.
    pub fn take_refused(&mut self, ops: &[SubmittedOp]) -> Vec<Failure> {
        let (refused, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.failures)
            .into_iter()
            .partition(|it| !it.placed && ops.iter().any(|op| op.op_id == it.op_id));
        self.failures = others.into();
        refused
    }

    /// Forgets all that were refused a place.
    pub fn forget_refused(&mut self) {
        self.failures.retain(|failure| failure.placed);
    }
}
