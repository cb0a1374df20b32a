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
//!
//! `tracing` may stand anywhere; below `retries` it also sees what is resent.
//!
//! # A layer of one's own
//!
//! ```
//! use tabmux_middleware::{Batching, Layer, Millis, Output, Packet, Stack};
//!
//! /// Drops empty lines on their way out.
//! struct NoEmptyLines;
//!
//! impl Layer<String> for NoEmptyLines {
//!     fn name(&self) -> &'static str {
//!         "no-empty-lines"
//!     }
//!
//!     fn outbound(&mut self, mut packet: Packet<String>, _: Millis, out: &mut Output<String>) {
//!         packet.messages.retain(|line| !line.is_empty());
//!         out.down.push(packet);
//!     }
//!
//!     fn inbound(&mut self, packet: Packet<String>, _: Millis, out: &mut Output<String>) {
//!         out.up.push(packet);
//!     }
//! }
//!
//! let mut stack = Stack::from_layers(vec![Box::new(NoEmptyLines), Box::new(Batching::new(1000))]);
//! for line in ["one", "", "two"] {
//!     stack.send(line.to_owned(), 0);
//! }
//! stack.wake(stack.deadline().expect("a batch is pending"));
//! assert_eq!(stack.poll_transmit().expect("one packet").messages, ["one", "two"]);
//! ```

mod batching;
mod coalescing;
mod config;
mod error;
mod fault;
mod jitter;
mod layer;
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
pub use ordering::Ordering;
pub use packet::{Message, Packet, Reply, Request};
pub use retries::{Retries, RetriesOptions};
pub use rules::{counterpart, defaults};
pub use sorted_map::{SortedMap, SortedSet};
pub use stack::{Environment, Stack};
pub use timeouts::Timeouts;
pub use tracing::{Tracer, Tracing};
