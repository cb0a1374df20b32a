use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use tabmux_middleware::Millis;

use super::deadlines::Deadlines;
use super::document::Document;
use crate::protocol::{DocId, Rev};

/// The documents by their names. It knows at any time which of them are due and how many have
/// uncommitted ops, without a look at each.
#[derive(Default)]
pub(super) struct DocTable {
    docs: BTreeMap<DocId, Document>,
    deadlines: Deadlines<DocId>,
    /// When it is to be written next that they are in use: the hub does not wake for that alone.
    uses: Deadlines<DocId>,
    /// How many have ops that the server has not acknowledged.
    uncommitted: usize,
}

/// What the table knows of one document.
#[derive(Clone, Copy, PartialEq)]
struct Note {
    deadline: Option<Millis>,
    next_use: Option<Millis>,
    is_uncommitted: bool,
}

impl Note {
    fn of(doc: &Document) -> Self {
        Note {
            deadline: doc.deadline(),
            next_use: doc.next_use(),
            is_uncommitted: doc.has_uncommitted(),
        }
    }
}

/// A document of the table. When it is let go, the table notes what has become of it.
pub(super) struct DocMut<'a> {
    doc: &'a mut Document,
    before: Note,
    deadlines: &'a mut Deadlines<DocId>,
    uses: &'a mut Deadlines<DocId>,
    uncommitted: &'a mut usize,
}

impl Deref for DocMut<'_> {
    type Target = Document;

    fn deref(&self) -> &Document {
        self.doc
    }
}

impl DerefMut for DocMut<'_> {
    fn deref_mut(&mut self) -> &mut Document {
        self.doc
    }
}

impl Drop for DocMut<'_> {
    fn drop(&mut self) {
        let now = Note::of(self.doc);
        if now == self.before {
            return;
        }
        self.deadlines.set(self.doc.id(), self.before.deadline, now.deadline);
        self.uses.set(self.doc.id(), self.before.next_use, now.next_use);
        *self.uncommitted += usize::from(now.is_uncommitted);
        *self.uncommitted -= usize::from(self.before.is_uncommitted);
    }
}

impl DocTable {
    pub fn len(&self) -> usize {
        self.docs.len()
    }

    pub fn get(&self, id: &DocId) -> Option<&Document> {
        self.docs.get(id)
    }

    pub fn values(&self) -> impl Iterator<Item = &Document> {
        self.docs.values()
    }

    pub fn get_mut(&mut self, id: &DocId) -> Option<DocMut<'_>> {
        let DocTable { docs, deadlines, uses, uncommitted } = self;
        let doc = docs.get_mut(id)?;
        Some(DocMut { before: Note::of(doc), doc, deadlines, uses, uncommitted })
    }

    /// The document, which begins at this revision if there is none yet.
    pub fn get_or_new(&mut self, id: &DocId, rev: Rev) -> DocMut<'_> {
        let DocTable { docs, deadlines, uses, uncommitted } = self;
        let doc = docs.entry(id.clone()).or_insert_with(|| Document::new(id.clone(), rev));
        DocMut { before: Note::of(doc), doc, deadlines, uses, uncommitted }
    }

    /// Does something with every document.
    pub fn for_each(&mut self, mut act: impl FnMut(&mut Document)) {
        let DocTable { docs, deadlines, uses, uncommitted } = self;
        for doc in docs.values_mut() {
            let before = Note::of(doc);
            act(&mut DocMut { before, doc, deadlines, uses, uncommitted });
        }
    }

    pub fn remove(&mut self, id: &DocId) {
        let Some(removed) = self.docs.remove(id) else { return };
        let before = Note::of(&removed);
        self.deadlines.set(id, before.deadline, None);
        self.uses.set(id, before.next_use, None);
        self.uncommitted -= usize::from(before.is_uncommitted);
    }

    /// The earliest deadline.
    pub fn deadline(&self) -> Option<Millis> {
        self.deadlines.next()
    }

    /// The documents for which there is something to do by now.
    pub fn due(&self, now: Millis) -> Vec<DocId> {
        let mut due = self.deadlines.due(now);
        let is_first = |id: &DocId| {
            let deadline = self.get(id).and_then(Document::deadline);
            deadline.is_none_or(|at| at > now)
        };
        due.extend(self.uses.due(now).into_iter().filter(is_first));
        due
    }

    /// Whether some document has ops that the server has not acknowledged.
    pub fn has_uncommitted(&self) -> bool {
        self.uncommitted > 0
    }
}
