use crate::{Fault, Packet};

/// A time or a span, in milliseconds. The origin is the driver's own.
pub type Millis = u64;

/// Where a layer puts the packets it passes on, and what it found wrong with those it got.
#[derive(Debug)]
pub struct Output<Out, In = Out> {
    /// Towards the transport, oldest first.
    pub down: Vec<Packet<Out>>,
    /// Towards the application, oldest first.
    pub up: Vec<Packet<In>>,
    /// What the other end should not have said.
    pub faults: Vec<Fault>,
}

impl<Out, In> Default for Output<Out, In> {
    fn default() -> Self {
        Output { down: Vec::new(), up: Vec::new(), faults: Vec::new() }
    }
}

/// One layer of a stack: a state machine between the application above and the transport below.
/// `Out` are the messages that this end sends, `In` those that it receives.
pub trait Layer<Out, In = Out> {
    /// The name users know it by, such as `batching`.
    fn name(&self) -> &str;

    /// Takes a packet from above.
    fn outbound(&mut self, packet: Packet<Out>, now: Millis, out: &mut Output<Out, In>);

    /// Takes a packet from below.
    fn inbound(&mut self, packet: Packet<In>, now: Millis, out: &mut Output<Out, In>);

    /// When [`Layer::wake`] wants to be called. A time that has come means as soon as the
    /// current turn of the event loop allows (a microtask).
    fn deadline(&self) -> Option<Millis> {
        None
    }

    /// How many messages or packets it keeps for the other end, which does not take them.
    fn untaken(&self) -> usize {
        0
    }

    /// How many packets have come and wait for an earlier one.
    fn early(&self) -> usize {
        0
    }

    /// The deadline has come. Called early, it does nothing.
    fn wake(&mut self, _now: Millis, _out: &mut Output<Out, In>) {}
}
