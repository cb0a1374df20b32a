//! What every store owes its users.

use futures::FutureExt;
use futures::future::{join, join3};
use tabmux::protocol::DocId;
use tabmux::store::{
    DocInfo, Durability, Flaw, Inventory, Opening, RecordKey, Store, StoreError, Write,
};

/// Where stores keep what they are given, and how a test spoils it.
pub trait Place {
    type Store: Store + 'static;

    /// A store that keeps things here; every call makes another.
    fn store(&self) -> Self::Store;

    async fn corrupt(&self, doc: &DocId, record: RecordKey, change: fn(&mut Vec<u8>));

    async fn lose(&self, doc: &DocId, record: RecordKey);

    /// Deletes everything while stores are open, as a user does who clears the site's data.
    async fn delete(&self);
}

/// Calls a macro with the names of all behaviours.
macro_rules! behaviours {
    ($define:ident) => {
        $define! {
            what_was_committed_is_there_after_a_restart
            a_document_that_is_not_in_the_store_is_empty
            d1_an_opening_fences_whoever_opened_the_store_before
            d1_f11_a_commit_that_races_an_opening_comes_before_it_or_is_fenced
            a_transaction_is_written_as_a_whole_or_not_at_all
            transactions_take_effect_in_the_order_they_were_asked_for
            a_log_of_any_length_is_read_in_order
            entries_are_appended_one_by_one
            a_checkpoint_drops_the_entries_it_contains_and_no_others
            a_checkpoint_older_than_the_log_is_refused
            an_opening_names_the_documents_with_uncommitted_ops
            a_removed_document_starts_anew
            documents_with_similar_names_are_kept_apart
            the_inventory_tells_what_is_known_of_each_document
            a_corrupt_entry_is_reported_with_those_after_it
            a_corrupt_checkpoint_leaves_nothing_but_what_can_be_rescued
            what_is_damaged_stays_as_it_is_until_it_is_set_aside
            a_record_of_an_unknown_format_is_reported
            records_that_are_missing_are_noticed
            a_damaged_document_can_be_written_again
            clearing_drops_everything_and_fences_everyone
            d1_whoever_no_longer_owns_a_store_can_not_clear_it
            f23_a_deleted_store_says_so_and_can_be_opened_anew
            a_store_that_was_not_opened_says_so
            opening_a_store_again_ends_what_it_was_before
            an_epoch_is_never_below_the_floor_nor_one_that_was_there
            a_store_keeps_its_lineage_until_it_is_cleared
            d1_who_opens_a_store_again_after_another_did_is_fenced
            of_what_was_set_aside_the_oldest_goes_when_it_is_too_much
        }
    };
}
pub(crate) use behaviours;

const RELAXED: Durability = Durability::Relaxed;

pub fn doc(id: &str) -> DocId {
    DocId::new("notes", id)
}

pub fn append(id: &str, n: u64, record: &str) -> Write {
    Write::Append { doc: doc(id), n, record: record.into(), pending: true }
}

pub fn checkpoint(id: &str, next: u64, record: &str) -> Write {
    Write::Checkpoint { doc: doc(id), next, record: record.into(), pending: false }
}

/// A store opened anew, and its epoch.
async fn open<P: Place>(place: &P) -> (P::Store, u64) {
    let store = place.store();
    let epoch = store.open(Opening::default()).await.unwrap().epoch;
    (store, epoch)
}

/// The checkpoint and log of a document, as text.
async fn read(store: &impl Store, epoch: u64, id: &str) -> (Option<String>, Vec<String>) {
    let stored = store.read(epoch, &doc(id)).await.unwrap();
    assert_eq!(stored.damage, None);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (stored.checkpoint.map(text), stored.log.into_iter().map(text).collect())
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&it| it.to_owned()).collect()
}

/// A document with a checkpoint and the entries 3 to 6.
async fn stored_document(place: &impl Place) {
    let (store, epoch) = open(place).await;
    let writes = [
        checkpoint("a", 3, "base"),
        append("a", 3, "three"),
        append("a", 4, "four"),
        append("a", 5, "five"),
        append("a", 6, "six"),
    ];
    store.commit(epoch, &writes, RELAXED).await.unwrap();
}

