//! Every frame of the corpus decodes, and every small change to one is decoded or refused; on both
//! platforms.

use tabmux_codecs::{Cbor, Codec, Json};
use tabmux_transports::Frame;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const JSON: [&str; 6] = [
    include_str!("corpus/json/equal-keys.json"),
    include_str!("corpus/json/nested.json"),
    include_str!("corpus/json/numbers.json"),
    include_str!("corpus/json/op.json"),
    include_str!("corpus/json/rich-text.json"),
    include_str!("corpus/json/strings.json"),
];

/// In hexadecimal.
const CBOR: [&str; 6] = [
    include_str!("corpus/cbor/definite.hex"),
    include_str!("corpus/cbor/equal-keys.hex"),
    include_str!("corpus/cbor/floats.hex"),
    include_str!("corpus/cbor/indefinite.hex"),
    include_str!("corpus/cbor/integers.hex"),
    include_str!("corpus/cbor/strings.hex"),
];

/// Lone surrogates decode only in the browser, but are to be changed on both.
const LONE_SURROGATES: &str = include_str!("corpus/cbor/lone-surrogates.hex");

/// Bytes that start, end or stretch something in JSON or CBOR.
const MARKS: &[u8] =
    b"\"\\[]{},:-.e01nt \x00\x1b\x3b\x5b\x5f\x7b\x7f\x80\x81\x9b\x9f\xa1\xbb\xbf\xc0\xd9\xf6\xf9\xfb\xff";

fn json(text: &str) -> Frame {
    Frame::Text(text.into())
}

fn json_bytes(bytes: &[u8]) -> Frame {
    Frame::Text(String::from_utf8_lossy(bytes).into_owned())
}

fn cbor_bytes(bytes: &[u8]) -> Frame {
    Frame::Bytes(bytes.to_vec())
}

fn unhex(hex: &str) -> Vec<u8> {
    hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

/// Decodes a frame; if that gives a value, it must arrive as it left when it is sent again. Tells
/// whether it did.
fn decodes(codec: &dyn Codec, frame: Frame) -> bool {
    let Ok(value) = codec.decode(frame) else { return false };
    let again = codec.decode(codec.encode(&value).unwrap()).unwrap();
    // Text compares alike on both platforms.
    assert_eq!(Json::default().encode(&again), Json::default().encode(&value));
    true
}

/// The frame cut short, and with each of its bytes removed, doubled, changed in each bit and
/// replaced by each of the marks.
fn decode_every_change(codec: &dyn Codec, bytes: &[u8], frame: fn(&[u8]) -> Frame) {
    for at in 0..bytes.len() {
        let (before, after) = (&bytes[..at], &bytes[at + 1..]);
        decodes(codec, frame(before));
        decodes(codec, frame(&[before, after].concat()));
        decodes(codec, frame(&[before, &[bytes[at]], &bytes[at..]].concat()));
        let flipped = (0..8).map(|bit| bytes[at] ^ 1 << bit);
        for byte in flipped.chain(MARKS.iter().copied()) {
            decodes(codec, frame(&[before, &[byte], after].concat()));
        }
    }
}

#[test]
fn every_frame_decodes() {
    for text in JSON {
        assert!(decodes(&Json::default(), json(text)), "{text}");
    }
    for hex in CBOR {
        assert!(decodes(&Cbor::default(), Frame::Bytes(unhex(hex))), "{hex}");
    }
    let lone_surrogates = Frame::Bytes(unhex(LONE_SURROGATES));
    assert_eq!(decodes(&Cbor::default(), lone_surrogates), cfg!(target_arch = "wasm32"));
}

#[test]
fn every_change_to_json_is_decoded_or_refused() {
    for text in JSON {
        decode_every_change(&Json::default(), text.as_bytes(), json_bytes);
    }
}

#[test]
fn every_change_to_cbor_is_decoded_or_refused() {
    for hex in CBOR.into_iter().chain([LONE_SURROGATES]) {
        decode_every_change(&Cbor::default(), &unhex(hex), cbor_bytes);
    }
    for text in JSON {
        let value = Json::default().decode(json(text)).unwrap();
        let Ok(Frame::Bytes(bytes)) = Cbor::default().encode(&value) else { panic!("{text}") };
        decode_every_change(&Cbor::default(), &bytes, cbor_bytes);
    }
}
