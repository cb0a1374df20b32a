use crate::Millis;

/// What travels in one frame: messages, and what the layers of both ends say to each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Packet<M> {
    /// The packet's number in its direction, from 1. Written by `ordering`.
    pub seq: Option<u64>,
    /// Every packet up to this number has arrived. Written by `retries`.
    pub ack: Option<u64>,
    /// How many messages the sender has taken from the other side so far. Written by `coalescing`.
    pub taken: Option<u64>,
    /// The messages, oldest first.
    pub messages: Vec<M>,
}

impl<M> Packet<M> {
    /// A packet of these messages that no layer has touched.
    pub fn new(messages: Vec<M>) -> Self {
        Packet { seq: None, ack: None, taken: None, messages }
    }
}

/// What layers ask of a message that this end sends.
pub trait Message: Clone {
    /// Puts `next` into `self` where the two can be one message with the same effect; gives `next`
    /// back otherwise.
    fn merge(&mut self, next: Self) -> Result<(), Self> {
        Err(next)
    }

    /// Whether this message may be handed over before `earlier`, which was sent first, without the
    /// receiver noticing: a change of one document before a change of another, say. It lets
    /// `coalescing` merge a message into one further back in its queue than the last.
    fn overtakes(&self, _earlier: &Self) -> bool {
        false
    }
}

/// What layers ask of a message that this end sends and the other end may have to answer.
pub trait Request: Message {
    /// The number of the request this message makes, if it makes one.
    fn request(&self) -> Option<u64>;

    /// How much longer than others this request may take, in milliseconds.
    fn extra_time(&self) -> Millis {
        0
    }
}

/// What layers ask of a message that may answer a [`Request`] of this end.
pub trait Reply: Sized {
    /// The number of the request that this message shows to be alive or ended: it stops its clock.
    fn answers(&self) -> Option<u64>;

    /// The reply that stands in for the one that never came within `after` milliseconds.
    fn timed_out(request: u64, after: Millis) -> Self;
}
