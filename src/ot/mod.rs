//! Operational transformation between a tab and the hub, generic over the OT type.
//!
//! Both sides use the control algorithm of ShareDB's client and server: an op is transformed
//! against the changes that got their place before it, the later one as the `left` side. Only
//! TP1 is required of a type.

mod buffer;
mod op;
mod op_slot;
mod ot_type;
mod replica;
mod sequencer;

pub use buffer::Take;
pub(crate) use op::already_created;
pub use op::{Create, Op, transform_pair, transform_sent};
pub use op_slot::{Answered, OpSlot, SubmitOptions, Token};
pub use ot_type::{OtType, Side, TypeHandle, Types};
pub use replica::{Loaded, Replica};
pub(crate) use sequencer::state_lost;
pub use sequencer::{Entry, Origin, Sequencer};
