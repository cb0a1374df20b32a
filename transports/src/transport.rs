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
    /// What was given to make the transport from is not fit for it.
    #[error("the {transport} transport is not valid: {reason}")]
    Invalid {
        /// The transport's name.
        transport: String,
        /// The part at fault, and what it must be.
        reason: String,
    },
}

impl TransportError {
    pub(crate) fn closed(transport: &str) -> Self {
        TransportError::Closed { transport: transport.to_owned() }
    }
}

#[cfg(target_arch = "wasm32")]
impl TransportError {
    pub(crate) fn failed(transport: &str, reason: impl Into<String>) -> Self {
        TransportError::Failed { transport: transport.to_owned(), reason: reason.into() }
    }

    /// Something was thrown, not always an `Error`: JavaScript can throw anything.
    pub(crate) fn thrown(transport: &str, thrown: &wasm_bindgen::JsValue) -> Self {
        let message = js_sys::Reflect::get(thrown, &"message".into()).ok();
        let reason = message.and_then(|message| message.as_string());
        TransportError::failed(transport, reason.unwrap_or_else(|| crate::shown(thrown)))
    }
}

/// One end of a point-to-point link that carries frames.
pub trait Transport {
    /// The name users know it by, such as `message-port`.
    fn name(&self) -> &str;

    /// What it promises.
    fn guarantees(&self) -> Guarantees;

    /// Hands a frame to the link. Never calls the handler before it returns.
    fn send(&self, frame: Frame) -> Result<(), TransportError>;

    /// Sets the one handler of events. What arrived before is kept and delivered to it, in order,
    /// after this has returned.
    fn listen(&self, handler: Handler);

    /// Ends the link and tells the other side. Closing twice does nothing. The handler gets its
    /// [`Event::Closed`] after this has returned, and is dropped then. Dropping a transport
    /// closes it.
    fn close(&self, reason: Option<&str>);
}

/// The hub's end of a medium on which tabs come and go.
pub trait Listener {
    /// Sets the one handler of new peers, which keeps them: a peer that is dropped is closed. Those
    /// who came before are handed over too, after this has returned. A peer's first frame is
    /// delivered when it is listened to.
    fn accept(&self, handler: Box<dyn FnMut(Rc<dyn Transport>)>);

    /// Stops listening and closes every peer. Dropping a listener closes it.
    fn close(&self);
}
