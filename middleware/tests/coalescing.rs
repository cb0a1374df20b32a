//! `coalescing`, alone and at both ends.

mod support;

use support::{Note, alone, delivered, faults, texts, transmitted};
use tabmux_middleware::{Coalescing, Fault, Packet, Stack};

fn taken(count: u64) -> Packet<Note> {
    Packet { taken: Some(count), ..Packet::new(vec![]) }
}

fn state(topic: u8, value: u64) -> Note {
    Note::State { topic, value }
}

/// A stack whose window of one is used up, with these messages queued behind that.
fn blocked(queued: impl IntoIterator<Item = Note>) -> Stack<Note> {
    let mut stack = alone(Coalescing::new(1));
    stack.send(Note::Text(0), 0);
    transmitted(&mut stack);
    for message in queued {
        stack.send(message, 0);
    }
    assert_eq!(transmitted(&mut stack), []);
    stack
}

/// What a receiver with all the time in the world gets of the queue.
fn unblocked(mut stack: Stack<Note>) -> Vec<Note> {
    let mut got = Vec::new();
    loop {
        stack.receive(taken(1 + got.len() as u64), 0);
        let packets = transmitted(&mut stack);
        if packets.is_empty() {
            return got;
        }
        got.extend(packets.into_iter().flat_map(|packet| packet.messages));
    }
}

#[test]
fn what_fits_in_the_window_goes_as_it_is() {
    let mut stack = alone(Coalescing::new(3));
    for value in 1..=3 {
        stack.send(state(1, value), 0);
    }
    let packets: Vec<_> = (1..=3).map(|value| Packet::new(vec![state(1, value)])).collect();
    assert_eq!(transmitted(&mut stack), packets);
}

#[test]
fn what_does_not_fit_waits_until_the_other_end_has_taken() {
    let mut stack = alone(Coalescing::new(3));
    for message in texts(1..=7) {
        stack.send(message, 0);
    }
    assert_eq!(transmitted(&mut stack).len(), 3);

    stack.receive(taken(2), 0);
    assert_eq!(transmitted(&mut stack), [Packet::new(texts(4..=5))]);
    stack.receive(taken(5), 0);
    assert_eq!(transmitted(&mut stack), [Packet::new(texts(6..=7))]);
}

#[test]
fn a_packet_larger_than_the_window_is_split() {
    // The layer above hands over several messages at once.
    let above = tabmux_middleware::Batching::new(1000);
    let mut stack: Stack<Note> =
        Stack::from_layers(vec![Box::new(above), Box::new(Coalescing::new(2))]);
    for message in texts(1..=3) {
        stack.send(message, 0);
    }
    stack.wake(0);
    assert_eq!(transmitted(&mut stack), [Packet::new(texts(1..=2))]);
    stack.receive(taken(2), 0);
    assert_eq!(transmitted(&mut stack), [Packet::new(texts([3]))]);
}

#[test]
fn waiting_messages_merge() {
    let stack = blocked([state(1, 10), state(1, 11), state(1, 12)]);
    assert_eq!(unblocked(stack), [state(1, 12)]);
}

#[test]
fn a_message_merges_past_those_it_may_overtake() {
    let stack = blocked([state(1, 10), state(2, 20), state(1, 11), state(2, 21)]);
    assert_eq!(unblocked(stack), [state(1, 11), state(2, 21)]);
}

#[test]
fn a_message_never_merges_past_one_it_may_not_overtake() {
    let messages = [state(1, 10), Note::Text(1), state(1, 11)];
    assert_eq!(unblocked(blocked(messages.clone())), messages);
}

#[test]
fn the_queue_for_a_frozen_tab_stays_small() {
    let frozen = blocked((0..100_000).map(|value| state((value % 3) as u8, value)));
    assert_eq!(unblocked(frozen), [state(0, 99_999), state(1, 99_997), state(2, 99_998)]);
}

#[test]
fn the_receiver_tells_what_it_has_taken_after_a_quarter_of_the_window() {
    let mut stack = alone(Coalescing::new(8));
    stack.receive(Packet::new(texts([1])), 10);
    assert_eq!(stack.deadline(), None);

    stack.receive(Packet::new(texts([2])), 20);
    assert_eq!(stack.deadline(), Some(20));
    stack.wake(20);
    assert_eq!(transmitted(&mut stack), [taken(2)]);
    assert_eq!(stack.deadline(), None);
    assert_eq!(delivered(&mut stack), texts(1..=2));
}

#[test]
fn the_count_rides_on_a_packet_that_goes_out_anyway() {
    let mut stack = alone(Coalescing::new(8));
    stack.receive(Packet::new(texts(1..=2)), 10);
    stack.send(Note::Text(7), 10);
    stack.send(Note::Text(8), 10);
    assert_eq!(
        transmitted(&mut stack),
        [Packet { taken: Some(2), ..Packet::new(texts([7])) }, Packet::new(texts([8]))]
    );
    assert_eq!(stack.deadline(), None);
}

#[test]
fn a_count_of_messages_never_sent_is_ignored_and_reported() {
    let mut stack = blocked(texts([1]));
    stack.receive(Packet { taken: Some(2), ..Packet::new(texts([9])) }, 0);
    assert_eq!(faults(&mut stack), [Fault::TakenAhead { taken: 2, sent: 1 }]);
    assert_eq!(transmitted(&mut stack), []);
    assert_eq!(delivered(&mut stack), texts([9]));
}

#[test]
fn a_count_that_is_out_of_date_changes_nothing() {
    let mut stack = alone(Coalescing::new(2));
    for message in texts(1..=5) {
        stack.send(message, 0);
    }
    stack.receive(taken(2), 0);
    stack.receive(taken(1), 0);
    let sent: Vec<_> = transmitted(&mut stack).into_iter().flat_map(|p| p.messages).collect();
    assert_eq!(sent, texts(1..=4));
}

#[test]
fn two_busy_ends_never_stall_and_lose_nothing() {
    for window in [1, 2, 3, 5, 256] {
        let mut ends = [alone(Coalescing::new(window)), alone(Coalescing::new(window))];
        let mut got = [vec![], vec![]];
        for message in texts(0..1000) {
            ends.iter_mut().for_each(|end| end.send(message.clone(), 0));
        }
        loop {
            let mut moved = false;
            for from in [0, 1] {
                ends[from].wake(0);
                for packet in transmitted(&mut ends[from]) {
                    moved = true;
                    ends[1 - from].receive(packet, 0);
                }
                got[1 - from].extend(delivered(&mut ends[1 - from]));
            }
            if !moved {
                break;
            }
        }
        assert_eq!(got, [texts(0..1000), texts(0..1000)], "window {window}");
        assert!(ends.iter().all(|end| end.deadline().is_none()), "window {window}");
    }
}
