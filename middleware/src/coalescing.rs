use std::collections::VecDeque;

use crate::{Fault, Layer, Message, Millis, Output, Packet};

/// Flow control for a slow receiver: what it has not taken yet is held back, and merged meanwhile.
///
/// Each end counts the messages it hands up and writes that count in `taken` of what it sends next.
/// When a quarter of the window was taken and nothing goes out, an empty packet says so at the next
/// microtask. Both ends should have the same window: one that is less than a quarter of the other
/// end's would wait for a word that does not come.
///
/// At most `window` messages are under way. Further ones queue, and a new one is merged
/// ([`Message::merge`]) into the last queued message that takes it. The search goes back from the
/// newest and only past messages that the new one may overtake ([`Message::overtakes`]), so the
/// receiver can't notice. The queue for a frozen tab is thus as long as its messages are
/// unlike, not as the time it was frozen.
#[derive(Debug)]
pub struct Coalescing<Out> {
    window: u64,
    /// Empty unless the window is full.
    queue: VecDeque<Out>,
    /// How many messages went out, and how many of them the other end says it has taken.
    sent: u64,
    sent_and_taken: u64,
    /// How many messages came in, and how many of them the other end has been told of.
    taken: u64,
    told: u64,
    tell_at: Option<Millis>,
}

impl<Out: Message> Coalescing<Out> {
    /// `window`, at least 1, is how many messages may be under way that the other end has not
    /// taken yet.
    pub fn new(window: u64) -> Self {
        Coalescing {
            window,
            queue: VecDeque::new(),
            sent: 0,
            sent_and_taken: 0,
            taken: 0,
            told: 0,
            tell_at: None,
        }
    }

    fn enqueue(&mut self, mut message: Out) {
        for earlier in self.queue.iter_mut().rev() {
            match earlier.merge(message) {
                Ok(()) => return,
                Err(unmerged) => message = unmerged,
            }
            if !message.overtakes(earlier) {
                break;
            }
        }
        self.queue.push_back(message);
    }

    fn room(&self) -> usize {
        (self.window - (self.sent - self.sent_and_taken)) as usize
    }

    /// Sends what the window allows as one packet.
    fn drain<In>(&mut self, out: &mut Output<Out, In>) {
        let count = self.room().min(self.queue.len());
        if count > 0 {
            let messages = (0..count).filter_map(|_| self.queue.pop_front()).collect();
            self.transmit(Packet::new(messages), out);
        }
    }

    fn transmit<In>(&mut self, mut packet: Packet<Out>, out: &mut Output<Out, In>) {
        self.sent += packet.messages.len() as u64;
        if self.taken > self.told {
            packet.taken = Some(self.taken);
            self.told = self.taken;
        }
        self.tell_at = None;
        out.down.push(packet);
    }
}

impl<Out: Message, In> Layer<Out, In> for Coalescing<Out> {
    fn name(&self) -> &'static str {
        "coalescing"
    }

    fn untaken(&self) -> usize {
        self.queue.len()
    }

    fn outbound(&mut self, mut packet: Packet<Out>, _now: Millis, out: &mut Output<Out, In>) {
        // Only what has to wait is merged: what fits in the window goes as it is.
        let fitting = packet.messages.len().min(self.room());
        let waiting = packet.messages.split_off(fitting);
        if fitting > 0 || waiting.is_empty() {
            self.transmit(packet, out);
        }
        waiting.into_iter().for_each(|message| self.enqueue(message));
    }

    fn inbound(&mut self, mut packet: Packet<In>, now: Millis, out: &mut Output<Out, In>) {
        self.taken += packet.messages.len() as u64;
        if self.taken - self.told >= self.window.div_ceil(4) {
            self.tell_at.get_or_insert(now);
        }
        match packet.taken.take() {
            Some(taken) if taken > self.sent => {
                out.faults.push(Fault::TakenAhead { taken, sent: self.sent });
            }
            Some(taken) => {
                self.sent_and_taken = self.sent_and_taken.max(taken);
                self.drain(out);
            }
            None => {}
        }
        out.up.push(packet);
    }

    fn deadline(&self) -> Option<Millis> {
        self.tell_at
    }

    fn wake(&mut self, now: Millis, out: &mut Output<Out, In>) {
        if self.tell_at.is_some_and(|at| at <= now) {
            self.transmit(Packet::new(Vec::new()), out);
        }
    }
}