const FLIP_LAST_BIT: fn(&mut Vec<u8>) = |bytes| *bytes.last_mut().unwrap() ^= 1;

pub async fn what_was_committed_is_there_after_a_restart(place: impl Place) {
    let (store, epoch) = open(&place).await;
    let base = [0, 255, 13, 10];
    let base = Write::Checkpoint { doc: doc("a"), next: 0, record: base.into(), pending: false };
    store.commit(epoch, &[base, append("a", 0, "one")], RELAXED).await.unwrap();
    store.commit(epoch, &[append("a", 1, "")], Durability::Strict).await.unwrap();
    drop(store);

    let (store, epoch) = open(&place).await;
    let stored = store.read(epoch, &doc("a")).await.unwrap();
    assert_eq!(stored.checkpoint, Some(vec![0, 255, 13, 10]));
    assert_eq!(stored.log, [b"one".to_vec(), vec![]]);
    assert_eq!(stored.next, 2);
    assert_eq!(stored.damage, None);
}

pub async fn a_document_that_is_not_in_the_store_is_empty(place: impl Place) {
    let (store, epoch) = open(&place).await;
    assert_eq!(store.read(epoch, &doc("a")).await.unwrap(), Default::default());
    assert_eq!(store.inventory().await.unwrap(), Inventory::default());
}

pub async fn d1_an_opening_fences_whoever_opened_the_store_before(place: impl Place) {
    let (old, old_epoch) = open(&place).await;
    old.commit(old_epoch, &[append("a", 0, "kept")], RELAXED).await.unwrap();
    let (new, current) = open(&place).await;
    assert_eq!(current, old_epoch + 1);

    let fenced = StoreError::Fenced { epoch: old_epoch, current };
    let late = old.commit(old_epoch, &[append("a", 1, "late")], RELAXED).await;
    assert_eq!(late, Err(fenced.clone()));
    let removal = old.commit(old_epoch, &[Write::Remove { doc: doc("a") }], RELAXED).await;
    assert_eq!(removal, Err(fenced.clone()));
    assert_eq!(old.read(old_epoch, &doc("a")).await, Err(fenced));
    assert_eq!(read(&new, current, "a").await, (None, texts(&["kept"])));
}

pub async fn d1_f11_a_commit_that_races_an_opening_comes_before_it_or_is_fenced(place: impl Place) {
    for commit_first in [true, false] {
        let (old, old_epoch) = open(&place).await;
        let new = place.store();
        let writes = [Write::Remove { doc: doc("a") }, append("a", 0, "raced")];
        let commit = old.commit(old_epoch, &writes, RELAXED);
        let (committed, opened) = if commit_first {
            join(commit, new.open(Opening::default())).await
        } else {
            let (opened, committed) = join(new.open(Opening::default()), commit).await;
            (committed, opened)
        };
        let current = opened.unwrap().epoch;
        let was_there = read(&new, current, "a").await.1 == ["raced"];
        match committed {
            Ok(()) => assert!(was_there),
            Err(error) => {
                assert_eq!(error, StoreError::Fenced { epoch: old_epoch, current });
                assert!(!was_there);
            }
        }
        new.commit(current, &[Write::Remove { doc: doc("a") }], RELAXED).await.unwrap();
    }
}

pub async fn a_transaction_is_written_as_a_whole_or_not_at_all(place: impl Place) {
    let (store, epoch) = open(&place).await;
    let before = [append("a", 0, "zero"), append("c", 0, "zero")];
    store.commit(epoch, &before, RELAXED).await.unwrap();
    let gap = StoreError::Gap { doc: doc("z"), n: 4, next: 0 };
    let writes = [
        append("a", 1, "one"),
        checkpoint("b", 0, "base"),
        Write::Remove { doc: doc("c") },
        append("z", 4, "four"),
    ];
    assert_eq!(store.commit(epoch, &writes, RELAXED).await, Err(gap));
    assert_eq!(read(&store, epoch, "a").await, (None, texts(&["zero"])));
    assert_eq!(read(&store, epoch, "b").await, (None, vec![]));
    assert_eq!(read(&store, epoch, "c").await, (None, texts(&["zero"])));
    store.commit(epoch, &writes[..3], RELAXED).await.unwrap();
    assert_eq!(read(&store, epoch, "a").await, (None, texts(&["zero", "one"])));
    assert_eq!(read(&store, epoch, "b").await, (Some("base".into()), vec![]));
    assert_eq!(read(&store, epoch, "c").await, (None, vec![]));
}

