//! What has come and waits until the documents it speaks of were read from the store.

use std::collections::VecDeque;
use tabmux_middleware::SortedSet;

use super::by_ids::ids_of;
use super::needs::{Need, needs};
use super::peers::PeerId;
use super::{QueryResults, UpstreamEvent};
use crate::protocol::*;

/// What the tabs' side brings, in order.
pub(super) enum Arrival {
    /// A message of this session on this transport.
    Message(PeerId, u64, Box<ToHub>),
    /// The transport has closed.
    Closed(PeerId),
    /// The tab is known to be gone.
    Gone(String),
}

/// Everything waits for its turn: while a document is being read, nothing else is handled, so that
/// all happens in the order in which it came.
#[derive(Default)]
pub(super) struct ArrivalQueue {
    pub arrivals: VecDeque<Arrival>,
    /// An upstream event about documents that are being read.
    pub event: Option<UpstreamEvent>,
    pub reading: SortedSet<DocId>,
}

impl ArrivalQueue {
    pub fn is_stalled(&self) -> bool {
        !self.reading.is_empty()
    }
}

/// The documents that must be at hand to handle what a tab says.
pub(super) fn docs_of_message(message: &ToHub) -> Vec<DocId> {
    if let ToHub::ConnectionQuery(query) = message {
        return ids_of(&query.spec).unwrap_or_default();
    }
    let (need, docs) = needs(message);
    if need < Need::AtHand { Vec::new() } else { docs.into_iter().cloned().collect() }
}

/// The documents that must be at hand to handle an upstream event.
pub(super) fn docs_of_event(event: &UpstreamEvent) -> Vec<DocId> {
    match event {
        UpstreamEvent::QueryReady(_, Ok(QueryResults { docs: Some(docs), .. })) => docs.clone(),
        UpstreamEvent::QueryChanged(_, diff) => {
            let inserted = diff.iter().filter_map(|step| match step {
                QueryDiff::Insert { docs, .. } => Some(docs.iter().cloned()),
                _ => None,
            });
            inserted.flatten().collect()
        }
        _ => Vec::new(),
    }
}
