use js_sys::Reflect;
use wasm_bindgen::prelude::*;

use tabmux::Error;
use tabmux::Payload;
use tabmux_transports::shown;

/// An error as JavaScript gets it: what was thrown in the first place, or `{code, message}`, of
/// which the classes in `js/` make an `Error`.
pub fn to_js(error: &Error) -> JsValue {
    if let Some(thrown) = &error.thrown {
        return thrown.0.clone();
    }
    let object = js_sys::Object::new();
    let code = error.code.as_ref().map_or(JsValue::UNDEFINED, |code| code.0.clone());
    let _ = Reflect::set(&object, &"code".into(), &code);
    let _ = Reflect::set(&object, &"message".into(), &error.message.as_str().into());
    object.into()
}

/// As [`to_js`]; no error is `null`.
pub fn option_to_js(error: Option<&Error>) -> JsValue {
    error.map_or(JsValue::NULL, to_js)
}

/// An error made of what JavaScript threw or passed.
pub fn from_js(thrown: JsValue) -> Error {
    let member = |name: &str| Reflect::get(&thrown, &name.into()).unwrap_or(JsValue::UNDEFINED);
    let (code, message) = if thrown.is_object() {
        (member("code"), member("message").as_string())
    } else {
        (JsValue::UNDEFINED, thrown.as_string())
    };
    Error {
        code: (!code.is_undefined() && !code.is_null()).then_some(Payload(code)),
        message: message.unwrap_or_else(|| format!("no message, only {}", shown(&thrown))),
        thrown: Some(Payload(thrown)),
    }
}

/// As [`from_js`]; `null` and `undefined` are no error.
pub fn option_from_js(error: JsValue) -> Option<Error> {
    (!error.is_null() && !error.is_undefined()).then(|| from_js(error))
}
