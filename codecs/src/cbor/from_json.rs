use ciborium_ll::{Encoder, Header, simple};

use super::WTF8;
use crate::platform;

/// Turns JSON text into CBOR. The text must be as an engine writes it: well-formed, without spaces.
pub(super) fn convert(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        at += match bytes[at] {
            b'{' => push(&mut out, Header::Map(None), 1),
            b'[' => push(&mut out, Header::Array(None), 1),
            b'}' | b']' => push(&mut out, Header::Break, 1),
            b't' => push(&mut out, Header::Simple(simple::TRUE), "true".len()),
            b'f' => push(&mut out, Header::Simple(simple::FALSE), "false".len()),
            b'n' => push(&mut out, Header::Simple(simple::NULL), "null".len()),
            b'"' => string(&mut out, &bytes[at + 1..]) + 2,
            // In CBOR nothing stands between items.
            b',' | b':' => 1,
            _ => number(&mut out, &bytes[at..]),
        }
    }
    out
}

/// Writes a header and returns `taken`, the length of the text it stands for.
fn push(out: &mut Vec<u8>, header: Header, taken: usize) -> usize {
    let mut buffer = [0; 9];
    let mut free = &mut buffer[..];
    Encoder::from(&mut free).push(header).expect("no header is longer than 9 bytes");
    let written = 9 - free.len();
    out.extend_from_slice(&buffer[..written]);
    taken
}

/// Converts the number at the start of `text` and returns its length.
fn number(out: &mut Vec<u8>, text: &[u8]) -> usize {
    let end = text.iter().position(|byte| b",]}".contains(byte)).unwrap_or(text.len());
    let digits = std::str::from_utf8(&text[..end]).unwrap_or_default();
    let header = if let Ok(integer) = digits.parse::<i64>() {
        // A negative integer -1 - n is written as n, which is all bits of it inverted.
        if integer < 0 {
            Header::Negative(!integer as u64)
        } else {
            Header::Positive(integer as u64)
        }
    } else if let Ok(integer) = digits.parse::<u64>() {
        Header::Positive(integer)
    } else {
        match platform::float(digits) {
            float if float.is_finite() => Header::Float(float),
            // Only `JSON.rawJSON` can write a number that no float can hold.
            _ => Header::Simple(simple::NULL),
        }
    };
    push(out, header, end)
}

/// Converts the string whose opening quote is just before `text` and returns its length in JSON,
/// without quotes.
fn string(out: &mut Vec<u8>, text: &[u8]) -> usize {
    let end = plain(text);
    if text[end] == b'"' {
        push(out, Header::Text(Some(end)), end);
        out.extend_from_slice(&text[..end]);
        return end;
    }

    let mut wtf8 = Vec::new();
    let mut has_lone_surrogate = false;
    let mut at = 0;
    loop {
        let run = plain(&text[at..]);
        wtf8.extend_from_slice(&text[at..at + run]);
        at += run;
        if text[at] == b'"' {
            break;
        }
        let escaped = text[at + 1];
        at += 2;
        match escaped {
            b'b' => wtf8.push(8),
            b't' => wtf8.push(b'\t'),
            b'n' => wtf8.push(b'\n'),
            b'f' => wtf8.push(12),
            b'r' => wtf8.push(b'\r'),
            b'u' => {
                let digits = text[at..at + 4].iter().map(|&digit| char::from(digit).to_digit(16));
                let unit =
                    digits.fold(0, |unit, digit| unit * 16 + digit.expect("four hex digits"));
                at += 4;
                match char::from_u32(unit) {
                    Some(char) => wtf8.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
                    // Engines escape a surrogate only if it is a lone one.
                    None => {
                        has_lone_surrogate = true;
                        let low6 = |bits: u32| 0x80 | (bits & 0x3f) as u8;
                        wtf8.extend_from_slice(&[0xed, low6(unit >> 6), low6(unit)]);
                    }
                }
            }
            other => wtf8.push(other),
        }
    }
    if has_lone_surrogate {
        push(out, Header::Tag(WTF8), 0);
        push(out, Header::Bytes(Some(wtf8.len())), 0);
    } else {
        push(out, Header::Text(Some(wtf8.len())), 0);
    }
    out.append(&mut wtf8);
    at
}

/// How long the part of a JSON string is before its end or its first escape.
fn plain(text: &[u8]) -> usize {
    text.iter().position(|byte| b"\"\\".contains(byte)).expect("every JSON string ends")
}
