//! Turns tabmux messages into frames and back.
//!
//! A [`Codec`] turns a [`Value`] into a [`Frame`](tabmux_transports::Frame), which a transport
//! moves, and back. It knows nothing of what the value means or how the frame travels.
//!
//! | codec | frames | take it |
//! | --- | --- | --- |
//! | [`StructuredClone`] | objects | by default: no text is made or read, the browser copies the object to the other thread |
//! | [`Json`] | text | when frames should be readable, or the transport carries strings only |
//! | [`Cbor`] | bytes | when frames should be bytes, as for a transport that carries nothing else |
//!
//! A hub finds the one that a tab uses by the tab's first frame: see [`Codecs::by_frame_kind`].
//!
//! # What is carried
//!
//! ShareDB sends JSON to its server, so every codec carries of a value exactly what
//! `JSON.parse(JSON.stringify(value))` leaves of it:
//!
//! - `toJSON` is honoured, so a `Date` becomes a string; boxed primitives are unboxed; a `Map` or
//!   `Set` becomes `{}`.
//! - `undefined`, functions and symbols are dropped from objects, and are `null` in arrays, as
//!   holes are. At the top they are an error.
//! - `NaN` and infinities become `null`, and `-0` becomes `0`. Any other number arrives exactly.
//! - A key named `__proto__` is an ordinary key and never sets a prototype.
//! - Lone surrogates in strings survive.
//! - A `BigInt`, a cycle, or a getter or `toJSON` that throws is a [`CodecError::Uncarriable`] that
//!   names the path to it.
//!
//! A frame shares nothing with the value it was made of, and encoding never changes the value. What
//! is decoded are plain objects and arrays.
//!
//! Outside the browser a value is a `serde_json::Value`, which can't hold most of the above. There
//! integers of 64 bits arrive exactly, and an integer is never mixed up with a float.
//!
//! # Limits
//!
//! Nothing in a frame is trusted. A frame larger or deeper than [`Limits`] allow is
//! [`CodecError::TooLarge`], a broken or forged one is [`CodecError::Malformed`], and the memory
//! spent on finding that out is proportional to the size of the frame.
//!
//! # Example
//!
//! ```
//! use serde_json::json;
//! use tabmux_codecs::{CodecError, Codecs, Limits};
//!
//! let limits = Limits { max_depth: 3, ..Limits::default() };
//! let strict = Codecs::built_in(limits);
//! let op = json!({"op": [{"p": ["title", 0], "si": "Hello"}]});
//!
//! let cbor = strict.by_name("cbor").expect("a codec of that name");
//! assert!(matches!(cbor.encode(&op), Err(CodecError::TooLarge { .. })));
//!
//! let codecs = Codecs::built_in(Limits::default());
//! let frame = codecs.by_name("cbor").expect("a codec of that name").encode(&op)?;
//! let codec = codecs.by_frame_kind(frame.kind()).next().expect("a codec of bytes");
//! assert_eq!(codec.decode(frame)?, op);
//! # Ok::<(), CodecError>(())
//! ```
//!
//! # A codec of one's own
//!
//! It is added to the [`Codecs`] of both ends. Of its kind of frame it is tried first, so it must refuse
//! what is not its own.
//!
//! ```
//! use std::rc::Rc;
//! use serde_json::json;
//! use tabmux_codecs::{Codec, CodecError, Codecs, Limits, Value};
//! use tabmux_transports::{Frame, FrameKind};
//!
//! /// JSON behind a mark.
//! struct Marked;
//!
//! impl Codec for Marked {
//!     fn name(&self) -> &str {
//!         "marked"
//!     }
//!
//!     fn frame_kind(&self) -> FrameKind {
//!         FrameKind::Text
//!     }
//!
//!     fn encode(&self, value: &Value) -> Result<Frame, CodecError> {
//!         Ok(Frame::Text(format!("!{value}")))
//!     }
//!
//!     fn decode(&self, frame: Frame) -> Result<Value, CodecError> {
//!         let bad = |reason: String| CodecError::Failed { codec: self.name().to_owned(), reason };
//!         let Frame::Text(text) = frame else { return Err(bad("it reads text".to_owned())) };
//!         let text = text.strip_prefix('!').ok_or_else(|| bad("there is no mark".to_owned()))?;
//!         text.parse().map_err(|error: serde_json::Error| bad(error.to_string()))
//!     }
//! }
//!
//! let mut codecs = Codecs::built_in(Limits::default());
//! codecs.add(Rc::new(Marked));
//! let frame = codecs.by_name("marked").expect("it was added").encode(&json!([1]))?;
//! assert_eq!(frame, Frame::Text("![1]".to_owned()));
//! let names: Vec<_> = codecs.by_frame_kind(FrameKind::Text).map(|codec| codec.name()).collect();
//! assert_eq!(names, ["marked", "json"]);
//! assert_eq!(codecs.by_frame_kind(FrameKind::Text).next().unwrap().decode(frame)?, json!([1]));
//! # Ok::<(), CodecError>(())
//! ```

mod cbor;
mod codec;
mod codecs;
mod json;
mod platform;
mod structured_clone;
mod text;

pub use cbor::Cbor;
pub use codec::{Codec, CodecError, Limits};
pub use codecs::Codecs;
pub use json::Json;
pub use structured_clone::StructuredClone;
/// What a codec encodes: a `JsValue` in the browser, a `serde_json::Value` elsewhere.
pub use tabmux_transports::Object as Value;
