//! `retries`, alone and below `ordering`.

mod support;

use support::{Note, alone, delivered, faults, numbered, texts, transmitted};
use tabmux_middleware::{
    Fault, Layer, Millis, Ordering, Output, Packet, Retries, RetriesOptions, Stack,
};

const OPTIONS: RetriesOptions =
    RetriesOptions { initial: 200, max: 5000, ack_delay: 20, max_held: 100, seed: 1 };

/// `ordering` above `retries`, as there is no number to resend by otherwise.
fn sender(options: RetriesOptions) -> Stack<Note> {
    let ordering = Ordering::new(options.max_held);
    Stack::from_layers(vec![Box::new(ordering), Box::new(Retries::new(options))])
}

fn ack(number: u64) -> Packet<Note> {
    Packet { ack: Some(number), ..Packet::new(vec![]) }
}

/// Wakes the stack at its deadline; returns that time and the numbers of what it sends then.
fn next_resend(stack: &mut Stack<Note>) -> (Millis, Vec<u64>) {
    let at = stack.deadline().expect("something is to be resent");
    stack.wake(at);
    (at, transmitted(stack).into_iter().filter_map(|packet| packet.seq).collect())
}

#[test]
fn a_packet_is_resent_after_the_initial_wait_and_not_before() {
    let mut stack = sender(OPTIONS);
    stack.send(Note::Text(1), 1000);
    assert_eq!(transmitted(&mut stack), [numbered(1)]);
    stack.wake(1199);
    assert_eq!(transmitted(&mut stack), []);

    let (at, resent) = next_resend(&mut stack);
    assert!((1200..=1250).contains(&at), "resent at {at}");
    assert_eq!(resent, [1]);
}

#[test]
fn what_is_acknowledged_is_never_resent() {
    let mut stack = sender(OPTIONS);
    for message in texts(1..=3) {
        stack.send(message, 0);
    }
    transmitted(&mut stack);
    stack.receive(ack(2), 10);
    assert_eq!(next_resend(&mut stack).1, [3]);
    stack.receive(ack(3), 500);
    assert_eq!(stack.deadline(), None);
    stack.wake(100_000);
    assert_eq!(transmitted(&mut stack), []);
}

#[test]
fn the_wait_doubles_up_to_the_maximum_with_a_quarter_of_jitter() {
    let mut stack = sender(OPTIONS);
    stack.send(Note::Text(1), 0);
    let mut last = 0;
    for wait in [200, 400, 800, 1600, 3200, 5000, 5000, 5000] {
        let (at, _) = next_resend(&mut stack);
        assert!((wait..=wait + wait / 4).contains(&(at - last)), "{} for {wait}", at - last);
        last = at;
    }
}

#[test]
fn it_never_gives_up() {
    let mut stack = sender(OPTIONS);
    stack.send(Note::Text(1), 0);
    transmitted(&mut stack);
    for _ in 0..10_000 {
        assert_eq!(next_resend(&mut stack).1, [1]);
    }
}

#[test]
fn jitter_comes_from_the_seed() {
    let times = |seed| {
        let mut stack = sender(RetriesOptions { seed, ..OPTIONS });
        stack.send(Note::Text(1), 0);
        [(); 10].map(|()| next_resend(&mut stack).0)
    };
    assert_eq!(times(1), times(1));
    assert_ne!(times(1), times(2));
}

#[test]
fn only_the_oldest_few_are_resent_and_fewer_while_it_does_not_help() {
    let mut stack = sender(OPTIONS);
    for message in texts(1..=50) {
        stack.send(message, 0);
    }
    transmitted(&mut stack);
    for count in [16, 8, 4, 2, 1, 1] {
        assert_eq!(next_resend(&mut stack).1, (1..=count).collect::<Vec<_>>());
    }

    stack.receive(ack(1), 20_000);
    let (at, resent) = next_resend(&mut stack);
    assert!((20_200..=20_250).contains(&at), "the wait starts afresh, not at {at}");
    assert_eq!(resent, (2..=17).collect::<Vec<_>>());
}

#[test]
fn a_packet_sent_just_now_is_not_resent_with_the_older_ones() {
    let mut stack = sender(OPTIONS);
    stack.send(Note::Text(1), 0);
    stack.send(Note::Text(2), 150);
    transmitted(&mut stack);
    assert_eq!(next_resend(&mut stack).1, [1]);
}

#[test]
fn no_more_is_sent_than_the_other_end_can_hold() {
    let mut stack = sender(RetriesOptions { max_held: 3, ..OPTIONS });
    for message in texts(1..=9) {
        stack.send(message, 0);
    }
    assert_eq!(transmitted(&mut stack), (1..=4).map(numbered).collect::<Vec<_>>());
    stack.receive(ack(2), 10);
    assert_eq!(transmitted(&mut stack), (5..=6).map(numbered).collect::<Vec<_>>());
}

