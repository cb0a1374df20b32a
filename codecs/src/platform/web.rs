use js_sys::{Error, JSON};
use tabmux_transports::shown;
use wasm_bindgen::prelude::*;

use crate::{CodecError, Limits, text};

// Of numbers only `i32` and `f64` are passed as they are: such functions are called without generated code.
#[wasm_bindgen(module = "/src/platform/walk.js")]
extern "C" {
    #[wasm_bindgen(js_name = copy)]
    fn walk_copy(value: &JsValue, max_depth: f64, max_size: f64) -> JsValue;

    #[wasm_bindgen(js_name = check)]
    fn walk_check(value: &JsValue, max_depth: f64, max_size: f64) -> i32;

    /// Why one of them has failed, whatever happened in it.
    #[wasm_bindgen(js_name = refused)]
    fn walk_refused() -> Refusal;

    type Refusal;

    #[wasm_bindgen(method, getter)]
    fn kind(this: &Refusal) -> String;

    #[wasm_bindgen(method, getter)]
    fn path(this: &Refusal) -> String;

    #[wasm_bindgen(method, getter)]
    fn reason(this: &Refusal) -> String;

    #[wasm_bindgen(method, getter)]
    fn size(this: &Refusal) -> f64;
}

impl Refusal {
    fn into_error(self, codec: &'static str, limits: &Limits) -> CodecError {
        match self.kind().as_str() {
            "deep" => CodecError::too_deep(codec, limits),
            "large" => CodecError::too_long(codec, self.size() as usize, limits),
            "foreign" => {
                CodecError::malformed(codec, format!("{} holds {}", self.path(), self.reason()))
            }
            _ => CodecError::Uncarriable { codec, path: self.path(), reason: self.reason() },
        }
    }
}

/// A copy of the value, as JSON would carry it.
pub(crate) fn copy(
    codec: &'static str,
    value: &JsValue,
    limits: &Limits,
) -> Result<JsValue, CodecError> {
    let copy = walk_copy(value, limits.max_depth as f64, limits.max_size as f64);
    if copy.is_undefined() { Err(walk_refused().into_error(codec, limits)) } else { Ok(copy) }
}

/// Whether the value is within the limits and one that [`copy`] can make.
pub(crate) fn check(
    codec: &'static str,
    value: &JsValue,
    limits: &Limits,
) -> Result<(), CodecError> {
    match walk_check(value, limits.max_depth as f64, limits.max_size as f64) {
        0 => Err(walk_refused().into_error(codec, limits)),
        _ => Ok(()),
    }
}

/// The value as JSON text within the limits.
pub(crate) fn stringify(
    codec: &'static str,
    value: &JsValue,
    limits: &Limits,
) -> Result<String, CodecError> {
    let text = match JSON::stringify(value) {
        Ok(text) if !text.is_undefined() => text,
        Ok(_) => return Err(fault(codec, value, limits, "it has no JSON form".into())),
        Err(error) => return Err(fault(codec, value, limits, message(error))),
    };
    let units = text.length() as usize;
    if units > limits.max_size {
        return Err(CodecError::too_long(codec, units, limits));
    }
    let text = String::from(text);
    text::check(codec, &text, limits)?;
    Ok(text)
}

/// The value a JSON text stands for, if the text is within the limits.
pub(crate) fn parse(
    codec: &'static str,
    text: &str,
    limits: &Limits,
) -> Result<JsValue, CodecError> {
    text::check(codec, text, limits)?;
    JSON::parse(text).map_err(|error| CodecError::malformed(codec, message(error)))
}

/// The float that is nearest to a number of JSON text. The engine knows: of our own, the tables for that alone
/// are larger than the codec.
pub(crate) fn float(text: &str) -> f64 {
    js_sys::parse_float(text)
}

/// The shortest text that reads back equal.
pub(crate) fn float_text(float: f64) -> String {
    shown(&float.into())
}

/// Why the engine can't write the value as JSON. Its own message names no path; copying does.
fn fault(codec: &'static str, value: &JsValue, limits: &Limits, engine_says: String) -> CodecError {
    match copy(codec, value, limits) {
        Err(error) => error,
        // Such as a `toJSON` that throws only the first time.
        Ok(_) => CodecError::Uncarriable { codec, path: "$".into(), reason: engine_says },
    }
}

fn message(thrown: JsValue) -> String {
    match thrown.dyn_ref::<Error>() {
        Some(error) => error.message().into(),
        None => shown(&thrown),
    }
}
