use std::collections::VecDeque;
use std::iter;
use std::rc::Rc;
use tabmux_middleware::{SortedMap, SortedSet};

use tabmux_codecs::Codec;
use tabmux_middleware::{Environment, LayerConfig, Millis, Packet, Stack};
use tabmux_transports::{Frame, Guarantees};

use super::HubSettings;
use super::caps::{MAX_BACKLOG, MAX_HELD, MAX_HELD_FRAMES};
use super::deadlines::Deadlines;
use crate::error::{Error, codes};
use crate::platform::Payload;
use crate::protocol::{
    Envelope, EnvelopeToHub, EnvelopeToTab, HubLink, Layered, Link, Refusal, ToHub, ToTab,
};

/// Stands for one transport, and so for one tab at most.
pub type PeerId = u32;

/// The hub's end of one transport.
struct Peer {
    guarantees: Guarantees,
    link: Option<HubLink>,
    /// The tab at the other end, once it was let in: there is never another.
    owner: Option<String>,
    /// Whether it was let in in the present session.
    is_let_in: bool,
    /// How large the frames are that wait for an earlier one.
    early: usize,
    /// Frames outside of any session.
    loose: VecDeque<Frame>,
    /// The link's, as [`Peers`] has noted it.
    deadline: Option<Millis>,
}

impl Peer {
    fn new(guarantees: Guarantees) -> Self {
        Peer {
            guarantees,
            link: None,
            owner: None,
            is_let_in: false,
            early: 0,
            loose: VecDeque::new(),
            deadline: None,
        }
    }

    fn tab(&self) -> Option<&str> {
        self.owner.as_deref().filter(|_| self.is_let_in)
    }

    /// Takes a frame. A frame of a new session ends the one before.
    fn receive(
        &mut self,
        id: PeerId,
        frame: Frame,
        settings: &HubSettings,
        now: Millis,
    ) -> Result<(), Error> {
        let size = size_of(&frame);
        let (codec, envelope) = self.decode(frame, settings)?;
        let current = self.link.as_ref().map_or(0, Link::session);
        if envelope.session < current {
            return Ok(());
        }
        if envelope.session > current {
            let Some(layers) = &envelope.layers else {
                self.send_loose(envelope.session, true, Vec::new(), settings, &*codec);
                return Ok(());
            };
            match self.link_for(id, envelope.session, layers, &codec, settings) {
                Ok(link) => (self.link, self.is_let_in) = (Some(link), false),
                Err(error) => {
                    self.refuse(&envelope, error.clone(), settings, &*codec);
                    return Err(error);
                }
            }
        }
        let Some(link) = &mut self.link else { return Ok(()) };
        let before = link.early();
        link.receive(envelope.packet, now);
        match link.early() {
            0 => self.early = 0,
            now if now > before => self.early += size(),
            _ => {}
        }
        if self.early > MAX_HELD {
            let reason =
                "the frames of a tab that wait for an earlier one are too large".to_owned();
            self.end_session(settings);
            return Err(Error::new(codes::TOO_MUCH, reason));
        }
        Ok(())
    }

    /// Reads a frame with the codec of the session, or with the first that can.
    fn decode(
        &self,
        frame: Frame,
        settings: &HubSettings,
    ) -> Result<(Rc<dyn Codec>, EnvelopeToHub), Error> {
        let kind = frame.kind();
        let known = self.link.as_ref().map(Link::codec).filter(|codec| codec.frame_kind() == kind);
        if let Some(codec) = known {
            return Ok((Rc::clone(codec), EnvelopeToHub::decode(&**codec, frame)?));
        }
        let mut codecs = settings.codecs.by_frame_kind(kind).peekable();
        while let Some(codec) = codecs.next() {
            if codecs.peek().is_none() {
                return Ok((Rc::clone(codec), EnvelopeToHub::decode(&**codec, frame)?));
            }
            if let Ok(envelope) = EnvelopeToHub::decode(&**codec, frame.clone()) {
                return Ok((Rc::clone(codec), envelope));
            }
        }
        Err(Error::new(codes::BAD_FRAME, format!("bad frame: there is no codec for {kind}")))
    }

    /// Lets go of all that the session holds: the tab has to begin another.
    fn end_session(&mut self, settings: &HubSettings) {
        let Some(link) = self.link.take() else { return };
        (self.is_let_in, self.early) = (false, 0);
        self.send_loose(link.session(), true, Vec::new(), settings, &**link.codec());
    }

    fn link_for(
        &self,
        id: PeerId,
        session: u64,
        layers: &[LayerConfig],
        codec: &Rc<dyn Codec>,
        settings: &HubSettings,
    ) -> Result<HubLink, Error> {
        let environment = Environment {
            layers: settings.layers.clone(),
            link: id.into(),
            ..Environment::new(settings.seed.wrapping_add(u64::from(id)))
        };
        let stack = Stack::counterpart(layers, MAX_HELD_FRAMES, &self.guarantees, environment)
            .map_err(|error| Error::new(codes::LAYERS, error.to_string()))?;
        Ok(HubLink::of_hub(session, settings.epoch, Rc::clone(codec), stack))
    }

    fn refuse(
        &mut self,
        to: &EnvelopeToHub,
        error: Error,
        settings: &HubSettings,
        codec: &dyn Codec,
    ) {
        let refusals = to.packet.messages.iter().filter_map(|message| {
            let Ok(ToHub::Hello(hello)) = message.clone().message() else { return None };
            Some(ToTab::Refusal(Refusal { request: hello.request, error: error.clone() }))
        });
        self.send_loose(to.session, false, refusals.collect(), settings, codec);
    }

