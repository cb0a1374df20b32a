//! Of ShareDB's own protocol, which the hub passes on.

use crate::platform::Payload;
use crate::wire::wire;

/// A message of ShareDB's own protocol, for the server.
#[derive(Clone, Debug, PartialEq)]
pub struct ToServer {
    /// The message, with its action in `a`.
    pub message: Payload,
    /// As in the last [`ConnectionEvent`](super::ConnectionEvent) that the tab's owner has heard of: what was meant for a
    /// connection that is lost is lost with it. 0 if it has heard of none.
    pub losses: u64,
}

wire!(ToServer { message, losses or 0 });

/// A message of ShareDB's own protocol, from the server or as if it were.
#[derive(Clone, Debug, PartialEq)]
pub struct Relayed {
    /// The message, with its action in `a`.
    pub message: Payload,
}

wire!(Relayed { message });
