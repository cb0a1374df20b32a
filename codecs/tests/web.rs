//! In a JavaScript engine, every codec carries what `JSON.parse(JSON.stringify(value))` leaves.
#![cfg(target_arch = "wasm32")]

mod common;

use common::all_codecs;
use js_sys::{Function, JSON, JsString, Object, Reflect};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tabmux_codecs::{Cbor, Codec, CodecError, Json, Limits, StructuredClone};
use tabmux_transports::Frame;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

fn js(expression: &str) -> JsValue {
    js_sys::eval(&format!("'use strict'; ({expression})")).unwrap()
}

/// Whether two values are the same to the last bit: types, prototypes, keys and their order, -0.
fn same(a: &JsValue, b: &JsValue) -> bool {
    thread_local! {
        static SAME: Function = js("function same(a, b) {
            if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) {
                return Object.is(a, b);
            }
            const keys = Reflect.ownKeys(a), others = Reflect.ownKeys(b);
            return Object.getPrototypeOf(a) === Object.getPrototypeOf(b)
                && keys.length === others.length
                && keys.every((key, i) => {
                    if (key !== others[i]) return false;
                    const x = Object.getOwnPropertyDescriptor(a, key);
                    const y = Object.getOwnPropertyDescriptor(b, key);
                    return 'value' in x && x.writable === y.writable && x.enumerable === y.enumerable
                        && x.configurable === y.configurable && same(x.value, y.value);
                });
        }").unchecked_into();
    }
    SAME.with(|same| same.call2(&JsValue::NULL, a, b)).unwrap().is_truthy()
}

/// Encodes with each codec, moves the frame as a browser would, decodes and compares with what the
/// engine's own JSON makes of the value.
#[track_caller]
fn assert_carried_as_json(value: &JsValue, what: &str) {
    let text = JSON::stringify(value).unwrap();
    let expected = JSON::parse(&String::from(&text)).unwrap();
    for codec in all_codecs(Limits::default()) {
        let frame = match codec.encode(value) {
            Ok(Frame::Object(object)) => {
                let clone: Function = js("structuredClone").unchecked_into();
                Frame::Object(clone.call1(&JsValue::UNDEFINED, &object).unwrap())
            }
            Ok(frame) => frame,
            Err(error) => panic!("{what}: {error}"),
        };
        let decoded = codec.decode(frame).unwrap();
        assert!(same(&decoded, &expected), "{}: {what}: {decoded:?}, not {text}", codec.name());
    }
}

