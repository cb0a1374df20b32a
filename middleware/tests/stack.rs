//! How the layers of a stack play together.

mod support;

use support::{Note, delivered, texts, transmitted, transport};
use tabmux_middleware::{
    Batching, Coalescing, Environment, Layer, Millis, Output, Packet, Stack, defaults,
};

fn default_stack(ordered: bool, reliable: bool) -> Stack<Note> {
    let guarantees = transport(ordered, reliable);
    Stack::build(&defaults(&guarantees), &guarantees, Environment::new(1))
        .expect("the defaults fit")
}

#[test]
fn a_stack_without_layers_passes_messages_as_they_are() {
    let mut stack = Stack::from_layers(vec![]);
    stack.send(Note::Text(1), 0);
    stack.receive(Packet::new(texts([2, 3])), 0);
    assert_eq!(transmitted(&mut stack), [Packet::new(texts([1]))]);
    assert_eq!(delivered(&mut stack), texts([2, 3]));
    assert_eq!(stack.deadline(), None);
}

#[test]
fn the_messages_of_a_turn_go_in_one_packet_whatever_the_transport() {
    for (ordered, reliable) in [(true, true), (false, false)] {
        let mut stack = default_stack(ordered, reliable);
        for message in texts(1..=3) {
            stack.send(message, 0);
        }
        stack.wake(0);
        let packets = transmitted(&mut stack);
        assert_eq!(packets.len(), 1);
        assert_eq!(packets[0].messages, texts(1..=3));
        assert_eq!(packets[0].seq, (!reliable).then_some(1));
    }
}

#[test]
fn what_one_layer_says_at_its_deadline_joins_the_batch_of_the_same_turn() {
    let layers: Vec<Box<dyn Layer<Note>>> =
        vec![Box::new(Coalescing::new(4)), Box::new(Batching::new(1000))];
    let mut stack = Stack::from_layers(layers);
    stack.send(Note::Text(1), 10);
    stack.receive(Packet::new(texts([2])), 10);
    stack.wake(10);
    assert_eq!(transmitted(&mut stack), [Packet { taken: Some(1), ..Packet::new(texts([1])) }]);
    assert_eq!(stack.deadline(), None);
}

#[test]
fn packets_without_messages_never_reach_the_application() {
    let mut stack = default_stack(false, false);
    stack.send(Note::Text(1), 0);
    stack.wake(0);
    stack.receive(Packet { ack: Some(1), ..Packet::new(vec![]) }, 10);
    stack.receive(Packet { seq: Some(1), taken: Some(1), ..Packet::new(vec![]) }, 10);
    assert_eq!(delivered(&mut stack), []);
}

/// Sends every message as two packets, and what comes in back down as well as up.
struct Echo;

impl Layer<Note> for Echo {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn outbound(&mut self, packet: Packet<Note>, _: Millis, out: &mut Output<Note>) {
        out.down.push(packet.clone());
        out.down.push(packet);
    }

    fn inbound(&mut self, packet: Packet<Note>, _: Millis, out: &mut Output<Note>) {
        out.down.push(packet.clone());
        out.up.push(packet);
    }
}

#[test]
fn a_layer_of_ones_own_passes_packets_both_ways_in_order() {
    let mut stack = Stack::from_layers(vec![Box::new(Echo), Box::new(Batching::new(1000))]);
    stack.receive(Packet::new(texts([1])), 0);
    stack.send(Note::Text(2), 0);
    stack.wake(0);
    assert_eq!(transmitted(&mut stack), [Packet::new(texts([1, 2, 2]))]);
    assert_eq!(delivered(&mut stack), texts([1]));
    assert_eq!(format!("{stack:?}"), r#"["echo", "batching"]"#);
}
