//! Moves frames between the two ends of a tabmux connection.
//!
//! A [`Transport`] is one end of a link between a tab and the hub. It carries [`Frame`]s: strings,
//! bytes, or objects as `postMessage` clones them. It knows nothing of what they mean. Whoever
//! listens to it gets [`Event`]s, one at a time, and never from within a call of its own.
//! A [`Listener`] is the hub's end of a medium on which tabs come and go: it makes a transport for
//! every tab.
//!
//! # Transports
//!
//! | name | tab's end | hub's end | ordered | reliable | carries | addressed |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | `message-port` | `MessagePortTransport` | `PortListener` | yes | yes | all | no |
//! | `broadcast-channel` | `BroadcastTransport` | `BroadcastListener` | yes | no | all | yes |
//! | `direct` | `direct_pair` | `direct_pair` | yes | yes | all | no |
//! | `memory` | [`memory_pair`] | [`memory_pair`] | unless [`Faults`] say no | unless [`Faults`] say no | all | no |
//! | its own | `JsTransport` | `JsTransport` | unless it says no | unless it says no | all, unless it says less | no, unless it says yes |
//!
//! All but `memory` exist only on `wasm32`, where `message-port` and `broadcast-channel` also work
//! in Node. `memory` is for simulations: it loses, doubles, reorders and delays frames as it is
//! told, and the same seed gives the same run. A simulation of many parties can use its one
//! direction, a [`FaultyLink`], alone.
//!
//! [`events`] turns what a transport tells into a [`futures::Stream`].
//!
//! # Writing your own transport
//!
//! ## In Rust
//!
//! Implement [`Transport`]. An [`Inbox`] does the part that is the same for all: it keeps what
//! arrives before there is a handler, and lets the handler use the transport.
//!
//! ```
//! use tabmux_transports::{
//!     Event, Frame, FrameKind, Guarantees, Handler, Inbox, Transport, TransportError,
//! };
//!
//! /// Sends every string back.
//! #[derive(Default)]
//! struct Echo {
//!     inbox: Inbox<Event>,
//! }
//!
//! impl Transport for Echo {
//!     fn name(&self) -> &str {
//!         "echo"
//!     }
//!
//!     fn guarantees(&self) -> Guarantees {
//!         let carries = vec![FrameKind::Text];
//!         Guarantees { ordered: true, reliable: true, carries, addressed: false }
//!     }
//!
//!     fn send(&self, frame: Frame) -> Result<(), TransportError> {
//!         let transport = self.name().to_owned();
//!         if self.inbox.has_ended() {
//!             return Err(TransportError::Closed { transport });
//!         }
//!         if frame.kind() != FrameKind::Text {
//!             return Err(TransportError::Unsupported { transport, kind: frame.kind() });
//!         }
//!         self.inbox.push(Event::Frame(frame));
//!         Ok(())
//!     }
//!
//!     fn listen(&self, handler: Handler) {
//!         self.inbox.listen(handler);
//!     }
//!
//!     fn close(&self, reason: Option<&str>) {
//!         self.inbox.abort(Some(Event::Closed(reason.map(str::to_owned))));
//!     }
//! }
//!
//! let echo = Echo::default();
//! echo.listen(Box::new(|event| println!("{event:?}")));
//! echo.send(Frame::Text("hello".into()))?;
//! // The event loop calls this; in the browser, `deliver_soon` arranges it from within the
//! // methods above.
//! echo.inbox.deliver();
//! # Ok::<(), TransportError>(())
//! ```
//!
//! ## In JavaScript
//!
//! Make an object of this shape; `JsTransport` wraps it. A frame is a string, a `Uint8Array`, or any
//! other value as an object.
//!
//! ```js
//! function workerTransport(worker) {
//!   const transport = {
//!     send(frame) { worker.postMessage(frame); },  // may throw
//!     close(reason) { worker.terminate(); },       // reason: a string or undefined
//!
//!     // Set by tabmux, for you to call:
//!     onframe: null,  // onframe(frame), when a frame arrived
//!     onclose: null,  // onclose(reason), when the other side is gone; the reason may be missing
//!     onerror: null,  // onerror(error), when something went wrong that did not end the transport
//!
//!     // May be left out:
//!     name: 'dedicated-worker',  // 'js' if missing
//!     guarantees: {              // these are what a missing one means
//!       ordered: true,
//!       reliable: true,
//!       carries: ['objects', 'strings', 'bytes'],
//!       addressed: false,
//!     },
//!   };
//!   worker.onmessage = (event) => transport.onframe(event.data);
//!   worker.onerror = (event) => transport.onerror(event);
//!   return transport;
//! }
//! ```
//!
//! They can be called at any time, even within `send`. After a close they do nothing.

mod faulty_link;
mod frame;
mod inbox;
mod memory;
mod stream;
mod transport;

#[cfg(target_arch = "wasm32")]
mod broadcast_channel;
#[cfg(target_arch = "wasm32")]
mod direct;
#[cfg(target_arch = "wasm32")]
mod envelope;
#[cfg(target_arch = "wasm32")]
mod event_listener;
#[cfg(target_arch = "wasm32")]
mod js;
#[cfg(target_arch = "wasm32")]
mod message_port;
#[cfg(target_arch = "wasm32")]
mod microtask;
#[cfg(target_arch = "wasm32")]
mod shown;

pub use faulty_link::{Faults, FaultyLink};
pub use frame::{Frame, FrameKind, Object};
pub use inbox::Inbox;
pub use memory::{Clock, MemoryTransport, memory_pair};
pub use stream::events;
pub use transport::{Event, Guarantees, Handler, Listener, Transport, TransportError};

#[cfg(target_arch = "wasm32")]
pub use broadcast_channel::{BroadcastListener, BroadcastTransport};
#[cfg(target_arch = "wasm32")]
pub use direct::{DirectTransport, direct_pair};
#[cfg(target_arch = "wasm32")]
pub use js::{JsTransport, frame_from_js, frame_to_js};
#[cfg(target_arch = "wasm32")]
pub use message_port::{MessagePortTransport, PortListener};
#[cfg(target_arch = "wasm32")]
pub use microtask::queue_microtask;
#[cfg(target_arch = "wasm32")]
pub use shown::shown;
