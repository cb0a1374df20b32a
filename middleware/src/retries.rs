use std::collections::VecDeque;

use crate::jitter::Jitter;
use crate::{Fault, Layer, Millis, Output, Packet, SortedMap};

/// How many packets the first resend holds at most. Each one after it that brings no progress holds
/// half as many, down to one.
const BURST: usize = 16;

/// How [`Retries`] behaves. Times are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetriesOptions {
    /// How long nothing must have been acknowledged before the first resend. It should be longer
    /// than a round trip and the other end's `ack_delay`.
    pub initial: Millis,
    /// The longest wait between two resends, before jitter.
    pub max: Millis,
    /// How long an acknowledgement waits for a packet to ride on.
    pub ack_delay: Millis,
    /// The `max_held` of `ordering` above: no packet is acknowledged that it would drop, and none
    /// is sent that the other end would drop.
    pub max_held: u64,
    /// The seed of the jitter.
    pub seed: u64,
}

/// Keeps numbered packets until they are acknowledged, and resends them meanwhile.
///
/// Acknowledgements are cumulative. They ride on the next outbound packet, or go alone after
/// `ack_delay`; a packet that comes again is acknowledged at the next microtask, since the first
/// acknowledgement may be lost.
///
/// There is one timer for all packets, as in RFC 6298 section 5: it starts with the first packet,
/// starts afresh when an acknowledgement brings progress, and doubles its wait when it runs out.
/// Then the oldest few packets go again. Jitter lengthens every wait by up to a quarter. It never
/// gives up: whether the other end is alive is for others to say.
#[derive(Debug)]
pub struct Retries<Out> {
    options: RetriesOptions,
    jitter: Jitter,
    /// Packets not acknowledged, oldest first. The first `sent` of them have gone out.
    unacked: VecDeque<Unacked<Out>>,
    sent: usize,
    last_sent: u64,
    fruitless: u32,
    resend_at: Option<Millis>,
    /// Every packet up to this number has arrived, and some after it.
    arrived: u64,
    early: SortedMap<u64, ()>,
    ack_at: Option<Millis>,
}

#[derive(Debug)]
struct Unacked<Out> {
    seq: u64,
    packet: Packet<Out>,
    sent_at: Millis,
}

impl<Out: Clone> Retries<Out> {
    /// A layer that has sent and seen nothing.
    pub fn new(options: RetriesOptions) -> Self {
        Retries {
            options,
            jitter: Jitter::new(options.seed),
            unacked: VecDeque::new(),
            sent: 0,
            last_sent: 0,
            fruitless: 0,
            resend_at: None,
            arrived: 0,
            early: SortedMap::default(),
            ack_at: None,
        }
    }

    /// Sends for the first time what the other end can hold.
    fn admit<In>(&mut self, now: Millis, out: &mut Output<Out, In>) {
        while self.sent < self.unacked.len() && self.sent as u64 <= self.options.max_held {
            let entry = &mut self.unacked[self.sent];
            entry.sent_at = now;
            self.last_sent = self.last_sent.max(entry.seq);
            let packet = entry.packet.clone();
            self.sent += 1;
            self.transmit(packet, out);
        }
        if self.sent > 0 && self.resend_at.is_none() {
            self.resend_at = Some(now + self.wait());
        }
    }

    fn resend<In>(&mut self, now: Millis, out: &mut Output<Out, In>) {
        let burst = (BURST >> self.fruitless.min(BURST.ilog2())).max(1);
        let initial = self.options.initial;
        let again: Vec<Packet<Out>> = self
            .unacked
            .iter_mut()
            .take(self.sent)
            .filter(|entry| entry.sent_at + initial <= now)
            .take(burst)
            .map(|entry| {
                entry.sent_at = now;
                entry.packet.clone()
            })
            .collect();
        for packet in again {
            self.transmit(packet, out);
        }
        self.fruitless += 1;
        self.resend_at = Some(now + self.wait());
    }

    fn acknowledged<In>(&mut self, ack: u64, now: Millis, out: &mut Output<Out, In>) {
        if ack > self.last_sent {
            out.faults.push(Fault::AckAhead { ack, sent: self.last_sent });
            return;
        }
        let mut progress = false;
        while self.unacked.front().is_some_and(|entry| entry.seq <= ack) {
            self.unacked.pop_front();
            self.sent -= 1;
            progress = true;
        }
        if progress {
            self.fruitless = 0;
            self.resend_at = (self.sent > 0).then(|| now + self.wait());
            self.admit(now, out);
        }
    }

    /// Notes a packet's arrival. Returns whether it may pass up.
    fn arrive<In>(&mut self, seq: u64, now: Millis, out: &mut Output<Out, In>) -> bool {
        let expected = self.arrived + 1;
        let max_held = self.options.max_held;
        if seq > expected && seq - expected > max_held {
            out.faults.push(Fault::TooEarly { layer: "retries", seq, expected, max_held });
            return false;
        }
        let again = seq < expected || self.early.insert(seq, ()).is_some();
        while self.early.remove(&(self.arrived + 1)).is_some() {
            self.arrived += 1;
        }
        if self.arrived > 0 {
            let at = if again { now } else { now + self.options.ack_delay };
            self.ack_at = Some(self.ack_at.map_or(at, |earlier| earlier.min(at)));
        }
        true
    }

    fn transmit<In>(&mut self, mut packet: Packet<Out>, out: &mut Output<Out, In>) {
        packet.ack = (self.arrived > 0).then_some(self.arrived);
        self.ack_at = None;
        out.down.push(packet);
    }

    fn wait(&mut self) -> Millis {
        let doubled = self.options.initial.saturating_mul(1 << self.fruitless.min(31));
        let wait = doubled.min(self.options.max);
        wait + self.jitter.up_to(wait / 4)
    }
}

impl<Out: Clone, In> Layer<Out, In> for Retries<Out> {
    fn name(&self) -> &'static str {
        "retries"
    }

    fn untaken(&self) -> usize {
        self.unacked.len()
    }

    fn outbound(&mut self, packet: Packet<Out>, now: Millis, out: &mut Output<Out, In>) {
        match packet.seq {
            Some(seq) => {
                self.unacked.push_back(Unacked { seq, packet, sent_at: now });
                self.admit(now, out);
            }
            None => self.transmit(packet, out),
        }
    }

    fn inbound(&mut self, mut packet: Packet<In>, now: Millis, out: &mut Output<Out, In>) {
        if let Some(ack) = packet.ack.take() {
            self.acknowledged(ack, now, out);
        }
        if packet.seq.is_none_or(|seq| self.arrive(seq, now, out)) {
            out.up.push(packet);
        }
    }

    fn deadline(&self) -> Option<Millis> {
        self.resend_at.into_iter().chain(self.ack_at).min()
    }

    fn wake(&mut self, now: Millis, out: &mut Output<Out, In>) {
        if self.resend_at.is_some_and(|at| at <= now) {
            self.resend(now, out);
        }
        if self.ack_at.is_some_and(|at| at <= now) {
            self.transmit(Packet::new(Vec::new()), out);
        }
    }
}
