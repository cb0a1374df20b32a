//! Layers over the messages of a tabmux connection.
//!
//! A [`Layer`] is a synchronous state machine: it takes a packet and the time, and returns packets
//! and its next deadline. A [`Stack`] is a list of layers at one end of a link, the application above
//! and the transport below; the other end has the matching stack ([`Stack::counterpart`]). A packet is
//! what goes in one frame.
//!
//! Each end sends messages of one type and receives messages of another, or of the same. A layer knows
//! nothing of what they mean, beyond what [`Message`], [`Request`] and [`Reply`] tell it, and asks that
//! only of the direction where it needs it.
//!
//! | layer | what it does | what it asks of messages |
//! | --- | --- | --- |
//! | [`timeouts`](Timeouts) | every request ends: by its reply, or by one that says it timed out | outbound [`Request`], inbound [`Reply`] |
//! | [`coalescing`](Coalescing) | holds messages back for a slow receiver and merges them meanwhile | outbound [`Message`] |
//! | [`batching`](Batching) | one packet a turn of the event loop | |
//! | [`ordering`](Ordering) | numbers packets; hands them up in order, exactly once | |
//! | [`retries`](Retries) | resends what was not acknowledged | outbound [`Clone`] |
//! | [`tracing`](Tracing) | shows every message that passes to a [`Tracer`] | |
//!
//! # The default stacks
//!
//! Top first, as [`defaults`] gives them:
//!
//! - over a transport that is reliable and ordered: `timeouts`, `coalescing`, `batching`;
//! - over any other: `timeouts`, `coalescing`, `batching`, `ordering`, `retries`.
//!
//! # What is refused
//!
//! [`Stack::build`] refuses a layer that is there twice, and these:
//!
//! | rule | why |
//! | --- | --- |
//! | an unreliable transport needs `retries` | a frame that is lost must be resent |
//! | an unordered transport needs `ordering` | frames may overtake each other |
//! | `retries` needs `ordering` above it | packets are resent, and told apart, by their numbers |
//! | `coalescing` stands above `batching` | messages are merged one by one, before they are a batch |
//! | `coalescing`, `batching` stand above `ordering` | they would merge packets that are numbered |
//! | `timeouts` stands above `coalescing` | its replies must not count as taken from the other end |
//! | `timeouts` stands above `ordering` | its replies have no number and would be dropped |
//! | `timeouts` stands above a layer of one's own | it must see the requests |
//! | a layer of one's own stands above `ordering` | it would change packets that are numbered |
//!
//! `tracing` may stand anywhere; below `retries` it also sees what is resent.
//!
//! # A layer of one's own
//!
//! Each end adds it to its [`Layers`]; [`LayerConfig::Own`] names it among the others. An end without one
//! of that name leaves it out.
//!
//! ```
//! use std::rc::Rc;
//! use tabmux_middleware::{
//!     Environment, Layer, LayerConfig, Layers, Message, Millis, Output, Packet, Reply, Request, Stack,
//! };
//! use tabmux_transports::Guarantees;
//!
//! #[derive(Clone, Debug, PartialEq)]
//! struct Line(String);
//!
//! impl Message for Line {}
//! # impl Request for Line {
//! #     fn request(&self) -> Option<u64> { None }
//! # }
//! # impl Reply for Line {
//! #     fn answers(&self) -> Option<u64> { None }
//! #     fn timed_out(_: u64, _: u64) -> Self { Line(String::new()) }
//! # }
//!
//! /// Turns each line round on its way out, and back on its way in.
//! struct Reversed;
//!
//! fn reverse(mut packet: Packet<Line>) -> Packet<Line> {
//!     for Line(text) in &mut packet.messages {
//!         *text = text.chars().rev().collect();
//!     }
//!     packet
//! }
//!
//! impl Layer<Line> for Reversed {
//!     fn name(&self) -> &str {
//!         "reversed"
//!     }
//!
//!     fn outbound(&mut self, packet: Packet<Line>, _: Millis, out: &mut Output<Line>) {
//!         out.down.push(reverse(packet));
//!     }
//!
//!     fn inbound(&mut self, packet: Packet<Line>, _: Millis, out: &mut Output<Line>) {
//!         out.up.push(reverse(packet));
//!     }
//! }
//!
//! let environment = || {
//!     let mut layers = Layers::default();
//!     layers.add("reversed", Rc::new(|_| Box::new(Reversed)));
//!     Environment { layers, ..Environment::new(1) }
//! };
//! let direct = Guarantees { ordered: true, reliable: true, carries: vec![], addressed: false };
//! let stack = [LayerConfig::Own("reversed".to_owned())];
//! let mut near: Stack<Line> = Stack::build(&stack, &direct, environment())?;
//! let mut far: Stack<Line> = Stack::counterpart(&stack, 100, &direct, environment())?;
//!
//! near.send(Line("pots".to_owned()), 0);
//! let packet = near.poll_transmit().expect("one packet");
//! assert_eq!(packet.messages, [Line("stop".to_owned())]);
//! far.receive(packet, 0);
//! assert_eq!(far.poll_delivery(), Some(Line("pots".to_owned())));
//! # Ok::<(), tabmux_middleware::ConfigError>(())
//! ```

mod batching;
mod coalescing;
mod config;
mod error;
mod fault;
mod jitter;
mod layer;
mod layers;
mod ordering;
mod packet;
mod retries;
mod rules;
mod sorted_map;
mod stack;
mod timeouts;
mod tracing;

pub use batching::Batching;
pub use coalescing::Coalescing;
pub use config::{LayerConfig, LayerSpec, OptionValue};
pub use error::ConfigError;
pub use fault::Fault;
pub use layer::{Layer, Millis, Output};
pub use layers::{Layers, MakeLayer};
pub use ordering::Ordering;
pub use packet::{Message, Packet, Reply, Request};
pub use retries::{Retries, RetriesOptions};
pub use rules::{counterpart, defaults};
pub use sorted_map::{SortedMap, SortedSet};
pub use stack::{Environment, Stack};
pub use timeouts::Timeouts;
pub use tracing::{Tracer, Tracing};
