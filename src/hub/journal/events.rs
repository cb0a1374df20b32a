//! What all tabs are told of the store.

use serde::Serialize;

use super::Journal;
use crate::error::Error;
use crate::ot::Op;
use crate::platform::{Payload, to_value};
use crate::protocol::{DocId, StoreEvent};

/// Ops that could not be kept.
#[derive(Serialize)]
struct Lost<'a> {
    collection: &'a str,
    id: &'a str,
    ops: Vec<LostOp<'a>>,
    error: &'a Error,
}

/// One of them.
#[derive(Serialize)]
pub(crate) struct LostOp<'a> {
    #[serde(flatten)]
    pub op: &'a Op,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'a Payload>,
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
    pub fn tell_lost(&mut self, doc: &DocId, ops: Vec<LostOp<'_>>, error: &Error) {
        let (collection, id) = (doc.collection.as_str(), doc.id.as_str());
        self.tell("lost", &Lost { collection, id, ops, error });
    }

    /// What the store has of a document is of no use, or it can't be kept.
    pub fn tell_error(&mut self, doc: &DocId, error: &Error) {
        let (code, message) = (error.code.as_ref(), error.message.as_str());
        let (collection, id) = (Some(doc.collection.as_str()), Some(doc.id.as_str()));
        self.tell("error", &Failed { code, message, collection, id });
    }
}
