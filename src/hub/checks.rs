//! What a tab asks, checked before anything is done: more than its schema says.

use tabmux_middleware::SortedMap;

use tabmux_middleware::Request;

use super::caps::{MAX_NAME, MAX_QUERIES, check};
use super::context::Waiter;
use super::needs::needs;
use super::{Hub, HubEvent, PendingOp};
use crate::error::{Error, codes};
use crate::platform::Payload;
use crate::protocol::*;
use crate::wire::{from_value, wire};

/// The names that every object of JavaScript has: ShareDB's server refuses them as well.
const DANGEROUS: [&str; 12] = [
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];

/// A server's answer that refuses an op.
struct Refused {
    a: String,
    c: String,
    d: String,
    error: Option<Payload>,
}

wire!(open Refused { a, c, d, error });

impl Hub {
    /// Whether the tab's message may be handled, and the tab may have what it asks for.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn may_ask(&mut self, tab: &str, message: &ToHub) -> Result<(), Error> {
        self.check_message(tab, message)?;
        self.tabs.session_mut(tab).map_or(Ok(()), |session| session.ask(message))
    }

    /// Tells the tab, where it can be told, and the hub's owner.
    pub(super) fn refuse(&mut self, tab: &str, message: &ToHub, error: Error) {
        self.events.push_back(HubEvent::Fault(error.clone()));
        let (_, _, _, mut cx) = self.parts();
        match message {
            ToHub::DocSubmitOp(DocSubmitOp { doc, ops, .. }) => {
                let (doc, op_ids) = (doc.clone(), ops.iter().map(|op| op.op_id).collect());
                cx.send(tab, ToTab::DocRejected(DocRejected { doc, op_ids, error }));
            }
            ToHub::DocIngest(DocIngest { doc, .. }) => {
                cx.send(tab, ToTab::DocEvent(DocEvent { doc: doc.clone(), error }));
            }
            message => {
                if let Some(request) = message.request() {
                    cx.callback(&Waiter { tab: tab.to_owned(), request }, Some(error));
                }
            }
        }
    }

    /// Takes a message as if the server had sent it: only the refusal of an op of the tab's own, as
    /// anything else would be felt by its siblings.
    pub(super) fn take_by_hand(&mut self, tab: &str, message: &Payload) {
        let refusal: Option<Refused> = from_value(message.0.clone()).ok();
        let is_own = refusal.is_some_and(|Refused { a, c, d, error }| {
            let pending = self.upstream.pending(&DocId::new(c, d));
            let own = |op: &PendingOp| op.origins.iter().all(|origin| origin.tab == tab);
            a == "op" && error.is_some_and(|it| !it.is_null()) && pending.first().is_some_and(own)
        });
        if is_own {
            return self.upstream.handle_message(message);
        }
        let reason = "`handleMessage` takes only the refusal of an op of the tab's own: what the server \
                      says is for all tabs";
        self.events.push_back(HubEvent::Fault(Error::new(codes::MESSAGE_REFUSED, reason)));
    }

    /// Whether the message may be handled.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check_message(&self, tab: &str, message: &ToHub) -> Result<(), Error> {
        for doc in needs(message).1 {
            check_name("collection", &doc.collection)?;
            check_name("id", &doc.id)?;
        }
        check_number("request", message.request().unwrap_or_default())?;
        match message {
            ToHub::DocFetch(DocFetch { rev, .. })
            | ToHub::DocSubscribe(DocSubscribe { rev, .. })
            | ToHub::DocUnsubscribe(DocUnsubscribe { rev, .. }) => check_rev(*rev),
            ToHub::ConnectionGetBulk(bulk) => {
                bulk.docs.iter().try_for_each(|doc| check_rev(doc.rev))
            }
            ToHub::DocSeen(seen) => check_rev(Some(seen.rev)),
            ToHub::DocSubmitOp(submit) => {
                check_rev(submit.base_rev)?;
                check_ops(&submit.ops)
            }
            ToHub::ConnectionResume(ConnectionResume { docs })
            | ToHub::ConnectionUnloadJournal(ConnectionUnloadJournal { docs, .. }) => {
                docs.iter().try_for_each(|held| {
                    check_rev(held.rev)?;
                    check_ops(&held.ops)
                })
            }
            ToHub::DocIngest(ingest) => {
                check_number("version", ingest.snapshot.version.unwrap_or_default())?;
                match &ingest.snapshot.type_name {
                    Some(name) if self.types.get(name).is_none() => Err(Error::new(
                        codes::TYPE_NOT_RECOGNIZED,
                        format!("the hub has no OT type \"{name}\": give it to `defineHub`"),
                    )),
                    _ => Ok(()),
                }
            }
            ToHub::ConnectionQuery(query) => {
                check_query(&query.spec)?;
                check("queries", self.queries.count(tab), MAX_QUERIES)
            }
            ToHub::ConnectionSend(send) => check_by_hand(&send.message),
            ToHub::Hello(_)
            | ToHub::Away
            | ToHub::Bye
            | ToHub::ConnectionBulkBegin
            | ToHub::ConnectionBulkEnd
            | ToHub::ConnectionHandleMessage(_)
            | ToHub::QueryEnd(_)
            | ToHub::DocRelease(_)
            | ToHub::StoreAsk(_)
            | ToHub::StoreHeard(_) => Ok(()),
        }
    }
}

fn bad(reason: String) -> Error {
    Error::new(codes::BAD_FRAME, reason)
}

fn check_number(what: &str, number: u64) -> Result<(), Error> {
    if number <= MAX_NUMBER {
        return Ok(());
    }
    Err(bad(format!("a {what} is {number}; it must be at most {MAX_NUMBER}")))
}

fn check_rev(rev: Option<Rev>) -> Result<(), Error> {
    check_number("revision", rev.unwrap_or_default())
}

fn check_name(what: &str, name: &str) -> Result<(), Error> {
    if name.len() > MAX_NAME {
        return Err(bad(format!(
            "a {what} has {} bytes; at most {MAX_NAME} are taken",
            name.len()
        )));
    }
    if DANGEROUS.contains(&name) {
        let reason =
            format!("Invalid {what}: \"{name}\" is a member of every object in JavaScript");
        return Err(Error::new(codes::MESSAGE_BADLY_FORMED, reason));
    }
    Ok(())
}

fn check_ops(ops: &[SubmittedOp]) -> Result<(), Error> {
    let mut last = 0;
    for op in ops {
        check_number("op's number", op.op_id)?;
        if op.op_id <= last {
            return Err(bad(format!(
                "op {} comes after op {last}: they must grow from 1",
                op.op_id
            )));
        }
        last = op.op_id;
    }
    Ok(())
}

fn check_query(spec: &QuerySpec) -> Result<(), Error> {
    check_name("collection", &spec.collection)?;
    let Some(options) = &spec.options else { return Ok(()) };
    // What is among them is up to the database.
    from_value::<SortedMap<String, Payload>>(options.0.clone())
        .map(|_| ())
        .map_err(|reason| bad(format!("the options of a query are no object: {reason}")))
}
