//! What both WebAssembly modules need: the clock, errors, OT types, ops and transports of JavaScript.
//!
//! JavaScript may call back into the core from any handler, so no borrow of the core is held while
//! a handler runs.
#![cfg(target_arch = "wasm32")]

mod allocator;
/// The platform's clock, and alarms set by it.
pub mod clock;
/// Codecs that are written in JavaScript.
pub mod codecs;
/// What Rust tells JavaScript, and the typings of it.
pub mod door;
/// Errors as JavaScript has them.
pub mod errors;
/// Layers that are written in JavaScript.
pub mod layers;
/// Ops as JavaScript has them.
pub mod ops;
mod panics;
/// The ends of transports that both modules have.
pub mod transports;
/// The OT types that the application registered.
pub mod types;

// For the macros.
#[doc(hidden)]
pub use tabmux::wire::TsText;

/// Runs when a module is loaded.
#[wasm_bindgen::prelude::wasm_bindgen(start)]
pub fn start() {
    panics::note_panics();
}
