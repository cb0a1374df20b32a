use std::rc::Rc;

use crate::protocol::{DocId, StoreQuestion};
use crate::store::Write;

/// What the hub asks of its store. Its owner does it, in this order, and says what came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreRequest {
    /// Read a document, and call [`Hub::stored`](super::Hub::stored).
    Read(DocId),
    /// Make these writes in one transaction, and call [`Hub::committed`](super::Hub::committed).
    /// There is never more than one such request under way.
    Commit(Rc<[Write]>),
    /// Say how much room there is on the device, and call [`Hub::room`](super::Hub::room).
    Room,
    /// List what the store holds, and call [`Hub::inventory`](super::Hub::inventory).
    Inventory,
    /// Open the store again, and call [`Hub::store_opened`](super::Hub::store_opened).
    Open,
    /// A tab has a question: call [`Hub::answer`](super::Hub::answer).
    Ask {
        /// The tab's id.
        tab: String,
        /// The number of its request.
        request: u64,
        /// What it wants.
        question: StoreQuestion,
    },
}
