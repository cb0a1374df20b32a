use tabmux_codecs::{Codec, CodecError, Value};
use tabmux_transports::{Frame, FrameKind};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The codec `cbor`, which is a WebAssembly module of its own: `js/src/tab/cbor.ts`.
    pub type CborModule;
    #[wasm_bindgen(method, catch)]
    fn encode(this: &CborModule, value: &JsValue) -> Result<Vec<u8>, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn decode(this: &CborModule, bytes: Vec<u8>) -> Result<JsValue, JsValue>;
}

pub(super) struct Cbor(pub CborModule);

impl Cbor {
    pub const NAME: &'static str = "cbor";
}

impl Codec for Cbor {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn frame_kind(&self) -> FrameKind {
        FrameKind::Bytes
    }

    fn encode(&self, value: &Value) -> Result<Frame, CodecError> {
        self.0.encode(value).map(Frame::Bytes).map_err(failed)
    }

    fn decode(&self, frame: Frame) -> Result<Value, CodecError> {
        match frame {
            Frame::Bytes(bytes) => self.0.decode(bytes).map_err(failed),
            other => Err(CodecError::wrong_kind(Self::NAME, FrameKind::Bytes, other.kind())),
        }
    }
}

fn failed(thrown: JsValue) -> CodecError {
    let reason = tabmux_bindings::errors::from_js(thrown).message;
    CodecError::Failed { reason }
}
