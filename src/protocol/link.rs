use std::collections::VecDeque;
use std::rc::Rc;

use tabmux_codecs::Codec;
use tabmux_middleware::{LayerConfig, Millis, Packet, Stack};
use tabmux_transports::Frame;

use super::{DocChange, DocEvent, DocLoad, Message};
use crate::error::{Error, codes};
use crate::wire::{from_value, to_value, wire};

/// What one frame holds: a packet, and which session it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// Which of the tab's sessions this belongs to, from 1; a tab begins one with each hello.
    pub session: u64,
    /// The epoch of the hub; every frame from a hub has it.
    pub epoch: Option<u64>,
    /// The tab's layers, until it was welcomed; the hub builds their counterparts.
    pub layers: Option<Vec<LayerConfig>>,
    /// The hub does not know this session: the tab must begin another.
    pub stale: bool,
    /// The messages, and what the layers say to each other.
    pub packet: Packet<Message>,
}

wire!(Envelope { session, epoch, layers, stale or false, packet });
wire!(open Packet<M> { seq, ack, taken, messages });

impl Envelope {
    /// Reads a frame.
    ///
    /// # Errors
    /// The frame is not one of this codec, or does not hold an envelope.
    pub fn decode(codec: &dyn Codec, frame: Frame) -> Result<Self, Error> {
        let bad = |reason: String| Error::new(codes::BAD_FRAME, format!("bad frame: {reason}"));
        let value = codec.decode(frame).map_err(|error| bad(error.to_string()))?;
        from_value(value).map_err(bad)
    }

    /// Writes a frame.
    ///
    /// # Errors
    /// The codec can't carry one of the messages.
    pub fn encode(&self, codec: &dyn Codec) -> Result<Frame, Error> {
        codec
            .encode(&to_value(self))
            .map_err(|error| Error::new(codes::UNCARRIABLE, error.to_string()))
    }
}

/// One end of a session: the layers and the codec between messages and frames.
pub struct Link {
    session: u64,
    epoch: Option<u64>,
    announced: Option<Vec<LayerConfig>>,
    codec: Rc<dyn Codec>,
    stack: Stack<Message>,
    faults: VecDeque<Error>,
}

impl Link {
    /// A tab's end, which announces its layers until [`Link::established`].
    pub fn of_tab(
        session: u64,
        layers: Vec<LayerConfig>,
        codec: Rc<dyn Codec>,
        stack: Stack<Message>,
    ) -> Self {
        let faults = VecDeque::new();
        Link { session, epoch: None, announced: Some(layers), codec, stack, faults }
    }

    /// A hub's end.
    pub fn of_hub(session: u64, epoch: u64, codec: Rc<dyn Codec>, stack: Stack<Message>) -> Self {
        let faults = VecDeque::new();
        Link { session, epoch: Some(epoch), announced: None, codec, stack, faults }
    }

    /// The session's number.
    pub fn session(&self) -> u64 {
        self.session
    }

    /// The codec in use.
    pub fn codec(&self) -> &Rc<dyn Codec> {
        &self.codec
    }

    /// The other end knows the layers.
    pub fn established(&mut self) {
        self.announced = None;
    }

    /// Sends a message.
    pub fn send(&mut self, message: Message, now: Millis) {
        self.stack.send(message, now);
    }

    /// Takes the packet of an envelope of this session.
    pub fn receive(&mut self, packet: Packet<Message>, now: Millis) {
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
    pub fn poll_message(&mut self) -> Option<Message> {
        self.stack.poll_delivery()
    }

    /// The next frame to send.
    pub fn poll_transmit(&mut self) -> Option<Frame> {
        let packet = self.stack.poll_transmit()?;
        let mut envelope = Envelope {
            session: self.session,
            epoch: self.epoch,
            layers: self.announced.clone(),
            stale: false,
            packet,
        };
        match envelope.encode(&*self.codec) {
            Ok(frame) => Some(frame),
            Err(_) => {
                self.replace_uncarriable(&mut envelope);
                envelope.encode(&*self.codec).ok()
            }
        }
    }

    /// Takes out the messages that can't be carried, but tells of documents that the tab lacks; the
    /// packet itself must go, or the other end would wait for its number for ever.
    fn replace_uncarriable(&mut self, envelope: &mut Envelope) {
        let codec = Rc::clone(&self.codec);
        let mut probe = envelope.clone();
        envelope.packet.messages.retain_mut(|message| {
            probe.packet.messages = vec![message.clone()];
            let Err(error) = probe.encode(&*codec) else { return true };
            self.faults.push_back(error.clone());
            let (Message::DocLoad(DocLoad { doc, .. }) | Message::DocChange(DocChange { doc, .. })) =
                message
            else {
                return false;
            };
            let reason = format!("{doc} can't be sent to the tab: {}", error.message);
            let error = Error::new(codes::UNCARRIABLE, reason);
            *message = Message::DocEvent(DocEvent { doc: doc.clone(), error });
            true
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
