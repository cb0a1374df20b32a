use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::Array;
use wasm_bindgen::JsValue;
use web_sys::BroadcastChannel;

use crate::envelope::{Content, array_of};
use crate::event_listener::EventListener;
use crate::{
    Event, Frame, FrameKind, Guarantees, Handler, Inbox, Listener, Transport, TransportError,
};

const NAME: &str = "broadcast-channel";

fn guarantees() -> Guarantees {
    Guarantees {
        ordered: true,
        reliable: false,
        carries: vec![FrameKind::Text, FrameKind::Bytes, FrameKind::Object],
        addressed: true,
    }
}

/// A `BroadcastChannel` on which every message names its sender and, unless it is for any hub or
/// for all tabs, its receiver: `[kind, payload, from, to]`.
struct Medium {
    channel: BroadcastChannel,
    own_id: String,
}

struct Letter {
    /// Nothing, when the sender is fine but what it wrote can't be read.
    content: Option<Content>,
    from: String,
    to: Option<String>,
}

impl Medium {
    fn join(channel_name: &str, own_id: &str) -> Result<Self, TransportError> {
        let channel = BroadcastChannel::new(channel_name)
            .map_err(|thrown| TransportError::thrown(NAME, &thrown))?;
        Ok(Medium { channel, own_id: own_id.to_owned() })
    }

    fn on_message(&self, mut action: impl FnMut(Letter) + 'static) -> EventListener {
        EventListener::new(&self.channel, "message", move |event| {
            if let Some(letter) = Letter::read(event.data()) {
                action(letter);
            }
        })
    }

    fn post(&self, content: Content, to: Option<&str>) -> Result<(), TransportError> {
        let message = content.into_array();
        message.push(&self.own_id.as_str().into());
        message.push(&to.map(JsValue::from_str).into());
        self.channel.post_message(&message).map_err(|thrown| TransportError::thrown(NAME, &thrown))
    }
}

impl Letter {
    fn read(data: JsValue) -> Option<Self> {
        let array: Array = array_of(4, data)?;
        let to = array.get(3);
        let to = if to.is_undefined() { None } else { Some(to.as_string()?) };
        Some(Letter { content: Content::from_array(&array), from: array.get(2).as_string()?, to })
    }
}

fn garbage() -> Event {
    Event::Error(TransportError::failed(NAME, "what arrived is not a frame, and was dropped"))
}

/// A tab's end: a link to the hub that listens on the same `BroadcastChannel`.
///
/// Ordered, but not reliable: what is posted before the hub listens is lost. Bytes are copied, as a
/// channel transfers nothing. Each frame travels to every tab, which ignores those of others.
///
/// The first hub to answer is the one this end talks to until it closes; later hubs are ignored. It
/// can't notice that a hub died without closing. What is on the channel and not for this end is
/// ignored, whatever it is; what is for this end and can't be read is an [`Event::Error`].
///
/// An open channel keeps a Node process alive.
pub struct BroadcastTransport {
    tab: Rc<TabEnd>,
}

struct TabEnd {
    medium: Medium,
    hub: RefCell<Option<String>>,
    inbox: Rc<Inbox<Event>>,
    listeners: Cell<Vec<EventListener>>,
}

impl BroadcastTransport {
    /// Joins a channel under an id that no one else on it, tab or hub, has. A new link should have a
    /// new id: what was meant for an earlier link of the same id would arrive here.
    ///
    /// # Errors
    ///
    /// [`TransportError::Failed`] where the platform has no `BroadcastChannel` for this page.
    pub fn connect(channel_name: &str, own_id: &str) -> Result<Self, TransportError> {
        let medium = Medium::join(channel_name, own_id)?;
        let tab = Rc::new_cyclic(|tab: &Weak<TabEnd>| {
            let message = medium.on_message({
                let tab = Weak::clone(tab);
                move |letter| {
                    if let Some(tab) = tab.upgrade() {
                        tab.receive(letter);
                    }
                }
            });
            let unreadable = EventListener::new(&medium.channel, "messageerror", {
                let tab = Weak::clone(tab);
                move |_| {
                    if let Some(tab) = tab.upgrade() {
                        tab.give(garbage());
                    }
                }
            });
            TabEnd {
                medium,
                hub: RefCell::default(),
                inbox: Rc::default(),
                listeners: Cell::new(vec![message, unreadable]),
            }
        });
        Ok(BroadcastTransport { tab })
    }
}

