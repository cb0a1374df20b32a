//! Of the session, the connection and requests in general.

use crate::error::Error;
use crate::platform::Payload;
use crate::wire::wire;

/// The first message of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Hello {
    /// The request number of the handshake.
    pub request: u64,
    /// The version of the protocol the tab speaks.
    pub protocol: u32,
    /// The codec the tab uses.
    pub codec: String,
    /// The tab's id; also the name of the Web Lock it holds while it lives.
    pub tab: String,
    /// What proves that the id is the tab's own; see [`tab_id`](crate::protocol::tab_id).
    pub secret: Option<String>,
    /// Whose data this is; identities never share a hub.
    pub identity: String,
    /// The [`Welcome::lineage`] of the hub whose state the tab still holds.
    pub resume: Option<String>,
    /// What the hub definition's `connect` is given: `{url, auth}`.
    pub options: Option<Payload>,
}

wire!(Hello { request, protocol, codec, tab, secret, identity, resume, options });

/// The hub's answer to [`Hello`].
#[derive(Clone, Debug, PartialEq)]
pub struct Welcome {
    /// The request number of the hello.
    pub request: u64,
    /// The version of the protocol the hub speaks.
    pub protocol: u32,
    /// Names the hub and all that come after it with the same store: they know the same revisions.
    pub lineage: String,
    /// Whether the hub still holds what the tab's last session left.
    pub resumed: bool,
    /// Whether hubs of this lineage take [`ConnectionUnloadJournal`](super::ConnectionUnloadJournal).
    pub unload_journals: bool,
}

wire!(Welcome { request, protocol, lineage, resumed, unload_journals or false });

/// Another lineage from now on: the store fails, and the hubs that come after do not know what this
/// one does; or it works again, and they do.
#[derive(Clone, Debug, PartialEq)]
pub struct Lineage {
    /// As in [`Welcome::lineage`].
    pub lineage: String,
}

wire!(Lineage { lineage });

/// The hub's refusal of a [`Hello`].
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The request number of the hello.
    pub request: u64,
    /// Why.
    pub error: Error,
}

wire!(Refusal { request, error });

/// The answer to a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Callback {
    /// The request's number.
    pub request: u64,
    /// Why it failed, if it did.
    pub error: Option<Error>,
}

wire!(Callback { request, error });

/// The request is alive and waits for the server: its clock stops.
#[derive(Clone, Debug, PartialEq)]
pub struct Working {
    /// The request's number.
    pub request: u64,
}

wire!(Working { request });

/// The state of the upstream connection.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionEvent {
    /// `connecting`, `connected`, `disconnected`, `closed` or `stopped`.
    pub state: String,
    /// The connection's id on the server, once it has one.
    pub id: Option<String>,
    /// What ShareDB gave as the reason of the change.
    pub reason: Option<Payload>,
    /// Grows each time the hub loses the connection, from a number that is the hub's own.
    pub losses: u64,
}

wire!(ConnectionEvent { state, id, reason, losses or 0 });

impl ConnectionEvent {
    /// Whether the server can be reached.
    pub fn is_connected(&self) -> bool {
        self.state == "connected"
    }

    /// Whether the connection is being made.
    pub fn is_connecting(&self) -> bool {
        self.state == "connecting"
    }
}

/// An error of the upstream connection that belongs to no document and no request.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionError {
    /// It is the socket's, ShareDB's event `connection error`; else it is its event `error`.
    pub socket: bool,
    /// The error.
    pub error: Error,
}

wire!(ConnectionError { socket, error });

/// One tab of the hub.
#[derive(Clone, Debug, PartialEq)]
pub struct TabInfo {
    /// The tab's id.
    pub id: String,
    /// When it joined, by the hub's clock, in milliseconds.
    pub since: u64,
}

wire!(TabInfo { id, since });

/// All tabs of the hub, in the order they joined.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionTabs {
    /// The tabs.
    pub tabs: Vec<TabInfo>,
}

wire!(ConnectionTabs { tabs });
