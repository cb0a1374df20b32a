use crate::{Layer, Millis, Output, Packet};

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Towards the transport.
    Outbound,
    /// Towards the application.
    Inbound,
}

/// One message passing the `tracing` layer.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceEvent<'a, M> {
    /// Which way it goes.
    pub direction: Direction,
    /// When it passed.
    pub at: Millis,
    /// Its size, in whatever unit [`Tracer::measure`] counts (bytes, as a rule).
    pub size: usize,
    /// The message itself.
    pub message: &'a M,
}

/// Called for every message that passes.
pub type Record<M> = Box<dyn FnMut(TraceEvent<'_, M>)>;

/// Receives what the `tracing` layer sees.
pub struct Tracer<M> {
    /// Measures a message: only the caller knows the codec.
    pub measure: Box<dyn Fn(&M) -> usize>,
    /// Called for every message, in the order they pass. It must not call into the stack.
    pub record: Record<M>,
}

/// Hands every message that passes, either way, to a [`Tracer`].
pub struct Tracing<M> {
    tracer: Tracer<M>,
}

impl<M> Tracing<M> {
    /// A layer that reports to `tracer`.
    pub fn new(tracer: Tracer<M>) -> Self {
        Tracing { tracer }
    }

    fn trace(&mut self, packet: &Packet<M>, direction: Direction, at: Millis) {
        for message in &packet.messages {
            let size = (self.tracer.measure)(message);
            (self.tracer.record)(TraceEvent { direction, at, size, message });
        }
    }
}

impl<M> Layer<M> for Tracing<M> {
    fn name(&self) -> &'static str {
        "tracing"
    }

    fn outbound(&mut self, packet: Packet<M>, now: Millis, out: &mut Output<M>) {
        self.trace(&packet, Direction::Outbound, now);
        out.down.push(packet);
    }

    fn inbound(&mut self, packet: Packet<M>, now: Millis, out: &mut Output<M>) {
        self.trace(&packet, Direction::Inbound, now);
        out.up.push(packet);
    }
}