impl TabEnd {
    fn receive(&self, letter: Letter) {
        let hub = self.hub.borrow().clone();
        let from_our_hub = hub.as_ref() == Some(&letter.from);
        let for_us = match &letter.to {
            Some(to) => *to == self.medium.own_id && (from_our_hub || hub.is_none()),
            None => from_our_hub,
        };
        if !for_us {
            return;
        }
        match letter.content {
            Some(Content::Frame(frame)) => {
                self.hub.replace(Some(letter.from));
                self.give(Event::Frame(frame));
            }
            Some(Content::Close(reason)) => {
                self.release();
                self.inbox.end(Some(Event::Closed(reason)));
                self.inbox.deliver();
            }
            None => self.give(garbage()),
        }
    }

    fn give(&self, event: Event) {
        self.inbox.push(event);
        self.inbox.deliver();
    }

    fn release(&self) {
        drop(self.listeners.take());
        self.medium.channel.close();
    }
}

impl Transport for BroadcastTransport {
    fn name(&self) -> &str {
        NAME
    }

    fn guarantees(&self) -> Guarantees {
        guarantees()
    }

    fn send(&self, frame: Frame) -> Result<(), TransportError> {
        if self.tab.inbox.has_ended() {
            return Err(TransportError::closed(NAME));
        }
        self.tab.medium.post(Content::Frame(frame), self.tab.hub.borrow().as_deref())
    }

    fn listen(&self, handler: Handler) {
        self.tab.inbox.listen(handler);
        self.tab.inbox.deliver_soon();
    }

    fn close(&self, reason: Option<&str>) {
        if self.tab.inbox.has_ended() {
            return;
        }
        // A string can always be posted on an open channel.
        let _ = self.tab.medium.post(Content::closing(reason), self.tab.hub.borrow().as_deref());
        self.tab.release();
        self.tab.inbox.abort(Some(Event::Closed(reason.map(str::to_owned))));
        self.tab.inbox.deliver_soon();
    }
}

impl Drop for BroadcastTransport {
    fn drop(&mut self) {
        self.close(None);
    }
}

/// The hub's end: makes a peer of every tab whose first frame arrives on a `BroadcastChannel`.
///
/// A tab that was closed can come back under the same id, as a new peer. What is on the channel and
/// not from a tab to this hub is ignored, and so is what can't be read, unless it is from a known
/// peer: that peer gets an [`Event::Error`].
pub struct BroadcastListener {
    hub: Rc<HubEnd>,
}

struct HubEnd {
    medium: Medium,
    arrivals: Rc<Inbox<Rc<dyn Transport>>>,
    /// By their ids.
    peers: RefCell<Vec<(String, Rc<Inbox<Event>>)>>,
    listeners: Cell<Option<EventListener>>,
}

impl BroadcastListener {
    /// Listens on a channel under an id that no one else on it, tab or hub, has had.
    ///
    /// # Errors
    ///
    /// [`TransportError::Failed`] where the platform has no `BroadcastChannel` for this page.
    pub fn listen(channel_name: &str, own_id: &str) -> Result<Self, TransportError> {
        let medium = Medium::join(channel_name, own_id)?;
        let hub = Rc::new_cyclic(|hub: &Weak<HubEnd>| {
            let message = medium.on_message({
                let hub = Weak::clone(hub);
                move |letter| {
                    if let Some(hub) = hub.upgrade() {
                        HubEnd::receive(&hub, letter);
                    }
                }
            });
            HubEnd {
                medium,
                arrivals: Rc::default(),
                peers: RefCell::default(),
                listeners: Cell::new(Some(message)),
            }
        });
        Ok(BroadcastListener { hub })
    }
}

