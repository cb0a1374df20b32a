//! What the documents have to do with the store.

use super::Documents;
use crate::error::{Error, codes::TYPE_NOT_RECOGNIZED};
use crate::hub::context::Context;
use crate::hub::document::Document;
use crate::hub::found::Found;
use crate::protocol::DocId;

impl Documents {
    /// Takes a document as it comes from the store, if that has it; one that is not kept is not
    /// written from then on.
    ///
    /// # Errors
    /// It can't be taken; the document is as one that is not in the store.
    pub fn admit(&mut self, id: &DocId, found: Found, cx: &mut Context<'_>) -> Result<(), Error> {
        let Some(journal) = cx.journal.as_deref_mut() else { return Ok(()) };
        let Found { recalled, is_damaged, lost, mut is_kept } = found;
        let (number, is_off) = (journal.new_log(), journal.is_off());
        let is_evicted = journal.is_busy_with(id);
        let mut doc = self.doc(id);
        let pending = recalled.as_ref().map(|it| it.restored.pending.clone()).unwrap_or_default();
        let taken = recalled.map_or(Ok(()), |recalled| doc.recall(recalled, cx));
        let unfit = taken.as_ref().err();
        // With the type, it can be taken.
        is_kept &= unfit.is_none_or(|it| it.code_text().as_deref() != Some(TYPE_NOT_RECOGNIZED));
        if is_off || !is_kept {
            doc.stop_log();
        } else if !doc.is_stored() {
            doc.start_log(number);
            if doc.head().is_known() {
                // It came as the result of a query.
                doc.write_anew(cx);
            }
            if let Some(error) = unfit {
                doc.lose(pending, error, cx);
            }
        }
        if is_damaged {
            doc.replace_records(lost, cx);
        }
        if is_evicted {
            // What was read goes after all.
            doc.write_anew(cx);
        }
        doc.note_use(cx);
        doc.start_linger(cx);
        taken
    }

    /// Tells the tabs of ops that could not be kept.
    pub fn tell_lost(&mut self, cx: &mut Context<'_>) {
        let Some(journal) = cx.journal.as_deref_mut() else { return };
        for id in journal.take_with_lost() {
            if let Some(mut doc) = self.docs.get_mut(&id) {
                doc.tell_lost(cx);
            }
        }
    }

    /// Those that were told may not have heard of it.
    pub fn tell_lost_again(&mut self, cx: &mut Context<'_>) {
        let Some(journal) = cx.journal.as_deref_mut() else { return };
        self.docs.for_each(|doc| {
            if doc.is_to_tell_again() {
                journal.has_lost(doc.id());
            }
        });
    }

    pub fn write_checkpoints(&mut self, cx: &mut Context<'_>) {
        for id in cx.journal.as_deref().map(|journal| journal.unsaved()).unwrap_or_default() {
            match (self.docs.get_mut(&id), cx.journal.as_deref_mut()) {
                (Some(mut doc), _) => doc.write_checkpoint(cx),
                (None, Some(journal)) => drop(journal.saved(&id)),
                (None, None) => {}
            }
        }
    }

    /// The store may have none of the documents any more. `pending`: it has ops of these.
    pub fn write_all(&mut self, pending: &[DocId], cx: &mut Context<'_>) {
        let Some(journal) = cx.journal.as_deref_mut().filter(|journal| !journal.is_off()) else {
            return;
        };
        for id in std::mem::take(&mut self.unread) {
            if let Some(mut doc) = self.docs.get_mut(&id)
                && !doc.is_stored()
                && !pending.contains(&id)
            {
                doc.start_log(journal.new_log());
            }
        }
        for doc in self.docs.values().filter(|doc| doc.is_stored()) {
            journal.needs_checkpoint(doc.id());
        }
    }

    /// Nothing is stored any more.
    pub fn stop_logs(&mut self) {
        self.docs.for_each(Document::stop_log);
    }

    /// The document was to be read while the store was closed.
    pub fn note_unread(&mut self, id: &DocId) {
        self.unread.insert(id.clone());
    }

    /// Whether the store knows all these documents, so that it can answer for them.
    pub fn are_known(&self, ids: &[DocId]) -> bool {
        let knows = |doc: &Document| doc.is_stored() && doc.head().is_known();
        ids.iter().all(|id| self.docs.get(id).is_some_and(knows))
    }
}
