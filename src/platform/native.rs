/// An op, a snapshot, a query or any other value of the application, passed through as it is.
#[derive(Clone, Debug, PartialEq)]
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

    /// Whether this is `null`, or `undefined`.
    pub(crate) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// How long it is as JSON.
    pub(crate) fn size(&self) -> usize {
        self.shown().len()
    }

    /// The value as JSON.
    pub(crate) fn shown(&self) -> String {
        self.0.to_string()
    }

    /// The text, if this is a string.
    pub fn as_text(&self) -> Option<String> {
        self.0.as_str().map(str::to_owned)
    }
}
