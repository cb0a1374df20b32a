use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = String, catch)]
    fn string(value: &JsValue) -> Result<String, JsValue>;
}

/// What JavaScript's `String` makes of a value, for messages.
pub fn shown(value: &JsValue) -> String {
    string(value).unwrap_or_else(|_| "an object".into())
}
