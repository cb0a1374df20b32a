use tabmux_middleware::Millis;

/// How long the hub keeps a document that nobody wants.
#[derive(Default)]
pub(in crate::hub::document) struct Retention {
    linger: Option<Millis>,
    /// The tabs of an earlier hub may come back until then.
    grace: Option<Millis>,
}

impl Retention {
    /// When something ends.
    pub fn deadline(&self) -> Option<Millis> {
        [self.linger, self.grace].into_iter().flatten().min()
    }

    /// The document may go then, if it does not linger already.
    pub fn linger_until(&mut self, at: Millis) {
        self.linger.get_or_insert(at);
    }

    /// Nothing is gained if it lingers.
    pub fn cut_short(&mut self, now: Millis) {
        self.linger = Some(now);
    }

    /// The document is wanted again.
    pub fn stop_linger(&mut self) {
        self.linger = None;
    }

    /// Whether the linger is over; it ends with that.
    pub fn end_linger(&mut self, now: Millis) -> bool {
        self.linger.take_if(|at| *at <= now).is_some()
    }

    pub fn grace_until(&mut self, at: Millis) {
        self.grace = Some(at);
    }

    /// Whether the grace is over; it ends with that.
    pub fn end_grace(&mut self, now: Millis) -> bool {
        self.grace.take_if(|at| *at <= now).is_some()
    }
}
