use tabmux_codecs::{Codec, CodecError, Value};
use tabmux_transports::{Frame, FrameKind, frame_from_js, frame_to_js};
use wasm_bindgen::prelude::*;

use super::errors::from_js;

#[wasm_bindgen]
extern "C" {
    /// `js/src/shared/plugins.ts`: a codec that is written in JavaScript. It must not call the core.
    pub type CodecObject;
    #[wasm_bindgen(method, getter, catch)]
    fn name(this: &CodecObject) -> Result<String, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn frames(this: &CodecObject) -> Result<String, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn encode(this: &CodecObject, value: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn decode(this: &CodecObject, frame: JsValue) -> Result<JsValue, JsValue>;
}

/// A codec that is written in JavaScript.
pub struct JsCodec {
    name: String,
    kind: FrameKind,
    object: CodecObject,
}

impl JsCodec {
    /// Wraps an object that was checked.
    pub fn new(object: CodecObject) -> Self {
        let kind = match object.frames().unwrap_or_default().as_str() {
            "strings" => FrameKind::Text,
            "bytes" => FrameKind::Bytes,
            _ => FrameKind::Object,
        };
        JsCodec { name: object.name().unwrap_or_default(), kind, object }
    }

    fn failed(&self, reason: String) -> CodecError {
        CodecError::Failed { codec: self.name.clone(), reason }
    }

    fn expect(&self, frame: Frame, what: &str) -> Result<Frame, CodecError> {
        if frame.kind() == self.kind {
            return Ok(frame);
        }
        let [own, other] = [self.kind, frame.kind()].map(|kind| kind.to_string());
        Err(self.failed([what, " ", &other, ", and its `frames` are ", &own].concat()))
    }
}

impl Codec for JsCodec {
    fn name(&self) -> &str {
        &self.name
    }

    fn frame_kind(&self) -> FrameKind {
        self.kind
    }

    fn encode(&self, value: &Value) -> Result<Frame, CodecError> {
        let frame = self.object.encode(value);
        let frame = frame.map_err(|thrown| self.failed(from_js(thrown).message))?;
        self.expect(frame_from_js(frame), "`encode` made")
    }

    fn decode(&self, frame: Frame) -> Result<Value, CodecError> {
        let frame = self.expect(frame, "it got")?;
        let value = self.object.decode(frame_to_js(frame));
        value.map_err(|thrown| self.failed(from_js(thrown).message))
    }
}
