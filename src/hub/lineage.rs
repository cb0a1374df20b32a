//! Which hubs know the revisions that a tab speaks of.

use super::journal::Journal;
use super::{Hub, HubSettings};
use crate::protocol::*;
use crate::store::PER_EPOCH;

impl Hub {
    /// Names the hubs that know the revisions: this one alone while the store lacks changes.
    pub(super) fn lineage(&self) -> String {
        if self.is_behind() { self.lineage_of_its_own() } else { self.settings.lineage.clone() }
    }

    /// Whether the store lacks changes, as it fails.
    pub fn is_behind(&self) -> bool {
        self.journal.as_ref().is_some_and(Journal::is_behind)
    }

    fn lineage_of_its_own(&self) -> String {
        let HubSettings { lineage, epoch, .. } = &self.settings;
        format!("{lineage}, {epoch} alone")
    }

    /// Whether this hub knows the revisions of that lineage.
    pub(super) fn is_of(&self, lineage: &str) -> bool {
        lineage == self.settings.lineage || lineage == self.lineage_of_its_own()
    }

    /// Whether a hub of this store that is gone was alone in knowing the revisions of that lineage.
    pub(super) fn is_of_an_earlier(&self, lineage: &str) -> bool {
        let rest = lineage.strip_prefix(&self.settings.lineage);
        rest.is_some_and(|rest| rest.starts_with(", ") && rest.ends_with(" alone"))
    }

    /// A tab may know revisions of an earlier hub that this one does not, and the order goes on after
    /// them; but not after one that no hub can have reached.
    pub(super) fn refuse_implausible(&mut self, resume: &mut ConnectionResume) {
        if self.journal.is_none() {
            return;
        }
        let limit = (self.settings.epoch + 1) * PER_EPOCH;
        for held in &mut resume.docs {
            let own = self.docs.rev(&held.doc).unwrap_or_default();
            if held.rev.is_some_and(|rev| rev >= limit && rev > own) {
                let (doc, rev) = (&held.doc, held.rev.take().unwrap_or_default());
                self.fault(&format!(
                    "a tab says it has revision {rev} of {doc}, which is at {own}"
                ));
            }
        }
    }
}
