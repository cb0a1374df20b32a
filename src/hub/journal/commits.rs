//! Which writes go into one transaction, and what waits for it.

use std::collections::VecDeque;
use std::rc::Rc;
use tabmux_middleware::{SortedMap, SortedSet};

use tabmux_middleware::Millis;

use super::Sent;
use crate::hub::StoreRequest;
use crate::protocol::{DocId, StoreEvent, ToTab};
use crate::store::Write;

/// How long nothing is written after a transaction failed: from, and at most.
const PAUSES: (Millis, Millis) = (1000, 60_000);
/// In pauses longer than this, ops go to the server although it can't be written down that they do.
const LONGEST_HOLD: Millis = 1000;
/// How long writes of little weight wait for others to go with.
const IN_PASSING: Millis = 10_000;

/// A message and the tab it is for.
pub(crate) type Outgoing = (String, ToTab);

/// What may be seen only once a transaction is durable.
#[derive(Default)]
pub(crate) struct Batch {
    pub messages: Vec<Outgoing>,
    /// Ops that may go to the server then.
    pub sends: Vec<(DocId, Sent)>,
}

/// The hub's side of its store.
///
/// Everything the hub does waits in one queue behind the transaction that has its causes. While one
/// transaction is under way, all that happens gathers for the next.
pub(crate) struct Journal {
    keeps: Box<dyn Fn(&DocId) -> bool>,
    requests: VecDeque<StoreRequest>,
    waiting: Batch,
    under_way: Option<Batch>,
    /// The writes of the transaction under way.
    being_written: Rc<[Write]>,
    /// Those of the next.
    to_write: Vec<Write>,
    /// Writes that go with whatever is written next.
    in_passing: Vec<Write>,
    /// When they go by themselves.
    in_passing_until: Option<Millis>,
    /// Documents of which a checkpoint is to be written, and whether entries can't do in its place.
    unsaved: SortedMap<DocId, bool>,
    /// Documents of which the store has records that can't be read: they are set aside in the
    /// transaction that writes what takes their place. Without that, the next hub would not know.
    pub damaged: SortedSet<DocId>,
    /// Documents that have lost ops of which no tab was told.
    with_lost: SortedSet<DocId>,
    /// The number of the last of them.
    last_lost: u64,
    /// Larger than the number of every log entry there is.
    next_number: u64,
    /// What happened to the store, for all tabs.
    events: Vec<StoreEvent>,
    /// Something waits for [`Journal::advance`].
    due: bool,
    /// After a transaction failed, no document is written until then. What a tab asks for is, and what
    /// makes room; the pause ends if that succeeds.
    pause: Option<Millis>,
    /// How long the last pause was; 0 since a transaction succeeded.
    pause_length: Millis,
    /// Tabs know of changes that the store does not have.
    is_behind: bool,
    /// Nothing is stored any more.
    is_off: bool,
}

impl Journal {
    /// `first_number` is larger than the number of any log entry of an earlier hub.
    pub fn new(first_number: u64) -> Self {
        Journal {
            keeps: Box::new(|_| true),
            requests: VecDeque::new(),
            waiting: Batch::default(),
            under_way: None,
            being_written: Rc::default(),
            to_write: Vec::new(),
            in_passing: Vec::new(),
            in_passing_until: None,
            unsaved: SortedMap::default(),
            damaged: SortedSet::default(),
            with_lost: SortedSet::default(),
            last_lost: 0,
            next_number: first_number,
            events: Vec::new(),
            due: false,
            pause: None,
            pause_length: 0,
            is_behind: false,
            is_off: false,
        }
    }

    pub fn keep_only(&mut self, keeps: Box<dyn Fn(&DocId) -> bool>) {
        self.keeps = keeps;
    }

    pub fn keeps(&self, doc: &DocId) -> bool {
        (self.keeps)(doc)
    }

