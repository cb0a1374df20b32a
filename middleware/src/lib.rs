//! Layers over the messages of a tabmux connection.
//!
//! A [`Layer`] is a synchronous state machine: it takes a packet and the time, and returns packets
//! and its next deadline. It knows nothing of what the messages mean.

mod layer;
mod packet;

pub use layer::{Layer, Millis, Output};
pub use packet::{Message, Packet};
