use tabmux_transports::{Frame, FrameKind};

use crate::Value;

/// What a codec accepts at most, so that hostile input can't exhaust memory or stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest frame, in bytes (UTF-16 units for text in the browser).
    pub max_size: usize,
    /// The deepest nesting of arrays and objects.
    pub max_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_size: 256 * 1024 * 1024, max_depth: 512 }
    }
}

/// Why a value could not be encoded or a frame decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The value holds something the codec can't carry.
    #[error("the {codec} codec can't carry the value at {path}: {reason}")]
    Uncarriable {
        /// The codec's name.
        codec: &'static str,
        /// Where in the value, such as `$.ops[2].data`.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The frame is not what this codec writes.
    #[error("the {codec} codec can't read the frame: {reason}")]
    Malformed {
        /// The codec's name.
        codec: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The frame or value is larger or deeper than the limits allow.
    #[error("the {codec} codec refuses the frame: {reason}")]
    TooLarge {
        /// The codec's name.
        codec: &'static str,
        /// Which limit, and by how much.
        reason: String,
    },
}

/// Turns values into frames and back.
pub trait Codec {
    /// The name users know it by, such as `structured-clone`.
    fn name(&self) -> &'static str;

    /// The kind of frame it writes and reads.
    fn frame_kind(&self) -> FrameKind;

    /// Encodes a value as ShareDB's JSON would: what JSON drops is dropped, what it can't carry is
    /// an error. The frame shares nothing with the value.
    fn encode(&self, value: &Value) -> Result<Frame, CodecError>;

    /// Decodes a frame. Whatever the frame holds, this ends in a value or an error.
    fn decode(&self, frame: Frame) -> Result<Value, CodecError>;
}
