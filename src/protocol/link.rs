use std::collections::VecDeque;
use std::rc::Rc;

use tabmux_codecs::Codec;
use tabmux_middleware::{LayerConfig, Millis, Packet, Stack};
use tabmux_transports::Frame;

use super::{Envelope, EnvelopeToHub, EnvelopeToTab, Layered};
use crate::error::{Error, codes};

/// A tab's end of a session.
pub type TabLink = Link<EnvelopeToHub, EnvelopeToTab>;

/// A hub's end of a session.
pub type HubLink = Link<EnvelopeToTab, EnvelopeToHub>;

/// One end of a session: the layers and the codec between messages and frames.
pub struct Link<Out: Envelope, In: Envelope> {
    /// What every frame says beside its packet.
    head: Out,
    codec: Rc<dyn Codec>,
    stack: Stack<Layered<Out::Message>, Layered<In::Message>>,
    faults: VecDeque<Error>,
}

impl TabLink {
    /// A tab's end, which announces its layers until [`Link::established`].
    pub fn of_tab(
        session: u64,
        layers: Vec<LayerConfig>,
        codec: Rc<dyn Codec>,
        stack: Stack<Layered<super::ToHub>, Layered<super::ToTab>>,
    ) -> Self {
        let packet = Packet::new(Vec::new());
        Link::new(EnvelopeToHub { session, layers: Some(layers), packet }, codec, stack)
    }

    /// The hub knows the layers.
    pub fn established(&mut self) {
        self.head.layers = None;
    }
}

impl HubLink {
    /// A hub's end.
    pub fn of_hub(
        session: u64,
        epoch: u64,
        codec: Rc<dyn Codec>,
        stack: Stack<Layered<super::ToTab>, Layered<super::ToHub>>,
    ) -> Self {
        let packet = Packet::new(Vec::new());
        Link::new(EnvelopeToTab { session, epoch, stale: false, packet }, codec, stack)
    }
}

impl<Out: Envelope, In: Envelope> Link<Out, In> {
    fn new(
        head: Out,
        codec: Rc<dyn Codec>,
        stack: Stack<Layered<Out::Message>, Layered<In::Message>>,
    ) -> Self {
        Link { head, codec, stack, faults: VecDeque::new() }
    }

    /// The session's number.
    pub fn session(&self) -> u64 {
        self.head.session()
    }

    /// The codec in use.
    pub fn codec(&self) -> &Rc<dyn Codec> {
        &self.codec
    }

    /// Sends a message.
    pub fn send(&mut self, message: Out::Message, now: Millis) {
        self.stack.send(Layered::Plain(message), now);
    }

    /// Takes the packet of an envelope of this session.
    pub fn receive(&mut self, packet: Packet<Layered<In::Message>>, now: Millis) {
        self.stack.receive(packet, now);
    }

    /// When [`Link::wake`] wants to be called; see [`tabmux_middleware::Layer::deadline`].
    pub fn deadline(&self) -> Option<Millis> {
        self.stack.deadline()
    }

    /// The deadline has come.
    pub fn wake(&mut self, now: Millis) {
        self.stack.wake(now);
    }

    /// See [`Stack::untaken`].
    pub fn untaken(&self) -> usize {
        self.stack.untaken()
    }

    /// See [`Stack::early`].
    pub fn early(&self) -> usize {
        self.stack.early()
    }

    /// The next message that arrived.
    pub fn poll_message(&mut self) -> Option<In::Message> {
        loop {
            match self.stack.poll_delivery()?.message() {
                Ok(message) => return Some(message),
                Err(reason) => {
                    let reason = format!("what the layers passed on is no message: {reason}");
                    self.faults.push_back(Error::new(codes::BAD_FRAME, reason));
                }
            }
        }
    }

    /// The next frame to send.
    pub fn poll_transmit(&mut self) -> Option<Frame> {
        let packet = self.stack.poll_transmit()?;
        let mut envelope = self.head.clone();
        *envelope.packet() = packet;
        match envelope.encode(&*self.codec) {
            Ok(frame) => Some(frame),
            Err(_) => {
                self.replace_uncarriable(&mut envelope);
                envelope.encode(&*self.codec).ok()
            }
        }
    }

    /// Takes out the messages that can't be carried, or puts others in their place; the packet itself
    /// must go, or the other end would wait for its number for ever.
    fn replace_uncarriable(&mut self, envelope: &mut Out) {
        let mut probe = self.head.clone();
        envelope.packet().messages.retain_mut(|message| {
            probe.packet().messages = vec![message.clone()];
            let Err(error) = probe.encode(&*self.codec) else { return true };
            let other = match message {
                Layered::Plain(message) => Out::instead_of(message, &error),
                Layered::Arrived(..) | Layered::Passed(_) => None,
            };
            self.faults.push_back(error);
            other.map(|other| *message = Layered::Plain(other)).is_some()
        });
    }

    /// The next fault: something that was dropped, and why.
    pub fn poll_fault(&mut self) -> Option<Error> {
        self.faults.pop_front().or_else(|| {
            let fault = self.stack.poll_fault()?;
            Some(Error::new(codes::BAD_FRAME, fault.to_string()))
        })
    }
}
