//! A tiny message type, and what the tests of every layer share.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::cell::RefCell;
use std::rc::Rc;

use tabmux_middleware::{Fault, Layer, Message, Millis, Packet, Reply, Request, Stack, Tracer};
use tabmux_transports::Guarantees;

/// What the tests send.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// Never merged, never overtaken.
    Text(u64),
    /// The newest value of a topic supersedes the older ones; topics are independent.
    State { topic: u8, value: u64 },
    /// Makes a request.
    Request(u64),
    /// Makes a request that may take 300 ms longer than others.
    LongRequest(u64),
    /// Answers a request.
    Reply(u64),
    /// Stands in for a reply that did not come within a time.
    TimedOut(u64, u64),
}

impl Message for Note {
    fn merge(&mut self, next: Self) -> Result<(), Self> {
        match (self, next) {
            (Note::State { topic, value }, Note::State { topic: other, value: newer })
                if *topic == other =>
            {
                *value = newer;
                Ok(())
            }
            (_, next) => Err(next),
        }
    }

    fn overtakes(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (Note::State { topic, .. }, Note::State { topic: other, .. }) => topic != other,
            _ => false,
        }
    }
}

impl Request for Note {
    fn request(&self) -> Option<u64> {
        match self {
            Note::Request(request) | Note::LongRequest(request) => Some(*request),
            _ => None,
        }
    }

    fn extra_time(&self) -> Millis {
        if matches!(self, Note::LongRequest(_)) { 300 } else { 0 }
    }
}

impl Reply for Note {
    fn answers(&self) -> Option<u64> {
        match self {
            Note::Reply(request) => Some(*request),
            _ => None,
        }
    }

    fn timed_out(request: u64, after: Millis) -> Self {
        Note::TimedOut(request, after)
    }
}

/// `Text` messages with these numbers.
pub fn texts(numbers: impl IntoIterator<Item = u64>) -> Vec<Note> {
    numbers.into_iter().map(Note::Text).collect()
}

/// A packet with a number and one message, `Text` of that number.
pub fn numbered(seq: u64) -> Packet<Note> {
    Packet { seq: Some(seq), ..Packet::new(texts([seq])) }
}

/// A stack of one layer.
pub fn alone(layer: impl Layer<Note> + 'static) -> Stack<Note> {
    Stack::from_layers(vec![Box::new(layer)])
}

pub fn transmitted(stack: &mut Stack<Note>) -> Vec<Packet<Note>> {
    std::iter::from_fn(|| stack.poll_transmit()).collect()
}

pub fn delivered(stack: &mut Stack<Note>) -> Vec<Note> {
    std::iter::from_fn(|| stack.poll_delivery()).collect()
}

pub fn faults(stack: &mut Stack<Note>) -> Vec<Fault> {
    std::iter::from_fn(|| stack.poll_fault()).collect()
}

/// A transport that promises this much.
pub fn transport(ordered: bool, reliable: bool) -> Guarantees {
    Guarantees { ordered, reliable, carries: vec![], addressed: false }
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    Out,
    In,
}

/// Keeps what `tracing` shows.
#[derive(Clone, Default)]
pub struct Log(Rc<RefCell<Vec<(Way, Millis, Note)>>>);

impl Log {
    pub fn entries(&self) -> Vec<(Way, Millis, Note)> {
        self.0.borrow().clone()
    }
}

impl Tracer<Note> for Log {
    fn outbound(&mut self, message: &Note, at: Millis) {
        self.0.borrow_mut().push((Way::Out, at, message.clone()));
    }

    fn inbound(&mut self, message: &Note, at: Millis) {
        self.0.borrow_mut().push((Way::In, at, message.clone()));
    }
}
