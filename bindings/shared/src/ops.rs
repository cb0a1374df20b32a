use serde::Serialize;
use tabmux::ot::Op;
use tabmux::{Error, from_value, to_value};
use wasm_bindgen::JsValue;

/// A value as JavaScript has it, or an error that says why that can't be.
pub fn carried<T: Serialize>(value: &T) -> Result<JsValue, Error> {
    to_value(value).map_err(|reason| Error::new(tabmux::codes::UNCARRIABLE, reason))
}

/// An op as `{op}`, `{create: {type, data}}`, `{del: true}` or `{}`.
pub fn op_to_js(op: &Op) -> Result<JsValue, Error> {
    carried(op)
}

/// The inverse of [`op_to_js`].
pub fn op_from_js(op: JsValue) -> Result<Op, Error> {
    from_value(op).map_err(|reason| Error::new(tabmux::codes::UNCARRIABLE, reason))
}
