//! Turns tabmux messages into frames and back.

mod codec;

pub use codec::{Codec, CodecError, Limits};
/// What a codec encodes: a `JsValue` in the browser, a `serde_json::Value` elsewhere.
pub use tabmux_transports::Object as Value;
