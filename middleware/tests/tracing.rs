//! `tracing`, alone and below `retries`.

mod support;

use support::{Log, Note, Way, alone, texts, transmitted, transport};
use tabmux_middleware::{ConfigError, Environment, LayerConfig, Packet, Stack, Tracing};

#[test]
fn every_message_is_shown_with_its_direction_and_time() {
    let log = Log::default();
    let mut stack = alone(Tracing::new(Box::new(log.clone())));
    stack.send(Note::Text(1), 10);
    stack.receive(Packet::new(texts([2, 3])), 20);
    assert_eq!(
        log.entries(),
        [(Way::Out, 10, Note::Text(1)), (Way::In, 20, Note::Text(2)), (Way::In, 20, Note::Text(3))]
    );
}

#[test]
fn below_retries_it_shows_what_is_resent() {
    let log = Log::default();
    let mut layers = tabmux_middleware::defaults(&transport(false, false));
    layers.push(LayerConfig::Tracing);
    let environment = Environment { tracer: Some(Box::new(log.clone())), ..Environment::new(1) };
    let mut stack = Stack::build(&layers, &transport(false, false), environment).unwrap();
    stack.send(Note::Text(1), 0);
    stack.wake(0);
    stack.wake(stack.deadline().expect("the packet is to be resent"));
    assert_eq!(transmitted(&mut stack).len(), 2);
    assert_eq!(log.entries().len(), 2);
}

#[test]
fn tracing_without_a_callback_is_refused() {
    let environment = Environment::<Note>::new(1);
    let error =
        Stack::build(&[LayerConfig::Tracing], &transport(true, true), environment).unwrap_err();
    assert_eq!(error, ConfigError::NoTracer);
}
