//! The last words of tabs that have ended, as another tab passes them on.

use super::Hub;
use super::context::Waiter;
use crate::error::{Error, codes};
use crate::ot::state_lost;
use crate::protocol::*;

impl Hub {
    pub(super) fn takes_last_words(&self) -> bool {
        self.settings.last_words && self.is_storing()
    }

    /// Whether there is a store that was not cleared.
    pub(super) fn is_storing(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| !journal.is_off())
    }

    /// What they say is durable, or told as lost, before the answer goes.
    pub(super) fn take_last_words(&mut self, from: String, words: ConnectionLastWords) {
        let ConnectionLastWords { request, tab, secret, lineage, docs: held } = words;
        let waiter = Waiter { tab: from, request };
        let is_known = self.is_of(&lineage);
        let refused = !self.takes_last_words()
            || !proves(&tab, secret.as_deref())
            || !(is_known || self.is_of_an_earlier(&lineage));
        if refused {
            return self.parts().3.callback(&waiter, Some(keep_them()));
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
                doc.take_last_words(&tab, held, &mut cx);
            } else {
                doc.lose_ops(&tab, held.ops, &state_lost(), &mut cx);
            }
        }
        self.passed_on.insert((waiter.tab.clone(), request));
        let (_, _, _, mut cx) = self.parts();
        cx.callback(&waiter, waits.then(keep_them));
    }
}

/// Why the tab that passes them on must not forget them.
pub(super) fn keep_them() -> Error {
    Error::new(codes::HUB_LOST, "this hub can't take now what the tab has left: keep it")
}
