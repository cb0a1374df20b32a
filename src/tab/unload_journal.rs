//! What is left of a tab that ends before the hub has heard all.

use tabmux_middleware::Millis;

use super::Tab;
use crate::protocol::*;

impl Tab {
    /// What the hub is not known to have, to be kept where other tabs find it if this one may end
    /// now. `None` if that is nothing, or if no hub would take it from another tab.
    pub fn unload_journal(&mut self) -> Option<ConnectionUnloadJournal> {
        let lineage = self.lineage.clone().filter(|_| self.takes_unload_journals)?;
        let mut docs = Vec::new();
        for (_, held) in self.docs.iter_mut() {
            let unsent = !self.manual && !held.paused;
            let ops = held.replica.unsequenced(unsent, &mut self.next_op_id);
            if !ops.is_empty() {
                let (doc, rev) = (held.id.clone(), held.replica.rev());
                docs.push(HeldDoc { doc, rev, subscribed: false, awaiting: Vec::new(), ops });
            }
        }
        let (tab, secret) = (self.settings.id.clone(), self.settings.secret.clone());
        (!docs.is_empty()).then_some(ConnectionUnloadJournal {
            request: 0,
            tab,
            secret,
            lineage,
            docs,
        })
    }

    /// Gives the hub the unload journal of a tab that is known to be gone. Returns the request's number,
    /// which comes back in [`TabEvent::Callback`](crate::tab::TabEvent::Callback): without an error,
    /// the journal is of no more use.
    pub fn pass_on(&mut self, journal: ConnectionUnloadJournal, now: Millis) -> u64 {
        let request = self.new_request();
        self.ask(
            request,
            ToHub::ConnectionUnloadJournal(ConnectionUnloadJournal { request, ..journal }),
            now,
        )
    }

    /// Names the hubs that know the tab's state, and take the unload journals of each other's tabs; `None`
    /// if they take none.
    pub fn unload_journal_stores(&self) -> Option<&str> {
        self.lineage.as_deref().filter(|_| self.takes_unload_journals)
    }
}
