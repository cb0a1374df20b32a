use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/microtask.js")]
extern "C" {
    fn soon(callback: &JsValue) -> i32;
}

/// Calls the function in a microtask. Returns whether that can be done.
pub fn queue_microtask(callback: &JsValue) -> bool {
    soon(callback) != 0
}
