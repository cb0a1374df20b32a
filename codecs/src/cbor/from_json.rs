use ciborium_ll::{Encoder, Header, simple};

use super::WTF8;

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
            b'"' => string(&mut out, &text[at + 1..]) + 2,
            // In CBOR nothing stands between items.
            b',' | b':' => 1,
            _ => number(&mut out, &text[at..]),
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
fn number(out: &mut Vec<u8>, text: &str) -> usize {
    let end = text.find([',', ']', '}']).unwrap_or(text.len());
    let digits = &text[..end];
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
        match digits.parse() {
            Ok(float) if f64::is_finite(float) => Header::Float(float),
            // Only `JSON.rawJSON` can write a number that no float can hold.
            _ => Header::Simple(simple::NULL),
        }
    };
    push(out, header, end)
}

/// Converts the string whose opening quote is just before `text` and returns its length in JSON,
/// without quotes.
fn string(out: &mut Vec<u8>, text: &str) -> usize {
    let end = text.find(['"', '\\']).expect("every JSON string ends");
    if text.as_bytes()[end] == b'"' {
        push(out, Header::Text(Some(end)), end);
        out.extend_from_slice(&text.as_bytes()[..end]);
        return end;
    }

    let mut wtf8 = Vec::new();
    let mut has_lone_surrogate = false;
    let mut at = 0;
    loop {
        let run = text[at..].find(['"', '\\']).expect("every JSON string ends");
        wtf8.extend_from_slice(&text.as_bytes()[at..at + run]);
        at += run;
        if text.as_bytes()[at] == b'"' {
            break;
        }
        let escaped = text.as_bytes()[at + 1];
        at += 2;
        match escaped {
            b'b' => wtf8.push(8),
            b't' => wtf8.push(b'\t'),
            b'n' => wtf8.push(b'\n'),
            b'f' => wtf8.push(12),
            b'r' => wtf8.push(b'\r'),
            b'u' => {
                let unit = u32::from_str_radix(&text[at..at + 4], 16).expect("four hex digits");
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
