//! Whatever a frame holds, decoding ends in a value or an error; on both platforms.

mod common;

use common::{all_codecs, by_name};
use tabmux_codecs::{Cbor, Codec, CodecError, Json, Limits, Value};
use tabmux_transports::Frame;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn text(text: &str) -> Frame {
    Frame::Text(text.into())
}

fn bytes(hex: &str) -> Frame {
    let digits: String = hex.split_whitespace().collect();
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    Frame::Bytes((0..digits.len()).step_by(2).map(byte).collect())
}

fn value(json: &str) -> Value {
    Json::new(Limits { max_depth: 10_000, ..Limits::default() }).decode(text(json)).unwrap()
}

/// The value as JSON text: a way to compare values that works on both platforms.
fn json_of(value: &Value) -> String {
    match Json::default().encode(value) {
        Ok(Frame::Text(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_malformed(result: Result<Value, CodecError>, frame: &str) {
    assert!(matches!(result, Err(CodecError::Malformed { .. })), "{frame}: {result:?}");
}

#[track_caller]
fn assert_too_large<T: std::fmt::Debug>(result: Result<T, CodecError>, limit: &str) {
    match result {
        Err(CodecError::TooLarge { reason, .. }) => assert!(reason.contains(limit), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn broken_json_is_malformed() {
    for frame in [
        "",
        " ",
        "[",
        "]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\":}",
        "{\"a\"}",
        "{a:1}",
        "{1:2}",
        "nul",
        "\"abc",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\n\"",
        "'a'",
        "[1] 2",
        "[1]]",
        "{}{}",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "NaN",
        "-Infinity",
        "undefined",
        "\u{feff}1",
        "/**/1",
        "[}",
        "{]",
    ] {
        assert_malformed(Json::default().decode(text(frame)), frame);
    }
}

#[test]
fn broken_cbor_is_malformed() {
    for (frame, what) in [
        ("", "nothing"),
        ("18", "an integer without its byte"),
        ("1c", "a reserved length"),
        ("1f", "an integer of indefinite length"),
        ("61", "a string without its byte"),
        ("7f 61 61", "a string in pieces without an end"),
        ("7f 01 ff", "an integer as a piece of a string"),
        ("7f 7f 61 61 ff ff", "pieces in pieces"),
        ("61 ff", "a string that is not UTF-8"),
        ("7f 61 c3 61 a4 ff", "pieces that are UTF-8 only together"),
        ("63 ed a0 80", "a surrogate in a text string"),
        ("82 01", "an array with an item missing"),
        ("9f 01", "an array without a break"),
        ("a1 61 61", "a map with a value missing"),
        ("bf 61 61 ff", "a break in place of a value"),
        ("ff", "a break at the top"),
        ("81 ff", "a break in an array of known length"),
        ("a1 ff", "a break in a map of known length"),
        ("00 00", "two values"),
        ("80 ff", "a break after the value"),
        ("a1 01 02", "an integer as a key"),
        ("a1 f6 02", "null as a key"),
        ("a1 80 02", "an array as a key"),
        ("a1 41 61 02", "bytes as a key"),
        ("41 00", "bytes"),
        ("5f ff", "bytes in pieces"),
        ("c0 60", "an unknown tag"),
        ("c2 41 01", "a big integer"),
        ("d9 01 11 61 61", "tag 273 on text"),
        ("d9 01 11 5f ff", "tag 273 on bytes in pieces"),
        ("d9 01 11 41 ff", "tag 273 on bytes that are not WTF-8"),
        ("d9 01 11 42 ed a0", "tag 273 on half a surrogate"),
        ("d9 01 11", "tag 273 on nothing"),
        ("f7", "undefined"),
        ("e0", "an unknown simple value"),
        ("f9 7e 00", "NaN"),
        ("f9 7c 01", "a signalling NaN"),
        ("fa ff 80 00 00", "minus infinity"),
        ("9b 10 00 00 00 00 00 00 00", "an array of 2^60 items"),
        ("bb 10 00 00 00 00 00 00 00", "a map of 2^60 pairs"),
        ("7b 10 00 00 00 00 00 00 00 61", "a string of 2^60 bytes"),
        ("5b ff ff ff ff ff ff ff ff 61", "2^64 - 1 bytes"),
        ("d9 01 11 5a ff ff ff ff 61", "2^32 - 1 bytes under tag 273"),
        ("9a ff ff ff ff 01", "an array of 2^32 - 1 items"),
    ] {
        assert_malformed(Cbor::default().decode(bytes(frame)), what);
    }
}

#[test]
fn cbor_of_other_encoders_is_read() {
    for (frame, json) in [
        ("18 05", "5"),
        ("1b 00 00 00 00 00 00 00 05", "5"),
        ("20", "-1"),
        ("39 03 e7", "-1000"),
        ("f9 3e 00", "1.5"),
        ("fa 47 c3 50 40", "100000.5"),
        ("83 01 82 02 03 9f 04 05 ff", "[1,[2,3],[4,5]]"),
        ("9f ff", "[]"),
        ("a0", "{}"),
        ("bf 61 61 01 61 62 9f 02 03 ff ff", r#"{"a":1,"b":[2,3]}"#),
        ("a2 61 61 01 61 62 82 02 03", r#"{"a":1,"b":[2,3]}"#),
        ("7f 65 73 74 72 65 61 64 6d 69 6e 67 ff", r#""streaming""#),
        ("7f ff", r#""""#),
        ("d9 01 11 43 61 c3 a4", r#""aä""#),
        ("62 22 5c", r#""\"\\""#),
        ("66 00 0a 1f e2 80 a8", "\"\\u0000\\n\\u001f\u{2028}\""),
    ] {
        let decoded = Cbor::default().decode(bytes(frame)).unwrap();
        assert_eq!(json_of(&decoded), json, "{frame}");
    }
}

#[test]
fn the_last_of_equal_keys_wins() {
    let decoded = Json::default().decode(text(r#"{"a":1,"b":2,"a":3}"#)).unwrap();
    assert_eq!(json_of(&decoded), r#"{"a":3,"b":2}"#);
    let decoded = Cbor::default().decode(bytes("a3 61 61 01 61 62 02 61 61 03")).unwrap();
    assert_eq!(json_of(&decoded), r#"{"a":3,"b":2}"#);
}

#[test]
fn a_frame_of_another_kind_is_malformed() {
    for codec in all_codecs(Limits::default()) {
        for frame in [text("1"), bytes("01"), Frame::Object(value("1"))] {
            if frame.kind() == codec.frame_kind() {
                assert_eq!(json_of(&codec.decode(frame).unwrap()), "1");
            } else {
                assert_malformed(codec.decode(frame), codec.name());
            }
        }
    }
}

#[test]
fn nesting_up_to_the_limit_is_carried_and_no_deeper() {
    let max_depth = Limits::default().max_depth;
    for (open, inside, close) in
        [("[", "", "]"), ("{\"a\":", "0", "}"), ("[[],{\"a\":0},{\"\":", "\"]\"", "}]")]
    {
        let levels = open.matches(['[', '{']).count() - open.matches([']', '}']).count();
        let nested = |count| format!("{}{inside}{}", open.repeat(count), close.repeat(count));
        let deepest = nested(max_depth / levels);
        let deeper = nested(max_depth / levels + 1);
        for codec in all_codecs(Limits::default()) {
            let frame = codec.encode(&value(&deepest)).unwrap();
            assert_eq!(json_of(&codec.decode(frame).unwrap()), deepest, "{}", codec.name());

            assert_too_large(codec.encode(&value(&deeper)), "max_depth");
            let generous = Limits { max_depth: max_depth + 2, ..Limits::default() };
            let lenient = by_name(codec.name(), generous);
            let frame = lenient.encode(&value(&deeper)).unwrap();
            assert_too_large(codec.decode(frame), "max_depth");
        }
    }
}

#[test]
fn a_depth_of_zero_carries_scalars_only() {
    for codec in all_codecs(Limits { max_depth: 0, ..Limits::default() }) {
        assert!(codec.encode(&value("1")).is_ok());
        assert_too_large(codec.encode(&value("[]")), "max_depth");
        assert_too_large(codec.encode(&value("{}")), "max_depth");
    }
}

#[test]
fn nesting_bombs_are_too_large() {
    let million = 1_000_000;
    for bomb in ["[", "{\"a\":", "[{\"a\":", "[[],"] {
        assert_too_large(Json::default().decode(text(&bomb.repeat(million))), "max_depth");
    }
    for bomb in
        [&[0x9f][..], &[0x81], &[0xbf, 0x60], &[0xa1, 0x60], &[0x9b, 0, 0, 0, 0, 1, 0, 0, 0]]
    {
        let frame = Frame::Bytes(bomb.repeat(million));
        assert_too_large(Cbor::default().decode(frame), "max_depth");
    }
    // Tags and string pieces nest too, for a decoder that recurses into them.
    for bomb in [0xc0, 0x7f, 0x5f] {
        assert_malformed(Cbor::default().decode(Frame::Bytes(vec![bomb; million])), "tags");
    }
}

#[test]
fn what_is_longer_than_the_limit_is_too_large() {
    for long in [
        format!("[{}0]", "0.1,".repeat(40)),
        format!("[\"{}\"]", "\\u0001é".repeat(50)),
        format!("{{\"{}\":0}}", "key".repeat(40)),
    ] {
        for codec in all_codecs(Limits { max_size: 100, ..Limits::default() }) {
            assert_too_large(codec.encode(&value(&long)), "max_size is 100");
            let lenient = by_name(codec.name(), Limits::default());
            let frame = lenient.encode(&value(&long)).unwrap();
            assert_too_large(codec.decode(frame), "max_size is 100");
        }
    }
    for codec in all_codecs(Limits { max_size: 100, ..Limits::default() }) {
        let frame = codec.encode(&value("[1,\"a\"]")).unwrap();
        assert_eq!(json_of(&codec.decode(frame).unwrap()), "[1,\"a\"]");
    }
}

#[test]
fn cbor_that_grows_when_decoded_stays_within_the_limit() {
    let cbor = Cbor::new(Limits { max_size: 100, ..Limits::default() });
    let mut control_characters = vec![0x78, 50];
    control_characters.extend([1; 50]);
    assert_too_large(cbor.decode(Frame::Bytes(control_characters)), "max_size is 100");
}
