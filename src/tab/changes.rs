use super::DocKey;
use crate::ot::{Op, TypeHandle};
use crate::protocol::{Change, Rev};

/// A change that waits to be applied.
pub(super) struct QueuedChange {
    pub doc: DocKey,
    /// The revision before it.
    pub from: Rev,
    /// The revision after it.
    pub to: Rev,
    pub change: Change,
    /// Whether the server has answered for every op in the state after it.
    pub all_committed: bool,
    /// It is a part of what leads from an ingested state to that of this revision.
    pub catches_up: bool,
}

impl QueuedChange {
    /// Composes the next change into this one, where the type can.
    pub fn compose(&mut self, next: &QueuedChange, ty: Option<&TypeHandle>) -> bool {
        let (Op::Edit(first), Op::Edit(second), Some(ty)) = (&self.change.op, &next.change.op, ty)
        else {
            return false;
        };
        let Some(Ok(op)) = ty.compose(first, second) else { return false };
        let src = next.change.src.clone().filter(|src| self.change.src.as_ref() == Some(src));
        self.to = next.to;
        self.all_committed = next.all_committed;
        self.change = Change { op: Op::Edit(op), version: next.change.version, src };
        true
    }
}