    fn send_loose(
        &mut self,
        session: u64,
        stale: bool,
        messages: Vec<ToTab>,
        settings: &HubSettings,
        codec: &dyn Codec,
    ) {
        let packet = Packet::new(messages.into_iter().map(Layered::Plain).collect());
        let epoch = settings.epoch;
        let envelope = EnvelopeToTab { session, epoch, stale, packet };
        self.loose.extend(envelope.encode(codec));
    }

    fn poll_transmit(&mut self) -> Option<Frame> {
        self.loose.pop_front().or_else(|| self.link.as_mut()?.poll_transmit())
    }
}

/// How large the frame is, which is gone by then. What has no bytes is measured only if it must be.
fn size_of(frame: &Frame) -> impl FnOnce() -> usize + use<> {
    let (size, object) = match frame {
        Frame::Text(text) => (text.len(), None),
        Frame::Bytes(bytes) => (bytes.len(), None),
        Frame::Object(object) => (0, Some(Payload(object.clone()))),
    };
    move || object.map_or(size, |object| object.size())
}

/// All transports of the hub.
#[derive(Default)]
pub(super) struct Peers {
    peers: SortedMap<PeerId, Peer>,
    next_id: PeerId,
    deadlines: Deadlines<PeerId>,
    /// Those that may have frames to send.
    sending: SortedSet<PeerId>,
    faults: VecDeque<Error>,
}

impl Peers {
    pub fn add(&mut self, guarantees: Guarantees) -> PeerId {
        self.next_id += 1;
        self.peers.insert(self.next_id, Peer::new(guarantees));
        self.next_id
    }

    /// Returns the tab that was let in on this transport.
    pub fn remove(&mut self, id: PeerId) -> Option<String> {
        let peer = self.peers.remove(&id)?;
        self.deadlines.set(&id, peer.deadline, None);
        peer.owner.filter(|_| peer.is_let_in)
    }

    /// Does something with the link of a peer, and notes what has become of it.
    fn with<T>(&mut self, id: PeerId, act: impl FnOnce(&mut Peer) -> T) -> Option<T> {
        let peer = self.peers.get_mut(&id)?;
        let result = act(peer);
        let link = peer.link.as_mut();
        let deadline = link.as_ref().and_then(|link| link.deadline());
        self.deadlines.set(&id, std::mem::replace(&mut peer.deadline, deadline), deadline);
        self.faults.extend(link.into_iter().flat_map(|link| iter::from_fn(|| link.poll_fault())));
        self.sending.insert(id);
        Some(result)
    }

    /// The tab is let in on this transport.
    pub fn let_in(&mut self, id: PeerId, tab: &str) {
        if let Some(peer) = self.peers.get_mut(&id) {
            (peer.owner, peer.is_let_in) = (Some(tab.to_owned()), true);
        }
    }

    /// The tab that was let in on this transport, in its present session.
    pub fn tab(&self, id: PeerId) -> Option<&str> {
        self.peers.get(&id)?.tab()
    }

    /// The only tab that may be let in on this transport.
    pub fn owner(&self, id: PeerId) -> Option<&str> {
        self.peers.get(&id)?.owner.as_deref()
    }

    /// Whether this tab was let in on this transport, in its present session.
    pub fn serves(&self, id: PeerId, tab: &str) -> bool {
        self.tab(id) == Some(tab)
    }

    /// The number of the session on this transport, 0 if there is none.
    pub fn session(&self, id: PeerId) -> u64 {
        self.peers.get(&id).and_then(|peer| peer.link.as_ref()).map_or(0, Link::session)
    }

    pub fn receive(
        &mut self,
        id: PeerId,
        frame: Frame,
        settings: &HubSettings,
        now: Millis,
    ) -> Result<(), Error> {
        self.with(id, |peer| peer.receive(id, frame, settings, now)).unwrap_or(Ok(()))
    }

    /// Returns whether the tab has let so much lie that its session was ended.
    pub fn send(
        &mut self,
        id: PeerId,
        message: ToTab,
        settings: &HubSettings,
        now: Millis,
    ) -> bool {
        let sent = self.with(id, |peer| {
            let Some(link) = &mut peer.link else { return false };
            link.send(message, now);
            let is_behind = link.untaken() > MAX_BACKLOG;
            if is_behind {
                peer.end_session(settings);
            }
            is_behind
        });
        sent.unwrap_or_default()
    }

    /// The tab has to begin another session.
    pub fn end_session(&mut self, id: PeerId, settings: &HubSettings) {
        self.with(id, |peer| peer.end_session(settings));
    }

    pub fn poll_message(&mut self, id: PeerId) -> Option<ToHub> {
        let link = self.peers.get_mut(&id)?.link.as_mut()?;
        let message = link.poll_message();
        self.faults.extend(iter::from_fn(|| link.poll_fault()));
        message
    }

    pub fn poll_fault(&mut self) -> Option<Error> {
        self.faults.pop_front()
    }

    pub fn poll_transmit(&mut self) -> Option<(PeerId, Frame)> {
        while let Some(id) = self.sending.first().copied() {
            if let Some(frame) = self.with(id, Peer::poll_transmit).flatten() {
                return Some((id, frame));
            }
            self.sending.remove(&id);
        }
        None
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.deadlines.next()
    }

    /// Wakes the links whose time has come, and returns whose they are.
    pub fn wake(&mut self, now: Millis) -> Vec<PeerId> {
        let due = self.deadlines.due(now);
        for id in &due {
            self.wake_link(*id, now);
        }
        due
    }

    pub fn wake_link(&mut self, id: PeerId, now: Millis) {
        self.with(id, |peer| peer.link.as_mut().map(|link| link.wake(now)));
    }
}
