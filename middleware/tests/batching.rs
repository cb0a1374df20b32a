//! `batching`, alone.

mod support;

use support::{Note, alone, delivered, numbered, texts, transmitted};
use tabmux_middleware::{Batching, Layer, Output, Packet, Stack};

#[test]
fn the_messages_of_one_turn_go_as_one_packet_at_the_next_microtask() {
    let mut stack = alone(Batching::new(1000));
    for message in texts(1..=3) {
        stack.send(message, 10);
    }
    assert_eq!(transmitted(&mut stack), []);
    assert_eq!(stack.deadline(), Some(10));

    stack.wake(10);
    assert_eq!(transmitted(&mut stack), [Packet::new(texts(1..=3))]);
    assert_eq!(stack.deadline(), None);
}

#[test]
fn each_turn_has_a_batch_of_its_own() {
    let mut stack = alone(Batching::new(1000));
    for now in [10, 20] {
        stack.send(Note::Text(now), now);
        stack.wake(now);
    }
    assert_eq!(transmitted(&mut stack), [Packet::new(texts([10])), Packet::new(texts([20]))]);
}

#[test]
fn a_wake_before_the_deadline_does_nothing() {
    let mut layer = Batching::new(1000);
    let mut out = Output::<Note>::default();
    layer.outbound(Packet::new(texts([1])), 10, &mut out);
    layer.wake(9, &mut out);
    assert_eq!(out.down, []);
}

#[test]
fn a_full_batch_goes_at_once() {
    let mut stack = alone(Batching::new(2));
    for message in texts(1..=3) {
        stack.send(message, 10);
    }
    assert_eq!(transmitted(&mut stack), [Packet::new(texts(1..=2))]);
    assert_eq!(stack.deadline(), Some(10));
}

#[test]
fn a_packet_that_is_numbered_or_acknowledges_goes_alone_after_the_batch() {
    let acknowledging = Packet { ack: Some(7), ..Packet::new(vec![]) };
    for special in [numbered(1), acknowledging] {
        let mut layer = Batching::new(1000);
        let mut out = Output::<Note>::default();
        layer.outbound(Packet::new(texts([8])), 10, &mut out);
        layer.outbound(special.clone(), 10, &mut out);
        assert_eq!(out.down, [Packet::new(texts([8])), special]);
        assert_eq!(Layer::<Note>::deadline(&layer), None);
    }
}

#[test]
fn a_batch_keeps_the_latest_count_of_messages_taken() {
    let mut layer = Batching::new(1000);
    let mut out = Output::<Note>::default();
    for taken in [Some(3), Some(5), None] {
        layer.outbound(Packet { taken, ..Packet::new(texts([1])) }, 10, &mut out);
    }
    layer.wake(10, &mut out);
    assert_eq!(out.down, [Packet { taken: Some(5), ..Packet::new(texts([1, 1, 1])) }]);
}

#[test]
fn inbound_batches_are_delivered_message_by_message() {
    let mut stack: Stack<Note> = alone(Batching::new(1000));
    stack.receive(Packet::new(texts(1..=3)), 10);
    assert_eq!(delivered(&mut stack), texts(1..=3));
}
