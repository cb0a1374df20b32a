use std::collections::VecDeque;

use tabmux_transports::Guarantees;

use crate::{
    Batching, Coalescing, ConfigError, Direction, Fault, Layer, LayerConfig, Message, Millis,
    Ordering, Output, Packet, Retries, RetriesOptions, Timeouts, Tracer, Tracing, rules,
};

/// What the layers of a stack need beside their options.
pub struct Environment<M> {
    /// Seeds what is random, such as the jitter of resends.
    pub seed: u64,
    /// Where the `tracing` layer reports to. Needed only when there is one.
    pub tracer: Option<Tracer<M>>,
}

/// The layers of one end of a link, between the application and the transport.
///
/// It does no I/O and has no clock. After each call, poll everything: packets to transmit, messages
/// for the application, faults; then call [`Stack::wake`] at [`Stack::deadline`]. The time passed in
/// must not go back.
///
/// Packets without messages, such as acknowledgements, go through the layers and end there.
pub struct Stack<M> {
    /// Top first.
    layers: Vec<Box<dyn Layer<M>>>,
    transmit: VecDeque<Packet<M>>,
    delivery: VecDeque<M>,
    faults: VecDeque<Fault>,
}

/// A packet between two layers: which way it goes, how many layers are above it, and itself.
type Passing<M> = (Direction, usize, Packet<M>);

impl<M: Message + 'static> Stack<M> {
    /// Builds the layers, top first, after checking them against each other and the transport.
    ///
    /// # Errors
    ///
    /// A value out of range, a layer twice, one that is missing or in the wrong place, or `tracing`
    /// without a tracer.
    ///
    /// ```
    /// # use tabmux_middleware::Message;
    /// use tabmux_middleware::{Environment, LayerConfig, Stack};
    /// use tabmux_transports::Guarantees;
    /// # #[derive(Clone)]
    /// # struct Note;
    /// # impl Message for Note {
    /// #     fn request(&self) -> Option<u64> { None }
    /// #     fn answers(&self) -> Option<u64> { None }
    /// #     fn timed_out(_: u64, _: u64) -> Self { Note }
    /// #     fn merge(&mut self, next: Self) -> Result<(), Self> { Err(next) }
    /// # }
    ///
    /// let lossy = Guarantees { ordered: true, reliable: false, carries: vec![], addressed: false };
    /// let environment = Environment::<Note> { seed: 1, tracer: None };
    /// let error = Stack::build(&[LayerConfig::BATCHING], &lossy, environment).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "an unreliable transport needs the layer `retries`: a frame that is lost must be resent",
    /// );
    /// ```
    pub fn build(
        layers: &[LayerConfig],
        guarantees: &Guarantees,
        environment: Environment<M>,
    ) -> Result<Self, ConfigError> {
        rules::check(layers, guarantees)?;
        let max_held = layers.iter().find_map(|layer| match layer {
            LayerConfig::Ordering { max_held } => Some(*max_held),
            _ => None,
        });
        let Environment { seed, mut tracer } = environment;
        let mut built: Vec<Box<dyn Layer<M>>> = Vec::with_capacity(layers.len());
        for layer in layers {
            built.push(match *layer {
                LayerConfig::Batching { max_messages } => Box::new(Batching::new(max_messages)),
                LayerConfig::Coalescing { window } => Box::new(Coalescing::new(window)),
                LayerConfig::Timeouts { after } => Box::new(Timeouts::new(after)),
                LayerConfig::Ordering { max_held } => Box::new(Ordering::new(max_held)),
                LayerConfig::Retries { initial, max, ack_delay } => {
                    let max_held = max_held.expect("`retries` has `ordering` above it");
                    let options = RetriesOptions { initial, max, ack_delay, max_held, seed };
                    Box::new(Retries::new(options))
                }
                LayerConfig::Tracing => {
                    Box::new(Tracing::new(tracer.take().ok_or(ConfigError::NoTracer)?))
                }
            });
        }
        Ok(Stack::from_layers(built))
    }
}

