use std::rc::Rc;

use crate::{Event, Frame, FrameKind, Guarantees, Handler, Inbox, Transport, TransportError};

const NAME: &str = "direct";

/// Two transports in the same thread that are each other's other end.
///
/// Ordered and reliable. Nothing is copied: the receiver gets the very object that was sent. Frames
/// are delivered in a microtask, all those of one turn of the event loop together.
pub fn direct_pair() -> (DirectTransport, DirectTransport) {
    let (one, other) = (Rc::<Inbox<Event>>::default(), Rc::<Inbox<Event>>::default());
    (
        DirectTransport { own: Rc::clone(&one), peer: Rc::clone(&other) },
        DirectTransport { own: other, peer: one },
    )
}

/// One end of a [`direct_pair`].
pub struct DirectTransport {
    own: Rc<Inbox<Event>>,
    peer: Rc<Inbox<Event>>,
}

impl Transport for DirectTransport {
    fn name(&self) -> &str {
        NAME
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            ordered: true,
            reliable: true,
            carries: vec![FrameKind::Text, FrameKind::Bytes, FrameKind::Object],
            addressed: false,
        }
    }

    fn send(&self, frame: Frame) -> Result<(), TransportError> {
        if self.own.has_ended() {
            return Err(TransportError::closed(NAME));
        }
        self.peer.push(Event::Frame(frame));
        self.peer.deliver_soon();
        Ok(())
    }

    fn listen(&self, handler: Handler) {
        self.own.listen(handler);
        self.own.deliver_soon();
    }

    fn close(&self, reason: Option<&str>) {
        if self.own.has_ended() {
            return;
        }
        let closed = Event::Closed(reason.map(str::to_owned));
        self.peer.end(Some(closed.clone()));
        self.peer.deliver_soon();
        self.own.abort(Some(closed));
        self.own.deliver_soon();
    }
}

impl Drop for DirectTransport {
    fn drop(&mut self) {
        self.close(None);
    }
}
