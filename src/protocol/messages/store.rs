//! Of the store.

use crate::error::Error;
use crate::platform::Payload;
use crate::protocol::DocId;
use crate::wire::{wire, wire_enum};

/// A question about the hub's store.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreAsk {
    /// The request's number.
    pub request: u64,
    /// What the tab wants.
    pub question: StoreQuestion,
}

wire!(StoreAsk { request, question });

/// What a tab may ask of the hub's store.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreQuestion {
    /// What it holds.
    Inventory,
    /// How much room there is and how much of it is taken.
    Usage,
    /// Ask the browser never to clear it of its own accord.
    Persist,
    /// Keep a document however long it is not used, or no longer.
    Pin {
        /// The document.
        doc: DocId,
        /// Whether to keep it.
        pinned: bool,
    },
    /// Everything it holds, in a form that is made to be read elsewhere.
    Export,
    /// Wipe it.
    Clear {
        /// Even if it has ops that the server does not have.
        force: bool,
    },
}

wire_enum!(StoreQuestion {
    "inventory" = Inventory {},
    "usage" = Usage {},
    "persist" = Persist {},
    "pin" = Pin { doc, pinned },
    "export" = Export {},
    "clear" = Clear { force },
    else StoreQuestion::Inventory
});

/// The answer to a [`StoreAsk`].
#[derive(Clone, Debug, PartialEq)]
pub struct StoreReply {
    /// The request's number.
    pub request: u64,
    /// The answer, as the tab's owner is given it.
    pub answer: Option<Payload>,
    /// Why there is none, if there should be.
    pub error: Option<Error>,
}

wire!(StoreReply { request, answer, error });

/// Something happened to the hub's store.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreEvent {
    /// `error`, `quota`, `evicted`, `lost` or `cleared`.
    pub name: String,
    /// What the listeners of `store:<name>` are given.
    pub detail: Payload,
    /// For the tab to say once they were: the hub keeps it until then.
    pub heard: Option<StoreHeard>,
}

wire!(StoreEvent { name, detail, heard });

/// The tab's listeners were given what could not be kept of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreHeard {
    /// The document.
    pub doc: DocId,
    /// The number that the hub gave it.
    pub number: u64,
}

wire!(StoreHeard { doc, number });
