use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::{
    Event, Faults, FaultyLink, Frame, FrameKind, Guarantees, Handler, Inbox, Transport,
    TransportError,
};

const NAME: &str = "memory";

/// Two transports that are each other's other end, and the clock that moves their frames.
///
/// Each direction is a [`FaultyLink`] with these faults; the seed decides which frames they strike. A
/// close is spared: it arrives when all that was sent before it has arrived or is lost. Nothing
/// reaches a handler until the clock says so.
///
/// ```
/// use tabmux_transports::{Event, Faults, Frame, Transport, memory_pair};
///
/// let (tab, hub, clock) = memory_pair(1, Faults { delay: 5..=50, ..Faults::default() });
/// hub.listen(Box::new(|event| assert_eq!(event, Event::Frame(Frame::Text("hello".into())))));
/// tab.send(Frame::Text("hello".into()))?;
/// clock.deliver_all();
/// # Ok::<(), tabmux_transports::TransportError>(())
/// ```
///
/// # Panics
///
/// Where [`FaultyLink::new`] does.
pub fn memory_pair(seed: u64, faults: Faults) -> (MemoryTransport, MemoryTransport, Clock) {
    let direction = |seed| {
        Rc::new(Direction {
            link: RefCell::new(FaultyLink::new(seed, faults.clone())),
            closing: RefCell::default(),
            inbox: Inbox::default(),
        })
    };
    let (there, back) = (direction(seed), direction(!seed));
    let now = Rc::new(Cell::new(0));
    let guarantees = Guarantees {
        ordered: faults.reordering == 0.0,
        reliable: faults.loss == 0.0 && faults.duplication == 0.0,
        carries: vec![FrameKind::Text, FrameKind::Bytes, FrameKind::Object],
        addressed: false,
    };
    let end = |outgoing: &Rc<Direction>, incoming: &Rc<Direction>| MemoryTransport {
        now: Rc::clone(&now),
        outgoing: Rc::clone(outgoing),
        incoming: Rc::clone(incoming),
        guarantees: guarantees.clone(),
    };
    let (one, other) = (end(&there, &back), end(&back, &there));
    (one, other, Clock { now, directions: [there, back] })
}

/// One way between the two ends, with the inbox at its end.
struct Direction {
    link: RefCell<FaultyLink<Frame>>,
    /// The sender has closed, for this reason.
    closing: RefCell<Option<Event>>,
    inbox: Inbox<Event>,
}

impl Direction {
    fn deliver(&self, now: u64) -> bool {
        for frame in self.link.borrow_mut().receive(now) {
            self.inbox.push(Event::Frame(frame));
        }
        if self.link.borrow().next_arrival().is_none()
            && let Some(closed) = self.closing.take()
        {
            self.inbox.end(Some(closed));
        }
        self.inbox.deliver()
    }
}

/// One end of a [`memory_pair`].
pub struct MemoryTransport {
    now: Rc<Cell<u64>>,
    outgoing: Rc<Direction>,
    incoming: Rc<Direction>,
    guarantees: Guarantees,
}

impl Transport for MemoryTransport {
    fn name(&self) -> &str {
        NAME
    }

    fn guarantees(&self) -> Guarantees {
        self.guarantees.clone()
    }

    fn send(&self, frame: Frame) -> Result<(), TransportError> {
        if self.incoming.inbox.has_ended() {
            return Err(TransportError::closed(NAME));
        }
        self.outgoing.link.borrow_mut().send(self.now.get(), frame);
        Ok(())
    }

    fn listen(&self, handler: Handler) {
        self.incoming.inbox.listen(handler);
    }

    fn close(&self, reason: Option<&str>) {
        if self.incoming.inbox.has_ended() {
            return;
        }
        let closed = Event::Closed(reason.map(str::to_owned));
        self.outgoing.closing.replace(Some(closed.clone()));
        self.incoming.inbox.abort(Some(closed));
    }
}

impl Drop for MemoryTransport {
    fn drop(&mut self) {
        self.close(None);
    }
}

/// The time of a [`memory_pair`]: a simulation moves it, and with it the frames.
pub struct Clock {
    now: Rc<Cell<u64>>,
    directions: [Rc<Direction>; 2],
}

impl Clock {
    /// The time in milliseconds since the pair was made.
    pub fn now(&self) -> u64 {
        self.now.get()
    }

    /// Lets this many milliseconds pass, and delivers what arrives meanwhile.
    pub fn advance(&self, milliseconds: u64) {
        let end = self.now() + milliseconds;
        self.deliver();
        while let Some(next) = self.next_arrival().filter(|next| *next <= end) {
            self.now.set(next);
            self.deliver();
        }
        self.now.set(end);
    }

    /// Lets time pass until nothing is on its way. Two handlers that answer each other for ever
    /// keep it from returning.
    pub fn deliver_all(&self) {
        self.deliver();
        while let Some(next) = self.next_arrival() {
            self.now.set(next);
            self.deliver();
        }
    }

    fn next_arrival(&self) -> Option<u64> {
        let arrivals = self.directions.iter();
        arrivals.filter_map(|direction| direction.link.borrow().next_arrival()).min()
    }

    fn deliver(&self) {
        let now = self.now();
        // A handler may send, close or listen at either end, which gives both more to deliver.
        while self.directions.iter().any(|direction| direction.deliver(now)) {}
    }
}
