//! The store in IndexedDB, in a page.
#![cfg(target_arch = "wasm32")]

#[path = "store/behaviour.rs"]
mod behaviour;
#[path = "store/encrypted_indexed_db.rs"]
mod encrypted_indexed_db;
#[path = "store/encryption.rs"]
mod encryption;
#[path = "store/indexed_db.rs"]
mod indexed_db;
#[path = "store/script.rs"]
mod script;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
