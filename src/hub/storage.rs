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
