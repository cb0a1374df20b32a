//! Of ShareDB's own protocol, which the hub passes on.

use crate::platform::Payload;
use crate::wire::wire;

/// A message of ShareDB's own protocol, for the server.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionSend {
    /// The message, with its action in `a`.
    pub message: Payload,
    /// As in the last [`ConnectionEvent`](super::ConnectionEvent) that the tab's owner has heard of: what was meant for a
    /// connection that is lost is lost with it. 0 if it has heard of none.
    pub losses: u64,
}

wire!(ConnectionSend { message, losses or 0 });

/// A message of ShareDB's own protocol that the hub takes as if the server had sent it.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionHandleMessage {
    /// The message, with its action in `a`.
    pub message: Payload,
}

wire!(ConnectionHandleMessage { message });

/// A message of ShareDB's own protocol, from the server or a sibling.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionReceive {
    /// The message, with its action in `a`.
    pub message: Payload,
}

wire!(ConnectionReceive { message });
