use crate::protocol::DocSubmitOp;

/// Ops with their tab.
pub(in crate::hub::document) type WaitingSubmit = (String, DocSubmitOp);

/// The ops that have come and have no place yet.
#[derive(Default)]
pub(in crate::hub::document) struct Unplaced {
    /// Creations that came before the document's state was known.
    deferred: Vec<WaitingSubmit>,
    /// The server was asked for the sake of these, and has answered.
    server_was_asked: bool,
    /// Ops that wait for what becomes of an uncommitted creation or deletion of a sibling.
    blocked: Vec<WaitingSubmit>,
}

impl Unplaced {
    /// The creation waits for the server to say what there is.
    pub fn defer(&mut self, tab: &str, submit: DocSubmitOp) {
        self.deferred.push((tab.to_owned(), submit));
    }

    /// The ops wait for what becomes of an op of a sibling.
    pub fn block(&mut self, tab: &str, submit: DocSubmitOp) {
        self.blocked.push((tab.to_owned(), submit));
    }

    /// The server has said what there is.
    pub fn server_has_answered(&mut self) {
        self.server_was_asked = !self.deferred.is_empty();
    }

    /// Whether there are creations for which the server has answered.
    pub fn has_answered(&self) -> bool {
        self.server_was_asked
    }

    pub fn take_answered(&mut self) -> Vec<WaitingSubmit> {
        self.server_was_asked = false;
        std::mem::take(&mut self.deferred)
    }

    pub fn has_blocked(&self) -> bool {
        !self.blocked.is_empty()
    }

    pub fn take_blocked(&mut self) -> Vec<WaitingSubmit> {
        std::mem::take(&mut self.blocked)
    }

    pub fn iter(&self) -> impl Iterator<Item = &WaitingSubmit> {
        self.deferred.iter().chain(&self.blocked)
    }

    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Whether some are the tab's.
    pub fn has_of(&self, tab: &str) -> bool {
        self.iter().any(|(other, _)| other == tab)
    }

    /// Whether this op of the tab is among them.
    pub fn has(&self, tab: &str, op_id: u64) -> bool {
        self.iter()
            .any(|(other, submit)| other == tab && submit.ops.iter().any(|op| op.op_id == op_id))
    }
}
