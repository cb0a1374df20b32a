use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use tabmux_codecs::{Codec, by_frame_kind};
use tabmux_middleware::{Environment, LayerConfig, Message as _, Millis, Packet, Stack};
use tabmux_transports::{Frame, Guarantees};

use super::HubSettings;
use crate::error::{Error, codes};
use crate::protocol::{Envelope, Link, Message, Refusal};

/// Stands for one transport, and so for one tab at most.
pub type PeerId = u32;

/// The hub's end of one transport.
pub(super) struct Peer {
    guarantees: Guarantees,
    link: Option<Link>,
    /// The tab at the other end, once it was let in.
    pub tab: Option<String>,
    /// Frames outside of any session.
    loose: VecDeque<Frame>,
}

impl Peer {
    fn new(guarantees: Guarantees) -> Self {
        Peer { guarantees, link: None, tab: None, loose: VecDeque::new() }
    }

    /// Takes a frame. A frame of a new session ends the one before.
    fn receive(
        &mut self,
        id: PeerId,
        frame: Frame,
        settings: &HubSettings,
        now: Millis,
    ) -> Result<(), Error> {
        let codec = by_frame_kind(frame.kind(), settings.limits);
        let envelope = Envelope::decode(&*codec, frame)?;
        let current = self.link.as_ref().map_or(0, Link::session);
        if envelope.session < current {
            return Ok(());
        }
        if envelope.session > current {
            let Some(layers) = &envelope.layers else {
                self.answer_stale(&envelope, settings, &*codec);
                return Ok(());
            };
            match self.link_for(id, envelope.session, layers, &codec, settings) {
                Ok(link) => (self.link, self.tab) = (Some(link), None),
                Err(error) => {
                    self.refuse(&envelope, error.clone(), settings, &*codec);
                    return Err(error);
                }
            }
        }
        if let Some(link) = &mut self.link {
            link.receive(envelope.packet, now);
        }
        Ok(())
    }

    fn link_for(
        &self,
        id: PeerId,
        session: u64,
        layers: &[LayerConfig],
        codec: &Rc<dyn Codec>,
        settings: &HubSettings,
    ) -> Result<Link, Error> {
        let environment =
            Environment { seed: settings.seed.wrapping_add(u64::from(id)), tracer: None };
        let layers = tabmux_middleware::counterpart(layers);
        let stack = Stack::build(&layers, &self.guarantees, environment)
            .map_err(|error| Error::new(codes::LAYERS, error.to_string()))?;
        Ok(Link::of_hub(session, settings.epoch, Rc::clone(codec), stack))
    }

    fn answer_stale(&mut self, to: &Envelope, settings: &HubSettings, codec: &dyn Codec) {
        self.send_loose(to, true, Vec::new(), settings, codec);
    }

    fn refuse(&mut self, to: &Envelope, error: Error, settings: &HubSettings, codec: &dyn Codec) {
        let refusals = to.packet.messages.iter().filter_map(|message| {
            let (Message::Hello(_), Some(request)) = (message, message.request()) else {
                return None;
            };
            Some(Message::Refusal(Refusal { request, error: error.clone() }))
        });
        self.send_loose(to, false, refusals.collect(), settings, codec);
    }

    fn send_loose(
        &mut self,
        to: &Envelope,
        stale: bool,
        messages: Vec<Message>,
        settings: &HubSettings,
        codec: &dyn Codec,
    ) {
        let packet = Packet::new(messages);
        let epoch = Some(settings.epoch);
        let envelope = Envelope { session: to.session, epoch, layers: None, stale, packet };
        self.loose.extend(envelope.encode(codec));
    }

    fn poll_transmit(&mut self) -> Option<Frame> {
        self.loose.pop_front().or_else(|| self.link.as_mut()?.poll_transmit())
    }
}

/// All transports of the hub.
#[derive(Default)]
pub(super) struct Peers {
    peers: BTreeMap<PeerId, Peer>,
    next_id: PeerId,
}

impl Peers {
    pub fn add(&mut self, guarantees: Guarantees) -> PeerId {
        self.next_id += 1;
        self.peers.insert(self.next_id, Peer::new(guarantees));
        self.next_id
    }

    pub fn remove(&mut self, id: PeerId) -> Option<Peer> {
        self.peers.remove(&id)
    }

    pub fn get_mut(&mut self, id: PeerId) -> Option<&mut Peer> {
        self.peers.get_mut(&id)
    }

    /// Whether this tab was let in on this transport, in its present session.
    pub fn serves(&self, id: PeerId, tab: &str) -> bool {
        self.peers.get(&id).is_some_and(|peer| peer.tab.as_deref() == Some(tab))
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
        match self.peers.get_mut(&id) {
            Some(peer) => peer.receive(id, frame, settings, now),
            None => Ok(()),
        }
    }

    pub fn send(&mut self, id: PeerId, message: Message, now: Millis) {
        if let Some(link) = self.peers.get_mut(&id).and_then(|peer| peer.link.as_mut()) {
            link.send(message, now);
        }
    }

    pub fn poll_message(&mut self, id: PeerId) -> Option<Message> {
        self.peers.get_mut(&id)?.link.as_mut()?.poll_message()
    }

    pub fn poll_fault(&mut self) -> Option<Error> {
        self.peers.values_mut().filter_map(|peer| peer.link.as_mut()).find_map(Link::poll_fault)
    }

    pub fn poll_transmit(&mut self) -> Option<(PeerId, Frame)> {
        self.peers.iter_mut().find_map(|(id, peer)| Some((*id, peer.poll_transmit()?)))
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.peers.values().filter_map(|peer| peer.link.as_ref()?.deadline()).min()
    }

    pub fn wake(&mut self, now: Millis) {
        for link in self.peers.values_mut().filter_map(|peer| peer.link.as_mut()) {
            link.wake(now);
        }
    }
}
