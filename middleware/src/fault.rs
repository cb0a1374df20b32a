/// Something the other end said that a matching stack never says. What was at fault was dropped;
/// the connection goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// `ordering` dropped a packet with messages and no number.
    #[error(
        "ordering dropped a packet of {messages} messages without `seq`; \
         the other end must have the ordering layer too"
    )]
    Unnumbered {
        /// How many messages were dropped.
        messages: usize,
    },
    /// A packet came too long before its turn and was dropped.
    #[error(
        "{layer} dropped packet {seq}: it waits for packet {expected} and holds at most {max_held} \
         packets after that; both ends must have the same `maxHeld`"
    )]
    TooEarly {
        /// The layer that dropped it.
        layer: &'static str,
        /// The packet's number.
        seq: u64,
        /// The lowest number that has not arrived.
        expected: u64,
        /// The bound, as configured.
        max_held: u64,
    },
    /// An `ack` was ignored, since it acknowledges a packet that was never sent.
    #[error("retries ignored an `ack` of packet {ack}: the last one sent is {sent}")]
    AckAhead {
        /// The number acknowledged.
        ack: u64,
        /// The highest number sent.
        sent: u64,
    },
    /// A `taken` was ignored, since it counts messages that were never sent.
    #[error("coalescing ignored a `taken` of {taken} messages: only {sent} were sent")]
    TakenAhead {
        /// The count claimed.
        taken: u64,
        /// How many messages were sent.
        sent: u64,
    },
}
