//! What a store that encrypts its records owes its users, whatever the store and the cipher.

use std::cell::Cell;
use std::rc::Rc;

use futures::future::join;
use tabmux::store::{
    Cipher, Durability, Encrypted, Flaw, Opening, RecordKey, Store, StoreError, StoredDoc, Write,
};

use crate::behaviour::{Place, append, checkpoint, doc};
use tabmux::protocol::DocId;

/// A place whose stores are encrypted, and a key they are not encrypted with.
pub struct Locked<P, C> {
    pub place: P,
    pub key: C,
    pub other_key: C,
}

impl<P: Place, C: Cipher + Clone + 'static> Place for Locked<P, C> {
    type Store = Encrypted<C>;

    fn store(&self) -> Self::Store {
        Encrypted::new(self.place.store(), self.key.clone())
    }

    async fn corrupt(&self, doc: &DocId, record: RecordKey, change: fn(&mut Vec<u8>)) {
        self.place.corrupt(doc, record, change).await;
    }

    async fn lose(&self, doc: &DocId, record: RecordKey) {
        self.place.lose(doc, record).await;
    }

    async fn delete(&self) {
        self.place.delete().await;
    }
}

/// Calls a macro with the names of all behaviours.
macro_rules! encryption {
    ($define:ident) => {
        $define! {
            no_record_can_be_read_without_the_key
            a_store_encrypted_with_another_key_is_refused_and_left_as_it_is
            a_store_that_is_not_encrypted_is_refused_with_a_key_and_left_as_it_is
            an_encrypted_store_is_refused_without_a_key_and_left_as_it_is
            what_was_set_aside_unencrypted_keeps_a_store_from_being_encrypted
            a_store_without_records_can_be_encrypted
            a_cleared_store_takes_another_key_or_none
            two_that_encrypt_a_new_store_at_once_share_it
            a_record_in_the_place_of_another_is_reported
            what_comes_after_a_damaged_record_is_rescued_readable
            nothing_is_reported_while_the_cipher_fails
            nothing_is_reported_when_the_cipher_fails_once
        }
    };
}
pub(crate) use encryption;

const RELAXED: Durability = Durability::Relaxed;

async fn open(store: &impl Store) -> u64 {
    store.open(Opening::default()).await.unwrap().epoch
}

/// The store below the encryption, opened.
async fn opened_below<P: Place, C>(locked: &Locked<P, C>) -> (P::Store, u64) {
    let store = locked.place.store();
    let key_check = store.key_check().await.unwrap();
    assert!(key_check.is_some());
    let epoch = store.open(Opening { key_check, ..Opening::default() }).await.unwrap().epoch;
    (store, epoch)
}

/// Two documents that have a checkpoint and the entries 3 to 6 each.
async fn stored_documents(store: &impl Store) -> u64 {
    let epoch = open(store).await;
    for id in ["a", "b"] {
        let writes = [
            checkpoint(id, 3, "secret base"),
            append(id, 3, "secret three"),
            append(id, 4, "secret four"),
            append(id, 5, "secret five"),
            append(id, 6, "secret six"),
        ];
        store.commit(epoch, &writes, RELAXED).await.unwrap();
    }
    epoch
}

/// Asserts that all is as [`stored_documents`] left it, and that nobody was fenced.
async fn assert_untouched(store: &impl Store, epoch: u64) {
    for id in ["a", "b"] {
        let stored = store.read(epoch, &doc(id)).await.unwrap();
        let expected = StoredDoc {
            checkpoint: Some(b"secret base".into()),
            log: ["three", "four", "five", "six"]
                .map(|it| format!("secret {it}").into_bytes())
                .into(),
            next: 7,
            damage: None,
        };
        assert_eq!(stored, expected);
    }
    assert_eq!(store.inventory().await.unwrap().quarantined, 0);
    assert_eq!(open(store).await, epoch + 1);
}

/// Asserts that a store is refused for its key.
async fn assert_refused(store: &impl Store, reason: &str) {
    let error = store.open(Opening { floor: 1000, ..Opening::default() }).await.unwrap_err();
    assert!(matches!(error, StoreError::Key { .. }), "{error}");
    assert!(error.to_string().contains(reason), "{error}");
}

pub async fn no_record_can_be_read_without_the_key<P: Place, C: Cipher + Clone + 'static>(
    locked: Locked<P, C>,
) {
    stored_documents(&locked.store()).await;
    for record in [RecordKey::Checkpoint, RecordKey::Entry(3)] {
        let look = |bytes: &mut Vec<u8>| assert!(!bytes.windows(6).any(|it| it == b"secret"));
        locked.corrupt(&doc("a"), record, look).await;
    }
}

