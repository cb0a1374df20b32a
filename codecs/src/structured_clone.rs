use tabmux_transports::{Frame, FrameKind};

use crate::{Codec, CodecError, Limits, Value, platform};

/// Object frames, which the platform's own structured clone moves between threads.
///
/// Encoding copies the value, so that nobody can change a frame under way, even on a transport that
/// hands it over as it is. Decoding checks the object and returns it without a copy. It refuses
/// what encoding never makes: `undefined`, `NaN`, infinities, `BigInt`, holes in arrays, objects
/// other than plain ones and arrays (`Map`, `Date`, typed arrays, …), and an object that occurs
/// twice, as in a cycle.
#[derive(Clone, Copy, Debug, Default)]
pub struct StructuredClone {
    limits: Limits,
}

impl StructuredClone {
    /// Its name.
    pub const NAME: &'static str = "structured-clone";

    /// The codec with these limits.
    pub fn new(limits: Limits) -> Self {
        StructuredClone { limits }
    }
}

impl Codec for StructuredClone {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn frame_kind(&self) -> FrameKind {
        FrameKind::Object
    }

    fn encode(&self, value: &Value) -> Result<Frame, CodecError> {
        Ok(Frame::Object(platform::copy(Self::NAME, value, &self.limits)?))
    }

    fn decode(&self, frame: Frame) -> Result<Value, CodecError> {
        let Frame::Object(value) = frame else {
            return Err(CodecError::wrong_kind(Self::NAME, self.frame_kind(), frame.kind()));
        };
        platform::check(Self::NAME, &value, &self.limits)?;
        Ok(value)
    }
}
