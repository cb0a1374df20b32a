use crate::error::Error;
use crate::ot::{Entry, Op, Sequencer, TypeHandle, Types};
use crate::protocol::Rev;

/// The changes of a document in the hub's order, as far back as some tab may need them.
pub(in crate::hub::document) struct History {
    order: Sequencer,
    /// What the tabs know of a lower revision they have from an earlier hub.
    first_rev: Rev,
    /// The revision of the state that was loaded last, and its version, if all of it was committed.
    loaded: (Rev, Option<u64>),
}

impl History {
    /// No tab knows a revision as high as this.
    pub fn starting_at(rev: Rev) -> Self {
        let order = Sequencer::starting_at(rev);
        History { order, first_rev: rev, loaded: (rev, None) }
    }

    /// Goes on where an earlier hub ended: with its last changes up to `rev`, oldest first.
    pub fn resume(&mut self, rev: Rev, changes: Vec<Entry>) {
        self.order = Sequencer::resume(rev, changes);
    }

    /// Goes on after this revision, which is higher than the present one. The changes up to it are not
    /// known.
    pub fn skip_past(&mut self, rev: Rev) {
        self.order = Sequencer::starting_at(rev + 1);
    }

    pub fn rev(&self) -> Rev {
        self.order.rev()
    }

    /// How many changes are kept.
    pub fn kept(&self) -> usize {
        self.order.kept()
    }

    /// The changes that are kept, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.order.entries()
    }

    /// The changes after `rev`, oldest first; `None` if some of them are no longer kept.
    pub fn since(&self, rev: Rev) -> Option<impl Iterator<Item = &Entry>> {
        self.order.since(rev)
    }

    /// Whether all changes after `rev` are kept.
    pub fn reaches_back_to(&self, rev: Rev) -> bool {
        self.order.since(rev).is_some()
    }

    /// Whether a tab can know this revision only from an earlier hub.
    pub fn is_before_this_hub(&self, rev: Rev) -> bool {
        rev < self.first_rev
    }

    pub fn push(&mut self, entry: Entry) {
        self.order.push(entry);
    }

    /// Brings ops made at `base` to the present revision, as [`Sequencer::transform`].
    pub fn transform<'a>(
        &self,
        base: Rev,
        ops: impl Iterator<Item = &'a mut Op>,
        ty: Option<TypeHandle>,
        types: &dyn Types,
    ) -> (usize, Option<Error>) {
        self.order.transform(base, ops, ty, types)
    }

    /// The document was replaced as a whole: no op made before can be transformed.
    pub fn reset(&mut self) {
        self.order.reset();
    }

    /// Forgets the changes up to `rev`, which every tab has.
    pub fn trim(&mut self, rev: Rev) {
        self.order.trim(rev);
    }

    /// The state of the present revision was loaded; `version`: all of it was committed.
    pub fn note_load(&mut self, version: Option<u64>) {
        self.loaded = (self.order.rev(), version);
    }

    /// Whether nothing has happened since a state of this version was loaded.
    pub fn is_as_loaded(&self, version: Option<u64>) -> bool {
        self.loaded == (self.order.rev(), version)
    }

    /// The revision of the state that was loaded last, and its version, if a tab that was at `base` can't
    /// be led on from there, but from that state.
    pub fn loaded_after(&self, base: Rev) -> Option<(Rev, u64)> {
        let (rev, version) = self.loaded;
        let is_lost = !self.reaches_back_to(base) && self.reaches_back_to(rev);
        version.filter(|_| is_lost).map(|version| (rev, version))
    }
}
