use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::Array;
use web_sys::{MessageEvent, MessagePort};

use crate::envelope::{Content, array_of};
use crate::event_listener::EventListener;
use crate::{
    Event, Frame, FrameKind, Guarantees, Handler, Inbox, Listener, Transport, TransportError,
};

const NAME: &str = "message-port";

/// One end of a `MessageChannel`, or the port of a SharedWorker. Also works with Node's ports.
///
/// Ordered and reliable. Bytes are transferred, not copied. The other end must be one of these too:
/// whatever else arrives on the port is an [`Event::Error`]. The other end's death is noticed where
/// ports have a `close` event (Node, Chromium); elsewhere only its [`Transport::close`] is.
///
/// An open port keeps a Node process alive, until either end is closed.
pub struct MessagePortTransport {
    line: Rc<Line>,
}

struct Line {
    port: MessagePort,
    inbox: Rc<Inbox<Event>>,
    listeners: Cell<Vec<EventListener>>,
}

impl MessagePortTransport {
    /// Takes over a port, which nothing else may use from then on, and starts it.
    pub fn new(port: MessagePort) -> Self {
        let line = Rc::new_cyclic(|line: &Weak<Line>| {
            let listeners = vec![
                on(&port, "message", line, Line::receive),
                on(&port, "messageerror", line, |line, _| {
                    line.report("a message could not be read");
                }),
                on(&port, "close", line, |line, _| line.end(None)),
            ];
            port.start();
            Line { port, inbox: Rc::default(), listeners: Cell::new(listeners) }
        });
        MessagePortTransport { line }
    }
}

fn on(
    port: &MessagePort,
    event: &'static str,
    line: &Weak<Line>,
    action: fn(&Line, &MessageEvent),
) -> EventListener {
    let line = Weak::clone(line);
    EventListener::new(port, event, move |event| {
        if let Some(line) = line.upgrade() {
            action(&line, event);
        }
    })
}

impl Line {
    fn receive(&self, event: &MessageEvent) {
        match array_of(2, event.data()).and_then(|array| Content::from_array(&array)) {
            Some(Content::Frame(frame)) => {
                self.inbox.push(Event::Frame(frame));
                self.inbox.deliver();
            }
            Some(Content::Close(reason)) => self.end(reason),
            None => self.report("what arrived is not a frame, and was dropped"),
        }
    }

    fn report(&self, reason: &str) {
        self.inbox.push(Event::Error(TransportError::failed(NAME, reason)));
        self.inbox.deliver();
    }

    fn end(&self, reason: Option<String>) {
        self.release();
        self.inbox.end(Some(Event::Closed(reason)));
        self.inbox.deliver();
    }

    fn post(&self, content: Content) -> Result<(), TransportError> {
        let bytes = matches!(content, Content::Frame(Frame::Bytes(_)));
        let message = content.into_array();
        let posted = if bytes {
            self.port.post_message_with_transferable(&message, &Array::of1(&message.get(1)))
        } else {
            self.port.post_message(&message)
        };
        posted.map_err(|thrown| TransportError::thrown(NAME, &thrown))
    }

    fn release(&self) {
        drop(self.listeners.take());
        self.port.close();
    }
}

impl Transport for MessagePortTransport {
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
        if self.line.inbox.has_ended() {
            return Err(TransportError::closed(NAME));
        }
        self.line.post(Content::Frame(frame))
    }

    fn listen(&self, handler: Handler) {
        self.line.inbox.listen(handler);
        self.line.inbox.deliver_soon();
    }

    fn close(&self, reason: Option<&str>) {
        if self.line.inbox.has_ended() {
            return;
        }
        // A string can always be posted, and a port that is gone has nobody to tell.
        let _ = self.line.post(Content::closing(reason));
        self.line.release();
        self.line.inbox.abort(Some(Event::Closed(reason.map(str::to_owned))));
        self.line.inbox.deliver_soon();
    }
}

impl Drop for MessagePortTransport {
    fn drop(&mut self) {
        self.close(None);
    }
}

/// The hub's end of a SharedWorker: makes a peer of every port it is given.
///
/// ```no_run
/// use std::rc::Rc;
/// use tabmux_transports::PortListener;
/// use wasm_bindgen::prelude::*;
/// use web_sys::{EventTarget, MessageEvent, MessagePort};
///
/// let listener = Rc::new(PortListener::new());
/// let scope: EventTarget = js_sys::global().unchecked_into();
/// let connect = Closure::<dyn FnMut(MessageEvent)>::new({
///     let listener = Rc::clone(&listener);
///     move |event: MessageEvent| {
///         listener.add(event.ports().get(0).unchecked_into::<MessagePort>());
///     }
/// });
/// scope.add_event_listener_with_callback("connect", connect.as_ref().unchecked_ref())?;
/// connect.forget();
/// # Ok::<(), JsValue>(())
/// ```
#[derive(Default)]
pub struct PortListener {
    arrivals: Rc<Inbox<Rc<dyn Transport>>>,
    peers: RefCell<Vec<Weak<MessagePortTransport>>>,
}

impl PortListener {
    /// A listener that has been given no port yet.
    pub fn new() -> Self {
        PortListener::default()
    }

    /// Makes a peer of the port of a `connect` event. It is kept until [`Listener::accept`] is
    /// called; once the listener is closed, it is closed at once.
    pub fn add(&self, port: MessagePort) {
        let peer = Rc::new(MessagePortTransport::new(port));
        let mut peers = self.peers.borrow_mut();
        peers.retain(|peer| peer.strong_count() > 0);
        peers.push(Rc::downgrade(&peer));
        self.arrivals.push(peer);
        self.arrivals.deliver_soon();
    }
}

impl Listener for PortListener {
    fn accept(&self, handler: Box<dyn FnMut(Rc<dyn Transport>)>) {
        self.arrivals.listen(handler);
        self.arrivals.deliver_soon();
    }

    fn close(&self) {
        self.arrivals.abort(None);
        self.arrivals.deliver_soon();
        for peer in self.peers.take() {
            if let Some(peer) = peer.upgrade() {
                peer.close(None);
            }
        }
    }
}

impl Drop for PortListener {
    fn drop(&mut self) {
        self.close();
    }
}
