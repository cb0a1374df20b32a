//! How frames and closes are told apart on a medium of `postMessage`: `[kind, payload]`, followed
//! by addresses on a medium that needs them.

use js_sys::{Array, ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::Frame;

const TEXT: &str = "text";
const BYTES: &str = "bytes";
const OBJECT: &str = "object";
const CLOSE: &str = "close";

/// What one posted message says.
pub(crate) enum Content {
    Frame(Frame),
    Close(Option<String>),
}

impl Content {
    pub(crate) fn closing(reason: Option<&str>) -> Self {
        Content::Close(reason.map(str::to_owned))
    }

    /// The array to post. Bytes are a fresh `ArrayBuffer`, which can be transferred.
    pub(crate) fn into_array(self) -> Array {
        let (kind, payload) = match self {
            Content::Frame(Frame::Text(text)) => (TEXT, text.into()),
            Content::Frame(Frame::Bytes(bytes)) => {
                (BYTES, Uint8Array::from(bytes.as_slice()).buffer().into())
            }
            Content::Frame(Frame::Object(object)) => (OBJECT, object),
            Content::Close(reason) => (CLOSE, reason.into()),
        };
        Array::of2(&kind.into(), &payload)
    }

    /// Reads the first two members of a posted array; `None` if they are nothing we post.
    pub(crate) fn from_array(array: &Array) -> Option<Self> {
        let payload = array.get(1);
        match array.get(0).as_string()?.as_str() {
            TEXT => payload.as_string().map(Frame::Text).map(Content::Frame),
            BYTES => {
                let buffer: ArrayBuffer = payload.dyn_into().ok()?;
                Some(Content::Frame(Frame::Bytes(Uint8Array::new(&buffer).to_vec())))
            }
            OBJECT => Some(Content::Frame(Frame::Object(payload))),
            CLOSE if payload.is_undefined() => Some(Content::Close(None)),
            CLOSE => payload.as_string().map(Some).map(Content::Close),
            _ => None,
        }
    }
}

/// The data of a message, if it is an array of this length.
pub(crate) fn array_of(length: u32, data: JsValue) -> Option<Array> {
    let array: Array = data.dyn_into().ok()?;
    (array.length() == length).then_some(array)
}
