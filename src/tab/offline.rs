//! A tab that goes offline of its own accord, and comes back.

use tabmux_middleware::Millis;

use super::Tab;
use crate::protocol::*;
use crate::tab::TabEvent;
use crate::tab::documents::TabDoc;

/// Whether the tab is offline.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Offline {
    #[default]
    No,
    /// The hub does not have all ops yet that were submitted before.
    Begins,
    /// It has them.
    Yes,
}

impl Offline {
    pub fn is_offline(self) -> bool {
        self != Offline::No
    }
}

impl Tab {
    /// Goes offline. The hub still gets what was submitted before, except of documents that are paused;
    /// then comes [`TabEvent::Offline`], and the tab may [`Tab::leave`]. All else waits for
    /// [`Tab::go_online`].
    pub fn go_offline(&mut self, now: Millis) {
        if self.is_offline() {
            return;
        }
        self.offline = Offline::Begins;
        for (_, doc) in self.docs.iter_mut() {
            doc.subscribed = false;
            if !doc.paused {
                doc.replica.number_unsent(&mut self.next_op_id);
            }
        }
        let docs = &self.docs;
        self.changes.retain(|change| docs.get(change.doc).is_some_and(TabDoc::owes));
        if self.joined {
            self.transmit(Message::Away, now);
        }
        self.flush_all(now);
    }

    /// Comes back, with all it holds. Over a transport that it has left it must be attached anew.
    pub fn go_online(&mut self, now: Millis) {
        self.offline = Offline::No;
        for message in self.outstanding.values() {
            let (request, subscribed) = match message {
                Message::DocSubscribe(request) => (request, true),
                Message::DocUnsubscribe(request) => (request, false),
                _ => continue,
            };
            if let Some((_, doc)) = self.docs.find(&request.doc) {
                doc.subscribed = subscribed;
            }
        }
        if self.link.is_some() {
            self.attach(now);
        }
    }

    /// Whether the tab is offline of its own accord.
    pub fn is_offline(&self) -> bool {
        self.offline.is_offline()
    }

    /// Goes on to say what was submitted before, to a hub that has let the tab in since.
    pub(super) fn welcomed_offline(&mut self, now: Millis) {
        let is_ingest = |message: &mut Message| matches!(message, Message::DocIngest(_));
        let ingested: Vec<Message> = self.waiting.extract_if(.., is_ingest).collect();
        if let Some(link) = &mut self.link {
            link.send(Message::Away, now);
            ingested.into_iter().for_each(|message| link.send(message, now));
        }
        self.flush_all(now);
    }

    /// Whether a message goes to the hub although the tab is offline.
    pub(super) fn is_sent_offline(message: &Message) -> bool {
        matches!(
            message,
            Message::Away
                | Message::Resume(_)
                | Message::DocSubmit(_)
                | Message::DocSeen(_)
                | Message::StoreHeard(_)
        )
    }

    /// Whether the tab listens to this although it is offline: ops that were submitted before find
    /// their place by it. The hub says the rest again once the tab is back.
    pub(super) fn is_heard_offline(&mut self, message: &Message) -> bool {
        let doc = match message {
            Message::Lineage(_) | Message::StoreEvent(_) => return true,
            Message::DocLoad(load) => &load.doc,
            Message::DocChange(change) => &change.doc,
            Message::DocSequenced(sequenced) => &sequenced.doc,
            Message::DocRejected(rejected) => &rejected.doc,
            _ => return false,
        };
        self.docs.find(doc).is_some_and(|(_, doc)| doc.owes())
    }

    pub(super) fn poll_offline(&mut self) -> Option<TabEvent> {
        let begins = self.offline == Offline::Begins;
        if !begins || self.docs.iter_mut().any(|(_, doc)| doc.owes()) {
            return None;
        }
        self.offline = Offline::Yes;
        Some(TabEvent::Offline)
    }
}
