//! What JavaScript threw.

use js_sys::Reflect;
use wasm_bindgen::JsValue;

/// The name of what was thrown, such as `QuotaExceededError`.
pub(super) fn name_of(thrown: &JsValue) -> Option<String> {
    text(thrown, "name")
}

/// What was thrown, in words.
pub(super) fn describe(thrown: &JsValue) -> String {
    if let Some(text) = thrown.as_string() {
        return text;
    }
    match (text(thrown, "name"), text(thrown, "message")) {
        (Some(name), Some(message)) if !message.is_empty() => format!("{name}: {message}"),
        (Some(name), _) => name,
        _ => "no reason given".to_owned(),
    }
}

/// A member that is text.
pub(super) fn text(object: &JsValue, member: &str) -> Option<String> {
    // Only an object has members: of null this is an error.
    Reflect::get(object, &member.into()).ok()?.as_string()
}
