use std::rc::Rc;

use futures::FutureExt;
use tabmux_transports::{Event, Frame, Transport, direct_pair, events};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::contract::contract;
use crate::support::{Pair, a_microtask, eval, take, text};

async fn pair(_test: &str) -> Pair {
    let (tab, hub) = direct_pair();
    Pair { tab: Rc::new(tab), hub: Rc::new(hub), _keep: Box::new(()) }
}

contract!(pair);
contract!(pair: what_arrived_before_anyone_listened_is_kept);

#[wasm_bindgen_test]
async fn an_object_is_not_copied() {
    let (tab, hub) = direct_pair();
    let mut received = events(&hub);
    let object = eval("({f() {}})");
    tab.send(Frame::Object(object.clone())).unwrap();
    assert_eq!(take(1, &mut received).await, [Event::Frame(Frame::Object(object))]);
}

#[wasm_bindgen_test]
async fn the_frames_of_one_turn_arrive_in_one_microtask() {
    let (tab, hub) = direct_pair();
    let mut received = events(&hub);
    tab.send(text("one")).unwrap();
    tab.send(text("two")).unwrap();
    a_microtask().await;
    let expected = vec![Event::Frame(text("one")), Event::Frame(text("two"))];
    assert_eq!(take(2, &mut received).now_or_never(), Some(expected));
}
