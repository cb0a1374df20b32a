//! A transport read as a stream.
#![cfg(not(target_arch = "wasm32"))]

use futures::{FutureExt, StreamExt, executor::block_on};
use tabmux_transports::{Event, Faults, Frame, Transport, events, memory_pair};

fn text(text: &str) -> Frame {
    Frame::Text(text.to_owned())
}

#[test]
fn the_stream_has_every_event_and_ends_after_the_close() {
    let (tab, hub, clock) = memory_pair(1, Faults::default());
    tab.send(text("before")).unwrap();
    clock.deliver_all();
    let stream = events(&hub);
    tab.send(text("after")).unwrap();
    tab.close(Some("bye"));
    clock.deliver_all();
    assert_eq!(
        block_on(stream.collect::<Vec<_>>()),
        [
            Event::Frame(text("before")),
            Event::Frame(text("after")),
            Event::Closed(Some("bye".to_owned())),
        ]
    );
}

#[test]
fn the_stream_waits_while_nothing_arrives() {
    let (_tab, hub, clock) = memory_pair(1, Faults::default());
    let mut stream = events(&hub);
    clock.deliver_all();
    assert_eq!(stream.next().now_or_never(), None);
}

#[test]
fn dropping_the_stream_leaves_the_transport_open() {
    let (tab, hub, clock) = memory_pair(1, Faults::default());
    drop(events(&hub));
    tab.send(text("unheard")).unwrap();
    clock.deliver_all();
    assert_eq!(hub.send(text("still here")), Ok(()));
}
