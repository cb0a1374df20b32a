use crate::error::Error;
use crate::hub::PendingOp;

/// Whether the upstream document has a state, and what is done if it lost it.
#[derive(Default)]
pub(in crate::hub::document) struct Loading {
    /// It had a version: without one, it lost its state and is loaded anew.
    was_loaded: bool,
    /// It lost its state, and could not be loaded anew: until it is, that is its state.
    is_blank: bool,
    /// It is loaded anew since the server no longer has what came after its version: why, and the ops
    /// it had.
    outdated: Option<(Error, Vec<PendingOp>)>,
    /// That is to be done for this reason, but the server is yet to answer for ops.
    too_early: Option<Error>,
}

impl Loading {
    pub fn was_loaded(&self) -> bool {
        self.was_loaded
    }

    pub fn is_blank(&self) -> bool {
        self.is_blank
    }

    /// It has this version.
    pub fn saw_version(&mut self, version: Option<u64>) {
        self.was_loaded |= version.is_some();
    }

    /// It is taken from the store, with this version.
    pub fn recall(&mut self, version: Option<u64>) {
        self.was_loaded = version.is_some();
    }

    /// It has a state.
    pub fn loaded(&mut self) {
        (self.was_loaded, self.is_blank) = (true, false);
    }

    /// An op creates it, or edits the state it has.
    pub fn edited(&mut self) {
        self.is_blank = false;
    }

    /// It lost its state, and could not be loaded. Returns whether that is new.
    pub fn lost(&mut self) -> bool {
        if std::mem::replace(&mut self.is_blank, true) {
            return false;
        }
        self.was_loaded = false;
        true
    }

    /// Whether it is being loaded anew, as the server has lost what came after its version.
    pub fn is_outdated(&self) -> bool {
        self.outdated.is_some()
    }

    /// The server has lost what came after its version; it had these ops.
    pub fn start_over(&mut self, error: Error, pending: Vec<PendingOp>) {
        self.outdated = Some((error, pending));
    }

    /// Whether this is the very reason for which it is being loaded anew.
    pub fn is_outdated_for(&self, error: &Error) -> bool {
        self.outdated.as_ref().is_some_and(|(reason, _)| is_same(reason, error))
    }

    /// It can't be loaded anew for this reason before the server has answered for all ops.
    pub fn asked_too_early(&mut self, error: Error) {
        self.too_early = Some(error);
    }

    /// Whether a request failed for that reason: who waits for it waits on.
    pub fn is_too_early_for(&self, error: &Error) -> bool {
        self.too_early.as_ref().is_some_and(|reason| is_same(reason, error))
    }

    /// The server has answered for all ops. Returns whether it is to be asked again.
    pub fn end_asked_too_early(&mut self) -> bool {
        self.too_early.take().is_some()
    }

    /// It is loaded anew: why, and the ops it had.
    pub fn end_outdated(&mut self) -> Option<(Error, Vec<PendingOp>)> {
        self.outdated.take()
    }
}

fn is_same(one: &Error, other: &Error) -> bool {
    (&one.code, &one.message) == (&other.code, &other.message)
}
