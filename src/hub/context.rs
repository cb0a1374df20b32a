use tabmux_middleware::Millis;

use super::Upstream;
use super::journal::{Journal, Outgoing};
use crate::error::Error;
use crate::ot::Types;
use crate::protocol::*;

/// What a document, a query or the presence relay works with.
pub(super) struct Context<'a> {
    pub upstream: &'a mut dyn Upstream,
    pub types: &'a dyn Types,
    /// Messages to tabs, oldest first.
    pub out: &'a mut Vec<Outgoing>,
    /// With a store.
    pub journal: Option<&'a mut Journal>,
    /// The server can't be reached, so what the store has must do.
    pub offline: bool,
    pub now: Millis,
    pub linger: Millis,
}

impl Context<'_> {
    pub fn send(&mut self, tab: &str, message: ToTab) {
        self.out.push((tab.to_owned(), message));
    }

    pub fn working(&mut self, waiter: &Waiter) {
        self.send(&waiter.tab, ToTab::Working(Working { request: waiter.request }));
    }

    pub fn callback(&mut self, waiter: &Waiter, error: Option<Error>) {
        let callback = Callback { request: waiter.request, error };
        self.send(&waiter.tab, ToTab::Callback(callback));
    }
}

/// A request that waits for the server.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Waiter {
    pub tab: String,
    pub request: u64,
}
