//! What tabs ask of the server that it answers once: snapshots at a version or a time, pings, and
//! whatever an application sends by hand.

use std::collections::VecDeque;

use tabmux_middleware::SortedMap;

use super::head::{Head, Subject, from, tell};
use crate::error::Error;
use crate::hub::caps::{MAX_REQUESTS, check};
use crate::hub::context::Context;
use crate::platform::Payload;
use crate::wire::from_value;

/// The hub's own queries never have such numbers.
const FIRST_QUERY: u64 = 1 << 50;
const REQUEST_PREFIX: &str = "tabmux:";

/// An id that no request of the upstream connection itself has: those are numbers.
fn request_id(number: u64) -> Payload {
    Payload::from(format!("{REQUEST_PREFIX}{number}"))
}

/// The inverse of the ids that the relay gives requests.
fn request_number(id: &Payload) -> Option<u64> {
    match id.as_text() {
        Some(text) => text.strip_prefix(REQUEST_PREFIX)?.parse().ok(),
        None => from_value::<u64>(id.0.clone()).ok()?.checked_sub(FIRST_QUERY),
    }
}

/// The requests under way.
#[derive(Default)]
pub(super) struct Requests {
    /// Those with a number of the hub's own: whose they are, and the id they had there.
    numbered: SortedMap<u64, (String, Payload)>,
    last_number: u64,
    pings: VecDeque<String>,
    /// Messages of other kinds whose answer is still to come: what it will look like, and whose it
    /// is.
    others: VecDeque<(Subject, String)>,
}

impl Requests {
    /// Whether there is room for more of this tab.
    ///
    /// # Errors
    /// It has too much already.
    pub fn check_room(&self, tab: &str) -> Result<(), Error> {
        if self.numbered.len() + self.pings.len() + self.others.len() < MAX_REQUESTS {
            return Ok(());
        }
        let numbered = self.numbered.values().filter(|(other, _)| other == tab).count();
        let pings = self.pings.iter().filter(|other| *other == tab).count();
        let others = self.others.iter().filter(|(_, other)| other == tab).count();
        check("messages without an answer", numbered + pings + others, MAX_REQUESTS)
    }

    /// Passes on a tab's message to the server, to which the hub is known as `own`.
    pub fn take_from_tab(
        &mut self,
        tab: &str,
        head: Head,
        message: &Payload,
        own: Option<&str>,
        cx: &mut Context<'_>,
    ) {
        match head.action() {
            "nf" | "nt" | "qf" => {
                self.last_number += 1;
                let number = self.last_number;
                // The server wants a number for a query.
                let is_query = head.action() == "qf";
                let id = if is_query { (FIRST_QUERY + number).into() } else { request_id(number) };
                self.numbered.insert(number, (tab.to_owned(), head.into_id()));
                cx.upstream.send(&message.with_member("id", id));
            }
            "pp" => {
                self.pings.push_back(tab.to_owned());
                cx.upstream.send(message);
            }
            action => {
                self.others.push_back((head.subject(), tab.to_owned()));
                // Under the hub's name, an op of a sibling with the same number would count as this one.
                if action == "op" && head.is_from(own) {
                    cx.upstream.send(&from(tab, message));
                } else {
                    cx.upstream.send(message);
                }
            }
        }
    }

    /// Gives a message of the server to the tab whose request it answers.
    pub fn take_from_server(&mut self, head: &Head, message: &Payload, cx: &mut Context<'_>) {
        match head.action() {
            "nf" | "nt" | "qf" => {
                let number = head.raw_id().and_then(request_number);
                if let Some((tab, id)) = number.and_then(|id: u64| self.numbered.remove(&id)) {
                    tell(&tab, &message.with_member("id", id), cx);
                }
            }
            "pp" => {
                if let Some(tab) = self.pings.pop_front() {
                    tell(&tab, message, cx);
                }
            }
            _ => {
                let subject = head.subject();
                let at = self.others.iter().position(|(asked, _)| *asked == subject);
                if let Some((_, tab)) = at.and_then(|at| self.others.remove(at)) {
                    tell(&tab, message, cx);
                }
            }
        }
    }

    /// What was asked has reached nobody.
    pub fn forget(&mut self) {
        self.numbered.clear();
        self.pings.clear();
        self.others.clear();
    }

    /// The tab begins a new session: it asks again for all that it still wants.
    pub fn suspend(&mut self, tab: &str) {
        self.numbered.retain(|_, (other, _)| other != tab);
        self.others.retain(|(_, other)| other != tab);
    }
}
