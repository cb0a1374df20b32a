//! Tabs that have gone offline of their own accord, and may come back.

use super::Hub;

impl Hub {
    /// The tab wants nothing any more but that its ops are taken. To its siblings it is gone.
    pub(super) fn goes_away(&mut self, tab: &str) {
        self.tabs.leave(tab);
        let is_alone = self.tabs.all_are_leaving();
        let (docs, queries, relay, mut cx) = self.parts();
        queries.release_all(tab, docs, &mut cx);
        docs.rest_all(tab, &mut cx);
        if is_alone {
            relay.withdraw_soon(tab, cx.now);
            relay.suspend(tab, &mut cx);
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

    /// The tab has left. If it may come back, what it holds is kept, with what is known of its ops.
    pub(super) fn tab_left(&mut self, tab: &str) {
        if !self.tabs.is_leaving(tab) {
            return self.remove_tab(tab);
        }
        let Some(removed) = self.tabs.go_offline(tab) else { return };
        self.tab_removed(tab, removed);
        self.docs.suspend_all(tab);
        if let Some(forgotten) = self.tabs.forget_longest_offline() {
            self.release_all(&forgotten);
        }
    }
}
