use std::rc::Rc;

use tabmux_codecs::Codec;
use tabmux_middleware::{LayerConfig, Tracer};
use tabmux_transports::Guarantees;

use crate::platform::Payload;
use crate::protocol::{Layered, TabLayers, ToHub, ToTab};

/// Makes what hears of every message of one session.
pub type MakeTracer = Rc<dyn Fn() -> Box<dyn Tracer<Layered<ToHub>, Layered<ToTab>>>>;

/// What a [`super::Tab`] is made of.
pub struct TabSettings {
    /// The tab's id, unique among the tabs of the hub.
    pub id: String,
    /// What proves that the id is the tab's own: ids of 32 hexadecimal digits need the secret of which
    /// [`tab_id`](crate::protocol::tab_id) makes them.
    pub secret: Option<String>,
    /// Whose data this is.
    pub identity: String,
    /// What the hub definition's `connect` is given.
    pub options: Option<Payload>,
    /// The codec.
    pub codec: Rc<dyn Codec>,
    /// The layers, from the application down to the transport.
    pub layers: Vec<LayerConfig>,
    /// Those among them that are the application's own.
    pub own_layers: TabLayers,
    /// What the transport promises.
    pub guarantees: Guarantees,
    /// Seeds the jitter of `retries`.
    pub seed: u64,
    /// For each session, where the layers include `tracing`.
    pub tracer: Option<MakeTracer>,
}