pub async fn a_store_encrypted_with_another_key_is_refused_and_left_as_it_is<P, C>(
    locked: Locked<P, C>,
) where
    P: Place,
    C: Cipher + Clone + 'static,
{
    let store = locked.store();
    let epoch = stored_documents(&store).await;
    let other = Encrypted::new(locked.place.store(), locked.other_key.clone());
    assert_refused(&other, "it was encrypted with another key: give that one").await;
    assert_untouched(&store, epoch).await;
}

pub async fn a_store_that_is_not_encrypted_is_refused_with_a_key_and_left_as_it_is<P, C>(
    locked: Locked<P, C>,
) where
    P: Place,
    C: Cipher + Clone + 'static,
{
    let store = locked.place.store();
    let epoch = stored_documents(&store).await;
    let reason = "what it holds is not encrypted: open it without a key, or clear it first";
    assert_refused(&locked.store(), reason).await;
    assert_untouched(&store, epoch).await;
}

pub async fn an_encrypted_store_is_refused_without_a_key_and_left_as_it_is<P, C>(
    locked: Locked<P, C>,
) where
    P: Place,
    C: Cipher + Clone + 'static,
{
    let store = locked.store();
    let epoch = stored_documents(&store).await;
    let reason = "it is encrypted: give the key it was encrypted with";
    assert_refused(&locked.place.store(), reason).await;
    assert_untouched(&store, epoch).await;
}

pub async fn what_was_set_aside_unencrypted_keeps_a_store_from_being_encrypted<P: Place, C>(
    locked: Locked<P, C>,
) where
    C: Cipher + Clone + 'static,
{
    let plain = locked.place.store();
    let epoch = open(&plain).await;
    plain.commit(epoch, &[append("a", 0, "x")], RELAXED).await.unwrap();
    plain.commit(epoch, &[Write::SetAside { doc: doc("a") }], RELAXED).await.unwrap();
    assert_refused(&locked.store(), "clear it first").await;
}

pub async fn a_store_without_records_can_be_encrypted<P: Place, C: Cipher + Clone + 'static>(
    locked: Locked<P, C>,
) {
    let plain = locked.place.store();
    let epoch = open(&plain).await;
    plain.commit(epoch, &[append("a", 0, "x")], RELAXED).await.unwrap();
    plain.commit(epoch, &[Write::Remove { doc: doc("a") }], RELAXED).await.unwrap();
    let pin = Write::Pin { doc: doc("b"), pinned: true };
    plain.commit(epoch, &[pin], RELAXED).await.unwrap();
    assert_eq!(open(&locked.store()).await, epoch + 1);
    assert_refused(&plain, "give the key it was encrypted with").await;
}

pub async fn a_cleared_store_takes_another_key_or_none<P: Place, C: Cipher + Clone + 'static>(
    locked: Locked<P, C>,
) {
    let store = locked.store();
    let epoch = stored_documents(&store).await;
    store.clear(epoch).await.unwrap();
    let other = Encrypted::new(locked.place.store(), locked.other_key.clone());
    assert_eq!(open(&other).await, epoch + 2);
    assert_refused(&store, "give that one").await;
    other.clear(epoch + 2).await.unwrap();
    assert_eq!(open(&locked.place.store()).await, epoch + 4);
}

pub async fn two_that_encrypt_a_new_store_at_once_share_it<
    P: Place,
    C: Cipher + Clone + 'static,
>(
    locked: Locked<P, C>,
) {
    let (one, two) = (locked.store(), locked.store());
    let (first, second) = join(open(&one), open(&two)).await;
    let (last, epoch) = if first > second { (one, first) } else { (two, second) };
    last.commit(epoch, &[append("a", 0, "x")], RELAXED).await.unwrap();
    assert_eq!(last.read(epoch, &doc("a")).await.unwrap().log, [b"x"]);
}

pub async fn a_record_in_the_place_of_another_is_reported<P: Place, C: Cipher + Clone + 'static>(
    locked: Locked<P, C>,
) {
    stored_documents(&locked.store()).await;
    let (below, epoch) = opened_below(&locked).await;
    let a = below.read(epoch, &doc("a")).await.unwrap();
    let (base, log) = (a.checkpoint.unwrap(), a.log);

    let entry = |n, record: &Vec<u8>| Write::Append {
        doc: doc("b"),
        n,
        record: record.clone(),
        pending: true,
    };
    let checkpoint = |next, record: &Vec<u8>| Write::Checkpoint {
        doc: doc("b"),
        next,
        record: record.clone(),
        pending: true,
    };
    let b = below.read(epoch, &doc("b")).await.unwrap();
    let own_base = checkpoint(3, b.checkpoint.as_ref().unwrap());
    let cases = [
        // Of another document.
        (vec![checkpoint(3, &base)], RecordKey::Checkpoint),
        (vec![own_base.clone(), entry(3, &log[0])], RecordKey::Entry(3)),
        // Of the same document: another entry, an older one, and a checkpoint.
        (vec![own_base.clone(), entry(3, &b.log[1])], RecordKey::Entry(3)),
        (vec![own_base.clone(), entry(3, &b.log[0]), entry(4, &b.log[0])], RecordKey::Entry(4)),
        (vec![own_base.clone(), entry(3, b.checkpoint.as_ref().unwrap())], RecordKey::Entry(3)),
        (vec![checkpoint(4, b.checkpoint.as_ref().unwrap())], RecordKey::Checkpoint),
    ];
    for (mut writes, wrong) in cases {
        let (below, epoch) = opened_below(&locked).await;
        writes.insert(0, Write::Remove { doc: doc("b") });
        below.commit(epoch, &writes, RELAXED).await.unwrap();
        let store = locked.store();
        let epoch = open(&store).await;
        let damage = store.read(epoch, &doc("b")).await.unwrap().damage.unwrap();
        assert_eq!((damage.record, damage.flaw), (wrong, Flaw::Corrupt));
    }
}