#[wasm_bindgen_test]
fn values_are_carried_as_json_carries_them() {
    for expression in [
        "null",
        "true",
        "''",
        "[]",
        "{}",
        "{a: undefined, b() {}, c: Symbol('x'), [Symbol('d')]: 1, e: 1}",
        "[undefined, () => 1, Symbol('x'), 1]",
        "[, 1, , 2, ,]",
        "new Array(5)",
        "[NaN, Infinity, -Infinity, -0, 0]",
        "-0",
        "NaN",
        "{zero: -0, nested: [-0]}",
        "new Date(0)",
        "{valid: new Date(1e12), invalid: new Date(NaN)}",
        "{a: {toJSON(key) { return [key, typeof key, this.b]; }, b: 1}}",
        "[{toJSON(key) { return [key, typeof key]; }}]",
        "{toJSON(key) { return [key, typeof key]; }}",
        "{toJSON() { return undefined; }, a: 1, b: 2}.a",
        "{dropped: {toJSON() {}}, kept: [{toJSON() {}}]}",
        "{toJSON() { return new Number(-0); }}",
        "{toJSON() { return {toJSON() { return 1; }}; }}",
        "{toJSON: 5}",
        "Object.assign(() => 1, {toJSON() { return 'of a function'; }})",
        "[Object.assign(() => 1, {toJSON: 1})]",
        "[new Number(1), new String('s'), new Boolean(false), new Number(NaN)]",
        "Object.assign(new Number(1), {valueOf() { return 7; }})",
        "Object.assign(new String('s'), {toString() { return 't'; }, extra: 1})",
        "Object.assign(new Boolean(true), {valueOf() { return false; }})",
        "new (class extends Number {})(3)",
        "Object.assign(new Date(5), {toJSON: null})",
        "Object.create({[Symbol.toStringTag]: 'Number'}, {a: {value: 1, enumerable: true}})",
        "[new Map([[1, 2]]), new Set([1]), new WeakMap(), /x/g, new Error('e'), Promise.resolve()]",
        "[new Uint8Array([1, 2]), new ArrayBuffer(2), new Float64Array([NaN, -0])]",
        "Object.assign(Object.create(null), {a: 1, __proto__: 2})",
        "Object.create({inherited: 1}, {hidden: {value: 1}, shown: {value: 2, enumerable: true}})",
        "new (class A { constructor() { this.own = 1; } get inherited() { return 2; } })()",
        "{get a() { return 1; }, get b() { return undefined; }}",
        "new Proxy([1, [2]], {})",
        "new Proxy({a: {b: 1}}, {})",
        "new Proxy({}, {ownKeys: () => ['x'], get: () => 1, \
            getOwnPropertyDescriptor: () => ({enumerable: true, configurable: true, value: 1})})",
        "Object.assign([1, 2], {extra: 3})",
        "(function () { return arguments; })(1, 2)",
        "JSON.parse('{\"__proto__\": {\"polluted\": 1}, \"constructor\": {\"prototype\": 2}}')",
        "JSON.parse('{\"toString\": 1, \"valueOf\": {\"__proto__\": []}, \"hasOwnProperty\": null}')",
        "{['__proto__']: null, __defineGetter__: 1, toJSON: undefined}",
        "{'': 1, 'a b': 2, 10: 3, 2: 4, '-1': 5, '01': 6}",
        "'\\u0000\\b\\t\\n\\f\\r\\u001f\\u007f\"\\\\/\\u2028\\u2029\\ufeff'",
        "'\\ud83d\\ude00 \\u00e4 \\uffff'",
        "'\\ud800'",
        "['\\udc00\\ud800', 'a\\ud800b\\n', '\\udbff\\u0041', '\\ud83d\\ude00\\udc00', '\\\\ud800']",
        "{'\\udfff': '\\ud800\\ud800', '\\ud800\\\"': 1, a: {'\\ud800': []}}",
        "[2 ** 31, 2 ** 32, -(2 ** 31) - 1, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, -(2 ** 53) - 2]",
        "[2 ** 63, -(2 ** 63), -(2 ** 63) - 2048, 2 ** 64 - 2048, 2 ** 64, -(2 ** 64), 1e20, -1e20]",
        "[1e21, 1e300, Number.MAX_VALUE, -Number.MAX_VALUE, 5e-324, 1e-7, 0.1, 1 / 3, 0.5, 65504.5]",
        "[123456789012345680000, 1.7976931348623157e308, 2.2250738585072014e-308, 4.35, 1e16, 1e-5]",
        "Object.freeze({a: Object.freeze([1])})",
        "JSON.rawJSON ? [JSON.rawJSON('12345678901234567890'), {a: JSON.rawJSON('1.0E+2')}] : 0",
        "JSON.rawJSON ? JSON.rawJSON('\"\\\\ud83d\\\\ude00\\\\u0041\"') : 0",
        "(shared => [shared, {shared}])({a: [1]})",
        "JSON.parse('['.repeat(500) + ']'.repeat(500))",
        "Array.from({length: 3000}, (_, i) => ({i, s: 'x'.repeat(i % 90)}))",
    ] {
        assert_carried_as_json(&js(expression), expression);
    }
}

#[wasm_bindgen_test]
fn a_big_int_with_to_json_is_carried_as_it_says() {
    js("BigInt.prototype.toJSON = function (key) { return key + String(this); }");
    assert_carried_as_json(&js("{a: 10n, b: [Object(5n)]}"), "BigInt with toJSON");
    js("delete BigInt.prototype.toJSON");
}

#[wasm_bindgen_test]
fn a_setter_on_object_prototype_is_not_called() {
    js("Object.defineProperty(Object.prototype, 'trap', \
        {configurable: true, get() { return undefined; }, set() { throw new Error('called'); }})");
    let value = js("JSON.parse('{\"trap\": {\"trap\": 1}}')");
    assert_carried_as_json(&value, "a key with an inherited setter");
    js("delete Object.prototype.trap");
}

#[wasm_bindgen_test]
fn keys_never_set_a_prototype() {
    let value = js("JSON.parse('{\"__proto__\": {\"polluted\": 1}}')");
    for codec in all_codecs(Limits::default()) {
        let decoded: Object = codec.decode(codec.encode(&value).unwrap()).unwrap().unchecked_into();
        assert_eq!(Reflect::get(&decoded, &"polluted".into()), Ok(JsValue::UNDEFINED));
        assert!(Object::has_own(&decoded, &"__proto__".into()));
        assert!(js("({}).polluted === undefined").is_truthy());
    }
}

