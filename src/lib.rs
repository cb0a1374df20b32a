//! All tabs of a web application share one ShareDB connection.
//!
//! A *hub* owns the only ShareDB `Connection`; every tab holds a [`tab::Tab`] that talks to it.
//! Both are synchronous state machines: they take an input and the time, and hand out frames,
//! events and their next deadline. Timers, transports and JavaScript live at the edges, in the crates
//! below `bindings`.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`protocol`] | the messages, the envelope of a frame, the two ends' common link |
//! | [`ot`] | the OT type trait, the tab's replica and the hub's sequencer of one document |
//! | [`tab`] | a tab's end of the connection |
//! | [`hub`] | the hub: its tabs, its documents, its upstream |
//! | [`store`] | where a hub keeps documents across restarts |
//! | [`host`] | which topology to take |
//! | [`wire`](mod@wire) | how messages become what a codec carries |
//!
//! The lower layers are crates of their own: [`transports`], [`codecs`] and [`middleware`].

/// The examples in Rust of the pages run as doctests.
#[cfg(doctest)]
#[doc = include_str!("../docs/plugins.md")]
mod plugins_page {}

mod error;
pub mod host;
pub mod hub;
pub mod ot;
mod platform;
pub mod protocol;
pub mod store;
pub mod tab;
pub mod wire;

pub use error::{Error, codes};
pub use platform::Payload;
pub use tabmux_codecs as codecs;
pub use tabmux_middleware as middleware;
pub use tabmux_transports as transports;
pub use wire::{Wire, from_value, to_value};
