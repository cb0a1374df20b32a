//! What a message of a tab needs of the documents that it names.

use crate::protocol::*;

/// Each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// Only their names.
    Named,
    /// They must be at hand, so they are read from the store first.
    AtHand,
    /// The tab holds them from then on.
    Held,
}

/// The documents that a message names, and what it needs of them. Those that a query names by their
/// ids are not among them.
pub(super) fn needs(message: &ToHub) -> (Need, Vec<&DocId>) {
    match message {
        ToHub::DocFetch(DocFetch { doc, .. })
        | ToHub::DocSubscribe(DocSubscribe { doc, .. })
        | ToHub::DocSubmitOp(DocSubmitOp { doc, .. })
        | ToHub::DocIngest(DocIngest { doc, .. }) => (Need::Held, vec![doc]),
        ToHub::ConnectionGetBulk(ConnectionGetBulk { docs, .. }) => {
            (Need::Held, docs.iter().map(|bulk| &bulk.doc).collect())
        }
        ToHub::ConnectionResume(ConnectionResume { docs }) => {
            (Need::Held, docs.iter().map(|held| &held.doc).collect())
        }
        ToHub::ConnectionUnloadJournal(ConnectionUnloadJournal { docs, .. }) => {
            (Need::AtHand, docs.iter().map(|held| &held.doc).collect())
        }
        ToHub::DocUnsubscribe(DocUnsubscribe { doc, .. }) => (Need::AtHand, vec![doc]),
        ToHub::DocSeen(DocSeen { doc, .. })
        | ToHub::DocRelease(DocRelease { doc, .. })
        | ToHub::StoreHeard(StoreHeard { doc, .. }) => (Need::Named, vec![doc]),
        ToHub::Hello(_)
        | ToHub::Away
        | ToHub::Bye
        | ToHub::ConnectionBulkBegin
        | ToHub::ConnectionBulkEnd
        | ToHub::ConnectionQuery(_)
        | ToHub::ConnectionSend(_)
        | ToHub::ConnectionHandleMessage(_)
        | ToHub::QueryEnd(_)
        | ToHub::StoreAsk(_) => (Need::Named, Vec::new()),
    }
}
