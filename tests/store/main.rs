//! The store, on a memory disk. The tests in browsers are `store_page`, `store_worker` and
//! `store_shared_worker`.
#![cfg(not(target_arch = "wasm32"))]

mod behaviour;
mod errors;
mod memory;
mod property;
mod sealed_memory;
mod sealing;