pub async fn transactions_take_effect_in_the_order_they_were_asked_for(place: impl Place) {
    let (store, epoch) = open(&place).await;
    let (first, second) = ([append("a", 0, "zero")], [append("a", 1, "one")]);
    let results = join3(
        store.commit(epoch, &first, RELAXED),
        store.commit(epoch, &second, RELAXED),
        read(&store, epoch, "a"),
    );
    assert_eq!(results.await, (Ok(()), Ok(()), (None, texts(&["zero", "one"]))));
}

pub async fn a_log_of_any_length_is_read_in_order(place: impl Place) {
    let (store, epoch) = open(&place).await;
    let writes: Vec<_> = (0..1000).map(|n| append("a", n, &n.to_string())).collect();
    store.commit(epoch, &writes, RELAXED).await.unwrap();
    let expected: Vec<_> = (0..1000).map(|n| n.to_string()).collect();
    assert_eq!(read(&store, epoch, "a").await, (None, expected));
}

pub async fn entries_are_appended_one_by_one(place: impl Place) {
    let (store, epoch) = open(&place).await;
    store.commit(epoch, &[append("a", 0, "zero")], RELAXED).await.unwrap();
    for n in [0, 2] {
        let refused = store.commit(epoch, &[append("a", n, "x")], RELAXED).await;
        assert_eq!(refused, Err(StoreError::Gap { doc: doc("a"), n, next: 1 }));
    }
    assert_eq!(read(&store, epoch, "a").await, (None, texts(&["zero"])));
}

pub async fn a_checkpoint_drops_the_entries_it_contains_and_no_others(place: impl Place) {
    let (store, epoch) = open(&place).await;
    let entries: Vec<_> = (0..4).map(|n| append("a", n, &n.to_string())).collect();
    store.commit(epoch, &entries, RELAXED).await.unwrap();
    store.commit(epoch, &[checkpoint("a", 0, "none")], RELAXED).await.unwrap();
    assert_eq!(read(&store, epoch, "a").await, (Some("none".into()), texts(&["0", "1", "2", "3"])));
    store.commit(epoch, &[checkpoint("a", 3, "0 to 2")], RELAXED).await.unwrap();
    assert_eq!(read(&store, epoch, "a").await, (Some("0 to 2".into()), texts(&["3"])));
    store.commit(epoch, &[append("a", 4, "4")], RELAXED).await.unwrap();
    assert_eq!(read(&store, epoch, "a").await, (Some("0 to 2".into()), texts(&["3", "4"])));
    store.commit(epoch, &[checkpoint("a", 9, "all")], RELAXED).await.unwrap();
    assert_eq!(read(&store, epoch, "a").await, (Some("all".into()), vec![]));
    store.commit(epoch, &[append("a", 9, "9")], RELAXED).await.unwrap();
    assert_eq!(read(&store, epoch, "a").await, (Some("all".into()), texts(&["9"])));
}

pub async fn a_checkpoint_older_than_the_log_is_refused(place: impl Place) {
    stored_document(&place).await;
    let (store, epoch) = open(&place).await;
    let refused = store.commit(epoch, &[checkpoint("a", 2, "old")], RELAXED).await;
    assert_eq!(refused, Err(StoreError::OldCheckpoint { doc: doc("a"), next: 2, first: 3 }));
    let entries = texts(&["three", "four", "five", "six"]);
    assert_eq!(read(&store, epoch, "a").await, (Some("base".into()), entries));
}

