use tabmux_transports::{Frame, FrameKind};

use crate::Value;

/// What a codec accepts at most, both ways, so that hostile input can't exhaust memory or stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest frame, in bytes (text is counted as UTF-8).
    ///
    /// An object frame has no bytes, so it counts 8 for each value in it, plus the length of each
    /// key and string (UTF-16 units in the browser, bytes elsewhere). A `cbor` frame must also fit
    /// when written as JSON.
    pub max_size: usize,
    /// The deepest nesting of arrays and objects: 0 allows scalars only, 1 allows `[]`, 2 `[[]]`.
    ///
    /// In the browser any depth is safe. Elsewhere `serde_json` recurses once a level, so a depth
    /// of many thousands needs a thread with a larger stack.
    pub max_depth: usize,
}

impl Default for Limits {
    /// 256 MiB and 512 levels.
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
    /// A codec from elsewhere says why.
    #[error("the {codec} codec failed: {reason}")]
    Failed {
        /// The codec's name.
        codec: String,
        /// Its words.
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

impl CodecError {
    pub(crate) fn malformed(codec: &'static str, reason: impl Into<String>) -> Self {
        CodecError::Malformed { codec, reason: reason.into() }
    }

    /// That the frame is of another kind than the codec reads.
    pub(crate) fn wrong_kind(codec: &'static str, reads: FrameKind, got: FrameKind) -> Self {
        CodecError::malformed(codec, format!("it reads {reads}, and got {got}"))
    }

    pub(crate) fn too_deep(codec: &'static str, limits: &Limits) -> Self {
        let reason = format!("it nests deeper than max_depth, {} levels", limits.max_depth);
        CodecError::TooLarge { codec, reason }
    }

    /// `size` is how long the frame is, or how far it was read before it was given up.
    pub(crate) fn too_long(codec: &'static str, size: usize, limits: &Limits) -> Self {
        let reason = format!("it has {size} bytes or more, max_size is {}", limits.max_size);
        CodecError::TooLarge { codec, reason }
    }
}

/// Turns values into frames and back.
pub trait Codec {
    /// The name users know it by, such as `structured-clone`.
    fn name(&self) -> &str;

    /// The kind of frame it writes and reads.
    fn frame_kind(&self) -> FrameKind;

    /// Encodes a value as ShareDB's JSON would: what JSON drops is dropped, what it can't carry is
    /// an error. The frame shares nothing with the value.
    fn encode(&self, value: &Value) -> Result<Frame, CodecError>;

    /// Decodes a frame. Whatever the frame holds, this ends in a value or an error.
    fn decode(&self, frame: Frame) -> Result<Value, CodecError>;
}
