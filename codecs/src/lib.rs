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
//! Which one is in use shows in the kind of the first frame: see [`by_frame_kind`].
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
//! use tabmux_codecs::{CodecError, Limits, by_frame_kind, by_name};
//!
//! let limits = Limits { max_depth: 3, ..Limits::default() };
//! let cbor = by_name("cbor", limits).expect("a codec of that name");
//! let op = json!({"op": [{"p": ["title", 0], "si": "Hello"}]});
//!
//! assert!(matches!(cbor.encode(&op), Err(CodecError::TooLarge { .. })));
//!
//! let cbor = by_name("cbor", Limits::default()).expect("a codec of that name");
//! let frame = cbor.encode(&op)?;
//! let codec = by_frame_kind(frame.kind(), Limits::default());
//! assert_eq!(codec.decode(frame)?, op);
//! # Ok::<(), CodecError>(())
//! ```

mod cbor;
mod codec;
mod json;
mod lookup;
mod platform;
mod structured_clone;
mod text;

pub use cbor::Cbor;
pub use codec::{Codec, CodecError, Limits};
pub use json::Json;
pub use lookup::{by_frame_kind, by_name};
pub use structured_clone::StructuredClone;
/// What a codec encodes: a `JsValue` in the browser, a `serde_json::Value` elsewhere.
pub use tabmux_transports::Object as Value;
