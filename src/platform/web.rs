use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_wasm_bindgen::Serializer;
use tabmux_codecs::Value;
use wasm_bindgen::{JsCast, JsValue};

/// An op, a snapshot, a query or any other value of the application, passed through as it is:
/// it is never copied into WebAssembly memory.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Payload(#[serde(with = "serde_wasm_bindgen::preserve")] pub JsValue);

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

    /// How long it is as JSON, in UTF-16 units.
    pub(crate) fn size(&self) -> usize {
        js_sys::JSON::stringify(&self.0).map_or(0, |text| text.length() as usize)
    }

    /// The text, if this is a string.
    pub fn as_text(&self) -> Option<String> {
        self.0.as_string()
    }
}

/// What a codec carries, made of a value.
///
/// # Errors
/// The value says why it can't be told as such.
pub fn to_value<T: Serialize>(value: &T) -> Result<Value, String> {
    value
        .serialize(&Serializer::new().serialize_maps_as_objects(true))
        .map_err(|error| error.to_string())
}

/// The inverse of [`to_value`].
///
/// # Errors
/// The message says what is missing or of another type.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_wasm_bindgen::from_value(value).map_err(|error| error.to_string())
}
