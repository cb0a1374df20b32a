//! What all tabs are told of the store.

use super::{Journal, Lost, PendingOp};
use crate::error::Error;
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

    /// Uncommitted ops of a document could not be kept; here they are, so that they can be saved.
    /// The tabs say that they have heard of this `number`, if there is one.
    pub fn tell_lost(&mut self, doc: &DocId, lost: &Lost, number: Option<u64>) {
        let ops: Vec<Payload> = lost.ops.iter().map(PendingOp::shown).collect();
        let ops = Payload(to_value(&ops));
        let detail = Payload(to_value(doc)).with_member("ops", ops);
        let detail = detail.with_member("error", Payload(to_value(&lost.error)));
        let heard = number.map(|number| StoreHeard { doc: doc.clone(), number });
        self.tell_until_heard("lost", detail, heard);
    }

    /// What the store has of a document is of no use, or it can't be kept.
    pub fn tell_error(&mut self, doc: &DocId, error: &Error) {
        let detail = Payload(to_value(error));
        let detail = detail.with_member("collection", doc.collection.clone().into());
        self.tell("error", detail.with_member("id", doc.id.clone().into()));
    }
}
