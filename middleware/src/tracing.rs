use crate::{Layer, Millis, Output, Packet};

/// Receives what the `tracing` layer sees, in the order it passes. It must not call into the stack.
pub trait Tracer<Out, In = Out> {
    /// A message goes towards the transport.
    fn outbound(&mut self, message: &Out, at: Millis);

    /// A message goes towards the application.
    fn inbound(&mut self, message: &In, at: Millis);
}

/// Shows every message that passes, either way, to a [`Tracer`].
pub struct Tracing<Out, In = Out> {
    tracer: Box<dyn Tracer<Out, In>>,
}

impl<Out, In> Tracing<Out, In> {
    /// A layer that reports to `tracer`.
    pub fn new(tracer: Box<dyn Tracer<Out, In>>) -> Self {
        Tracing { tracer }
    }
}

impl<Out, In> Layer<Out, In> for Tracing<Out, In> {
    fn name(&self) -> &'static str {
        "tracing"
    }

    fn outbound(&mut self, packet: Packet<Out>, now: Millis, out: &mut Output<Out, In>) {
        packet.messages.iter().for_each(|message| self.tracer.outbound(message, now));
        out.down.push(packet);
    }

    fn inbound(&mut self, packet: Packet<In>, now: Millis, out: &mut Output<Out, In>) {
        packet.messages.iter().for_each(|message| self.tracer.inbound(message, now));
        out.up.push(packet);
    }
}
