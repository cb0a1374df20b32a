//! The transports of the browser, which are also Node's: run in both.
#![cfg(target_arch = "wasm32")]

mod broadcast_channel;
mod contract;
mod direct;
mod js;
mod message_port;
mod support;
