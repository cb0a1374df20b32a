use std::collections::{HashMap, VecDeque};

use crate::{Layer, Message, Millis, Output, Packet};

/// Ends every request: what was not answered in time is answered by [`Message::timed_out`].
///
/// A reply that comes after that is still handed up; the application, which knows which requests
/// are open, drops it.
#[derive(Debug)]
pub struct Timeouts {
    after: Millis,
    /// When each open request runs out.
    open: HashMap<u64, Millis>,
    /// The same, oldest first. Entries whose request was answered are dropped when they come first.
    queue: VecDeque<(Millis, u64)>,
}

impl Timeouts {
    /// A request runs out when it was not answered for `after` milliseconds.
    pub fn new(after: Millis) -> Self {
        Timeouts { after, open: HashMap::new(), queue: VecDeque::new() }
    }

    fn drop_answered(&mut self) {
        while let Some((due, request)) = self.queue.front() {
            if self.open.get(request) == Some(due) {
                break;
            }
            self.queue.pop_front();
        }
    }
}

impl<M: Message> Layer<M> for Timeouts {
    fn name(&self) -> &'static str {
        "timeouts"
    }

    fn outbound(&mut self, packet: Packet<M>, now: Millis, out: &mut Output<M>) {
        let due = now + self.after;
        for request in packet.messages.iter().filter_map(M::request) {
            self.open.insert(request, due);
            self.queue.push_back((due, request));
        }
        self.drop_answered();
        out.down.push(packet);
    }

    fn inbound(&mut self, packet: Packet<M>, _now: Millis, out: &mut Output<M>) {
        for request in packet.messages.iter().filter_map(M::answers) {
            self.open.remove(&request);
        }
        self.drop_answered();
        out.up.push(packet);
    }

    fn deadline(&self) -> Option<Millis> {
        self.queue.front().map(|(due, _)| *due)
    }

    fn wake(&mut self, now: Millis, out: &mut Output<M>) {
        let mut replies = Vec::new();
        while let Some(&(due, request)) = self.queue.front()
            && due <= now
        {
            self.open.remove(&request);
            replies.push(M::timed_out(request, self.after));
            self.drop_answered();
        }
        if !replies.is_empty() {
            out.up.push(Packet::new(replies));
        }
    }
}