#[wasm_bindgen_test]
fn what_json_cannot_carry_is_an_error_that_names_its_path() {
    for (expression, path, reason) in [
        ("undefined", "$", "have no JSON form"),
        ("() => 1", "$", "have no JSON form"),
        ("Symbol('s')", "$", "have no JSON form"),
        ("{toJSON() {}}", "$", "have no JSON form"),
        ("10n", "$", "BigInt"),
        ("{ops: [0, 1, {data: 1n}]}", "$.ops[2].data", "BigInt"),
        ("[Object(1n)]", "$[0]", "BigInt"),
        ("{'a b': {'': {ä: [1n]}}}", "$[\"a b\"][\"\"].ä[0]", "BigInt"),
        ("{ops: [{get p() { throw new TypeError('no p'); }}]}", "$.ops[0].p", "TypeError: no p"),
        ("[{toJSON() { throw 'thrown'; }}]", "$[0]", "it threw thrown"),
        ("{a: {toJSON() { throw Object.create(null); }}}", "$.a", "it threw"),
        ("{a: {toJSON() { throw undefined; }}}", "$.a", "it threw undefined"),
        ("{a: Object.assign(new Number(1), {valueOf() { throw 1; }})}", "$.a", "it threw 1"),
        ("new Proxy({}, {ownKeys() { throw new Error('trap'); }})", "$", "Error: trap"),
        ("{a: (() => { const o = {b: [1]}; o.b.push({o}); return o; })()}", "$.a.b[1].o", "at $.a"),
        (
            "(() => { const a = []; a.push(a); return a; })()",
            "$[0]",
            "cyclic, the same object is at $",
        ),
    ] {
        let value = js(&format!("() => {{ return ({expression}); }}"));
        let value = value.unchecked_into::<Function>().call0(&JsValue::NULL).unwrap();
        for codec in all_codecs(Limits::default()) {
            match codec.encode(&value) {
                Err(CodecError::Uncarriable { codec: name, path: found, reason: why }) => {
                    assert_eq!((name, found.as_str()), (codec.name(), path), "{expression}");
                    assert!(why.contains(reason), "{expression}: {why}");
                }
                other => panic!("{} of {expression}: {other:?}", codec.name()),
            }
        }
    }
}

#[wasm_bindgen_test]
fn a_to_json_that_never_ends_is_too_large() {
    let value =
        js("(() => { const endless = () => ({a: {toJSON: endless}}); return endless(); })()");
    for codec in all_codecs(Limits::default()) {
        let result = codec.encode(&value);
        assert!(matches!(result, Err(CodecError::TooLarge { .. })), "{}: {result:?}", codec.name());
    }
}

#[wasm_bindgen_test]
fn an_object_that_unfolds_beyond_the_limit_is_too_large() {
    let value = js("(() => { let a = 1; for (let i = 0; i < 60; i++) a = [a, a]; return a; })()");
    let codec = StructuredClone::new(Limits { max_size: 100_000, ..Limits::default() });
    assert!(matches!(codec.encode(&value), Err(CodecError::TooLarge { .. })));
}

#[wasm_bindgen_test]
fn encoding_leaves_the_value_alone_and_shares_nothing_with_it() {
    for codec in all_codecs(Limits::default()) {
        let value = js("{list: [1, {a: -0}], when: new Date(0), gone: undefined}");
        let copy = js("{list: [1, {a: -0}], when: 0, gone: undefined}");
        let frame = codec.encode(&value).unwrap();
        Reflect::set(&copy, &"when".into(), &Reflect::get(&value, &"when".into()).unwrap())
            .unwrap();
        assert!(same(&value, &copy), "{}", codec.name());

        let change: Function =
            js("value => { value.list[1].a = 'changed'; value.list.length = 0; }").unchecked_into();
        change.call1(&JsValue::NULL, &value).unwrap();
        let expected = js("{list: [1, {a: 0}], when: '1970-01-01T00:00:00.000Z'}");
        assert!(same(&codec.decode(frame).unwrap(), &expected), "{}", codec.name());
    }
}

#[wasm_bindgen_test]
fn a_clean_object_frame_is_decoded_without_a_copy() {
    let object = js("{a: [1, 'x', null, true, {__proto__: null, b: 1}]}");
    let decoded = StructuredClone::default().decode(Frame::Object(object.clone())).unwrap();
    assert!(Object::is(&decoded, &object));
}

#[wasm_bindgen_test]
fn an_object_frame_that_encoding_never_makes_is_malformed() {
    for (expression, path) in [
        ("undefined", "$"),
        ("1n", "$"),
        ("Symbol('s')", "$"),
        ("{a: () => 1}", "$.a"),
        ("{a: undefined}", "$.a"),
        ("[1, NaN]", "$[1]"),
        ("[Infinity]", "$[0]"),
        ("[0, , 1]", "$[1]"),
        ("new Array(2 ** 32 - 1)", "$[0]"),
        ("Object.assign([1], {extra: 1})", "$"),
        ("{a: [new Map()]}", "$.a[0]"),
        ("new Set()", "$"),
        ("new Date(0)", "$"),
        ("/x/", "$"),
        ("new Error('e')", "$"),
        ("new Number(1)", "$"),
        ("Object(1n)", "$"),
        ("[new Uint8Array(4)]", "$[0]"),
        ("new ArrayBuffer(4)", "$"),
        ("new DataView(new ArrayBuffer(4))", "$"),
        ("new (class A {})()", "$"),
        ("(() => { const a = {}; a.a = {a}; return a; })()", "$.a.a"),
        ("(() => { const a = []; a.push(a); return a; })()", "$[0]"),
        ("(() => { const shared = {}; return [shared, [shared]]; })()", "$[1][0]"),
        ("(() => { let a = {}; for (let i = 0; i < 400; i++) a = [a, a]; return a; })()", "$[0]"),
    ] {
        match StructuredClone::default().decode(Frame::Object(js(expression))) {
            Err(CodecError::Malformed { reason, .. }) => {
                assert!(reason.starts_with(path), "{expression}: {reason}");
            }
            other => panic!("{expression}: {other:?}"),
        }
    }
}

