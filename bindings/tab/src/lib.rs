//! The WebAssembly module that a page loads: a tab's end of the connection.
#![cfg(target_arch = "wasm32")]

mod broadcast_channel;
mod tab;
mod tab_events;
mod tab_options;
mod topology;
mod trace;
mod unload_journal;
