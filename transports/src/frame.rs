/// An object frame: what the structured clone algorithm can carry.
#[cfg(target_arch = "wasm32")]
pub type Object = wasm_bindgen::JsValue;

/// An object frame: what the structured clone algorithm can carry.
#[cfg(not(target_arch = "wasm32"))]
pub type Object = serde_json::Value;

/// What a transport carries in one piece.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// A string.
    Text(String),
    /// Bytes, sent as a transferable where the platform has such a thing.
    Bytes(Vec<u8>),
    /// A structured-clonable value (a `JsValue` in the browser, a `serde_json::Value` elsewhere).
    Object(Object),
}

/// The kinds of [`Frame`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameKind {
    /// See [`Frame::Text`].
    Text,
    /// See [`Frame::Bytes`].
    Bytes,
    /// See [`Frame::Object`].
    Object,
}

impl Frame {
    /// Which kind of frame this is.
    pub fn kind(&self) -> FrameKind {
        match self {
            Frame::Text(_) => FrameKind::Text,
            Frame::Bytes(_) => FrameKind::Bytes,
            Frame::Object(_) => FrameKind::Object,
        }
    }
}

impl std::fmt::Display for FrameKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            FrameKind::Text => "strings",
            FrameKind::Bytes => "bytes",
            FrameKind::Object => "objects",
        })
    }
}