#[wasm_bindgen_test]
fn text_frames_are_what_the_engine_writes() {
    let value = js("{b: [1, -0, 'ä\\ud800'], a: new Date(0)}");
    let text = String::from(JSON::stringify(&value).unwrap());
    assert_eq!(Json::default().encode(&value), Ok(Frame::Text(text)));
}

#[wasm_bindgen_test]
fn cbor_frames_are_as_documented() {
    let value = js("{a: [1, -500, 2 ** 53, 1.5, 1e300, true, null], '\\ud800x': 'ä'}");
    let expected = [
        &[0xbf, 0x61, b'a', 0x9f, 0x01, 0x39, 0x01, 0xf3, 0x1b, 0, 0x20, 0, 0, 0, 0, 0, 0][..],
        &[0xf9, 0x3e, 0x00, 0xfb, 0x7e, 0x37, 0xe4, 0x3c, 0x88, 0x00, 0x75, 0x9c, 0xf5, 0xf6, 0xff],
        &[0xd9, 0x01, 0x11, 0x44, 0xed, 0xa0, 0x80, b'x', 0x62, 0xc3, 0xa4, 0xff],
    ];
    assert_eq!(Cbor::default().encode(&value), Ok(Frame::Bytes(expected.concat())));
}

#[wasm_bindgen_test]
fn random_values_are_carried_as_json_carries_them() {
    for seed in 0..1500 {
        let value = random_value(&mut ChaCha8Rng::seed_from_u64(seed), 0);
        if !JSON::stringify(&value).unwrap().is_undefined() {
            assert_carried_as_json(&value, &format!("seed {seed}"));
        }
    }
}

fn random_value(rng: &mut impl Rng, depth: u32) -> JsValue {
    match rng.random_range(0..if depth > 5 { 7 } else { 11 }) {
        0 => JsValue::NULL,
        1 => rng.random::<bool>().into(),
        2 => f64::from(rng.random_range(-300..300)).into(),
        3 => f64::from_bits(rng.random()).into(),
        4 => (rng.random::<i64>() as f64 / 1000.0).into(),
        5 => random_string(rng).into(),
        6 => {
            const ODD: [&str; 9] = [
                "undefined",
                "-0",
                "NaN",
                "new Date(5)",
                "new Number(-0)",
                "new String('\\udc00')",
                "() => 1",
                "new Map()",
                "Symbol.iterator",
            ];
            js(ODD[rng.random_range(0..ODD.len())])
        }
        7 | 8 => {
            let array = js_sys::Array::new();
            for _ in 0..rng.random_range(0..6) {
                array.push(&random_value(rng, depth + 1));
            }
            if rng.random_ratio(1, 8) {
                array.set_length(array.length() + 1);
            }
            array.into()
        }
        _ => {
            let object = Object::new();
            for _ in 0..rng.random_range(0..6) {
                let key = match rng.random_range(0..8) {
                    0 => "__proto__".into(),
                    1 => "constructor".into(),
                    2 => f64::from(rng.random_range(0..20)).into(),
                    _ => JsValue::from(random_string(rng)),
                };
                let descriptor = Object::new();
                let value = random_value(rng, depth + 1);
                Reflect::set(&descriptor, &"value".into(), &value).unwrap();
                let visible = rng.random_ratio(7, 8).into();
                Reflect::set(&descriptor, &"enumerable".into(), &visible).unwrap();
                Reflect::define_property(&object, &key, &descriptor).ok();
            }
            object.into()
        }
    }
}

/// A string of any UTF-16 units, so that it holds lone surrogates too.
fn random_string(rng: &mut impl Rng) -> JsString {
    let units: Vec<u16> = (0..rng.random_range(0..8))
        .map(|_| match rng.random_range(0..6) {
            0 => rng.random_range(0xd800..0xe000),
            1 => rng.random_range(0..0x20),
            2 => [b'"', b'\\', b'/', b'u'][rng.random_range(0..4)].into(),
            3 => rng.random(),
            _ => rng.random_range(0x20..0x7f),
        })
        .collect();
    JsString::from_char_code(&units)
}
