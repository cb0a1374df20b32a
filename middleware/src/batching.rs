use crate::{Layer, Millis, Output, Packet};

/// Collects the messages of one turn of the event loop and passes them on as one packet.
///
/// The deadline is the time of the first message, so the batch goes at the next microtask: nothing
/// waits for a timer. Of the counts in `taken` the batch keeps the latest, which includes the
/// others. A packet that a layer has numbered or that carries an `ack` is not merged: the batch
/// goes first, then that packet.
#[derive(Debug)]
pub struct Batching<Out> {
    max_messages: u64,
    batch: Option<Batch<Out>>,
}

#[derive(Debug)]
struct Batch<Out> {
    since: Millis,
    packet: Packet<Out>,
}

impl<Out> Batching<Out> {
    /// A batch that has reached `max_messages` goes at once, in the same call.
    pub fn new(max_messages: u64) -> Self {
        Batching { max_messages, batch: None }
    }
}

impl<Out, In> Layer<Out, In> for Batching<Out> {
    fn name(&self) -> &'static str {
        "batching"
    }

    fn outbound(&mut self, packet: Packet<Out>, now: Millis, out: &mut Output<Out, In>) {
        if packet.seq.is_some() || packet.ack.is_some() {
            out.down.extend(self.batch.take().map(|batch| batch.packet));
            out.down.push(packet);
            return;
        }
        let batch =
            self.batch.get_or_insert_with(|| Batch { since: now, packet: Packet::new(Vec::new()) });
        batch.packet.taken = packet.taken.or(batch.packet.taken);
        batch.packet.messages.extend(packet.messages);
        if batch.packet.messages.len() as u64 >= self.max_messages {
            out.down.extend(self.batch.take().map(|batch| batch.packet));
        }
    }

    fn inbound(&mut self, packet: Packet<In>, _now: Millis, out: &mut Output<Out, In>) {
        out.up.push(packet);
    }

    fn deadline(&self) -> Option<Millis> {
        self.batch.as_ref().map(|batch| batch.since)
    }

    fn wake(&mut self, now: Millis, out: &mut Output<Out, In>) {
        out.down.extend(self.batch.take_if(|batch| batch.since <= now).map(|batch| batch.packet));
    }
}
