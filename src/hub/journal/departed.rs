//! Tabs that are gone, as far as their unload journals may repeat what they said before.

use super::KnownTab;
use crate::protocol::Rev;
use crate::wire::wire;

/// How many a document remembers: more than may end before the next one passes their journals on.
const KEPT: usize = 100;

/// The last tabs that edited the document and are gone, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Departed {
    tabs: Vec<(String, KnownTab)>,
    /// Of tabs that left before this revision nothing may be known any more.
    forgotten: Rev,
}

wire!(open Departed { tabs, forgotten });

impl Departed {
    /// The tab leaves, at this revision of the document.
    pub fn add(&mut self, tab: &str, known: KnownTab, rev: Rev) {
        self.tabs.push((tab.to_owned(), known));
        if self.tabs.len() > KEPT {
            self.tabs.remove(0);
            self.forgotten = rev;
        }
    }

    /// Nothing is known any more of what tabs did before this revision.
    pub fn forget_all(&mut self, rev: Rev) {
        (self.tabs, self.forgotten) = (Vec::new(), rev);
    }

    /// What is known of a tab that is back, or whose journal is passed on.
    pub fn take(&mut self, tab: &str) -> Option<KnownTab> {
        let at = self.tabs.iter().position(|(other, _)| other == tab)?;
        Some(self.tabs.remove(at).1)
    }

    /// Whether a tab of which nothing is known may have said more than that it had this revision.
    pub fn may_have_forgotten(&self, rev: Option<Rev>) -> bool {
        rev.unwrap_or_default() < self.forgotten
    }
}