impl HubEnd {
    fn receive(self: &Rc<Self>, letter: Letter) {
        // To nobody in particular means to any hub, and only a tab that no hub has answered says so.
        let newcomer = letter.to.is_none();
        if !newcomer && letter.to.as_ref() != Some(&self.medium.own_id) {
            return;
        }
        let known = self.peers.borrow().iter().find(|(id, _)| *id == letter.from).cloned();
        let known = known.map(|(_, inbox)| inbox);
        match (letter.content, known) {
            (Some(Content::Frame(frame)), Some(inbox)) => give(&inbox, Event::Frame(frame)),
            (Some(Content::Frame(frame)), None) if newcomer => {
                self.welcome(letter.from, Event::Frame(frame));
            }
            (Some(Content::Close(reason)), Some(inbox)) => {
                self.forget(&letter.from);
                inbox.end(Some(Event::Closed(reason)));
                inbox.deliver();
            }
            (None, Some(inbox)) => give(&inbox, garbage()),
            _ => {}
        }
    }

    fn forget(&self, id: &str) {
        self.peers.borrow_mut().retain(|(other, _)| other != id);
    }

    fn welcome(self: &Rc<Self>, id: String, first: Event) {
        let inbox = Rc::<Inbox<Event>>::default();
        inbox.push(first);
        self.peers.borrow_mut().push((id.clone(), Rc::clone(&inbox)));
        self.arrivals.push(Rc::new(PeerTransport { hub: Rc::clone(self), id, inbox }));
        self.arrivals.deliver();
    }
}

fn give(inbox: &Inbox<Event>, event: Event) {
    inbox.push(event);
    inbox.deliver();
}

impl Listener for BroadcastListener {
    fn accept(&self, handler: Box<dyn FnMut(Rc<dyn Transport>)>) {
        self.hub.arrivals.listen(handler);
        self.hub.arrivals.deliver_soon();
    }

    fn close(&self) {
        let hub = &self.hub;
        if hub.arrivals.has_ended() {
            return;
        }
        // One message for all tabs. A string can always be posted on an open channel.
        let _ = hub.medium.post(Content::Close(None), None);
        drop(hub.listeners.take());
        hub.medium.channel.close();
        for (_, inbox) in hub.peers.take() {
            inbox.abort(Some(Event::Closed(None)));
            inbox.deliver_soon();
        }
        hub.arrivals.abort(None);
        hub.arrivals.deliver_soon();
    }
}

impl Drop for BroadcastListener {
    fn drop(&mut self) {
        self.close();
    }
}

/// The hub's link to one tab.
struct PeerTransport {
    hub: Rc<HubEnd>,
    id: String,
    inbox: Rc<Inbox<Event>>,
}

impl Transport for PeerTransport {
    fn name(&self) -> &str {
        NAME
    }

    fn guarantees(&self) -> Guarantees {
        guarantees()
    }

    fn send(&self, frame: Frame) -> Result<(), TransportError> {
        if self.inbox.has_ended() {
            return Err(TransportError::closed(NAME));
        }
        self.hub.medium.post(Content::Frame(frame), Some(&self.id))
    }

    fn listen(&self, handler: Handler) {
        self.inbox.listen(handler);
        self.inbox.deliver_soon();
    }

    fn close(&self, reason: Option<&str>) {
        if self.inbox.has_ended() {
            return;
        }
        self.hub.forget(&self.id);
        // A string can always be posted on an open channel.
        let _ = self.hub.medium.post(Content::closing(reason), Some(&self.id));
        self.inbox.abort(Some(Event::Closed(reason.map(str::to_owned))));
        self.inbox.deliver_soon();
    }
}

impl Drop for PeerTransport {
    fn drop(&mut self) {
        self.close(None);
    }
}
