use std::collections::VecDeque;

use tabmux_transports::Guarantees;

use crate::{
    Batching, Coalescing, ConfigError, Fault, Layer, LayerConfig, Layers, Message, Millis,
    Ordering, Output, Packet, Reply, Request, Retries, RetriesOptions, Timeouts, Tracer, Tracing,
    config, rules,
};

/// What the layers of a stack need beside their options.
pub struct Environment<Out, In = Out> {
    /// Seeds what is random, such as the jitter of resends.
    pub seed: u64,
    /// Where the `tracing` layer reports to. Needed only when there is one.
    pub tracer: Option<Box<dyn Tracer<Out, In>>>,
    /// The layers of one's own.
    pub layers: Layers<Out, In>,
    /// What those are told of the stack for which they are made.
    pub link: u64,
}

impl<Out, In> Environment<Out, In> {
    /// For the built-in layers, without a tracer.
    pub fn new(seed: u64) -> Self {
        Environment { seed, tracer: None, layers: Layers::default(), link: 0 }
    }
}

/// The layers of one end of a link, between the application and the transport. This end sends the
/// messages `Out` and receives the messages `In`.
///
/// It does no I/O and has no clock. After each call, poll everything: packets to transmit, messages
/// for the application, faults; then call [`Stack::wake`] at [`Stack::deadline`]. The time passed in
/// must not go back.
///
/// Packets without messages, such as acknowledgements, go through the layers and end there.
pub struct Stack<Out, In = Out> {
    /// Top first.
    layers: Vec<Box<dyn Layer<Out, In>>>,
    transmit: VecDeque<Packet<Out>>,
    delivery: VecDeque<In>,
    faults: VecDeque<Fault>,
}

/// A packet between two layers, with how many of them are above it.
enum Passing<Out, In> {
    Down(usize, Packet<Out>),
    Up(usize, Packet<In>),
}

impl<Out: Request + 'static, In: Reply + 'static> Stack<Out, In> {
    /// Builds the layers, top first, after checking them against each other and the transport.
    ///
    /// # Errors
    ///
    /// A value out of range, a layer twice, one that is unknown, missing or in the wrong place, or
    /// `tracing` without a tracer.
    ///
    /// ```
    /// # use tabmux_middleware::{Message, Reply, Request};
    /// use tabmux_middleware::{Environment, LayerConfig, Stack};
    /// use tabmux_transports::Guarantees;
    /// # #[derive(Clone)]
    /// # struct Question;
    /// # impl Message for Question {}
    /// # impl Request for Question {
    /// #     fn request(&self) -> Option<u64> { None }
    /// # }
    /// # struct Answer;
    /// # impl Reply for Answer {
    /// #     fn answers(&self) -> Option<u64> { None }
    /// #     fn timed_out(_: u64, _: u64) -> Self { Answer }
    /// # }
    ///
    /// let lossy = Guarantees { ordered: true, reliable: false, carries: vec![], addressed: false };
    /// let environment = Environment::<Question, Answer>::new(1);
    /// let error = Stack::build(&[LayerConfig::BATCHING], &lossy, environment).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "an unreliable transport needs the layer `retries`: a frame that is lost must be resent",
    /// );
    /// ```
    pub fn build(
        layers: &[LayerConfig],
        guarantees: &Guarantees,
        environment: Environment<Out, In>,
    ) -> Result<Self, ConfigError> {
        rules::check(layers, guarantees)?;
        let Environment { seed, mut tracer, layers: own, link } = environment;
        let mut built: Vec<Box<dyn Layer<Out, In>>> = Vec::with_capacity(layers.len());
        for layer in layers {
            built.push(match shared(layer, layers, seed) {
                Ok(layer) => layer,
                Err(OneSided::Timeouts(after)) => Box::new(Timeouts::new(after)),
                Err(OneSided::Tracing) => {
                    Box::new(Tracing::new(tracer.take().ok_or(ConfigError::NoTracer)?))
                }
                Err(OneSided::Own(name)) => own.make(name, link).ok_or_else(|| {
                    let known = config::known(own.names());
                    ConfigError::UnknownLayer { name: name.to_owned(), known }
                })?,
            });
        }
        Ok(Stack::from_layers(built))
    }
}

