//! A tab that goes offline of its own accord, and comes back.

use tabmux_middleware::Millis;

use super::Tab;
use crate::protocol::*;
use crate::tab::TabEvent;
use crate::tab::tab_docs::TabDoc;

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
            self.transmit(ToHub::Away, now);
        }
        self.flush_all(now);
    }

    /// Comes back, with all it holds. Over a transport that it has left it must be attached anew.
    pub fn go_online(&mut self, now: Millis) {
        self.offline = Offline::No;
        for message in self.outstanding.values() {
            let (doc, subscribed) = match message {
                ToHub::DocSubscribe(DocSubscribe { doc, .. }) => (doc, true),
                ToHub::DocUnsubscribe(DocUnsubscribe { doc, .. }) => (doc, false),
                _ => continue,
            };
            if let Some((_, doc)) = self.docs.find(doc) {
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
        let is_ingest = |message: &mut ToHub| matches!(message, ToHub::DocIngest(_));
        let ingested: Vec<ToHub> = self.waiting.extract_if(.., is_ingest).collect();
        if let Some(link) = &mut self.link {
            link.send(ToHub::Away, now);
            ingested.into_iter().for_each(|message| link.send(message, now));
        }
        self.flush_all(now);
    }

    /// Whether a message goes to the hub although the tab is offline.
    pub(super) fn is_sent_offline(message: &ToHub) -> bool {
        match message {
            ToHub::Away
            | ToHub::ConnectionResume(_)
            | ToHub::DocSubmitOp(_)
            | ToHub::DocSeen(_)
            | ToHub::StoreHeard(_) => true,
            ToHub::Hello(_)
            | ToHub::Bye
            | ToHub::ConnectionUnloadJournal(_)
            | ToHub::ConnectionGetBulk(_)
            | ToHub::ConnectionBulkBegin
            | ToHub::ConnectionBulkEnd
            | ToHub::ConnectionQuery(_)
            | ToHub::ConnectionSend(_)
            | ToHub::ConnectionHandleMessage(_)
            | ToHub::QueryEnd(_)
            | ToHub::DocFetch(_)
            | ToHub::DocSubscribe(_)
            | ToHub::DocUnsubscribe(_)
            | ToHub::DocIngest(_)
            | ToHub::DocRelease(_)
            | ToHub::StoreAsk(_) => false,
        }
    }

    /// Whether the tab listens to this although it is offline: ops that were submitted before find
    /// their place by it. The hub says the rest again once the tab is back.
    pub(super) fn is_heard_offline(&mut self, message: &ToTab) -> bool {
        let doc = match message {
            ToTab::Lineage(_) | ToTab::StoreEvent(_) => return true,
            ToTab::DocLoad(load) => &load.doc,
            ToTab::DocChange(change) => &change.doc,
            ToTab::DocSequenced(sequenced) => &sequenced.doc,
            ToTab::DocRejected(rejected) => &rejected.doc,
            ToTab::Welcome(_)
            | ToTab::Refusal(_)
            | ToTab::Callback(_)
            | ToTab::Working(_)
            | ToTab::ConnectionEvent(_)
            | ToTab::ConnectionError(_)
            | ToTab::ConnectionTabs(_)
            | ToTab::ConnectionReceive(_)
            | ToTab::QueryDocs(_)
            | ToTab::QueryReady(_)
            | ToTab::QueryChange(_)
            | ToTab::QueryExtra(_)
            | ToTab::QueryError(_)
            | ToTab::DocCommitted(_)
            | ToTab::DocEvent(_)
            | ToTab::DocSubscribed(_)
            | ToTab::StoreReply(_) => return false,
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
