//! Encrypted stores in IndexedDB, by WebCrypto.

use tabmux::store::AesGcm;
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::behaviour::{self, behaviours};
use crate::encryption::{self, Locked, encryption};
use crate::indexed_db::Identity;
use crate::script;

async fn key(number: u8) -> AesGcm {
    const KEY: &str = "(number) => crypto.subtle.importKey(
        'raw', new Uint8Array(32).fill(number), 'AES-GCM', false, ['encrypt', 'decrypt'],
    )";
    AesGcm::new(script::run(KEY, &[number.into()]).await.unchecked_into())
}

async fn locked(test: &str) -> Locked<Identity, AesGcm> {
    let place = Identity::new(&format!("encrypted {test}"));
    Locked { place, key: key(7).await, other_key: key(8).await }
}

macro_rules! in_a_encrypted_indexed_db {
    ($($name:ident)*) => {
        $(
            #[wasm_bindgen_test]
            async fn $name() {
                behaviour::$name(locked(stringify!($name)).await).await;
            }
        )*
    };
}
behaviours!(in_a_encrypted_indexed_db);

macro_rules! encryption_of_an_indexed_db {
    ($($name:ident)*) => {
        $(
            #[wasm_bindgen_test]
            async fn $name() {
                encryption::$name(locked(stringify!($name)).await).await;
            }
        )*
    };
}
encryption!(encryption_of_an_indexed_db);
