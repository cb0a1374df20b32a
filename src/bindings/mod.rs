//! What JavaScript sees of the core. This is the only place that names wasm-bindgen exports, and
//! the only one that has timers and transports.
//!
//! JavaScript may call back into the core from any handler, so no borrow of the core is held while
//! a handler runs.

mod cipher;
mod clock;
mod errors;
mod hub;
mod hub_store;
mod last_words;
mod panics;
mod store;
mod store_answers;
mod tab;
mod tab_events;
mod tab_options;
mod topology;
mod trace;
mod transports;
mod types;
mod upstream;

/// Runs when the module is loaded.
#[wasm_bindgen::prelude::wasm_bindgen(start)]
pub fn start() {
    clock::take_clock();
    panics::note_panics();
}
