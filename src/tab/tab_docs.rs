use tabmux_middleware::SortedMap;

use crate::ot::Replica;
use crate::protocol::{DocId, Rev, Snapshot};

/// Stands for a document of this tab.
pub type DocKey = u32;

/// How many changes a tab takes before it tells the hub that it has them.
const SEEN_EVERY: Rev = 32;

/// One document as the tab holds it.
pub(super) struct TabDoc {
    pub id: DocId,
    pub replica: Replica,
    /// The last `doc.subscribe` or `doc.unsubscribe` asked for changes.
    pub subscribed: bool,
    /// ShareDB's `doc.paused`: ops stay here.
    pub paused: bool,
    /// Of the ops that were held back, each is sent when the server has answered for the one before.
    pub one_by_one: bool,
    /// The server has answered for every op in the hub's state.
    pub all_committed: bool,
    /// The state was lost with the hub that knew the tab to hold it.
    pub lost_with_hub: bool,
    /// Its state can't come here, or is of a type that is unknown here.
    pub is_unreadable: bool,
    /// The state that the application has ingested, until the hub has answered.
    pub ingested: Option<Snapshot>,
    told_seen: Rev,
}

impl TabDoc {
    /// Whether it is time to tell the hub that the tab has changes up to this revision.
    pub fn is_to_tell_seen(&self, rev: Rev) -> bool {
        rev.saturating_sub(self.told_seen) >= SEEN_EVERY
    }

    /// Whether the hub is to get ops of it before the tab, which goes offline, may leave.
    pub fn owes(&self) -> bool {
        !self.paused && self.replica.has_numbered()
    }

    /// Whether the tab wants its changes is about to be said, with the revision it holds.
    pub fn wants_changes(&mut self, wanted: bool) -> (DocId, Option<Rev>) {
        self.subscribed = wanted;
        let rev = self.replica.rev();
        self.told(rev);
        (self.id.clone(), rev)
    }

    /// The hub learns this revision by other means.
    pub fn told(&mut self, rev: Option<Rev>) {
        self.told_seen = rev.unwrap_or(self.told_seen);
    }
}

/// The documents of a tab.
#[derive(Default)]
pub(super) struct TabDocs {
    docs: SortedMap<DocKey, Box<TabDoc>>,
    keys: SortedMap<DocId, DocKey>,
    next_key: DocKey,
}

impl TabDocs {
    pub fn open(&mut self, id: DocId) -> DocKey {
        if let Some(key) = self.keys.get(&id) {
            return *key;
        }
        self.next_key += 1;
        let doc = TabDoc {
            id: id.clone(),
            replica: Replica::default(),
            subscribed: false,
            paused: false,
            one_by_one: false,
            all_committed: true,
            lost_with_hub: false,
            is_unreadable: false,
            ingested: None,
            told_seen: 0,
        };
        self.docs.insert(self.next_key, Box::new(doc));
        self.keys.insert(id, self.next_key);
        self.next_key
    }

    pub fn close(&mut self, key: DocKey) -> Option<TabDoc> {
        let doc = self.docs.remove(&key)?;
        self.keys.remove(&doc.id);
        Some(*doc)
    }

    pub fn get(&self, key: DocKey) -> Option<&TabDoc> {
        self.docs.get(&key).map(|doc| &**doc)
    }

    pub fn get_mut(&mut self, key: DocKey) -> Option<&mut TabDoc> {
        self.docs.get_mut(&key).map(|doc| &mut **doc)
    }

    pub fn find(&mut self, id: &DocId) -> Option<(DocKey, &mut TabDoc)> {
        let key = *self.keys.get(id)?;
        self.docs.get_mut(&key).map(|doc| (key, &mut **doc))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (DocKey, &mut TabDoc)> {
        self.docs.iter_mut().map(|(key, doc)| (*key, &mut **doc))
    }
}
