//! The unload journals of tabs that have ended, as another tab passes them on.

use super::Hub;
use super::context::Waiter;
use crate::error::{Error, codes};
use crate::ot::state_lost;
use crate::protocol::*;

impl Hub {
    pub(super) fn takes_unload_journals(&self) -> bool {
        self.settings.unload_journals && self.is_storing()
    }

    /// Whether there is a store that was not cleared.
    pub(super) fn is_storing(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| !journal.is_off())
    }

    /// What the journal has is durable, or told as lost, before the answer goes.
    pub(super) fn take_unload_journal(&mut self, from: String, journal: ConnectionUnloadJournal) {
        let ConnectionUnloadJournal { request, tab, secret, lineage, docs: held } = journal;
        let waiter = Waiter { tab: from, request };
        let is_known = self.is_of(&lineage);
        let refused = !self.takes_unload_journals()
            || !proves(&tab, secret.as_deref())
            || !(is_known || self.is_of_an_earlier(&lineage));
        if refused {
            return self.parts().3.callback(&waiter, Some(not_taken_now()));
        }
        self.tab_ended(&tab);
        let (docs, _, _, mut cx) = self.parts();
        let mut waits = false;
        for held in held {
            let mut doc = docs.doc(&held.doc);
            if doc.defers(&tab) {
                waits = true;
                continue;
            }
            if is_known {
                doc.take_unload_journal(&tab, held, &mut cx);
            } else {
                doc.lose_ops(&tab, held.ops, &state_lost(), &mut cx);
            }
        }
        if let Some(session) = self.tabs.session_mut(&waiter.tab) {
            session.pass_on(request);
        }
        let (_, _, _, mut cx) = self.parts();
        cx.callback(&waiter, waits.then(not_taken_now));
    }
}

/// Why the tab that passes a journal on must not forget it.
pub(super) fn not_taken_now() -> Error {
    Error::new(codes::HUB_LOST, "this hub can't take now what the tab has left: keep it")
}
