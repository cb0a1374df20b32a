use std::cell::RefCell;
use std::panic::PanicHookInfo;

use wasm_bindgen::prelude::*;

thread_local! {
    static LAST: RefCell<Option<String>> = RefCell::default();
}

/// Keeps where a panic was: what JavaScript sees of one is only `unreachable`.
pub fn note_panics() {
    std::panic::set_hook(Box::new(|panic: &PanicHookInfo| LAST.set(Some(panic.to_string()))));
}

/// What the last panic said, if there was one since this was last asked.
#[wasm_bindgen(js_name = takePanic)]
pub fn take_panic() -> Option<String> {
    LAST.take()
}
