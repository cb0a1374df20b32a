//! Moves frames between the two ends of a tabmux connection.
//!
//! A [`Transport`] carries [`Frame`]s and knows nothing of what they mean.

mod frame;
mod transport;

pub use frame::{Frame, FrameKind, Object};
pub use transport::{Event, Guarantees, Handler, Listener, Transport, TransportError};