pub async fn what_comes_after_a_damaged_record_is_rescued_readable<
    P: Place,
    C: Cipher + Clone + 'static,
>(
    locked: Locked<P, C>,
) {
    stored_documents(&locked.store()).await;
    let (below, epoch) = opened_below(&locked).await;
    let b = below.read(epoch, &doc("b")).await.unwrap();
    let a = below.read(epoch, &doc("a")).await.unwrap();
    let entry = |n, record: &Vec<u8>| Write::Append {
        doc: doc("a"),
        n,
        record: record.clone(),
        pending: true,
    };
    let writes = [
        Write::Remove { doc: doc("a") },
        Write::Checkpoint { doc: doc("a"), next: 3, record: a.checkpoint.unwrap(), pending: true },
        // Can't be opened, while entry 5 will be corrupt.
        entry(3, &b.log[0]),
        entry(4, &a.log[1]),
        entry(5, &a.log[2]),
        entry(6, &a.log[3]),
    ];
    below.commit(epoch, &writes, RELAXED).await.unwrap();
    locked.corrupt(&doc("a"), RecordKey::Entry(5), |bytes| *bytes.last_mut().unwrap() ^= 1).await;

    let store = locked.store();
    let epoch = open(&store).await;
    let stored = store.read(epoch, &doc("a")).await.unwrap();
    assert_eq!((stored.checkpoint, stored.next), (Some(b"secret base".into()), 3));
    let damage = stored.damage.unwrap();
    assert_eq!(damage.record, RecordKey::Entry(3));
    assert_eq!(damage.rest, [(4, b"secret four".to_vec()), (6, b"secret six".to_vec())]);
}

/// A cipher that can't open anything so many times.
#[derive(Clone)]
struct Failing<C> {
    cipher: C,
    times: Rc<Cell<u32>>,
}

#[async_trait::async_trait(?Send)]
impl<C: Cipher + 'static> Cipher for Failing<C> {
    async fn encrypt(&self, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, String> {
        self.cipher.encrypt(plain, context).await
    }

    async fn decrypt(&self, encrypted: &[u8], context: &[u8]) -> Result<Vec<u8>, String> {
        if let Some(left) = self.times.get().checked_sub(1) {
            self.times.set(left);
            return Err("out of order".to_owned());
        }
        self.cipher.decrypt(encrypted, context).await
    }
}

/// A store with [`stored_documents`], its epoch, and how many times its cipher is to fail.
async fn failing<P: Place, C: Cipher + Clone + 'static>(
    locked: &Locked<P, C>,
) -> (Encrypted<Failing<C>>, u64, Rc<Cell<u32>>) {
    let times = Rc::new(Cell::new(0));
    let cipher = Failing { cipher: locked.key.clone(), times: Rc::clone(&times) };
    let store = Encrypted::new(locked.place.store(), cipher);
    let epoch = stored_documents(&store).await;
    (store, epoch, times)
}

pub async fn nothing_is_reported_while_the_cipher_fails<P: Place, C: Cipher + Clone + 'static>(
    locked: Locked<P, C>,
) {
    let (store, epoch, times) = failing(&locked).await;
    times.set(u32::MAX);
    let error = store.read(epoch, &doc("a")).await.unwrap_err();
    assert!(matches!(error, StoreError::Failed { .. }), "{error}");
    assert!(error.to_string().contains("the cipher failed: out of order"), "{error}");
    times.set(0);
    assert_untouched(&store, epoch).await;
}

pub async fn nothing_is_reported_when_the_cipher_fails_once<
    P: Place,
    C: Cipher + Clone + 'static,
>(
    locked: Locked<P, C>,
) {
    let (store, epoch, times) = failing(&locked).await;
    times.set(1);
    assert_untouched(&store, epoch).await;
    assert_eq!(times.get(), 0);
}