pub async fn an_opening_names_the_documents_with_uncommitted_ops(place: impl Place) {
    let (store, epoch) = open(&place).await;
    let committed = Write::Append { doc: doc("b"), n: 1, record: vec![], pending: false };
    let writes = [
        append("c", 0, "op"),
        append("a", 0, "op"),
        append("b", 0, "op"),
        committed,
        checkpoint("d", 0, "base"),
        append("e", 0, "op"),
        Write::Remove { doc: doc("e") },
    ];
    store.commit(epoch, &writes, RELAXED).await.unwrap();
    assert_eq!(place.store().open(Opening::default()).await.unwrap().pending, [doc("a"), doc("c")]);
}

pub async fn a_removed_document_starts_anew(place: impl Place) {
    stored_document(&place).await;
    let (store, epoch) = open(&place).await;
    let writes = [Write::Remove { doc: doc("a") }, append("a", 0, "new")];
    store.commit(epoch, &writes, RELAXED).await.unwrap();
    assert_eq!(read(&store, epoch, "a").await, (None, texts(&["new"])));
    store.commit(epoch, &writes[..1], RELAXED).await.unwrap();
    assert_eq!(read(&store, epoch, "a").await, (None, vec![]));
    assert_eq!(store.inventory().await.unwrap().docs, []);
}

pub async fn documents_with_similar_names_are_kept_apart(place: impl Place) {
    let (store, epoch) = open(&place).await;
    let names = [
        ("a", "b.c"),
        ("a.b", "c"),
        ("", ""),
        ("", "a"),
        ("a", ""),
        ("A", "b.c"),
        ("a", "b.c\0"),
        ("a", "\u{ffff}"),
        ("a", "🎉"),
    ];
    let docs = names.map(|(collection, id)| DocId::new(collection, id));
    let entry = |doc: &DocId, n| {
        let record = format!("{doc:?} {n}").into();
        Write::Append { doc: doc.clone(), n, record, pending: true }
    };
    let writes: Vec<_> = docs.iter().flat_map(|doc| [entry(doc, 0), entry(doc, 1)]).collect();
    store.commit(epoch, &writes, RELAXED).await.unwrap();
    store.commit(epoch, &[Write::Remove { doc: docs[0].clone() }], RELAXED).await.unwrap();
    assert_eq!(store.read(epoch, &docs[0]).await.unwrap(), Default::default());
    for doc in &docs[1..] {
        let stored = store.read(epoch, doc).await.unwrap();
        assert_eq!(stored.log, [0, 1].map(|n| format!("{doc:?} {n}").into_bytes()));
    }
}

pub async fn the_inventory_tells_what_is_known_of_each_document(place: impl Place) {
    let (store, epoch) = open(&place).await;
    let writes = [
        checkpoint("a", 0, "0123456789"),
        append("a", 0, "01234"),
        append("a", 1, "01234"),
        checkpoint("b", 5, ""),
        Write::Pin { doc: doc("b"), pinned: true },
        Write::Pin { doc: doc("c"), pinned: true },
        Write::Use { doc: doc("a"), at: 1_700_000_000_000 },
        Write::Use { doc: doc("d"), at: 1 },
    ];
    store.commit(epoch, &writes, RELAXED).await.unwrap();

    let inventory = store.inventory().await.unwrap();
    assert_eq!(inventory.quarantined, 0);
    let [a, b, c] = &inventory.docs[..] else { panic!("{inventory:?}") };
    let used = Some(1_700_000_000_000);
    let (bytes, entries) = (a.bytes, 2);
    assert_eq!(*a, DocInfo { doc: doc("a"), bytes, entries, pending: true, pinned: false, used });
    let empty = DocInfo {
        doc: doc("b"),
        bytes: b.bytes,
        entries: 0,
        pending: false,
        pinned: true,
        used: None,
    };
    assert_eq!(*b, empty);
    assert_eq!(*c, DocInfo { doc: doc("c"), bytes: 0, ..empty });
    // A record takes a little more room than what was to be kept; the same for all of them.
    let overhead = b.bytes;
    assert_eq!(a.bytes, 20 + 3 * overhead);

    let writes = [checkpoint("a", 2, "0123"), Write::Pin { doc: doc("b"), pinned: false }];
    store.commit(epoch, &writes, RELAXED).await.unwrap();
    let [a, b, _] = &store.inventory().await.unwrap().docs[..] else { panic!() };
    assert_eq!((a.bytes, a.entries, a.pending, a.used), (4 + overhead, 0, false, used));
    assert!(!b.pinned);
}

