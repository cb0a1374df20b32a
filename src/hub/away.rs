//! Tabs that have gone offline of their own accord, and may come back.

use std::collections::VecDeque;

use tabmux_middleware::Millis;

use super::Hub;

/// How many the hub remembers: of one that never comes back it may not hear when it has ended.
const KEPT: usize = 100;

/// How long the presence of the last tab stays. A hub in a page lets go of the server before that,
/// which then takes the presence back itself.
const PRESENCE_STAYS: Millis = 250;

/// Those that have left their transport, in the order they did.
#[derive(Default)]
pub(super) struct Away {
    tabs: VecDeque<String>,
    /// When presence is taken back.
    pub presence: Option<Millis>,
}

impl Away {
    /// Returns the tab that has been away longest, if there are too many now.
    fn add(&mut self, tab: &str) -> Option<String> {
        self.tabs.push_back(tab.to_owned());
        if self.tabs.len() > KEPT { self.tabs.pop_front() } else { None }
    }

    pub fn has(&self, tab: &str) -> bool {
        self.tabs.iter().any(|other| other == tab)
    }

    /// Returns whether the tab was away.
    pub fn remove(&mut self, tab: &str) -> bool {
        let at = self.tabs.iter().position(|other| other == tab);
        at.and_then(|at| self.tabs.remove(at)).is_some()
    }
}

impl Hub {
    /// The tab wants nothing any more but that its ops are taken. To its siblings it is gone.
    pub(super) fn goes_away(&mut self, tab: &str) {
        if let Some(entry) = self.tabs.iter_mut().find(|entry| entry.info.id == tab) {
            entry.is_away = true;
        }
        let is_alone = self.tabs.iter().all(|entry| entry.is_away);
        let (docs, queries, relay, mut cx) = self.parts();
        queries.release_all(tab, docs, &mut cx);
        docs.rest_all(tab, &mut cx);
        if is_alone {
            relay.withdraw(tab);
            relay.suspend(tab, &mut cx);
            self.away.presence.get_or_insert(self.now + PRESENCE_STAYS);
        } else {
            relay.release_all(tab, &mut cx);
        }
        self.has_other_tabs = true;
    }

    /// The hub is about to let go of the server until a tab comes.
    pub fn rest(&mut self) {
        let (docs, _, _, mut cx) = self.parts();
        docs.end_subscriptions(&mut cx);
    }

    pub(super) fn take_back_presence(&mut self) {
        if self.away.presence.take_if(|at| *at <= self.now).is_some() {
            let (_, _, relay, mut cx) = self.parts();
            relay.take_back(&mut cx);
        }
    }

    pub(super) fn is_going_away(&self, tab: &str) -> bool {
        self.tabs.iter().any(|entry| entry.info.id == tab && entry.is_away)
    }

    /// The tab has left. If it may come back, what it holds is kept, with what is known of its ops.
    pub(super) fn tab_left(&mut self, tab: &str) {
        let at = self.tabs.iter().position(|entry| entry.info.id == tab);
        let Some(at) = at.filter(|at| self.tabs[*at].is_away) else { return self.remove_tab(tab) };
        self.remove_entry(at);
        self.docs.suspend_all(tab);
        if let Some(forgotten) = self.away.add(tab) {
            self.release_all(&forgotten);
        }
    }
}
