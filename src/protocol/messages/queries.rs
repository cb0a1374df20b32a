//! Of queries.

use crate::error::Error;
use crate::platform::Payload;
use crate::protocol::DocId;
use crate::wire::{wire, wire_enum};

/// A query: its results, once or for as long as it lives.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionQuery {
    /// The request's number; it names the query from then on.
    pub request: u64,
    /// What to ask.
    pub spec: QuerySpec,
}

wire!(ConnectionQuery { request, spec });

/// What a query asks.
#[derive(Clone, Debug, PartialEq)]
pub struct QuerySpec {
    /// The collection.
    pub collection: String,
    /// The query, in the terms of the server's database.
    pub query: Payload,
    /// ShareDB's options of the query, such as `db`.
    pub options: Option<Payload>,
    /// Whether changes of the results are wanted as well.
    pub subscribe: bool,
}

wire!(QuerySpec { collection, query, options, subscribe });

/// The tab no longer wants the query.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryEnd {
    /// The query.
    pub request: u64,
}

wire!(QueryEnd { request });

/// Documents of a query's results that the tab is about to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryDocs {
    /// The documents.
    pub docs: Vec<DocId>,
    /// Larger than that of all such messages before.
    pub number: u64,
}

wire!(QueryDocs { docs, number });

/// The results of a query, all of them; comes again after the server was lost.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryReady {
    /// The query.
    pub request: u64,
    /// The results, unless there are none to speak of.
    pub results: Option<Vec<DocId>>,
    /// What the database says beside the results.
    pub extra: Option<Payload>,
    /// Why it failed, if it did; the query is gone then.
    pub error: Option<Error>,
}

wire!(QueryReady { request, results, extra, error });

/// The results of a query changed.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryChange {
    /// The query.
    pub request: u64,
    /// What changed, to be done in this order.
    pub diff: Vec<QueryDiff>,
}

wire!(QueryChange { request, diff });

/// One change of a query's results.
#[derive(Clone, Debug, PartialEq)]
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

wire_enum!(QueryDiff {
    "insert" = Insert { index, docs },
    "remove" = Remove { index, count },
    "move" = Move { from, to, count },
    else QueryDiff::Remove { index: 0, count: 0 }
});

/// What the database says beside a query's results changed.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryExtra {
    /// The query.
    pub request: u64,
    /// What it says now.
    pub extra: Option<Payload>,
}

wire!(QueryExtra { request, extra });

/// A query that lives had an error.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryError {
    /// The query.
    pub request: u64,
    /// The error.
    pub error: Error,
}

wire!(QueryError { request, error });
