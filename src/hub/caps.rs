//! What the hub holds for one tab at most. A tab that asks for more is told so, and harms nobody else:
//! each of these is far above what an application wants, and far below what a hub can't bear.

use tabmux_middleware::SortedSet;

use tabmux_middleware::{LayerConfig, Request};

use super::needs::{Need, needs};
use crate::error::{Error, codes};
use crate::protocol::*;

/// The longest collection, id or tab id, in bytes: IndexedDB and servers take no longer ones gladly.
pub(super) const MAX_NAME: usize = 4096;
/// Documents that a tab holds: each costs the hub its data, and the server a subscription.
pub(super) const MAX_DOCS: usize = 100_000;
/// Queries of a tab that are not ended: the server runs each anew with every change.
pub(super) const MAX_QUERIES: usize = 10_000;
/// Requests of a tab without an answer: offline they wait for a long time.
pub(super) const MAX_REQUESTS: usize = 100_000;
/// Presences that a tab shows, and channels that it listens to: to whoever comes, all are told.
pub(super) const MAX_PRESENCES: usize = 10_000;
/// Messages for a tab that does not take them, after those that could be merged were. A tab that is
/// behind by so many begins a new session, which costs it less.
pub(super) const MAX_BACKLOG: usize = 50_000;
/// How much of frames that wait for an earlier one, in bytes or UTF-16 units.
pub(super) const MAX_HELD: usize = 64 * 1024 * 1024;
/// The same in frames: what a tab's layer `ordering` has in `maxHeld` counts up to here.
pub(super) const MAX_HELD_FRAMES: u64 = LayerConfig::MAX_HELD;

/// What one tab has of the hub.
#[derive(Default)]
pub(super) struct Usage {
    docs: SortedSet<DocId>,
    requests: SortedSet<u64>,
}

impl Usage {
    /// The tab asks for this.
    ///
    /// # Errors
    /// It has too much already.
    pub fn ask(&mut self, message: &ToHub) -> Result<(), Error> {
        if let ToHub::DocRelease(release) = message {
            self.docs.remove(&release.doc);
        }
        let (need, docs) = needs(message);
        for doc in docs.into_iter().filter(|_| need == Need::Held) {
            if !self.docs.contains(doc) {
                check("documents", self.docs.len(), MAX_DOCS)?;
                self.docs.insert(doc.clone());
            }
        }
        if let Some(request) = message.request()
            && !self.requests.contains(&request)
        {
            check("requests without an answer", self.requests.len(), MAX_REQUESTS)?;
            self.requests.insert(request);
        }
        Ok(())
    }

    /// The tab is told this.
    pub fn tell(&mut self, message: &ToTab) {
        if !matches!(message, ToTab::Working(_))
            && let Some(request) = message.answers()
        {
            self.requests.remove(&request);
        }
    }
}

/// Whether there may be one more of these.
///
/// # Errors
/// The tab has as many as it may have.
pub(super) fn check(what: &str, has: usize, most: usize) -> Result<(), Error> {
    if has < most {
        return Ok(());
    }
    Err(Error::new(codes::TOO_MUCH, format!("a tab may have {most} {what}: end some first")))
}
