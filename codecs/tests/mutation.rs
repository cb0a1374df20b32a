//! Random bytes, and frames with something changed in them, are decoded or refused.
#![cfg(not(target_arch = "wasm32"))]

use proptest::prelude::*;
use serde_json::json;
use tabmux_codecs::{Cbor, Codec, Json};
use tabmux_transports::Frame;

/// What was decoded is a value like any other: it survives being encoded and decoded again.
fn decodes_to_a_value_or_an_error(codec: &dyn Codec, frame: Frame) -> Result<(), TestCaseError> {
    if let Ok(value) = codec.decode(frame) {
        let value = codec.decode(codec.encode(&value).unwrap()).unwrap();
        prop_assert_eq!(codec.decode(codec.encode(&value).unwrap()).unwrap(), value);
    }
    Ok(())
}

fn message() -> serde_json::Value {
    json!({
        "a": "op", "c": "docs", "d": "first", "v": 1234567, "seq": 300, "x": {"": null},
        "op": [{"p": ["text", 0, "ä\n\u{1f600}"], "na": -1.5e-7}, {"od": [true, false, {}], "oi": []}],
    })
}

/// A change to a frame: cut it, or replace a part of it.
fn mutate(mut bytes: Vec<u8>, edits: Vec<(prop::sample::Index, usize, Vec<u8>)>) -> Vec<u8> {
    for (index, removed, inserted) in edits {
        if !bytes.is_empty() {
            let from = index.index(bytes.len());
            let to = (from + removed).min(bytes.len());
            bytes.splice(from..to, inserted);
        }
    }
    bytes
}

fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, usize, Vec<u8>)>> {
    prop::collection::vec(
        (any::<prop::sample::Index>(), 0usize..4, prop::collection::vec(any::<u8>(), 0..4)),
        1..4,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn random_bytes_as_cbor(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        decodes_to_a_value_or_an_error(&Cbor::default(), Frame::Bytes(bytes))?;
    }

    #[test]
    fn random_text_as_json(text in any::<String>()) {
        decodes_to_a_value_or_an_error(&Json::default(), Frame::Text(text))?;
    }

    #[test]
    fn text_of_json_characters(text in "[\\[\\]{}\",:\\\\u0-9eE+\\-.truefalsn ]{0,40}") {
        decodes_to_a_value_or_an_error(&Json::default(), Frame::Text(text))?;
    }

    #[test]
    fn a_changed_cbor_frame(edits in edits()) {
        let Frame::Bytes(bytes) = Cbor::default().encode(&message()).unwrap() else { unreachable!() };
        decodes_to_a_value_or_an_error(&Cbor::default(), Frame::Bytes(mutate(bytes, edits)))?;
    }

    #[test]
    fn a_changed_json_frame(edits in edits()) {
        let bytes = mutate(message().to_string().into_bytes(), edits);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        decodes_to_a_value_or_an_error(&Json::default(), Frame::Text(text))?;
    }
}
