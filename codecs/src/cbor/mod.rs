mod from_json;
mod to_json;

use tabmux_transports::{Frame, FrameKind};

use crate::{Codec, CodecError, Limits, Value, platform};

/// Bytes frames: CBOR, [RFC 8949](https://www.rfc-editor.org/rfc/rfc8949).
///
/// The platform's own JSON writes and reads the values; this codec turns JSON text into CBOR and
/// back, so that it carries exactly what JSON carries:
///
/// - Arrays and maps have indefinite length, strings have definite length. Both kinds are read.
/// - A number without fraction or exponent that fits 64 bits is an integer, any other the shortest
///   float that is equal to it. Decoding refuses `NaN` and infinities.
/// - A string with a lone surrogate, which UTF-8 can't hold, is a byte string of
///   [WTF-8](https://simonsapin.github.io/wtf-8/) under
///   [tag 273](https://github.com/svaarala/cbor-specs/blob/master/cbor-nonutf8-string-tags.rst).
///   Outside the browser, strings can't have lone surrogates and decoding one is an error.
/// - Any other tag, byte string or simple value is refused, and so are map keys other than strings
///   and bytes after the value. A key that occurs twice in a map counts once, with its last value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cbor {
    limits: Limits,
}

impl Cbor {
    /// Its name.
    pub const NAME: &'static str = "cbor";

    /// The codec with these limits.
    pub fn new(limits: Limits) -> Self {
        Cbor { limits }
    }
}

impl Codec for Cbor {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn frame_kind(&self) -> FrameKind {
        FrameKind::Bytes
    }

    fn encode(&self, value: &Value) -> Result<Frame, CodecError> {
        let bytes = from_json::convert(&platform::stringify(Self::NAME, value, &self.limits)?);
        if bytes.len() > self.limits.max_size {
            return Err(CodecError::too_long(Self::NAME, bytes.len(), &self.limits));
        }
        Ok(Frame::Bytes(bytes))
    }

    fn decode(&self, frame: Frame) -> Result<Value, CodecError> {
        let Frame::Bytes(bytes) = frame else {
            return Err(CodecError::wrong_kind(Self::NAME, self.frame_kind(), frame.kind()));
        };
        if bytes.len() > self.limits.max_size {
            return Err(CodecError::too_long(Self::NAME, bytes.len(), &self.limits));
        }
        let text = to_json::convert(&bytes, &self.limits)?;
        platform::parse(Self::NAME, &text, &self.limits)
    }
}

/// The tag of a byte string that holds text in WTF-8.
const WTF8: u64 = 273;
