//! What all tabs are told of the store.

use super::{Journal, Lost, PendingOp};
use crate::error::{Error, codes};
use crate::platform::Payload;
use crate::protocol::{DocId, StoreEvent, StoreHeard};
use crate::wire::to_value;

impl Journal {
    /// All tabs are told.
    pub fn tell(&mut self, name: &str, detail: Payload) {
        self.tell_until_heard(name, detail, None);
    }

    fn tell_until_heard(&mut self, name: &str, detail: Payload, heard: Option<StoreHeard>) {
        self.add_event(StoreEvent { name: name.to_owned(), detail, heard });
    }

    /// Uncommitted ops of a document could not be kept; here they are, so that they can be saved. If its
    /// records were damaged, that is told as well.
    /// The tabs say that they have heard of this `number`, if there is one.
    pub fn tell_lost(&mut self, doc: &DocId, lost: &Lost, number: Option<u64>) {
        let heard = number.map(|number| StoreHeard { doc: doc.clone(), number });
        if lost.error.code_text().as_deref() == Some(codes::STORE_DAMAGED) {
            let heard = heard.clone().filter(|_| lost.ops.is_empty());
            self.tell_until_heard("error", about(doc, &lost.error), heard);
        }
        if lost.ops.is_empty() {
            return;
        }
        let ops: Vec<Payload> = lost.ops.iter().map(PendingOp::shown).collect();
        let ops = Payload(to_value(&ops));
        let detail = Payload(to_value(doc)).with_member("ops", ops);
        let detail = detail.with_member("error", Payload(to_value(&lost.error)));
        self.tell_until_heard("lost", detail, heard);
    }

    /// What the store has of a document is of no use, or it can't be kept.
    pub fn tell_error(&mut self, doc: &DocId, error: &Error) {
        self.tell("error", about(doc, error));
    }
}

/// An error with the document it is about.
fn about(doc: &DocId, error: &Error) -> Payload {
    let detail = Payload(to_value(error));
    let detail = detail.with_member("collection", doc.collection.clone().into());
    detail.with_member("id", doc.id.clone().into())
}
