use std::fmt::Write as _;

use ciborium_ll::{Decoder, Header, simple};

use super::{Cbor, WTF8};
use crate::{CodecError, Limits, platform};

/// Turns CBOR from anyone into JSON text within the limits. Without recursion, and without trust in
/// declared lengths.
pub(super) fn convert(bytes: &[u8], limits: &Limits) -> Result<String, CodecError> {
    let mut converter = Converter {
        bytes,
        at: 0,
        text: String::with_capacity(bytes.len().min(limits.max_size)),
        open: Vec::new(),
        limits,
    };
    loop {
        converter.item()?;
        while converter.open.last().is_some_and(Open::is_complete) {
            converter.close()?;
        }
        if converter.open.is_empty() {
            break;
        }
    }
    match bytes.len() - converter.at {
        0 => Ok(converter.text),
        left => Err(malformed(format!("{left} bytes follow the value"))),
    }
}

struct Converter<'a> {
    bytes: &'a [u8],
    at: usize,
    text: String,
    /// The arrays and maps around the next item, outermost first.
    open: Vec<Open>,
    limits: &'a Limits,
}

struct Open {
    kind: Kind,
    /// How many items or pairs are still to come; `None` if a break ends them.
    left: Option<usize>,
    is_first: bool,
}

#[derive(PartialEq)]
enum Kind {
    Array,
    /// The next item is a key.
    Key,
    /// The next item is the value of a key.
    Value,
}

impl Open {
    fn is_complete(&self) -> bool {
        self.left == Some(0) && self.kind != Kind::Value
    }
}

impl<'a> Converter<'a> {
    /// Converts the next scalar, key, break or start of an array or map.
    fn item(&mut self) -> Result<(), CodecError> {
        let start = self.at;
        let header = self.header()?;
        if let Some(open) = self.open.last_mut() {
            if header == Header::Break && open.left.is_none() && open.kind != Kind::Value {
                return self.close();
            }
            let separator = match open.kind {
                Kind::Value => ":",
                _ if open.is_first => "",
                _ => ",",
            };
            let is_key = open.kind == Kind::Key;
            open.is_first = false;
            match open.kind {
                Kind::Key => open.kind = Kind::Value,
                Kind::Array => open.left = open.left.map(|left| left - 1),
                Kind::Value => {
                    open.kind = Kind::Key;
                    open.left = open.left.map(|left| left - 1);
                }
            }
            self.push(separator)?;
            if is_key && !matches!(header, Header::Text(_) | Header::Tag(WTF8)) {
                return Err(malformed(format!("the map key at byte {start} is not a string")));
            }
        }
        match header {
            Header::Positive(integer) => self.push_number(integer),
            Header::Negative(inverted) => match inverted.checked_add(1) {
                Some(integer) => self.push_number(format_args!("-{integer}")),
                None => self.push("-18446744073709551616"),
            },
            Header::Float(float) if float.is_finite() => self.push(&platform::float_text(float)),
            Header::Simple(simple::FALSE) => self.push("false"),
            Header::Simple(simple::TRUE) => self.push("true"),
            Header::Simple(simple::NULL) => self.push("null"),
            Header::Text(length) => self.string(length),
            Header::Tag(WTF8) => self.wtf8_string(),
            Header::Array(left) => self.open(Kind::Array, "[", left),
            Header::Map(left) => self.open(Kind::Key, "{", left),
            header => {
                let what = name(&header);
                Err(malformed(format!("byte {start} starts what JSON does not have: {what}")))
            }
        }
    }

    fn open(&mut self, kind: Kind, bracket: &str, left: Option<usize>) -> Result<(), CodecError> {
        if self.open.len() == self.limits.max_depth {
            return Err(CodecError::too_deep(Cbor::NAME, self.limits));
        }
        self.open.push(Open { kind, left, is_first: true });
        self.push(bracket)
    }

    fn close(&mut self) -> Result<(), CodecError> {
        match self.open.pop() {
            Some(Open { kind: Kind::Array, .. }) => self.push("]"),
            _ => self.push("}"),
        }
    }