pub async fn a_corrupt_entry_is_reported_with_those_after_it(place: impl Place) {
    stored_document(&place).await;
    place.corrupt(&doc("a"), RecordKey::Entry(4), FLIP_LAST_BIT).await;
    let (store, epoch) = open(&place).await;

    let stored = store.read(epoch, &doc("a")).await.unwrap();
    assert_eq!(stored.checkpoint, Some(b"base".into()));
    assert_eq!(stored.log, [b"three"]);
    assert_eq!(stored.next, 4);
    let damage = stored.damage.unwrap();
    assert_eq!((&damage.doc, damage.record), (&doc("a"), RecordKey::Entry(4)));
    assert_eq!(damage.flaw, Flaw::Corrupt);
    assert_eq!(damage.rest, [(5, b"five".to_vec()), (6, b"six".to_vec())]);
    assert_eq!(damage.to_string(), "the stored log entry 4 of notes.a is corrupt, with 2 after it");
}

pub async fn a_corrupt_checkpoint_leaves_nothing_but_what_can_be_rescued(place: impl Place) {
    stored_document(&place).await;
    let (store, epoch) = open(&place).await;
    let pin = Write::Pin { doc: doc("a"), pinned: true };
    store.commit(epoch, &[pin], RELAXED).await.unwrap();
    place.corrupt(&doc("a"), RecordKey::Checkpoint, FLIP_LAST_BIT).await;
    place.corrupt(&doc("a"), RecordKey::Entry(4), |bytes| bytes.truncate(3)).await;

    let stored = store.read(epoch, &doc("a")).await.unwrap();
    assert_eq!((stored.checkpoint, stored.log, stored.next), (None, vec![], 0));
    let damage = stored.damage.unwrap();
    assert_eq!((damage.record, damage.flaw), (RecordKey::Checkpoint, Flaw::Corrupt));
    let rest = [(3, b"three".to_vec()), (5, b"five".to_vec()), (6, b"six".to_vec())];
    assert_eq!(damage.rest, rest);

    store.commit(epoch, &[Write::SetAside { doc: doc("a") }], RELAXED).await.unwrap();
    let inventory = store.inventory().await.unwrap();
    assert_eq!(inventory.quarantined, 5);
    let [info] = &inventory.docs[..] else { panic!("{inventory:?}") };
    assert_eq!((info.bytes, info.entries, info.pending, info.pinned), (0, 0, false, true));
    store.commit(epoch, &[Write::Remove { doc: doc("a") }], RELAXED).await.unwrap();
    let inventory = store.inventory().await.unwrap();
    assert!(inventory.docs[0].pinned, "{inventory:?}");
}

pub async fn what_is_damaged_stays_as_it_is_until_it_is_set_aside(place: impl Place) {
    stored_document(&place).await;
    place.corrupt(&doc("a"), RecordKey::Entry(5), FLIP_LAST_BIT).await;
    let (store, epoch) = open(&place).await;
    let before = store.inventory().await.unwrap();
    let first = store.read(epoch, &doc("a")).await.unwrap();
    assert!(first.damage.is_some());
    let (store, epoch) = open(&place).await;
    assert_eq!(store.read(epoch, &doc("a")).await.unwrap(), first);
    assert_eq!(store.inventory().await.unwrap(), before);

    let writes = [Write::SetAside { doc: doc("a") }, checkpoint("a", 9, "whole")];
    store.commit(epoch, &writes, RELAXED).await.unwrap();
    assert_eq!(read(&store, epoch, "a").await, (Some("whole".into()), texts(&[])));
    assert_eq!(store.inventory().await.unwrap().quarantined, 5);
}

