//! The store, on a memory disk. The tests in browsers are `store_page`, `store_worker` and
//! `store_shared_worker`.
#![cfg(not(target_arch = "wasm32"))]

mod behaviour;
mod encrypted_memory;
mod encryption;
mod errors;
mod memory;
mod property;
