use std::rc::Rc;

use futures::FutureExt;
use tabmux_transports::{
    BroadcastListener, BroadcastTransport, Event, Frame, Listener, Transport, TransportError,
    events,
};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::BroadcastChannel;

use crate::contract::contract;
use crate::support::{
    Pair, a_while, accepted, all, closed, eval, is_garbage, next_peer, take, text,
};

/// A tab and a hub that have greeted each other.
async fn pair(test: &str) -> Pair {
    let listener = BroadcastListener::listen(test, "hub").unwrap();
    let mut peers = accepted(&listener);
    let tab = BroadcastTransport::connect(test, "tab").unwrap();
    let hub = greet(&tab, &mut peers).await;
    Pair { tab: Rc::new(tab), hub, _keep: Box::new(listener) }
}

contract!(pair);

type Peers = futures::channel::mpsc::UnboundedReceiver<Rc<dyn Transport>>;

async fn greet(tab: &BroadcastTransport, peers: &mut Peers) -> Rc<dyn Transport> {
    tab.send(text("hello")).unwrap();
    let peer = next_peer(peers).await;
    assert_eq!(take(1, &mut events(&*peer)).await, [Event::Frame(text("hello"))]);
    peer.send(text("welcome")).unwrap();
    assert_eq!(take(1, &mut events(tab)).await, [Event::Frame(text("welcome"))]);
    peer
}

fn listen(test: &str, id: &str) -> (BroadcastListener, Peers) {
    let listener = BroadcastListener::listen(test, id).unwrap();
    let peers = accepted(&listener);
    (listener, peers)
}

fn connect(test: &str, id: &str) -> BroadcastTransport {
    BroadcastTransport::connect(test, id).unwrap()
}

#[wasm_bindgen_test]
async fn each_tab_gets_its_own_frames_only() {
    let name = "each_tab_gets_its_own_frames_only";
    let (_listener, mut peers) = listen(name, "hub");
    let (one, two) = (connect(name, "one"), connect(name, "two"));
    let (peer_one, peer_two) = (greet(&one, &mut peers).await, greet(&two, &mut peers).await);
    let (at_one, at_two) = (events(&one), events(&two));
    peer_one.send(text("for one")).unwrap();
    peer_two.send(text("for two")).unwrap();
    peer_one.close(Some("one"));
    peer_two.close(Some("two"));
    assert_eq!(all(at_one).await, [Event::Frame(text("for one")), closed("one")]);
    assert_eq!(all(at_two).await, [Event::Frame(text("for two")), closed("two")]);
}

#[wasm_bindgen_test]
async fn peers_that_came_before_accept_are_kept() {
    let name = "peers_that_came_before_accept_are_kept";
    let listener = BroadcastListener::listen(name, "hub").unwrap();
    let tab = connect(name, "tab");
    tab.send(text("one")).unwrap();
    tab.send(text("two")).unwrap();
    a_while().await;
    let peer = next_peer(&mut accepted(&listener)).await;
    let received = take(2, &mut events(&*peer)).await;
    assert_eq!(received, [Event::Frame(text("one")), Event::Frame(text("two"))]);
}

#[wasm_bindgen_test]
async fn what_was_sent_before_the_hub_listened_is_lost_and_the_rest_arrives() {
    let name = "what_was_sent_before_the_hub_listened_is_lost";
    let tab = connect(name, "tab");
    tab.send(text("lost")).unwrap();
    a_while().await;
    let (_listener, mut peers) = listen(name, "hub");
    let peer = greet(&tab, &mut peers).await;
    assert!(!peer.guarantees().reliable && peer.guarantees().addressed);
}

#[wasm_bindgen_test]
async fn a_closed_tab_can_come_back_under_its_id() {
    let name = "a_closed_tab_can_come_back_under_its_id";
    let (_listener, mut peers) = listen(name, "hub");
    let first = connect(name, "tab");
    let old_peer = greet(&first, &mut peers).await;
    let at_old_peer = events(&*old_peer);
    first.close(None);
    let second = connect(name, "tab");
    let new_peer = greet(&second, &mut peers).await;
    assert_eq!(all(at_old_peer).await, [Event::Closed(None)]);
    new_peer.close(Some("still here"));
    assert_eq!(all(events(&second)).await, [closed("still here")]);
}

#[wasm_bindgen_test]
async fn what_a_closed_peer_had_on_its_way_makes_no_new_peer() {
    let name = "what_a_closed_peer_had_on_its_way_makes_no_new_peer";
    let (_listener, mut peers) = listen(name, "hub");
    let tab = connect(name, "tab");
    let peer = greet(&tab, &mut peers).await;
    tab.send(text("on its way")).unwrap();
    peer.close(None);
    a_while().await;
    assert!(peers.try_recv().is_err());
}

