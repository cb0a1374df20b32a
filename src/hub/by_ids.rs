//! Queries that ask for documents by their ids, which a hub can answer without the server.

use crate::platform::Payload;
use crate::protocol::{DocId, QuerySpec};
use crate::wire::{from_value, wire};

/// The documents that a query asks for by their ids, if that is all it asks.
pub(super) fn ids_of(spec: &QuerySpec) -> Option<Vec<DocId>> {
    if spec.options.is_some() {
        return None;
    }
    let ById { _id } = from_value(spec.query.0.clone()).ok()?;
    let ids = match _id.as_text() {
        Some(id) => vec![id],
        None => from_value::<Many>(_id.0).ok()?.ids,
    };
    Some(ids.into_iter().map(|id| DocId::new(spec.collection.as_str(), id)).collect())
}

/// `{_id: …}` or `{_id: {$in: […]}}`: a query for documents by their ids.
struct ById {
    _id: Payload,
}

wire!(ById { _id });

struct Many {
    ids: Vec<String>,
}

wire!(Many { ids as "$in" });
