use tabmux_middleware::Millis;

use super::log::Log;

/// How often it is written that a document is in use.
const USE_NOTED: Millis = 60 * 60 * 1000;

/// A document's place in the store.
#[derive(Default)]
pub(in crate::hub::document) struct Storage {
    /// If it is kept.
    log: Option<Log>,
    /// It can no longer be kept: what the store has is dropped.
    is_removed: bool,
    /// When it was last written that it is in use.
    used: Millis,
}

impl Storage {
    pub fn keeps(&self) -> bool {
        self.log.is_some()
    }

    pub fn log(&mut self) -> Option<&mut Log> {
        self.log.as_mut()
    }

    /// It is kept from now on.
    pub fn keep(&mut self, log: Log) {
        self.log = Some(log);
    }

    /// It is not written any more; what the store has stays.
    pub fn stop(&mut self) {
        self.log = None;
    }

    /// It can no longer be kept.
    pub fn give_up(&mut self) {
        self.log = None;
        self.is_removed = true;
    }

    pub fn is_given_up(&self) -> bool {
        self.log.is_none() && self.is_removed
    }

    /// It is written that it is in use.
    pub fn note_use(&mut self, now: Millis) {
        self.used = now;
    }

    /// Whether it was not in use before this time, as far as is written.
    pub fn is_used_since(&self, now: Millis) -> bool {
        now > self.used
    }

    /// When it is to be written again that it is in use.
    pub fn next_use(&self) -> Millis {
        self.used + USE_NOTED
    }
}