    /// Where the log begins of a document whose entries in the store, if any, are of no more use.
    pub fn new_log(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    pub fn ask(&mut self, request: StoreRequest) {
        self.requests.push_back(request);
    }

    pub fn poll(&mut self) -> Option<StoreRequest> {
        self.requests.pop_front()
    }

    pub fn write(&mut self, write: Write) {
        if self.pause.is_some() && matches!(write, Write::Use { .. }) {
            // It is not worth an attempt of its own.
            return self.in_passing.push(write);
        }
        if let Write::Append { n, .. } | Write::Checkpoint { next: n, .. } = &write {
            self.next_number = self.next_number.max(*n);
        }
        if let Write::Pin { doc, .. } = &write {
            // One that could not be written is out of date.
            self.in_passing
                .retain(|it| !matches!(it, Write::Pin { doc: other, .. } if other == doc));
        }
        if let Write::Checkpoint { doc, .. } | Write::Remove { doc } = &write
            && self.damaged.remove(doc)
        {
            self.to_write.push(Write::SetAside { doc: doc.clone() });
        }
        self.to_write.push(write);
        self.due = true;
    }

    pub fn write_in_passing(&mut self, write: Write, now: Millis) {
        self.in_passing.push(write);
        self.in_passing_until.get_or_insert(now + IN_PASSING);
    }

    /// The op may go to the server once all that happened before is durable.
    pub fn send(&mut self, doc: DocId, sent: Sent) {
        self.waiting.sends.push((doc, sent));
        self.due = true;
    }

    /// Gives back what waits to be told to a tab.
    pub fn drop_messages_to(&mut self, tab: &str) -> Vec<Outgoing> {
        let batches = self.under_way.iter_mut().chain([&mut self.waiting]);
        batches.flat_map(|it| it.messages.extract_if(.., |(other, _)| other == tab)).collect()
    }

    /// The document's next write must be a checkpoint.
    pub fn needs_checkpoint(&mut self, doc: &DocId) {
        self.unsaved.insert(doc.clone(), true);
        self.due = true;
    }

    /// The document's log is long: a checkpoint is to take its place.
    pub fn wants_checkpoint(&mut self, doc: &DocId) {
        self.unsaved.get_or_insert_with(doc.clone(), || false);
        self.due = true;
    }

    /// Whether the document is kept up to date in the log.
    pub fn takes_entries(&self, doc: &DocId) -> bool {
        self.pause.is_none() && self.unsaved.get(doc) != Some(&true)
    }

    /// The documents that need a checkpoint, unless nothing can be written at present.
    pub fn unsaved(&self) -> Vec<DocId> {
        if self.pause.is_some() { Vec::new() } else { self.unsaved.keys().cloned().collect() }
    }

    /// The checkpoint is no longer to be written; returns whether entries can do in its place.
    pub fn saved(&mut self, doc: &DocId) -> bool {
        self.unsaved.remove(doc) != Some(true)
    }

    /// Whether some document needs a checkpoint.
    pub fn has_unsaved(&self) -> bool {
        !self.unsaved.is_empty() && self.pause.is_none()
    }

    /// Whether writes of the document are still to come.
    pub fn is_busy_with(&self, doc: &DocId) -> bool {
        let mut writes = self.being_written.iter().chain(&self.to_write);
        writes.any(|write| write.doc() == doc) || self.unsaved.contains_key(doc)
    }

    /// Nothing is written any more.
    pub fn stop(&mut self) {
        self.is_off = true;
        self.due = true;
        self.unsaved.clear();
        self.in_passing.clear();
        self.in_passing_until = None;
        self.to_write.clear();
    }

    /// The document has lost ops, of which tabs are to be told.
    pub fn has_lost(&mut self, doc: &DocId) {
        self.with_lost.insert(doc.clone());
    }

    /// The number of lost ops of a document, which no others have.
    pub fn number_lost(&mut self, doc: &DocId) -> u64 {
        self.has_lost(doc);
        self.last_lost += 1;
        self.last_lost
    }

    /// The documents that have lost ops; tabs are told of them now.
    pub fn take_with_lost(&mut self) -> SortedSet<DocId> {
        std::mem::take(&mut self.with_lost)
    }

    /// All tabs are to be told of this; once is enough.
    pub fn keep_event(&mut self, event: StoreEvent) {
        if !self.events.contains(&event) {
            self.events.push(event);
        }
    }

    /// All tabs are to be told of this, as often as it happens.
    pub fn add_event(&mut self, event: StoreEvent) {
        self.events.push(event);
    }

    /// What all tabs are told of now.
    pub fn take_events(&mut self) -> Vec<StoreEvent> {
        std::mem::take(&mut self.events)
    }

    /// Whether tabs know of changes that the store does not have.
    pub fn is_behind(&self) -> bool {
        self.is_behind
    }

    pub fn is_off(&self) -> bool {
        self.is_off
    }

    /// Takes what waits for what was written; returns what need not wait any longer.
    pub fn advance(&mut self, messages: Vec<Outgoing>) -> Batch {
        self.due = false;
        self.waiting.messages.extend(messages);
        if self.under_way.is_some() {
            return Batch::default();
        }
        if self.to_write.is_empty() {
            let mut batch = std::mem::take(&mut self.waiting);
            if self.holds_sends() {
                self.waiting.sends.append(&mut batch.sends);
            }
            return batch;
        }
        self.in_passing_until = None;
        self.to_write.append(&mut self.in_passing);
        self.being_written = std::mem::take(&mut self.to_write).into();
        self.requests.push_back(StoreRequest::Commit(self.being_written.clone()));
        self.under_way = Some(std::mem::take(&mut self.waiting));
        Batch::default()
    }

    /// D3: the next attempt to write may tell that an op is sent. A store that fails for good must
    /// not keep it from the server.
    fn holds_sends(&self) -> bool {
        self.pause.is_some() && self.pause_length <= LONGEST_HOLD
    }

    /// The transaction has ended. If it failed, the hub goes on as one without a store, and tries
    /// again later.
    pub fn committed(&mut self, failed: bool, now: Millis) -> Batch {
        self.due = true;
        let mut batch = self.under_way.take().unwrap_or_default();
        let writes = std::mem::take(&mut self.being_written);
        if !failed {
            self.pause_length = 0;
            if self.pause.take().is_some() {
                // What the store lacks is written now.
                self.to_write.append(&mut self.in_passing);
            }
            self.is_behind &= !self.unsaved.is_empty();
            return batch;
        }
        self.is_behind = true;
        self.pause_length = (self.pause_length * 2).clamp(PAUSES.0, PAUSES.1);
        self.pause = Some(now + self.pause_length);
        self.in_passing.clear();
        self.in_passing_until = None;
        let to_write = std::mem::take(&mut self.to_write);
        if self.is_off {
            return batch;
        }
        for write in writes.iter().chain(&to_write) {
            self.unsaved.insert(write.doc().clone(), true);
            match write {
                // No checkpoint has these.
                Write::Pin { .. } => self.in_passing.push(write.clone()),
                Write::SetAside { doc } => drop(self.damaged.insert(doc.clone())),
                _ => {}
            }
        }
        if self.holds_sends() {
            self.waiting.sends.splice(0..0, batch.sends.drain(..));
        }
        batch
    }

    /// The pause after a failed transaction may be over.
    pub fn wake(&mut self, now: Millis) {
        if self.pause.take_if(|until| *until <= now).is_some() {
            self.due |= self.waits_for_the_pause();
            self.to_write.append(&mut self.in_passing);
        }
        if self.pause.is_none() && self.in_passing_until.take_if(|until| *until <= now).is_some() {
            self.to_write.append(&mut self.in_passing);
            self.due = true;
        }
    }

    fn waits_for_the_pause(&self) -> bool {
        !(self.unsaved.is_empty() && self.waiting.sends.is_empty() && self.in_passing.is_empty())
    }

    /// `has_tabs`: there is someone to tell events.
    pub fn deadline(&self, now: Millis, has_tabs: bool) -> Option<Millis> {
        let tells = has_tabs && !(self.events.is_empty() && self.with_lost.is_empty());
        let due = (self.due || tells).then_some(now);
        let retry = self.pause.filter(|_| self.waits_for_the_pause());
        let may_write = self.under_way.is_none() && self.pause.is_none();
        let in_passing = self.in_passing_until.filter(|_| may_write);
        due.or(retry.into_iter().chain(in_passing).min())
    }
}