pub async fn a_record_of_an_unknown_format_is_reported(place: impl Place) {
    stored_document(&place).await;
    place.corrupt(&doc("a"), RecordKey::Entry(6), |bytes| bytes[0] = 9).await;
    let (store, epoch) = open(&place).await;
    let damage = store.read(epoch, &doc("a")).await.unwrap().damage.unwrap();
    assert_eq!((damage.record, damage.flaw), (RecordKey::Entry(6), Flaw::Format(9)));
    assert_eq!(damage.to_string(), "the stored log entry 6 of notes.a has the unknown format 9");
}

pub async fn records_that_are_missing_are_noticed(place: impl Place) {
    let entries = ["three", "four", "five", "six"].map(|it| it.as_bytes().to_vec());
    let cases = [
        (RecordKey::Entry(6), &entries[..3], &[][..]),
        (RecordKey::Entry(4), &entries[..1], &entries[2..]),
        (RecordKey::Entry(3), &[], &entries[1..]),
        (RecordKey::Checkpoint, &[], &entries[..]),
    ];
    for (lost, log, rest) in cases {
        stored_document(&place).await;
        place.lose(&doc("a"), lost).await;
        let (store, epoch) = open(&place).await;
        let stored = store.read(epoch, &doc("a")).await.unwrap();
        assert_eq!(stored.log, log);
        let damage = stored.damage.unwrap();
        assert_eq!((damage.record, damage.flaw), (lost, Flaw::Missing));
        let rescued: Vec<_> = damage.rest.into_iter().map(|(_, record)| record).collect();
        assert_eq!(rescued, rest);
        store.commit(epoch, &[Write::Remove { doc: doc("a") }], RELAXED).await.unwrap();
    }
}

pub async fn a_damaged_document_can_be_written_again(place: impl Place) {
    stored_document(&place).await;
    let (store, epoch) = open(&place).await;
    for record in [RecordKey::Entry(5), RecordKey::Checkpoint] {
        place.corrupt(&doc("a"), record, FLIP_LAST_BIT).await;
        let set_aside = Write::SetAside { doc: doc("a") };
        let writes = [set_aside, checkpoint("a", 5, "fetched"), append("a", 5, "op")];
        store.commit(epoch, &writes, RELAXED).await.unwrap();
        assert_eq!(read(&store, epoch, "a").await, (Some("fetched".into()), texts(&["op"])));
    }
}

pub async fn clearing_drops_everything_and_fences_everyone(place: impl Place) {
    stored_document(&place).await;
    place.corrupt(&doc("a"), RecordKey::Entry(5), FLIP_LAST_BIT).await;
    let (store, epoch) = open(&place).await;
    store.commit(epoch, &[Write::SetAside { doc: doc("a") }], RELAXED).await.unwrap();
    store.clear(epoch).await.unwrap();

    let fenced = StoreError::Fenced { epoch, current: epoch + 1 };
    assert_eq!(store.commit(epoch, &[append("a", 0, "late")], RELAXED).await, Err(fenced));
    assert_eq!(store.inventory().await.unwrap(), Inventory::default());
    let opened = store.open(Opening::default()).await.unwrap();
    assert_eq!((opened.epoch, opened.pending), (epoch + 2, vec![]));
    assert_eq!(read(&store, opened.epoch, "a").await, (None, vec![]));
}

pub async fn d1_whoever_no_longer_owns_a_store_can_not_clear_it(place: impl Place) {
    stored_document(&place).await;
    let (old, epoch) = open(&place).await;
    let (new, current) = open(&place).await;
    let kept = new.inventory().await.unwrap();
    assert_eq!(old.clear(epoch).await, Err(StoreError::Fenced { epoch, current }));
    assert_eq!(new.inventory().await.unwrap(), kept);
    new.commit(current, &[append("b", 0, "still its own")], RELAXED).await.unwrap();
}

