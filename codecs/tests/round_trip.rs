//! Every JSON value arrives as it left, whichever codec carries it.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::all_codecs;
use proptest::prelude::*;
use serde_json::{Value, json};
use tabmux_codecs::{Codecs, Limits};

fn any_number() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        // Negative zero has a test of its own.
        any::<f64>().prop_map(|float| Value::from(if float == 0.0 { 0.0 } else { float })),
        any::<i32>().prop_map(|integer| Value::from(f64::from(integer) / 8.0)),
    ]
}

fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), Just("__proto__".into()), Just("constructor".into()), "[a-z]{0,3}"]
}

fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any_number(),
        any::<String>().prop_map(Value::from),
        "[\\x00-\\x7f]{0,20}".prop_map(Value::from),
    ];
    scalar.prop_recursive(8, 128, 12, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(Value::from),
            prop::collection::vec((any_key(), inner), 0..12)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_value_arrives_as_it_left(value in any_value()) {
        for codec in all_codecs(Limits::default()) {
            let frame = codec.encode(&value).unwrap();
            prop_assert_eq!(frame.kind(), codec.frame_kind());
            prop_assert_eq!(codec.decode(frame).unwrap(), value.clone(), "{}", codec.name());
        }
    }

    #[test]
    fn the_first_frame_tells_the_codec(value in any_value()) {
        for codec in all_codecs(Limits::default()) {
            let frame = codec.encode(&value).unwrap();
            let codecs = Codecs::built_in(Limits::default());
            let found = codecs.by_frame_kind(frame.kind()).next().unwrap();
            prop_assert_eq!(found.name(), codec.name());
            prop_assert_eq!(found.decode(frame).unwrap(), value.clone());
        }
    }
}

#[test]
fn negative_zero_arrives_as_zero() {
    for codec in all_codecs(Limits::default()) {
        let frame = codec.encode(&json!([{"zero": -0.0}, 0.0])).unwrap();
        assert_eq!(codec.decode(frame).unwrap(), json!([{"zero": 0}, 0.0]), "{}", codec.name());
    }
}

#[test]
fn an_unknown_name_is_no_codec() {
    let codecs = Codecs::built_in(Limits::default());
    assert!(codecs.by_name("JSON").is_none());
    assert!(codecs.by_name("").is_none());
}
