use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tabmux_codecs::Value;

/// An op, a snapshot, a query or any other value of the application, passed through as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Payload(pub serde_json::Value);

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Payload(serde_json::Value::String(text))
    }
}

impl From<u64> for Payload {
    fn from(number: u64) -> Self {
        Payload(serde_json::Value::from(number))
    }
}

impl Payload {
    /// JavaScript's `undefined`; JSON's `null`, where there is no such thing.
    pub fn undefined() -> Self {
        Payload(serde_json::Value::Null)
    }

    /// JSON's `null`.
    pub fn null() -> Self {
        Payload(serde_json::Value::Null)
    }

    /// A copy of this object with a member set. Anything else is returned as it is.
    pub fn with_member(&self, name: &str, value: Payload) -> Self {
        let mut copy = self.clone();
        if let Some(object) = copy.0.as_object_mut() {
            object.insert(name.to_owned(), value.0);
        }
        copy
    }

    /// How long it is as JSON.
    pub(crate) fn size(&self) -> usize {
        self.0.to_string().len()
    }

    /// The text, if this is a string.
    pub fn as_text(&self) -> Option<String> {
        self.0.as_str().map(str::to_owned)
    }
}

/// What a codec carries, made of a value.
///
/// # Errors
/// The value says why it can't be told as such.
pub fn to_value<T: Serialize>(value: &T) -> Result<Value, String> {
    serde_json::to_value(value).map_err(|error| error.to_string())
}

/// The inverse of [`to_value`].
///
/// # Errors
/// The message says what is missing or of another type.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}
