//! Of queries.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::platform::{Payload, present};
use crate::protocol::DocId;

/// A query: its results, once or for as long as it lives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionQuery {
    /// The request's number; it names the query from then on.
    pub request: u64,
    /// What to ask.
    pub spec: QuerySpec,
}

/// What a query asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuerySpec {
    /// The collection.
    pub collection: String,
    /// The query, in the terms of the server's database.
    pub query: Payload,
    /// ShareDB's options of the query, such as `db`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub options: Option<Payload>,
    /// Whether changes of the results are wanted as well.
    pub subscribe: bool,
}

/// The tab no longer wants the query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryEnd {
    /// The query.
    pub request: u64,
}

/// Documents of a query's results that the tab is about to be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryDocs {
    /// The documents.
    pub docs: Vec<DocId>,
    /// Larger than that of all such messages before.
    pub number: u64,
}

/// The results of a query, all of them; comes again after the server was lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryReady {
    /// The query.
    pub request: u64,
    /// The results, unless there are none to speak of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<Vec<DocId>>,
    /// What the database says beside the results.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub extra: Option<Payload>,
    /// Why it failed, if it did; the query is gone then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
}

/// The results of a query changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryChange {
    /// The query.
    pub request: u64,
    /// What changed, to be done in this order.
    pub diff: Vec<QueryDiff>,
}

/// One change of a query's results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum QueryDiff {
    /// Documents came.
    Insert {
        /// Where the first of them is now.
        index: u32,
        /// The documents.
        docs: Vec<DocId>,
    },
    /// Documents went.
    Remove {
        /// Where the first of them was.
        index: u32,
        /// How many.
        count: u32,
    },
    /// Documents moved.
    Move {
        /// Where the first of them was.
        from: u32,
        /// Where it is now.
        to: u32,
        /// How many.
        count: u32,
    },
}

/// What the database says beside a query's results changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryExtra {
    /// The query.
    pub request: u64,
    /// What it says now.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub extra: Option<Payload>,
}

/// A query that lives had an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryError {
    /// The query.
    pub request: u64,
    /// The error.
    pub error: Error,
}
