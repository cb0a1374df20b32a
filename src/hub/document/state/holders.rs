use tabmux_middleware::SortedMap;

use super::holder::Holder;
use crate::hub::journal::{Departed, KnownTab};
use crate::protocol::Rev;

/// Stands for the tabs among the holders that are not known, as they only read.
const UNKNOWN: &str = "";

/// The tabs that hold a document, and what is known of some that are gone.
#[derive(Default)]
pub(in crate::hub::document) struct Holders {
    tabs: SortedMap<String, Holder>,
    departed: Departed,
}

impl Holders {
    pub fn is_empty(&self) -> bool {
        self.tabs.is_empty()
    }

    pub fn has(&self, tab: &str) -> bool {
        self.tabs.contains_key(tab)
    }

    pub fn get(&self, tab: &str) -> Option<&Holder> {
        self.tabs.get(tab)
    }

    pub fn get_mut(&mut self, tab: &str) -> Option<&mut Holder> {
        self.tabs.get_mut(tab)
    }

    /// The tab, which holds the document from now on if it did not.
    pub fn hold(&mut self, tab: &str) -> &mut Holder {
        let departed = &mut self.departed;
        self.tabs.get_or_insert_with(tab.to_owned(), || {
            departed.take(tab).map(Holder::of).unwrap_or_default()
        })
    }

    pub fn values(&self) -> impl Iterator<Item = &Holder> {
        self.tabs.values()
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Holder> {
        self.tabs.values_mut()
    }

    /// The tabs of which this is true.
    pub fn which(&self, is: impl Fn(&str, &Holder) -> bool) -> Vec<String> {
        let them = self.tabs.iter().filter(|(tab, holder)| is(tab, holder));
        them.map(|(tab, _)| tab.clone()).collect()
    }

    pub fn remove(&mut self, tab: &str) -> Option<Holder> {
        self.tabs.remove(tab)
    }

    /// A tab is no longer among the holders; its unload journal may repeat what it said before.
    pub fn remember(&mut self, tab: &str, holder: &Holder, rev: Rev) {
        if holder.ops().is_known() {
            self.departed.add(tab, holder.ops().as_known(), rev);
        }
    }

    /// The tab, which is gone, has sent ops up to this one.
    pub fn add_gone(&mut self, tab: &str, last_op_id: u64) {
        self.tabs.insert(tab.to_owned(), Holder::gone(last_op_id));
    }

    /// The linger is over: what is held only for the sake of it no longer is.
    pub fn end_linger(&mut self) {
        self.values_mut().for_each(Holder::forget_departing);
        self.tabs.retain(|_, holder| !holder.is_done());
    }

    /// From which revision on changes must be kept, at this revision of the document.
    pub fn need_from(&self, now: Rev) -> Rev {
        self.values().filter_map(|holder| holder.needs_from(now)).min().unwrap_or(now)
    }

    /// Whether more may be known of a tab that had this revision than is remembered.
    pub fn may_have_forgotten(&self, rev: Option<Rev>) -> bool {
        self.departed.may_have_forgotten(rev)
    }

    // Written down

    /// What must be known of the tabs that come back.
    pub fn known(&self) -> SortedMap<String, KnownTab> {
        let known = self.tabs.iter().filter(|(_, holder)| holder.ops().is_known());
        known.map(|(tab, holder)| (tab.clone(), holder.ops().as_known())).collect()
    }

    /// Nothing is known any more of what tabs did before this revision.
    pub fn forget_departed(&mut self, rev: Rev) {
        self.departed.forget_all(rev);
    }

    pub fn departed(&self) -> &Departed {
        &self.departed
    }

    /// These tabs of an earlier hub may come back with any revision from this one on.
    pub fn recall(&mut self, tabs: SortedMap<String, KnownTab>, departed: Departed, rev: Rev) {
        self.departed = departed;
        for (tab, known) in tabs {
            self.departed.take(&tab);
            self.tabs.insert(tab, Holder::expected(known, rev));
        }
    }

    // Tabs that are not written down, as they only read: any may come back with what it held.

    /// Keeps the changes from this revision on for them.
    pub fn keep_history_from(&mut self, rev: Rev) {
        self.hold(UNKNOWN).keep_from(rev);
    }

    /// Keeps the changes from this revision on for them as well.
    pub fn keep_history_also_from(&mut self, rev: Rev) {
        let before = self.get(UNKNOWN).map_or(rev, Holder::seen);
        self.keep_history_from(rev.min(before));
    }

    /// They will not come back any more.
    pub fn forget_unknown(&mut self) {
        self.tabs.remove(UNKNOWN);
    }

    /// Whether a tab is known that has the document open.
    pub fn is_open(&self) -> bool {
        self.tabs.keys().any(|tab| tab != UNKNOWN)
    }
}
