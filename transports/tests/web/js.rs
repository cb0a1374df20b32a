use std::rc::Rc;

use js_sys::{Function, Uint8Array};
use tabmux_transports::{Event, Frame, FrameKind, JsTransport, Transport, TransportError, events};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::contract::contract;
use crate::support::{Pair, all, closed, eval, member, take, text};

/// Two objects that hand each other their frames at once.
async fn pair(_test: &str) -> Pair {
    let ends = eval(
        "(() => {
            const make = () => ({
                send(frame) { this.other.onframe(frame); },
                close(reason) { this.other.onclose(reason); },
            });
            const [tab, hub] = [make(), make()];
            tab.other = hub;
            hub.other = tab;
            return {tab, hub};
        })()",
    );
    let end = |key| Rc::new(JsTransport::new(member(&ends, key)).unwrap());
    Pair { tab: end("tab"), hub: end("hub"), _keep: Box::new(()) }
}

contract!(pair);
contract!(pair: what_arrived_before_anyone_listened_is_kept);

fn call(object: &JsValue, method: &str, argument: &JsValue) -> JsValue {
    member(object, method).unchecked_into::<Function>().call1(object, argument).unwrap()
}

/// Why an object is refused.
fn refusal(expression: &str) -> String {
    match JsTransport::new(eval(expression)) {
        Ok(_) => panic!("{expression} was accepted"),
        Err(error) => error.to_string(),
    }
}

#[wasm_bindgen_test]
fn a_wrong_shape_is_refused_naming_the_member() {
    for (expression, part) in [
        ("5", "it must be an object"),
        ("null", "it must be an object"),
        ("({close() {}})", "send must be a function"),
        ("({send: 5, close() {}})", "send must be a function"),
        ("({send() {}})", "close must be a function"),
        ("({get send() { throw 1; }, close() {}})", "send must be a function"),
        ("({send() {}, close() {}, name: 5})", "name must be a string"),
        ("({send() {}, close() {}, guarantees: 5})", "guarantees must be an object"),
        (
            "({send() {}, close() {}, guarantees: {ordered: 'yes'}})",
            "guarantees.ordered must be true or false",
        ),
        (
            "({send() {}, close() {}, guarantees: {carries: ['numbers']}})",
            "guarantees.carries must be an array of objects, strings, bytes",
        ),
        (
            "({send() {}, close() {}, guarantees: {fast: true}})",
            "guarantees.fast is not a guarantee",
        ),
        ("Object.freeze({send() {}, close() {}})", "onframe must be writable"),
    ] {
        assert_eq!(refusal(expression), format!("the js transport is not valid: {part}"));
    }
    assert_eq!(
        refusal("({name: 'carrier-pigeon'})"),
        "the carrier-pigeon transport is not valid: send must be a function"
    );
}

#[wasm_bindgen_test]
fn without_guarantees_it_promises_everything() {
    let transport = JsTransport::new(eval("({send() {}, close() {}})")).unwrap();
    let guarantees = transport.guarantees();
    assert!(guarantees.ordered && guarantees.reliable && !guarantees.addressed);
    assert_eq!(guarantees.carries.len(), 3);
    assert_eq!(transport.name(), "js");
}

#[wasm_bindgen_test]
fn it_promises_what_the_object_says() {
    let transport = JsTransport::new(eval(
        "({send() {}, close() {}, name: 'radio', guarantees:
            {ordered: false, reliable: false, carries: ['bytes', 'strings'], addressed: true}})",
    ))
    .unwrap();
    let guarantees = transport.guarantees();
    assert!(!guarantees.ordered && !guarantees.reliable && guarantees.addressed);
    assert_eq!(guarantees.carries, [FrameKind::Bytes, FrameKind::Text]);
    assert_eq!(transport.name(), "radio");
    assert_eq!(
        transport.send(Frame::Object(JsValue::NULL)),
        Err(TransportError::Unsupported { transport: "radio".to_owned(), kind: FrameKind::Object })
    );
}

#[wasm_bindgen_test]
fn the_object_gets_a_string_a_uint8array_or_the_value_itself() {
    let object = eval("({sent: [], send(frame) { this.sent.push(frame); }, close() {}})");
    let transport = JsTransport::new(object.clone()).unwrap();
    let value = eval("({})");
    transport.send(text("x")).unwrap();
    transport.send(Frame::Bytes(vec![1, 2])).unwrap();
    transport.send(Frame::Object(value.clone())).unwrap();
    let sent = member(&object, "sent");
    assert_eq!(member(&sent, "0"), "x");
    assert_eq!(member(&sent, "1").dyn_into::<Uint8Array>().unwrap().to_vec(), [1, 2]);
    assert_eq!(member(&sent, "2"), value);
}

#[wasm_bindgen_test]
fn what_send_throws_is_an_error_of_send() {
    for (thrown, reason) in [
        ("new Error('no signal')", "no signal"),
        ("'no signal'", "no signal"),
        ("Object.assign(new Error('x'), {message: 5})", ""),
        ("undefined", ""),
    ] {
        let object = eval(&format!("({{send() {{ throw {thrown}; }}, close() {{}}}})"));
        let error = JsTransport::new(object).unwrap().send(text("x")).unwrap_err();
        assert!(matches!(error, TransportError::Failed { .. }), "{error:?}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[wasm_bindgen_test]
async fn errors_the_object_reports_are_events() {
    let object = eval("({send() {}, close() {}})");
    let transport = JsTransport::new(object.clone()).unwrap();
    let mut received = events(&transport);
    call(&object, "onerror", &eval("new Error('static')"));
    let error = TransportError::Failed { transport: "js".into(), reason: "static".into() };
    assert_eq!(take(1, &mut received).await, [Event::Error(error)]);
}

#[wasm_bindgen_test]
async fn a_close_is_passed_on_with_its_reason() {
    let object = eval("({send() {}, close(...reason) { this.closed = reason; throw 'ignored'; }})");
    let transport = JsTransport::new(object.clone()).unwrap();
    transport.close(Some("bye"));
    assert_eq!(member(&member(&object, "closed"), "0"), "bye");
    assert_eq!(all(events(&transport)).await, [closed("bye")]);
}

#[wasm_bindgen_test]
async fn after_a_close_by_either_side_the_callbacks_do_nothing() {
    for close in ["transport", "object"] {
        let object = eval("({send() {}, close() {}})");
        let transport = JsTransport::new(object.clone()).unwrap();
        let received = events(&transport);
        let kept = member(&object, "onframe");
        match close {
            "transport" => transport.close(Some("bye")),
            _ => drop(call(&object, "onclose", &"bye".into())),
        }
        assert_ne!(member(&object, "onframe"), kept);
        call(&object, "onframe", &"late".into());
        call(&object, "onerror", &"late".into());
        call(&object, "onclose", &"again".into());
        assert_eq!(all(received).await, [closed("bye")]);
    }
}