impl<M> Stack<M> {
    /// A stack of these layers, top first, whether they fit or not: for layers of one's own.
    pub fn from_layers(layers: Vec<Box<dyn Layer<M>>>) -> Self {
        Stack {
            layers,
            transmit: VecDeque::new(),
            delivery: VecDeque::new(),
            faults: VecDeque::new(),
        }
    }

    /// Takes a message from the application.
    pub fn send(&mut self, message: M, now: Millis) {
        let packet = Packet::new(vec![message]);
        self.pass(VecDeque::from([(Direction::Outbound, 0, packet)]), now);
    }

    /// Takes a packet from the transport.
    pub fn receive(&mut self, packet: Packet<M>, now: Millis) {
        let bottom = self.layers.len();
        self.pass(VecDeque::from([(Direction::Inbound, bottom, packet)]), now);
    }

    /// The deadline has come. Called early, it does nothing.
    pub fn wake(&mut self, now: Millis) {
        // From the top, so that what one layer lets go still joins the batch of one below.
        for index in 0..self.layers.len() {
            let layer = &mut self.layers[index];
            if layer.deadline().is_some_and(|at| at <= now) {
                let mut out = Output::default();
                layer.wake(now, &mut out);
                let mut passing = VecDeque::new();
                self.collect(index, out, &mut passing);
                self.pass(passing, now);
            }
        }
    }

    /// When [`Stack::wake`] wants to be called. A time that has come means as soon as the current
    /// turn of the event loop allows (a microtask). `None` while nothing is pending.
    pub fn deadline(&self) -> Option<Millis> {
        self.layers.iter().filter_map(|layer| layer.deadline()).min()
    }

    /// How many messages or packets it keeps for the other end, which does not take them.
    pub fn untaken(&self) -> usize {
        self.layers.iter().map(|layer| layer.untaken()).sum()
    }

    /// How many packets have come and wait for an earlier one.
    pub fn early(&self) -> usize {
        self.layers.iter().map(|layer| layer.early()).sum()
    }

    /// The next packet for the transport.
    pub fn poll_transmit(&mut self) -> Option<Packet<M>> {
        self.transmit.pop_front()
    }

    /// The next message for the application.
    pub fn poll_delivery(&mut self) -> Option<M> {
        self.delivery.pop_front()
    }

    /// The next thing the other end should not have said.
    pub fn poll_fault(&mut self) -> Option<Fault> {
        self.faults.pop_front()
    }

    /// Passes packets on until each has left the stack or stays in a layer. First in, first out, so
    /// that no packet overtakes another between two layers.
    fn pass(&mut self, mut passing: VecDeque<Passing<M>>, now: Millis) {
        while let Some((direction, above, packet)) = passing.pop_front() {
            let mut out = Output::default();
            match direction {
                Direction::Outbound if above == self.layers.len() => {
                    self.transmit.push_back(packet);
                }
                Direction::Outbound => {
                    self.layers[above].outbound(packet, now, &mut out);
                    self.collect(above, out, &mut passing);
                }
                Direction::Inbound if above == 0 => self.delivery.extend(packet.messages),
                Direction::Inbound => {
                    self.layers[above - 1].inbound(packet, now, &mut out);
                    self.collect(above - 1, out, &mut passing);
                }
            }
        }
    }

    fn collect(&mut self, layer: usize, out: Output<M>, passing: &mut VecDeque<Passing<M>>) {
        passing.extend(out.down.into_iter().map(|p| (Direction::Outbound, layer + 1, p)));
        passing.extend(out.up.into_iter().map(|p| (Direction::Inbound, layer, p)));
        self.faults.extend(out.faults);
    }
}

impl<M> std::fmt::Debug for Stack<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.layers.iter().map(|layer| layer.name())).finish()
    }
}