#[wasm_bindgen_test]
async fn a_closed_hub_tells_every_tab() {
    let name = "a_closed_hub_tells_every_tab";
    let (listener, mut peers) = listen(name, "hub");
    let (one, two) = (connect(name, "one"), connect(name, "two"));
    let (peer_one, peer_two) = (greet(&one, &mut peers).await, greet(&two, &mut peers).await);
    let ends: [&dyn Transport; 4] = [&one, &two, &*peer_one, &*peer_two];
    let received = ends.map(events);
    listener.close();
    for received in received {
        assert_eq!(all(received).await, [Event::Closed(None)]);
    }
}

#[wasm_bindgen_test]
async fn a_tab_stays_with_the_first_hub_that_answers() {
    let name = "a_tab_stays_with_the_first_hub_that_answers";
    let (_first, mut first_peers) = listen(name, "first");
    let (second, mut second_peers) = listen(name, "second");
    let tab = connect(name, "tab");
    let peer = greet(&tab, &mut first_peers).await;
    let at_tab = events(&tab);

    let other_peer = next_peer(&mut second_peers).await;
    other_peer.send(text("from another hub")).unwrap();
    second.close();
    a_while().await;
    peer.close(Some("from our hub"));
    assert_eq!(all(at_tab).await, [closed("from our hub")]);
}

#[wasm_bindgen_test]
async fn once_answered_a_tab_is_no_longer_heard_by_other_hubs() {
    let name = "once_answered_a_tab_is_no_longer_heard_by_other_hubs";
    let (_first, mut first_peers) = listen(name, "first");
    let tab = connect(name, "tab");
    let peer = greet(&tab, &mut first_peers).await;
    let (_second, mut second_peers) = listen(name, "second");
    tab.send(text("for the first hub")).unwrap();
    let received = take(1, &mut events(&*peer)).await;
    assert_eq!(received, [Event::Frame(text("for the first hub"))]);
    a_while().await;
    assert!(second_peers.try_recv().is_err());
}

#[wasm_bindgen_test]
async fn what_is_for_nobody_is_ignored_and_what_is_addressed_but_unreadable_is_reported() {
    let name = "what_is_for_nobody_is_ignored";
    let raw = BroadcastChannel::new(name).unwrap();
    let (_listener, mut peers) = listen(name, "hub");
    let tab = connect(name, "tab");
    let peer = greet(&tab, &mut peers).await;
    let (mut at_tab, mut at_hub) = (events(&tab), events(&*peer));
    for value in [
        "5",
        "null",
        "[]",
        "['text', 'x']",
        "['text', 'x', 'hub', 'nobody']",
        "['text', 'x', 'stranger', 'hub']",
        "['text', 5, 'stranger', undefined]",
        "['text', 'x', 5, 'hub']",
        "['text', 'x', 'hub', 5]",
        "['text', 'x', {}, []]",
        "['text', 5, 'tab', 'hub']",
        "['bytes', 'x', 'hub', 'tab']",
    ] {
        raw.post_message(&eval(value)).unwrap();
    }
    raw.post_message(&eval("['text', 'fine', 'tab', 'hub']")).unwrap();
    raw.post_message(&eval("['text', 'fine', 'hub', 'tab']")).unwrap();
    for received in [take(2, &mut at_tab).await, take(2, &mut at_hub).await] {
        assert!(is_garbage(&received[0]), "{received:?}");
        assert_eq!(received[1], Event::Frame(text("fine")));
    }
    assert!(peers.try_recv().is_err());
    raw.close();
}

#[wasm_bindgen_test]
async fn a_frame_that_cannot_be_cloned_is_an_error_of_send() {
    let name = "a_frame_that_cannot_be_cloned_is_an_error_of_send (broadcast)";
    let (_listener, mut peers) = listen(name, "hub");
    let tab = connect(name, "tab");
    let peer = greet(&tab, &mut peers).await;
    let ends: [&dyn Transport; 2] = [&tab, &*peer];
    for end in ends {
        let error = end.send(Frame::Object(eval("() => 1"))).unwrap_err();
        let TransportError::Failed { transport, reason } = error else { panic!("{error}") };
        assert_eq!(transport, "broadcast-channel");
        assert!(reason.contains("clone"), "{reason}");
    }
    let mut at_hub = events(&*peer);
    assert_eq!(take(1, &mut at_hub).now_or_never(), None);
    tab.send(text("fine")).unwrap();
    assert_eq!(take(1, &mut at_hub).await, [Event::Frame(text("fine"))]);
}
