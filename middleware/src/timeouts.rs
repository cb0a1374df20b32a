use crate::{Layer, Millis, Output, Packet, Reply, Request, SortedMap};

/// Ends every request: what was not answered in time is answered by [`Reply::timed_out`].
///
/// A reply that comes after that is still handed up; the application, which knows which requests
/// are open, drops it.
#[derive(Debug)]
pub struct Timeouts {
    after: Millis,
    /// When each open request runs out, and how long it may take.
    open: SortedMap<u64, (Millis, Millis)>,
    /// The same by time.
    due: SortedMap<(Millis, u64), ()>,
}

impl Timeouts {
    /// A request runs out when it was not answered for `after` milliseconds, and its
    /// [`extra_time`](Request::extra_time).
    pub fn new(after: Millis) -> Self {
        Timeouts { after, open: SortedMap::default(), due: SortedMap::default() }
    }

    /// Returns how long the request was allowed to take.
    fn end(&mut self, request: u64) -> Option<Millis> {
        let (due, after) = self.open.remove(&request)?;
        self.due.remove(&(due, request));
        Some(after)
    }
}

impl<Out: Request, In: Reply> Layer<Out, In> for Timeouts {
    fn name(&self) -> &'static str {
        "timeouts"
    }

    fn outbound(&mut self, packet: Packet<Out>, now: Millis, out: &mut Output<Out, In>) {
        for message in &packet.messages {
            let Some(request) = message.request() else { continue };
            let after = self.after + message.extra_time();
            self.end(request);
            self.open.insert(request, (now + after, after));
            self.due.insert((now + after, request), ());
        }
        out.down.push(packet);
    }

    fn inbound(&mut self, packet: Packet<In>, _now: Millis, out: &mut Output<Out, In>) {
        for request in packet.messages.iter().filter_map(In::answers) {
            self.end(request);
        }
        out.up.push(packet);
    }

    fn deadline(&self) -> Option<Millis> {
        self.due.first().map(|((due, _), ())| *due)
    }

    fn wake(&mut self, now: Millis, out: &mut Output<Out, In>) {
        let mut replies = Vec::new();
        while let Some((&(due, request), ())) = self.due.first()
            && due <= now
        {
            replies.extend(self.end(request).map(|after| In::timed_out(request, after)));
        }
        if !replies.is_empty() {
            out.up.push(Packet::new(replies));
        }
    }
}