    fn string(&mut self, length: Option<usize>) -> Result<(), CodecError> {
        self.push("\"")?;
        match length {
            Some(length) => self.utf8(length)?,
            None => loop {
                match self.header()? {
                    Header::Text(Some(length)) => self.utf8(length)?,
                    Header::Break => break,
                    other => {
                        let what = name(&other);
                        return Err(malformed(format!("a string in pieces holds {what}")));
                    }
                }
            },
        }
        self.push("\"")
    }

    fn utf8(&mut self, length: usize) -> Result<(), CodecError> {
        let start = self.at;
        let text = std::str::from_utf8(self.take(length)?)
            .map_err(|error| malformed(format!("the string at byte {start}: {error}")))?;
        self.push_escaped(text)
    }

    fn wtf8_string(&mut self) -> Result<(), CodecError> {
        let Header::Bytes(Some(length)) = self.header()? else {
            return Err(malformed(format!("tag {WTF8} must be on a byte string of known length")));
        };
        let mut rest = self.take(length)?;
        self.push("\"")?;
        while let Err(error) = std::str::from_utf8(rest) {
            let (valid, invalid) = rest.split_at(error.valid_up_to());
            self.push_escaped(std::str::from_utf8(valid).unwrap_or_default())?;
            let [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, after @ ..] = invalid else {
                return Err(malformed(format!("the bytes under tag {WTF8} are not WTF-8")));
            };
            let unit = 0xd000 | u32::from(second & 0x3f) << 6 | u32::from(third & 0x3f);
            self.push(&format!("\\u{unit:04x}"))?;
            rest = after;
        }
        self.push_escaped(std::str::from_utf8(rest).unwrap_or_default())?;
        self.push("\"")
    }

    fn header(&mut self) -> Result<Header, CodecError> {
        let mut decoder = Decoder::from(&self.bytes[self.at..]);
        let header = decoder.pull().map_err(|error| match error {
            ciborium_ll::Error::Io(_) => ends_early(),
            ciborium_ll::Error::Syntax(_) => {
                malformed(format!("byte {} starts no CBOR item", self.at))
            }
        })?;
        self.at += decoder.offset();
        Ok(header)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], CodecError> {
        let taken = self.bytes[self.at..].get(..length).ok_or_else(ends_early)?;
        self.at += length;
        Ok(taken)
    }

    fn push_number(&mut self, number: impl std::fmt::Display) -> Result<(), CodecError> {
        // A number has at most 26 characters, so that checking afterwards is soon enough.
        _ = write!(self.text, "{number}");
        self.push("")
    }

    fn push_escaped(&mut self, text: &str) -> Result<(), CodecError> {
        let mut run = 0;
        for (at, byte) in text.bytes().enumerate() {
            let escape = match byte {
                b'"' => "\\\"",
                b'\\' => "\\\\",
                b'\n' => "\\n",
                b'\r' => "\\r",
                b'\t' => "\\t",
                0x08 => "\\b",
                0x0c => "\\f",
                0..0x20 => &format!("\\u{byte:04x}"),
                _ => continue,
            };
            self.push(text.get(run..at).unwrap_or_default())?;
            self.push(escape)?;
            run = at + 1;
        }
        self.push(text.get(run..).unwrap_or_default())
    }

    fn push(&mut self, text: &str) -> Result<(), CodecError> {
        let size = self.text.len() + text.len();
        if size > self.limits.max_size {
            return Err(CodecError::too_long(Cbor::NAME, size, self.limits));
        }
        self.text.push_str(text);
        Ok(())
    }
}

/// What an item is called in messages.
fn name(header: &Header) -> String {
    match header {
        Header::Positive(_) | Header::Negative(_) => "an integer".into(),
        Header::Float(float) if !float.is_finite() => "NaN or an infinity".into(),
        Header::Float(_) => "a float".into(),
        Header::Simple(value) => format!("the simple value {value}"),
        Header::Tag(tag) => format!("the tag {tag}"),
        Header::Break => "a break".into(),
        Header::Bytes(_) => "a byte string".into(),
        Header::Text(_) => "a string of no length".into(),
        Header::Array(_) => "an array".into(),
        Header::Map(_) => "a map".into(),
    }
}

fn malformed(reason: String) -> CodecError {
    CodecError::malformed(Cbor::NAME, reason)
}

fn ends_early() -> CodecError {
    malformed("it ends in the middle of a value".into())
}
