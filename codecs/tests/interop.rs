//! Frames of the cbor codec are ordinary CBOR: the crate `ciborium` reads and writes the same.
#![cfg(not(target_arch = "wasm32"))]

use serde_json::{Value, json};
use tabmux_codecs::{Cbor, Codec};
use tabmux_transports::Frame;

fn values() -> [Value; 5] {
    [
        json!({"op": [{"p": ["title", 0], "si": "Grüße 🎈"}], "v": 3}),
        json!([0, -1, 23, 24, 255, 256, 65_536, 4_294_967_296_u64, 0.5, -1e300]),
        json!({"__proto__": {"a": null}, "": [true, false, [], {}]}),
        json!("a".repeat(70_000)),
        json!(null),
    ]
}

#[test]
fn ciborium_reads_what_the_codec_writes() {
    for value in values() {
        let Frame::Bytes(bytes) = Cbor::default().encode(&value).unwrap() else { panic!("bytes") };
        let read: Value = ciborium::from_reader(bytes.as_slice()).unwrap();
        assert_eq!(read, value);
    }
}

#[test]
fn the_codec_reads_what_ciborium_writes() {
    for value in values() {
        let mut bytes = Vec::new();
        ciborium::into_writer(&value, &mut bytes).unwrap();
        assert_eq!(Cbor::default().decode(Frame::Bytes(bytes)).unwrap(), value);
    }
}
