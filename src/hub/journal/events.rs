//! What all tabs are told of the store.

use serde::Serialize;

use super::{Journal, Lost};
use crate::error::Error;
use crate::ot::Op;
use crate::platform::{Payload, to_value};
use crate::protocol::{DocId, StoreEvent};

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
        // What can't be carried was refused when it was submitted.
        if let Ok(detail) = to_value(detail) {
            let event = StoreEvent { name: name.to_owned(), detail: Payload(detail) };
            self.events.push(event);
        }
    }

    /// Uncommitted ops of a document could not be kept; here they are, so that they can be saved.
    pub fn tell_lost(&mut self, doc: &DocId, Lost { ops, error }: &Lost) {
        let (collection, id) = (doc.collection.as_str(), doc.id.as_str());
        let ops = ops.iter().map(|it| LostOp { op: &it.op, source: it.source.as_ref() }).collect();
        self.tell("lost", &LostDetail { collection, id, ops, error });
    }

    /// What the store has of a document is of no use, or it can't be kept.
    pub fn tell_error(&mut self, doc: &DocId, error: &Error) {
        let (code, message) = (error.code.as_ref(), error.message.as_str());
        let (collection, id) = (Some(doc.collection.as_str()), Some(doc.id.as_str()));
        self.tell("error", &Failed { code, message, collection, id });
    }
}
