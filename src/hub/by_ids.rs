//! Queries that ask for documents by their ids, which a hub can answer without the server.

use serde::Deserialize;

use crate::platform::from_value;
use crate::protocol::{DocId, QuerySpec};

/// The documents that a query asks for by their ids, if that is all it asks.
pub(super) fn ids_of(spec: &QuerySpec) -> Option<Vec<DocId>> {
    if spec.options.is_some() {
        return None;
    }
    let ById { _id } = from_value(spec.query.0.clone()).ok()?;
    let ids = match _id {
        Ids::One(id) => vec![id],
        Ids::Many(Many { ids }) => ids,
    };
    Some(ids.into_iter().map(|id| DocId::new(spec.collection.as_str(), id)).collect())
}

/// `{_id: …}` or `{_id: {$in: […]}}`: a query for documents by their ids.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ById {
    _id: Ids,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Ids {
    One(String),
    Many(Many),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Many {
    #[serde(rename = "$in")]
    ids: Vec<String>,
}
