//! `timeouts`, alone and below `batching`.

mod support;

use support::{Note, alone, delivered, texts, transmitted};
use tabmux_middleware::{Batching, Packet, Stack, Timeouts};

#[test]
fn a_request_without_an_answer_is_answered_by_a_timeout_once() {
    let mut stack = alone(Timeouts::new(500));
    stack.send(Note::Request(1), 10);
    assert_eq!(transmitted(&mut stack), [Packet::new(vec![Note::Request(1)])]);
    assert_eq!(stack.deadline(), Some(510));

    stack.wake(509);
    assert_eq!(delivered(&mut stack), []);
    stack.wake(510);
    assert_eq!(delivered(&mut stack), [Note::TimedOut(1, 500)]);
    assert_eq!(stack.deadline(), None);
    stack.wake(10_000);
    assert_eq!(delivered(&mut stack), []);
}

#[test]
fn an_answer_stops_the_clock() {
    let mut stack = alone(Timeouts::new(500));
    stack.send(Note::Request(1), 0);
    stack.receive(Packet::new(vec![Note::Reply(1)]), 499);
    assert_eq!(stack.deadline(), None);
    stack.wake(500);
    assert_eq!(delivered(&mut stack), [Note::Reply(1)]);
}

#[test]
fn each_request_has_its_own_clock() {
    let mut stack = alone(Timeouts::new(500));
    for request in 1..=4 {
        stack.send(Note::Request(request), request * 100);
    }
    stack.receive(Packet::new(vec![Note::Reply(1), Note::Reply(3)]), 450);
    assert_eq!(stack.deadline(), Some(700));
    stack.wake(700);
    assert_eq!(stack.deadline(), Some(900));
    stack.wake(900);
    assert_eq!(delivered(&mut stack)[2..], [Note::TimedOut(2, 500), Note::TimedOut(4, 500)]);
}

#[test]
fn a_request_made_again_starts_its_clock_afresh() {
    let mut stack = alone(Timeouts::new(500));
    stack.send(Note::Request(1), 0);
    stack.send(Note::Request(1), 300);
    assert_eq!(stack.deadline(), Some(800));
    stack.wake(800);
    assert_eq!(delivered(&mut stack), [Note::TimedOut(1, 500)]);
}

#[test]
fn a_request_that_may_take_longer_runs_out_after_those_made_later() {
    let mut stack = alone(Timeouts::new(500));
    stack.send(Note::LongRequest(1), 0);
    stack.send(Note::Request(2), 100);
    assert_eq!(stack.deadline(), Some(600));
    stack.wake(600);
    assert_eq!(stack.deadline(), Some(800));
    stack.wake(800);
    assert_eq!(delivered(&mut stack), [Note::TimedOut(2, 500), Note::TimedOut(1, 800)]);
}

#[test]
fn a_late_answer_is_still_handed_up() {
    let mut stack = alone(Timeouts::new(500));
    stack.send(Note::Request(1), 0);
    stack.wake(500);
    stack.receive(Packet::new(vec![Note::Reply(1)]), 600);
    assert_eq!(delivered(&mut stack), [Note::TimedOut(1, 500), Note::Reply(1)]);
}

#[test]
fn messages_that_are_no_requests_have_no_clock() {
    let mut stack = alone(Timeouts::new(500));
    stack.send(Note::Text(1), 0);
    stack.receive(Packet::new(texts([2])), 0);
    assert_eq!(stack.deadline(), None);
}

#[test]
fn below_batching_every_request_of_a_batch_has_its_clock() {
    let mut stack: Stack<Note> =
        Stack::from_layers(vec![Box::new(Batching::new(1000)), Box::new(Timeouts::new(500))]);
    for request in 1..=2 {
        stack.send(Note::Request(request), 0);
    }
    stack.wake(0);
    stack.receive(Packet::new(vec![Note::Reply(1)]), 100);
    stack.wake(500);
    assert_eq!(delivered(&mut stack), [Note::Reply(1), Note::TimedOut(2, 500)]);
}
