use tabmux_transports::{Frame, FrameKind};

use crate::{Codec, CodecError, Limits, Value, platform};

/// Text frames: what `JSON.stringify` writes and `JSON.parse` reads.
///
/// A key that occurs twice in an object counts once, with its last value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json {
    limits: Limits,
}

impl Json {
    /// Its name.
    pub const NAME: &'static str = "json";

    /// The codec with these limits.
    pub fn new(limits: Limits) -> Self {
        Json { limits }
    }
}

impl Codec for Json {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn frame_kind(&self) -> FrameKind {
        FrameKind::Text
    }

    fn encode(&self, value: &Value) -> Result<Frame, CodecError> {
        Ok(Frame::Text(platform::stringify(Self::NAME, value, &self.limits)?))
    }

    fn decode(&self, frame: Frame) -> Result<Value, CodecError> {
        let Frame::Text(text) = frame else {
            return Err(CodecError::wrong_kind(Self::NAME, self.frame_kind(), frame.kind()));
        };
        platform::parse(Self::NAME, &text, &self.limits)
    }
}