impl<Out: Message + 'static, In: 'static> Stack<Out, In> {
    /// Builds the [`counterpart`](crate::counterpart) of the other end's layers, without those of the
    /// other end's own of which this end has none of the same name. This end makes no requests.
    ///
    /// # Errors
    ///
    /// As [`Stack::build`].
    pub fn counterpart(
        theirs: &[LayerConfig],
        most_held: u64,
        guarantees: &Guarantees,
        environment: Environment<Out, In>,
    ) -> Result<Self, ConfigError> {
        let layers = rules::counterpart(theirs, most_held);
        rules::check(&layers, guarantees)?;
        let Environment { seed, layers: own, link, .. } = environment;
        let built = layers.iter().filter_map(|layer| match shared(layer, &layers, seed) {
            Ok(layer) => Some(layer),
            Err(OneSided::Own(name)) => own.make(name, link),
            Err(_) => None,
        });
        Ok(Stack::from_layers(built.collect()))
    }
}

/// A layer of which the other end may know nothing.
enum OneSided<'a> {
    Timeouts(Millis),
    Tracing,
    Own(&'a str),
}

/// Builds a layer that both ends have.
fn shared<'a, Out: Message + 'static, In: 'static>(
    layer: &'a LayerConfig,
    layers: &[LayerConfig],
    seed: u64,
) -> Result<Box<dyn Layer<Out, In>>, OneSided<'a>> {
    Ok(match *layer {
        LayerConfig::Batching { max_messages } => Box::new(Batching::new(max_messages)),
        LayerConfig::Coalescing { window } => Box::new(Coalescing::new(window)),
        LayerConfig::Ordering { max_held } => Box::new(Ordering::new(max_held)),
        LayerConfig::Retries { initial, max, ack_delay } => {
            let max_held = layers.iter().find_map(|layer| match layer {
                LayerConfig::Ordering { max_held } => Some(*max_held),
                _ => None,
            });
            let max_held = max_held.expect("`retries` has `ordering` above it");
            Box::new(Retries::new(RetriesOptions { initial, max, ack_delay, max_held, seed }))
        }
        LayerConfig::Timeouts { after } => return Err(OneSided::Timeouts(after)),
        LayerConfig::Tracing => return Err(OneSided::Tracing),
        LayerConfig::Own(ref name) => return Err(OneSided::Own(name)),
    })
}

impl<Out, In> Stack<Out, In> {
    /// A stack of these layers, top first, whether they fit or not: for layers of one's own.
    pub fn from_layers(layers: Vec<Box<dyn Layer<Out, In>>>) -> Self {
        Stack {
            layers,
            transmit: VecDeque::new(),
            delivery: VecDeque::new(),
            faults: VecDeque::new(),
        }
    }

    /// Takes a message from the application.
    pub fn send(&mut self, message: Out, now: Millis) {
        let packet = Packet::new(vec![message]);
        self.pass(VecDeque::from([Passing::Down(0, packet)]), now);
    }

    /// Takes a packet from the transport.
    pub fn receive(&mut self, packet: Packet<In>, now: Millis) {
        let bottom = self.layers.len();
        self.pass(VecDeque::from([Passing::Up(bottom, packet)]), now);
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
    pub fn poll_transmit(&mut self) -> Option<Packet<Out>> {
        self.transmit.pop_front()
    }

    /// The next message for the application.
    pub fn poll_delivery(&mut self) -> Option<In> {
        self.delivery.pop_front()
    }

    /// The next thing the other end should not have said.
    pub fn poll_fault(&mut self) -> Option<Fault> {
        self.faults.pop_front()
    }

    /// Passes packets on until each has left the stack or stays in a layer. First in, first out, so
    /// that no packet overtakes another between two layers.
    fn pass(&mut self, mut passing: VecDeque<Passing<Out, In>>, now: Millis) {
        while let Some(next) = passing.pop_front() {
            let mut out = Output::default();
            match next {
                Passing::Down(above, packet) if above == self.layers.len() => {
                    self.transmit.push_back(packet);
                }
                Passing::Down(above, packet) => {
                    self.layers[above].outbound(packet, now, &mut out);
                    self.collect(above, out, &mut passing);
                }
                Passing::Up(0, packet) => self.delivery.extend(packet.messages),
                Passing::Up(above, packet) => {
                    self.layers[above - 1].inbound(packet, now, &mut out);
                    self.collect(above - 1, out, &mut passing);
                }
            }
        }
    }

    fn collect(
        &mut self,
        layer: usize,
        out: Output<Out, In>,
        passing: &mut VecDeque<Passing<Out, In>>,
    ) {
        passing.extend(out.down.into_iter().map(|packet| Passing::Down(layer + 1, packet)));
        passing.extend(out.up.into_iter().map(|packet| Passing::Up(layer, packet)));
        self.faults.extend(out.faults);
    }
}

impl<Out, In> std::fmt::Debug for Stack<Out, In> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.layers.iter().map(|layer| layer.name())).finish()
    }
}
