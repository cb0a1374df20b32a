use std::rc::Rc;

use crate::{Frame, FrameKind};

/// What a transport promises of the frames it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guarantees {
    /// Frames arrive in the order they were sent.
    pub ordered: bool,
    /// Every frame sent while both ends are alive arrives, once.
    pub reliable: bool,
    /// The kinds of frame it can carry.
    pub carries: Vec<FrameKind>,
    /// Many peers share the medium, so that frames must name their sender and receiver.
    pub addressed: bool,
}

/// What a transport tells the one who listens to it.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A frame arrived.
    Frame(Frame),
    /// Something went wrong that did not end the transport, such as a frame that could not be read.
    Error(TransportError),
    /// The transport ended, by either side or by a fault; nothing follows. Holds the reason, if known.
    Closed(Option<String>),
}

/// Receives the events of a transport, one at a time.
pub type Handler = Box<dyn FnMut(Event)>;

/// Why a transport could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The transport is closed.
    #[error("the {transport} transport is closed")]
    Closed {
        /// The transport's name.
        transport: String,
    },
    /// The transport cannot carry this kind of frame.
    #[error("the {transport} transport can't carry {kind}")]
    Unsupported {
        /// The transport's name.
        transport: String,
        /// The kind of the frame at fault.
        kind: FrameKind,
    },
    /// The platform refused, with what it said.
    #[error("the {transport} transport failed: {reason}")]
    Failed {
        /// The transport's name.
        transport: String,
        /// What the platform said.
        reason: String,
    },
}

/// One end of a point-to-point link that carries frames.
pub trait Transport {
    /// The name users know it by, such as `message-port`.
    fn name(&self) -> &str;

    /// What it promises.
    fn guarantees(&self) -> Guarantees;

    /// Hands a frame to the link. Never calls the handler before it returns.
    fn send(&self, frame: Frame) -> Result<(), TransportError>;

    /// Sets the one handler of events. What arrived before is kept and delivered to it, in order.
    fn listen(&self, handler: Handler);

    /// Ends the link and tells the other side. Closing twice does nothing.
    fn close(&self, reason: Option<&str>);
}

/// The hub's end of a medium on which tabs come and go.
pub trait Listener {
    /// Sets the one handler of new peers. A peer's first frame is delivered when it is listened to.
    fn accept(&self, handler: Box<dyn FnMut(Rc<dyn Transport>)>);

    /// Stops listening and closes every peer.
    fn close(&self);
}
