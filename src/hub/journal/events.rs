//! What all tabs are told of the store.

use serde::Serialize;

use super::{Journal, Lost};
use crate::error::Error;
use crate::ot::Op;
use crate::platform::{Payload, to_value};
use crate::protocol::{DocId, StoreEvent, StoreHeard};

#[derive(Serialize)]
struct LostDetail<'a> {
    collection: &'a str,
    id: &'a str,
    ops: Vec<LostOp<'a>>,
    error: &'a Error,
}

#[derive(Serialize)]
struct LostOp<'a> {
    #[serde(flatten)]
    op: &'a Op,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a Payload>,
}

#[derive(Serialize)]
struct Failed<'a> {
    code: Option<&'a Payload>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    collection: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

impl Journal {
    /// All tabs are told.
    pub fn tell(&mut self, name: &str, detail: &impl Serialize) {
        self.tell_until_heard(name, detail, None);
    }

    fn tell_until_heard(&mut self, name: &str, detail: &impl Serialize, heard: Option<StoreHeard>) {
        // What can't be carried was refused when it was submitted.
        if let Ok(detail) = to_value(detail) {
            self.events.push(StoreEvent { name: name.to_owned(), detail: Payload(detail), heard });
        }
    }

    /// Uncommitted ops of a document could not be kept; here they are, so that they can be saved.
    /// The tabs say that they have heard of this `number`, if there is one.
    pub fn tell_lost(&mut self, doc: &DocId, lost: &Lost, number: Option<u64>) {
        let Lost { ops, error } = lost;
        let (collection, id) = (doc.collection.as_str(), doc.id.as_str());
        let ops = ops.iter().map(|it| LostOp { op: &it.op, source: it.source.as_ref() }).collect();
        let heard = number.map(|number| StoreHeard { doc: doc.clone(), number });
        self.tell_until_heard("lost", &LostDetail { collection, id, ops, error }, heard);
    }

    /// What the store has of a document is of no use, or it can't be kept.
    pub fn tell_error(&mut self, doc: &DocId, error: &Error) {
        let (code, message) = (error.code.as_ref(), error.message.as_str());
        let (collection, id) = (Some(doc.collection.as_str()), Some(doc.id.as_str()));
        self.tell("error", &Failed { code, message, collection, id });
    }
}
