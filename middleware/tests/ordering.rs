//! `ordering`, alone.

mod support;

use support::{Note, alone, delivered, faults, numbered, texts, transmitted};
use tabmux_middleware::{Fault, Layer, Ordering, Output, Packet, Stack};

fn receive(stack: &mut Stack<Note>, numbers: impl IntoIterator<Item = u64>) -> Vec<Note> {
    for seq in numbers {
        stack.receive(numbered(seq), 0);
    }
    delivered(stack)
}

#[test]
fn outbound_packets_are_numbered_from_1() {
    let mut stack = alone(Ordering::new(10));
    for message in texts(1..=3) {
        stack.send(message, 0);
    }
    assert_eq!(transmitted(&mut stack), (1..=3).map(numbered).collect::<Vec<_>>());
}

#[test]
fn a_packet_that_only_says_what_was_taken_is_numbered_and_an_empty_one_is_not() {
    let mut layer = Ordering::<Note>::new(10);
    let mut out = Output::<Note>::default();
    let count = Packet { taken: Some(4), ..Packet::new(vec![]) };
    layer.outbound(count.clone(), 0, &mut out);
    layer.outbound(Packet::new(vec![]), 0, &mut out);
    assert_eq!(out.down, [Packet { seq: Some(1), ..count }, Packet::new(vec![])]);
}

#[test]
fn packets_are_delivered_in_order_whatever_order_they_arrive_in() {
    let mut stack = alone(Ordering::new(10));
    assert_eq!(receive(&mut stack, [3, 2, 5]), []);
    assert_eq!(receive(&mut stack, [1]), texts(1..=3));
    assert_eq!(receive(&mut stack, [4]), texts(4..=5));
}

#[test]
fn packets_that_arrive_again_are_dropped() {
    let mut stack = alone(Ordering::new(10));
    assert_eq!(receive(&mut stack, [1, 1, 3, 3, 2, 2, 3, 0]), texts(1..=3));
    assert_eq!(faults(&mut stack), []);
}

#[test]
fn a_packet_beyond_the_bound_is_dropped_until_it_comes_again() {
    let mut stack = alone(Ordering::new(2));
    assert_eq!(receive(&mut stack, [4, 3, 2, u64::MAX]), []);
    assert_eq!(
        faults(&mut stack),
        [4, u64::MAX]
            .map(|seq| { Fault::TooEarly { layer: "ordering", seq, expected: 1, max_held: 2 } })
    );
    assert_eq!(receive(&mut stack, [1, 4]), texts(1..=4));
}

#[test]
fn messages_without_a_number_are_dropped_and_reported() {
    let mut stack = alone(Ordering::new(10));
    stack.receive(Packet::new(texts([1, 2])), 0);
    assert_eq!(delivered(&mut stack), []);
    assert_eq!(faults(&mut stack), [Fault::Unnumbered { messages: 2 }]);
}

#[test]
fn a_packet_with_neither_number_nor_messages_passes() {
    let mut layer = Ordering::<Note>::new(10);
    let mut out = Output::<Note>::default();
    layer.inbound(Packet::new(vec![]), 0, &mut out);
    assert_eq!(out.up, [Packet::new(vec![])]);
}
