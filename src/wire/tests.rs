use serde_json::json;
use tabmux_middleware::SortedMap;

use super::{from_value, to_value};
use crate::Payload;

#[derive(Clone, Debug, Default, PartialEq)]
struct Part {
    id: u64,
    note: Option<Payload>,
}

wire!(Part { id, note });

#[derive(Clone, Debug, PartialEq)]
struct Whole {
    name: String,
    parts: Vec<Part>,
    first: Option<Part>,
    size: u32,
    flag: bool,
    count: u64,
}

wire!(Whole { name as "type", parts, first, size, flag or false, count or 7 });

#[derive(Debug, PartialEq)]
struct Loose {
    pair: (String, u64),
    by_name: SortedMap<String, u64>,
}

wire!(open Loose { pair, by_name });

#[derive(Debug, PartialEq)]
enum Step {
    Stay,
    Go { far: u64 },
}

wire_enum!(Step { "stay" = Stay {}, "go" = Go { far }, else Step::Stay });

fn whole() -> Whole {
    let parts = vec![Part { id: 1, note: None }, Part { id: 2, note: Some(Payload::null()) }];
    Whole { name: "x".to_owned(), parts, first: None, size: 3, flag: true, count: 7 }
}

#[track_caller]
fn mistake(value: serde_json::Value) -> String {
    from_value::<Whole>(value).expect_err("a mistake")
}

#[test]
fn what_is_written_reads_the_same() {
    let written = to_value(&whole());
    let parts = json!([{"id": 1}, {"id": 2, "note": null}]);
    assert_eq!(written, json!({"type": "x", "parts": parts, "size": 3, "flag": true}));
    assert_eq!(from_value(written), Ok(whole()));
    for step in [Step::Stay, Step::Go { far: 2 }] {
        assert_eq!(from_value(to_value(&step)), Ok(step));
    }
    let by_name = SortedMap::from_iter([("a".to_owned(), 1)]);
    let loose = Loose { pair: ("b".to_owned(), 2), by_name };
    assert_eq!(to_value(&loose), json!({"pair": ["b", 2], "by_name": {"a": 1}}));
    assert_eq!(from_value(to_value(&loose)), Ok(loose));
}

#[test]
fn null_is_absent_except_where_it_is_a_value() {
    let value = json!({"type": "x", "parts": [{"id": 1, "note": null}], "first": null, "size": 0});
    let read: Whole = from_value(value).unwrap();
    assert_eq!((read.first, read.flag, read.count), (None, false, 7));
    assert_eq!(read.parts, [Part { id: 1, note: Some(Payload::null()) }]);
}

#[test]
fn a_mistake_is_named_by_its_path() {
    let with = |member: &str, value: serde_json::Value| {
        let mut whole = to_value(&whole());
        whole[member] = value;
        mistake(whole)
    };
    assert_eq!(mistake(json!([])), "it must be an object");
    assert_eq!(mistake(json!({"parts": []})), "type is missing");
    assert_eq!(with("type", json!(5)), "type must be a string");
    assert_eq!(with("parts", json!({})), "parts must be a list");
    assert_eq!(with("parts", json!([{"id": 1}, {}])), "parts[1].id is missing");
    assert_eq!(with("parts", json!([{"id": -1}])), "parts[0].id must be a whole number");
    assert_eq!(with("first", json!({"id": 1.5})), "first.id must be a whole number");
    assert_eq!(with("size", json!(1_u64 << 32)), "size must be a whole number of 32 bits");
    assert_eq!(with("flag", json!(1)), "flag must be true or false");
}

#[test]
fn a_member_that_nobody_knows_is_a_mistake_unless_the_struct_is_open() {
    let value = json!({"type": "x", "parts": [{"id": 1, "idd": 2}], "size": 0});
    assert_eq!(mistake(value), "parts[0] has a member `idd`, which is unknown");
    let open = json!({"pair": ["b", 2], "by_name": {}, "more": 1});
    assert!(from_value::<Loose>(open).is_ok());
    let closed = from_value::<Step>(json!({"type": "go", "far": 1, "fast": true}));
    assert_eq!(closed.unwrap_err(), "it has a member `fast`, which is unknown");
}

#[test]
fn an_enum_needs_a_kind_that_it_knows() {
    for value in [json!({}), json!({"type": 1}), json!(7), json!({"type": "run"})] {
        assert!(from_value::<Step>(value.clone()).is_err(), "{value}");
    }
}
