//! What one frame holds: a packet, and which session it belongs to.

use tabmux_codecs::Codec;
use tabmux_middleware::{LayerConfig, Message, Packet};
use tabmux_transports::Frame;

use super::names::Named;
use super::{Layered, ToHub, ToTab};
use crate::error::{Error, codes};
use crate::wire::{Wire, from_value, to_value, wire};

wire!(open Packet<M> { seq, ack, taken, messages });

/// The envelopes of one direction.
pub trait Envelope: Clone + Wire {
    /// The messages of this direction.
    type Message: Message + Named;

    /// Which of the tab's sessions this belongs to, from 1; a tab begins one with each hello.
    fn session(&self) -> u64;

    /// The messages, and what the layers say to each other.
    fn packet(&mut self) -> &mut Packet<Layered<Self::Message>>;

    /// What to say instead of a message that the codec can't carry, if anything.
    fn instead_of(_message: &Self::Message, _error: &Error) -> Option<Self::Message> {
        None
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// The frame is not one of this codec, or does not hold an envelope of this direction.
    fn decode(codec: &dyn Codec, frame: Frame) -> Result<Self, Error> {
        let bad = |reason: String| Error::new(codes::BAD_FRAME, format!("bad frame: {reason}"));
        let value = codec.decode(frame).map_err(|error| bad(error.to_string()))?;
        from_value(value).map_err(bad)
    }

    /// Writes a frame.
    ///
    /// # Errors
    /// The codec can't carry one of the messages.
    fn encode(&self, codec: &dyn Codec) -> Result<Frame, Error> {
        codec
            .encode(&to_value(self))
            .map_err(|error| Error::new(codes::UNCARRIABLE, error.to_string()))
    }
}

/// What a frame of a tab holds.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvelopeToHub {
    /// See [`Envelope::session`].
    pub session: u64,
    /// The tab's layers, until it was welcomed; the hub builds their counterparts.
    pub layers: Option<Vec<LayerConfig>>,
    /// See [`Envelope::packet`].
    pub packet: Packet<Layered<ToHub>>,
}

wire!(EnvelopeToHub { session, layers, packet });

impl Envelope for EnvelopeToHub {
    type Message = ToHub;

    fn session(&self) -> u64 {
        self.session
    }

    fn packet(&mut self) -> &mut Packet<Layered<ToHub>> {
        &mut self.packet
    }
}

/// What a frame of a hub holds.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvelopeToTab {
    /// See [`Envelope::session`].
    pub session: u64,
    /// The epoch of the hub.
    pub epoch: u64,
    /// The hub does not know this session: the tab must begin another.
    pub stale: bool,
    /// See [`Envelope::packet`].
    pub packet: Packet<Layered<ToTab>>,
}

wire!(EnvelopeToTab { session, epoch, stale or false, packet });

impl Envelope for EnvelopeToTab {
    type Message = ToTab;

    fn session(&self) -> u64 {
        self.session
    }

    fn packet(&mut self) -> &mut Packet<Layered<ToTab>> {
        &mut self.packet
    }

    fn instead_of(message: &ToTab, error: &Error) -> Option<ToTab> {
        message.uncarriable(error)
    }
}
