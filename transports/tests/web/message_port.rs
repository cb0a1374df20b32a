use std::rc::Rc;

use js_sys::Function;
use tabmux_transports::{
    Event, Frame, Listener, MessagePortTransport, PortListener, Transport, TransportError, events,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{MessageChannel, MessagePort};

use crate::contract::contract;
use crate::support::{
    Pair, a_while, accepted, all, closed, eval, is_garbage, member, next_peer, take, text,
};

async fn pair(_test: &str) -> Pair {
    let (tab, hub) = transports();
    Pair { tab: Rc::new(tab), hub: Rc::new(hub), _keep: Box::new(()) }
}

contract!(pair);
contract!(pair: what_arrived_before_anyone_listened_is_kept);

fn ports() -> (MessagePort, MessagePort) {
    let channel = MessageChannel::new().unwrap();
    (channel.port1(), channel.port2())
}

fn transports() -> (MessagePortTransport, MessagePortTransport) {
    let (one, other) = ports();
    (MessagePortTransport::new(one), MessagePortTransport::new(other))
}

#[wasm_bindgen_test]
async fn what_is_not_a_frame_is_reported_and_dropped() {
    let (raw, port) = ports();
    let transport = MessagePortTransport::new(port);
    let mut received = events(&transport);
    let garbage = [
        "5",
        "null",
        "'text'",
        "[]",
        "['text']",
        "['text', 5]",
        "['bytes', 'x']",
        "['close', {}]",
        "['other', 1]",
        "[0, 1]",
        "['text', 'x', 'y']",
        "({0: 'text', 1: 'x', length: 2})",
    ];
    for value in garbage {
        raw.post_message(&eval(value)).unwrap();
    }
    raw.post_message(&eval("['text', 'fine']")).unwrap();
    let received = take(garbage.len() + 1, &mut received).await;
    let (last, errors) = received.split_last().unwrap();
    assert!(errors.iter().all(is_garbage), "{errors:?}");
    assert_eq!(*last, Event::Frame(text("fine")));
}

#[wasm_bindgen_test]
async fn a_frame_that_cannot_be_cloned_is_an_error_of_send() {
    let (tab, hub) = transports();
    let mut received = events(&hub);
    let error = tab.send(Frame::Object(eval("() => 1"))).unwrap_err();
    let TransportError::Failed { transport, reason } = error else { panic!("{error}") };
    assert_eq!(transport, "message-port");
    assert!(reason.contains("clone"), "{reason}");
    tab.send(text("fine")).unwrap();
    assert_eq!(take(1, &mut received).await, [Event::Frame(text("fine"))]);
}

/// Only some platforms fire it, so this fires it everywhere.
#[wasm_bindgen_test]
async fn the_close_event_of_the_port_closes_the_transport() {
    let (_raw, port) = ports();
    let transport = MessagePortTransport::new(port.clone());
    let received = events(&transport);
    port.dispatch_event(&web_sys::Event::new("close").unwrap()).unwrap();
    assert_eq!(all(received).await, [Event::Closed(None)]);
}

#[wasm_bindgen_test]
async fn a_message_that_could_not_be_read_is_reported() {
    let (_raw, port) = ports();
    let transport = MessagePortTransport::new(port.clone());
    let mut received = events(&transport);
    port.dispatch_event(&web_sys::Event::new("messageerror").unwrap()).unwrap();
    let received = take(1, &mut received).await;
    assert!(matches!(received[..], [Event::Error(TransportError::Failed { .. })]), "{received:?}");
}

/// What is done to a port from now on.
fn watch(port: &MessagePort) -> JsValue {
    let watch: Function = eval(
        "(port) => {
            const log = {listeners: 0, closed: false};
            const {addEventListener, removeEventListener, close} = port;
            port.addEventListener = (...args) => {
                log.listeners += 1;
                addEventListener.apply(port, args);
            };
            port.removeEventListener = (...args) => {
                log.listeners -= 1;
                removeEventListener.apply(port, args);
            };
            port.close = () => {
                log.closed = true;
                close.call(port);
            };
            return log;
        }",
    )
    .unchecked_into();
    watch.call1(&JsValue::UNDEFINED, port).unwrap()
}

#[wasm_bindgen_test]
async fn a_close_by_either_side_releases_both_ports() {
    let (one, other) = ports();
    let logs = [watch(&one), watch(&other)];
    let transports = [one, other].map(MessagePortTransport::new);
    assert!(logs.iter().all(|log| member(log, "listeners").as_f64() > Some(0.0)));
    let received = events(&transports[1]);
    transports[0].close(Some("bye"));
    assert_eq!(all(received).await, [closed("bye")]);
    for log in logs {
        assert_eq!(member(&log, "listeners"), 0);
        assert_eq!(member(&log, "closed"), true);
    }
}

#[wasm_bindgen_test]
async fn bytes_are_posted_as_an_array_buffer() {
    let (raw, port) = ports();
    let transport = MessagePortTransport::new(port);
    let arrived = js_sys::Promise::new(&mut |resolve, _| raw.set_onmessage(Some(&resolve)));
    transport.send(Frame::Bytes(vec![1, 2])).unwrap();
    let event = wasm_bindgen_futures::JsFuture::from(arrived).await.unwrap();
    let payload = member(&member(&event, "data"), "1");
    assert_eq!(member(&payload, "byteLength"), 2);
    assert!(payload.is_instance_of::<js_sys::ArrayBuffer>());
    raw.close();
}

#[wasm_bindgen_test]
async fn a_listener_makes_a_peer_of_every_port_even_before_accept() {
    let (early, early_port) = ports();
    let (late, late_port) = ports();
    let (early, late) = (MessagePortTransport::new(early), MessagePortTransport::new(late));
    let listener = PortListener::new();
    early.send(text("early")).unwrap();
    late.send(text("late")).unwrap();
    listener.add(early_port);
    a_while().await;
    let mut peers = accepted(&listener);
    listener.add(late_port);
    for expected in ["early", "late"] {
        let peer = next_peer(&mut peers).await;
        assert_eq!(take(1, &mut events(&*peer)).await, [Event::Frame(text(expected))]);
    }
}

#[wasm_bindgen_test]
async fn closing_a_listener_closes_every_peer() {
    let (accepted_tab, accepted_port) = ports();
    let (waiting_tab, waiting_port) = ports();
    let (late_tab, late_port) = ports();
    let tabs = [accepted_tab, waiting_tab, late_tab].map(MessagePortTransport::new);
    let received = tabs.each_ref().map(|tab| events(tab));

    let listener = PortListener::new();
    let mut peers = accepted(&listener);
    listener.add(accepted_port);
    let peer = next_peer(&mut peers).await;
    listener.add(waiting_port);
    listener.close();
    listener.add(late_port);

    for received in received {
        assert_eq!(all(received).await, [Event::Closed(None)]);
    }
    assert_eq!(all(events(&*peer)).await, [Event::Closed(None)]);
}
