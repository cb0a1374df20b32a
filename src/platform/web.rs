use wasm_bindgen::{JsCast, JsValue};

/// An op, a snapshot, a query or any other value of the application, passed through as it is:
/// it is never copied into WebAssembly memory.
#[derive(Clone, Debug)]
pub struct Payload(pub JsValue);

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || js_sys::JSON::stringify(&self.0) == js_sys::JSON::stringify(&other.0)
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Payload(JsValue::from_str(&text))
    }
}

impl From<u64> for Payload {
    fn from(number: u64) -> Self {
        Payload(JsValue::from_f64(number as f64))
    }
}

impl Payload {
    /// JavaScript's `undefined`; JSON's `null`, where there is no such thing.
    pub fn undefined() -> Self {
        Payload(JsValue::UNDEFINED)
    }

    /// JSON's `null`.
    pub fn null() -> Self {
        Payload(JsValue::NULL)
    }

    /// A copy of this object with a member set. Anything else is returned as it is.
    pub fn with_member(&self, name: &str, value: Payload) -> Self {
        if !self.0.is_object() {
            return self.clone();
        }
        let copy = js_sys::Object::try_assign(&js_sys::Object::new(), self.0.unchecked_ref());
        let Ok(copy) = copy else { return self.clone() };
        let _ = js_sys::Reflect::set(&copy, &name.into(), &value.0);
        Payload(copy.into())
    }

    /// Whether this is `null`, or `undefined`.
    pub(crate) fn is_null(&self) -> bool {
        self.0.is_null() || self.0.is_undefined()
    }

    /// How long it is as JSON, in UTF-16 units.
    pub(crate) fn size(&self) -> usize {
        js_sys::JSON::stringify(&self.0).map_or(0, |text| text.length() as usize)
    }

    /// The value as JSON; nothing for what has no such form.
    pub(crate) fn shown(&self) -> String {
        js_sys::JSON::stringify(&self.0).ok().and_then(|text| text.as_string()).unwrap_or_default()
    }

    /// The text, if this is a string.
    pub fn as_text(&self) -> Option<String> {
        self.0.as_string()
    }
}
