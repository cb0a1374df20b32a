use std::cell::RefCell;
use std::panic::PanicHookInfo;

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, catch)]
    fn error(text: &str) -> Result<(), JsValue>;
}

thread_local! {
    static LAST: RefCell<Option<String>> = RefCell::default();
}

/// Says on the console where a panic was: what JavaScript sees of one is only `unreachable`.
pub(super) fn tell_of_panics() {
    std::panic::set_hook(Box::new(|panic: &PanicHookInfo| {
        let text = panic.to_string();
        // There may be no console.
        let _ = error(&format!("tabmux: {text}"));
        LAST.set(Some(text));
    }));
}

/// What the last panic said, if there was one since this was last asked.
#[wasm_bindgen(js_name = takePanic)]
pub fn take_panic() -> Option<String> {
    LAST.take()
}