pub async fn f23_a_deleted_store_says_so_and_can_be_opened_anew(place: impl Place) {
    stored_document(&place).await;
    let (store, epoch) = open(&place).await;
    let mut closed = store.closed().boxed_local();
    assert_eq!(closed.as_mut().now_or_never(), None);
    place.delete().await;

    let reason = closed.await;
    assert!(matches!(reason, StoreError::Closed { .. }), "{reason}");
    assert_eq!(store.closed().await, reason);
    assert_eq!(store.commit(epoch, &[append("b", 0, "x")], RELAXED).await, Err(reason.clone()));
    assert_eq!(store.read(epoch, &doc("a")).await, Err(reason.clone()));
    assert_eq!(store.inventory().await, Err(reason.clone()));
    assert_eq!(store.clear(epoch).await, Err(reason));

    let opened = store.open(Opening::default()).await.unwrap();
    assert_eq!((opened.epoch, opened.pending), (1, vec![]));
    assert_eq!(read(&store, opened.epoch, "a").await, (None, vec![]));
}

pub async fn a_store_that_was_not_opened_says_so(place: impl Place) {
    let store = place.store();
    let error = store.closed().await;
    assert!(error.to_string().ends_with("is not open (it was not opened): open it again"));
    assert_eq!(store.commit(1, &[append("a", 0, "x")], RELAXED).await, Err(error.clone()));
    assert_eq!(store.inventory().await, Err(error));
}

pub async fn opening_a_store_again_ends_what_it_was_before(place: impl Place) {
    let (store, epoch) = open(&place).await;
    let mut closed = store.closed().boxed_local();
    assert_eq!(closed.as_mut().now_or_never(), None);
    assert_eq!(store.open(Opening::default()).await.unwrap().epoch, epoch + 1);
    let reason = closed.await.to_string();
    assert!(reason.contains("it was opened again"), "{reason}");
    store.commit(epoch + 1, &[append("a", 0, "x")], RELAXED).await.unwrap();
}

pub async fn an_epoch_is_never_below_the_floor_nor_one_that_was_there(place: impl Place) {
    let epoch = async |floor| {
        let opening = Opening { floor, ..Opening::default() };
        place.store().open(opening).await.unwrap().epoch
    };
    for (floor, expected) in [(0, 1), (1000, 1000), (1000, 1001), (7, 1002)] {
        assert_eq!(epoch(floor).await, expected);
    }
    place.delete().await;
    assert_eq!(epoch(2000).await, 2000);
}

pub async fn d1_who_opens_a_store_again_after_another_did_is_fenced(place: impl Place) {
    let (first, epoch) = open(&place).await;
    let again = |succeeds| Opening { succeeds: Some(succeeds), ..Opening::default() };
    let mine = first.open(again(epoch)).await.unwrap().epoch;
    let (second, current) = open(&place).await;
    let error = first.open(again(mine)).await.unwrap_err();
    assert_eq!(error, StoreError::Fenced { epoch: mine, current });
    second.commit(current, &[append("a", 0, "x")], RELAXED).await.unwrap();
    place.delete().await;
    assert!(first.open(again(mine)).await.is_ok(), "the store is new");
}

pub async fn a_store_keeps_its_lineage_until_it_is_cleared(place: impl Place) {
    let lineage = async |given: &str| {
        let store = place.store();
        let opening = Opening { lineage: given.into(), ..Opening::default() };
        let opened = store.open(opening).await.unwrap();
        (store, opened)
    };
    assert_eq!(lineage("first").await.1.lineage, "first");
    let (store, known) = lineage("second").await;
    assert_eq!(known.lineage, "first");
    store.clear(known.epoch).await.unwrap();
    assert_eq!(lineage("third").await.1.lineage, "third");
    place.delete().await;
    assert_eq!(lineage("fourth").await.1.lineage, "fourth");
}

pub async fn of_what_was_set_aside_the_oldest_goes_when_it_is_too_much(place: impl Place) {
    let (store, epoch) = open(&place).await;
    let record = "x".repeat(6 * 1024 * 1024);
    for (id, kept) in [("a", 1), ("b", 2), ("c", 2), ("d", 2)] {
        store.commit(epoch, &[append(id, 0, &record)], RELAXED).await.unwrap();
        place.corrupt(&doc(id), RecordKey::Entry(0), FLIP_LAST_BIT).await;
        store.commit(epoch, &[Write::SetAside { doc: doc(id) }], RELAXED).await.unwrap();
        assert_eq!(store.inventory().await.unwrap().quarantined, kept);
    }
}