#[test]
fn an_acknowledgement_goes_alone_when_nothing_else_goes_soon() {
    let mut stack = alone(Retries::new(OPTIONS));
    stack.receive(numbered(1), 100);
    stack.receive(numbered(2), 110);
    assert_eq!(stack.deadline(), Some(120));
    stack.wake(120);
    assert_eq!(transmitted(&mut stack), [ack(2)]);
    assert_eq!(stack.deadline(), None);
}

#[test]
fn an_acknowledgement_rides_on_what_goes_out() {
    let mut stack = sender(OPTIONS);
    stack.receive(numbered(1), 100);
    stack.send(Note::Text(1), 105);
    assert_eq!(transmitted(&mut stack), [Packet { ack: Some(1), ..numbered(1) }]);
    stack.receive(ack(1), 110);
    assert_eq!(stack.deadline(), None);
}

#[test]
fn a_resent_packet_carries_the_newest_acknowledgement() {
    let mut stack = sender(OPTIONS);
    stack.send(Note::Text(1), 0);
    stack.receive(numbered(1), 190);
    transmitted(&mut stack);
    stack.wake(250);
    assert_eq!(transmitted(&mut stack), [Packet { ack: Some(1), ..numbered(1) }]);
}

#[test]
fn only_what_has_arrived_without_a_gap_is_acknowledged() {
    let mut stack = alone(Retries::new(OPTIONS));
    for (seq, acknowledged) in [(1, 1), (3, 1), (4, 1), (2, 4)] {
        stack.receive(numbered(seq), 0);
        stack.wake(20);
        assert_eq!(transmitted(&mut stack), [ack(acknowledged)], "after packet {seq}");
    }
}

#[test]
fn nothing_is_acknowledged_before_the_first_packet_arrives() {
    let mut stack = alone(Retries::new(OPTIONS));
    stack.receive(numbered(2), 0);
    assert_eq!(stack.deadline(), None);
}

#[test]
fn a_packet_that_comes_again_is_acknowledged_again_at_once() {
    let mut stack = alone(Retries::new(OPTIONS));
    stack.receive(numbered(1), 100);
    stack.wake(120);
    transmitted(&mut stack);
    stack.receive(numbered(1), 300);
    assert_eq!(stack.deadline(), Some(300));
    stack.wake(300);
    assert_eq!(transmitted(&mut stack), [ack(1)]);
}

#[test]
fn an_acknowledgement_that_brings_nothing_new_does_not_put_off_the_resend() {
    let mut stack = sender(OPTIONS);
    for message in texts(1..=2) {
        stack.send(message, 0);
    }
    transmitted(&mut stack);
    stack.receive(ack(1), 10);
    let due = stack.deadline();
    stack.receive(ack(1), 150);
    assert_eq!(stack.deadline(), due);
}

#[test]
fn an_acknowledgement_is_not_acknowledged() {
    let mut stack = sender(OPTIONS);
    stack.send(Note::Text(1), 0);
    stack.receive(ack(1), 10);
    assert_eq!(stack.deadline(), None);
    assert_eq!(delivered(&mut stack), []);
}

#[test]
fn an_acknowledgement_of_what_was_never_sent_is_ignored_and_reported() {
    let mut stack = sender(OPTIONS);
    stack.send(Note::Text(1), 0);
    transmitted(&mut stack);
    stack.receive(Packet { ack: Some(2), ..numbered(1) }, 10);
    assert_eq!(faults(&mut stack), [Fault::AckAhead { ack: 2, sent: 1 }]);
    assert_eq!(delivered(&mut stack), texts([1]));
    assert!(next_resend(&mut stack).0 >= 30, "packet 1 is still to be acknowledged");
}

#[test]
fn a_packet_that_ordering_would_drop_is_neither_passed_on_nor_acknowledged() {
    let mut layer = Retries::new(RetriesOptions { max_held: 2, ..OPTIONS });
    let mut out = Output::<Note>::default();
    layer.inbound(numbered(4), 0, &mut out);
    assert_eq!(out.up, []);
    assert_eq!(
        out.faults,
        [Fault::TooEarly { layer: "retries", seq: 4, expected: 1, max_held: 2 }]
    );
    for seq in 1..=3 {
        layer.inbound(numbered(seq), 0, &mut out);
    }
    layer.wake(20, &mut out);
    assert_eq!(out.down, [ack(3)]);
}
