//! The WebAssembly module of the codec `cbor`, which a page loads only if it is named there.
#![cfg(target_arch = "wasm32")]

use tabmux_codecs::{Cbor, Codec, CodecError, Limits};
use tabmux_transports::Frame;
use wasm_bindgen::prelude::*;

/// The value as bytes. Throws the reason why it can't be carried, a string.
#[wasm_bindgen]
pub fn encode(
    #[wasm_bindgen(unchecked_param_type = "unknown")] value: JsValue,
) -> Result<Vec<u8>, JsValue> {
    match codec().encode(&value) {
        Ok(Frame::Bytes(bytes)) => Ok(bytes),
        Ok(_) => Ok(Vec::new()),
        Err(error) => Err(reason(error)),
    }
}

/// The inverse of `encode`.
#[wasm_bindgen(unchecked_return_type = "unknown")]
pub fn decode(bytes: Vec<u8>) -> Result<JsValue, JsValue> {
    codec().decode(Frame::Bytes(bytes)).map_err(reason)
}

fn codec() -> Cbor {
    Cbor::new(Limits::default())
}

/// Without the codec's name, which the caller puts before it.
fn reason(error: CodecError) -> JsValue {
    error.to_string().trim_start_matches("the cbor codec ").into()
}
