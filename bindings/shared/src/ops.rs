use tabmux::ot::Op;
use tabmux::{Error, from_value};
use wasm_bindgen::JsValue;

/// An op made of `{op}`, `{create: {type, data}}`, `{del: true}` or `{}`.
pub fn op_from_js(op: JsValue) -> Result<Op, Error> {
    from_value(op).map_err(|reason| Error::new(tabmux::codes::UNCARRIABLE, reason))
}
