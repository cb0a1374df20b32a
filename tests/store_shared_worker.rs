//! The store in IndexedDB, in a SharedWorker.
#![cfg(target_arch = "wasm32")]

#[path = "store/behaviour.rs"]
mod behaviour;
#[path = "store/indexed_db.rs"]
mod indexed_db;
#[path = "store/script.rs"]
mod script;
#[path = "store/sealed_indexed_db.rs"]
mod sealed_indexed_db;
#[path = "store/sealing.rs"]
mod sealing;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_shared_worker);
