//! `tracing`, alone and below `retries`.

mod support;

use std::cell::RefCell;
use std::rc::Rc;

use support::{Note, alone, texts, transmitted, transport};
use tabmux_middleware::{
    ConfigError, Direction, Environment, LayerConfig, Millis, Packet, Stack, Tracer, Tracing,
};

type Log = Rc<RefCell<Vec<(Direction, Millis, usize, Note)>>>;

/// A tracer that counts 100 bytes a message, and its log.
fn tracer() -> (Tracer<Note>, Log) {
    let log = Log::default();
    let record = {
        let log = log.clone();
        Box::new(move |event: tabmux_middleware::TraceEvent<'_, Note>| {
            let message = event.message.clone();
            log.borrow_mut().push((event.direction, event.at, event.size, message));
        })
    };
    (Tracer { measure: Box::new(|_| 100), record }, log)
}

#[test]
fn every_message_is_shown_with_its_direction_time_and_size() {
    let (tracer, log) = tracer();
    let mut stack = alone(Tracing::new(tracer));
    stack.send(Note::Text(1), 10);
    stack.receive(Packet::new(texts([2, 3])), 20);
    assert_eq!(
        *log.borrow(),
        [
            (Direction::Outbound, 10, 100, Note::Text(1)),
            (Direction::Inbound, 20, 100, Note::Text(2)),
            (Direction::Inbound, 20, 100, Note::Text(3)),
        ]
    );
}

#[test]
fn below_retries_it_shows_what_is_resent() {
    let (tracer, log) = tracer();
    let mut layers = tabmux_middleware::defaults(&transport(false, false));
    layers.push(LayerConfig::Tracing);
    let environment = Environment { seed: 1, tracer: Some(tracer) };
    let mut stack = Stack::build(&layers, &transport(false, false), environment).unwrap();
    stack.send(Note::Text(1), 0);
    stack.wake(0);
    stack.wake(stack.deadline().expect("the packet is to be resent"));
    assert_eq!(transmitted(&mut stack).len(), 2);
    assert_eq!(log.borrow().len(), 2);
}

#[test]
fn tracing_without_a_callback_is_refused() {
    let environment = Environment::<Note> { seed: 1, tracer: None };
    let error =
        Stack::build(&[LayerConfig::Tracing], &transport(true, true), environment).unwrap_err();
    assert_eq!(error, ConfigError::NoTracer);
}
