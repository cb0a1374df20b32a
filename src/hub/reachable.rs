//! Whether the server can be reached, which with a store makes a difference to tabs.

use tabmux_middleware::Millis;

use super::Hub;
use crate::protocol::ConnectionEvent;

/// Whether the server can be reached.
#[derive(Default)]
pub(super) struct Offline {
    pub is_offline: bool,
    /// Until then an attempt to connect may still succeed.
    pub patience: Option<Millis>,
}

/// How long tabs wait for the first connection before they are given what the store has.
const PATIENCE: Millis = 1000;

impl Hub {
    /// The upstream connection is made: documents can be given the state they had in the store.
    pub(super) fn connected(&mut self) {
        if std::mem::replace(&mut self.is_connected, true) {
            return;
        }
        if !self.offline.is_offline && !self.state.is_connected() {
            self.offline.patience = self.journal.as_ref().map(|_| self.now + PATIENCE);
        }
        for (doc, found) in std::mem::take(&mut self.found) {
            self.admit(doc, found);
        }
    }

    /// The upstream connection is in another state.
    pub(super) fn reachable(&mut self, event: &ConnectionEvent) {
        if event.is_connected() {
            self.offline = Offline::default();
        } else if !event.is_connecting() {
            self.unreachable();
        }
    }

    pub(super) fn unreachable(&mut self) {
        self.offline.patience = None;
        if std::mem::replace(&mut self.offline.is_offline, true) || self.journal.is_none() {
            return;
        }
        let (docs, queries, _, mut cx) = self.parts();
        docs.offline(&mut cx);
        queries.offline(docs, &mut cx);
    }
}
