use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{DocInfo, Inventory};
use crate::protocol::DocId;

/// How much a store is to hold at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// For how long a document is kept that nobody uses, in milliseconds.
    pub max_age: Option<u64>,
    /// How many bytes all documents may take together.
    pub max_bytes: Option<u64>,
}

/// The documents to remove from a store, those not used for longest first: all that are too old, and
/// then as many as it takes for the others to fit. Never one with uncommitted ops, pinned or in use;
/// so that what is left may still be too much.
///
/// A document of which no use is known goes before all others: whoever writes a document that is to
/// stay has it in use, or says so with [`Write::Use`](super::Write::Use).
pub fn victims(
    inventory: &Inventory,
    limits: &Limits,
    now: u64,
    in_use: &dyn Fn(&DocId) -> bool,
) -> Vec<DocId> {
    let used = |it: &DocInfo| it.used.unwrap_or(0);
    let docs = inventory.docs.iter().enumerate();
    let removable = docs.filter(|(_, it)| !it.pending && !it.pinned && !in_use(&it.doc));
    let mut oldest_first: BinaryHeap<_> =
        removable.map(|(at, it)| Reverse((used(it), at))).collect();

    let mut left: u64 = inventory.docs.iter().map(|it| it.bytes).sum();
    let too_old =
        |it: &DocInfo| limits.max_age.is_some_and(|max| now.saturating_sub(used(it)) > max);
    let removed = std::iter::from_fn(|| Some(&inventory.docs[oldest_first.pop()?.0.1]));
    let victims = removed.take_while(|it| {
        let goes = too_old(it) || limits.max_bytes.is_some_and(|max| left > max);
        if goes {
            left -= it.bytes;
        }
        goes
    });
    victims.map(|it| it.doc.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: &dyn Fn(&DocId) -> bool = &|_| false;

    fn info(id: &str, bytes: u64, used: Option<u64>) -> DocInfo {
        let doc = DocId::new("notes", id);
        DocInfo { doc, bytes, entries: 0, pending: false, pinned: false, used }
    }

    fn inventory(docs: &[DocInfo]) -> Inventory {
        Inventory { docs: docs.to_vec(), quarantined: 0 }
    }

    fn ids(victims: &[DocId]) -> Vec<&str> {
        victims.iter().map(|it| it.id.as_str()).collect()
    }

    #[test]
    fn what_was_not_used_for_longer_than_the_age_goes_oldest_first() {
        let docs = [info("a", 1, Some(70)), info("b", 1, Some(50)), info("c", 1, Some(49))];
        let inventory = inventory(&docs);
        let limits = Limits { max_age: Some(50), max_bytes: None };
        assert_eq!(ids(&victims(&inventory, &limits, 100, NONE)), ["c"]);
        assert_eq!(ids(&victims(&inventory, &limits, 121, NONE)), ["c", "b", "a"]);
        // The clock was set back.
        assert_eq!(ids(&victims(&inventory, &limits, 0, NONE)), [""; 0]);
    }

    #[test]
    fn what_does_not_fit_goes_oldest_first_until_the_rest_does() {
        let docs = [info("a", 10, Some(3)), info("b", 10, Some(1)), info("c", 10, Some(2))];
        let inventory = inventory(&docs);
        for (max, expected) in [(30, &[][..]), (29, &["b"]), (20, &["b"]), (19, &["b", "c"])] {
            let limits = Limits { max_age: None, max_bytes: Some(max) };
            assert_eq!(ids(&victims(&inventory, &limits, 100, NONE)), expected);
        }
    }

    #[test]
    fn what_went_for_its_age_leaves_room() {
        let docs = [info("a", 10, Some(1)), info("b", 10, Some(90)), info("c", 10, Some(95))];
        let limits = Limits { max_age: Some(20), max_bytes: Some(20) };
        assert_eq!(ids(&victims(&inventory(&docs), &limits, 100, NONE)), ["a"]);
    }

    #[test]
    fn a_document_of_which_no_use_is_known_goes_first() {
        let docs = [info("a", 10, Some(1)), info("b", 10, None)];
        let limits = Limits { max_age: None, max_bytes: Some(10) };
        assert_eq!(ids(&victims(&inventory(&docs), &limits, 2, NONE)), ["b"]);
    }

    #[test]
    fn what_is_pending_pinned_or_in_use_stays_and_counts() {
        let docs = [
            DocInfo { pending: true, ..info("a", 10, None) },
            DocInfo { pinned: true, ..info("b", 10, None) },
            info("c", 10, None),
            info("d", 10, Some(1)),
        ];
        let limits = Limits { max_age: Some(0), max_bytes: Some(0) };
        let in_use = |doc: &DocId| doc.id == "c";
        assert_eq!(ids(&victims(&inventory(&docs), &limits, 100, &in_use)), ["d"]);
    }

    #[test]
    fn without_limits_everything_stays() {
        let docs = [info("a", u64::MAX, None)];
        assert_eq!(victims(&inventory(&docs), &Limits::default(), u64::MAX, NONE), []);
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod properties {
    use proptest::prelude::*;

    use super::*;

    fn docs() -> impl Strategy<Value = Vec<DocInfo>> {
        let doc = (0..50u64, any::<bool>(), any::<bool>(), prop::option::of(0..100u64));
        prop::collection::vec(doc, 0..12).prop_map(|docs| {
            let docs = docs.into_iter().enumerate();
            let info = |(id, (bytes, pending, pinned, used)): (usize, (u64, bool, bool, _))| {
                let doc = DocId::new("notes", id.to_string());
                DocInfo { doc, bytes, entries: 0, pending, pinned, used }
            };
            docs.map(info).collect()
        })
    }

    proptest! {
        #[test]
        fn no_more_goes_than_must_and_nothing_that_may_not(
            docs in docs(),
            max_age in prop::option::of(0..100u64),
            max_bytes in prop::option::of(0..300u64),
            in_use in prop::collection::vec(any::<bool>(), 12),
        ) {
            let now = 100;
            let in_use = |doc: &DocId| in_use[doc.id.parse::<usize>().unwrap()];
            let inventory = Inventory { docs, quarantined: 0 };
            let victims = victims(&inventory, &Limits { max_age, max_bytes }, now, &in_use);

            let find = |doc: &DocId| inventory.docs.iter().find(|it| it.doc == *doc).unwrap();
            let used = |it: &DocInfo| it.used.unwrap_or(0);
            let gone: Vec<_> = victims.iter().map(find).collect();
            let stays = |it: &DocInfo| it.pending || it.pinned || in_use(&it.doc);
            prop_assert!(!gone.iter().any(|it| stays(it)));
            prop_assert!(gone.is_sorted_by_key(|it| used(it)));

            let is_gone = |it: &DocInfo| victims.contains(&it.doc);
            let kept: Vec<_> = inventory.docs.iter().filter(|it| !is_gone(it)).collect();
            let bytes: u64 = kept.iter().map(|it| it.bytes).sum();
            let too_old = |it: &DocInfo| max_age.is_some_and(|max| now - used(it) > max);
            for it in kept.iter().filter(|it| !stays(it)) {
                prop_assert!(!too_old(it) && max_bytes.is_none_or(|max| bytes <= max));
                prop_assert!(gone.iter().all(|before| used(before) <= used(it)));
            }
            if let Some(last) = gone.last() {
                let too_much = max_bytes.is_some_and(|max| bytes + last.bytes > max);
                prop_assert!(too_old(last) || too_much);
            }
        }
    }
}
