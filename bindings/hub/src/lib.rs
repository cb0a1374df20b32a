//! The WebAssembly module that a hub's thread loads: the hub and its store.
#![cfg(target_arch = "wasm32")]

mod cipher;
mod hub;
mod hub_store;
mod listeners;
mod store;
mod store_answers;
mod upstream;
mod upstream_event;
