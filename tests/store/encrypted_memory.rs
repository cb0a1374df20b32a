//! Encrypted stores on a memory disk.

use std::future::poll_fn;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use futures::executor::block_on;
use tabmux::store::{
    Cipher, Durability, Encrypted, MemoryDisk, MemoryStore, Opening, Store, StoreError,
};

use crate::behaviour::{self, append, behaviours, doc};
use crate::encryption::{self, Locked, encryption};

/// Keeps no secret, but tells keys and contexts apart, and never encrypts twice alike. The longer a
/// record the longer it takes.
#[derive(Clone)]
struct Toy {
    key: u8,
}

impl Toy {
    fn sum(&self, salt: &[u8], plain: &[u8], context: &[u8]) -> [u8; 8] {
        let mut hasher = DefaultHasher::new();
        (self.key, salt, plain, context).hash(&mut hasher);
        hasher.finish().to_le_bytes()
    }
}

#[async_trait::async_trait(?Send)]
impl Cipher for Toy {
    async fn encrypt(&self, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, String> {
        let mut left = plain.len();
        poll_fn(|task| {
            task.waker().wake_by_ref();
            match left.checked_sub(1) {
                Some(fewer) => {
                    left = fewer;
                    Poll::Pending
                }
                None => Poll::Ready(()),
            }
        })
        .await;
        static SALT: AtomicU64 = AtomicU64::new(0);
        let salt = SALT.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        let sum = self.sum(&salt, plain, context);
        let hidden = plain.iter().map(|it| it ^ self.key);
        Ok(salt.into_iter().chain(sum).chain(hidden).collect())
    }

    async fn decrypt(&self, encrypted: &[u8], context: &[u8]) -> Result<Vec<u8>, String> {
        let (salt, encrypted) = encrypted.split_at_checked(8).ok_or("too short")?;
        let (sum, hidden) = encrypted.split_at_checked(8).ok_or("too short")?;
        let plain: Vec<u8> = hidden.iter().map(|it| it ^ self.key).collect();
        if sum == self.sum(salt, &plain, context) { Ok(plain) } else { Err("another sum".into()) }
    }
}

fn locked() -> Locked<MemoryDisk, Toy> {
    Locked { place: MemoryDisk::default(), key: Toy { key: 7 }, other_key: Toy { key: 8 } }
}

macro_rules! on_a_encrypted_memory_disk {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                block_on(behaviour::$name(locked()));
            }
        )*
    };
}
behaviours!(on_a_encrypted_memory_disk);

macro_rules! encryption_of_a_memory_disk {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                block_on(encryption::$name(locked()));
            }
        )*
    };
}
encryption!(encryption_of_a_memory_disk);

/// Opens, but encrypts no record.
struct Stubborn;

#[async_trait::async_trait(?Send)]
impl Cipher for Stubborn {
    async fn encrypt(&self, plain: &[u8], _: &[u8]) -> Result<Vec<u8>, String> {
        if plain == b"op" { Err("no key for ops".into()) } else { Ok(plain.into()) }
    }

    async fn decrypt(&self, encrypted: &[u8], _: &[u8]) -> Result<Vec<u8>, String> {
        Ok(encrypted.into())
    }
}

#[test]
fn what_can_not_be_encrypted_is_not_written() {
    block_on(async {
        let store = Encrypted::new(MemoryStore::new(&MemoryDisk::default()), Stubborn);
        let epoch = store.open(Opening::default()).await.unwrap().epoch;
        let writes = [append("a", 0, "zero"), append("a", 1, "op")];
        let reason = "the cipher failed: no key for ops".to_owned();
        let failed = StoreError::Failed { name: "memory".into(), reason };
        assert_eq!(store.commit(epoch, &writes, Durability::Relaxed).await, Err(failed));
        assert_eq!(store.read(epoch, &doc("a")).await.unwrap(), Default::default());
    });
}
