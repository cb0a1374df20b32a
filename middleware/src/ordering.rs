use crate::{Fault, Layer, Millis, Output, Packet, SortedMap};

/// Numbers outbound packets from 1 and hands inbound ones up in that order, each exactly once.
///
/// Packets without a number pass when they carry no messages (`retries` makes such ones to
/// acknowledge); with messages they are dropped and reported.
#[derive(Debug)]
pub struct Ordering<In> {
    max_held: u64,
    last_sent: u64,
    expected: u64,
    held: SortedMap<u64, Packet<In>>,
}

impl<In> Ordering<In> {
    /// At most `max_held` packets after the one that is due are held back; further ones are
    /// dropped and reported. `retries` below brings those back; on a reliable transport without
    /// `retries` the bound must suit how far packets can overtake each other.
    pub fn new(max_held: u64) -> Self {
        Ordering { max_held, last_sent: 0, expected: 1, held: SortedMap::default() }
    }
}

impl<Out, In> Layer<Out, In> for Ordering<In> {
    fn name(&self) -> &'static str {
        "ordering"
    }

    fn early(&self) -> usize {
        self.held.len()
    }

    fn outbound(&mut self, mut packet: Packet<Out>, _now: Millis, out: &mut Output<Out, In>) {
        // A lost `taken` could leave the other end waiting for ever, so it counts as content.
        if !packet.messages.is_empty() || packet.taken.is_some() {
            self.last_sent += 1;
            packet.seq = Some(self.last_sent);
        }
        out.down.push(packet);
    }

    fn inbound(&mut self, mut packet: Packet<In>, _now: Millis, out: &mut Output<Out, In>) {
        let Some(seq) = packet.seq.take() else {
            if packet.messages.is_empty() {
                out.up.push(packet);
            } else {
                out.faults.push(Fault::Unnumbered { messages: packet.messages.len() });
            }
            return;
        };
        if seq < self.expected {
            return;
        }
        if seq - self.expected > self.max_held {
            out.faults.push(Fault::TooEarly {
                layer: "ordering",
                seq,
                expected: self.expected,
                max_held: self.max_held,
            });
            return;
        }
        if !self.held.contains_key(&seq) {
            self.held.insert(seq, packet);
        }
        while let Some(next) = self.held.remove(&self.expected) {
            self.expected += 1;
            out.up.push(next);
        }
    }
}
