//! How the hub looks after its store: what it drops of it, and when; and what it does if the store is
//! full, or closes.

use tabmux_middleware::Millis;

use super::settings::GRACE;
use super::{Hub, HubEvent, StoreRequest};
use crate::error::Error;
use crate::platform::Payload;
use crate::protocol::DocId;
use crate::store::{Inventory, Limits, StoreError, victims};
use crate::wire::{to_value, wire};

/// After so many transactions old documents are looked for.
const COMMITS: u32 = 1000;
/// The part of the device's room from which on it counts as full.
const FULL: f64 = 0.9;
/// A tab that has come tells within this time what it has open.
const TELL_AGAIN_AFTER: Millis = 200;

/// What a device says of its room for stores, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// How much is in use.
    pub usage: Option<u64>,
    /// How much there is.
    pub quota: Option<u64>,
}

wire!(open Room { usage, quota });

impl Room {
    /// How many bytes too many are in use, if the device counts as full.
    fn excess(&self) -> Option<u64> {
        let excess = self.usage? as f64 - FULL * self.quota? as f64;
        (excess > 0.0).then_some(excess as u64)
    }
}

/// What was asked for the sake of eviction, and has no answer yet.
#[derive(Clone, Copy, Default, PartialEq)]
enum Step {
    #[default]
    None,
    Room,
    /// What the store holds, of which only so much is to stay.
    Inventory(Keep),
}

#[derive(Clone, Copy, PartialEq)]
enum Keep {
    WithinLimits,
    /// The device has so many bytes too many.
    Less(u64),
    /// There was no room for a transaction.
    Nothing,
}

/// How far the care for the store is.
#[derive(Default)]
pub(super) struct Upkeep {
    /// How many transactions there were since old documents were last looked for.
    commits: u32,
    /// When documents may be dropped: tabs of an earlier hub have some open, of which this one hears
    /// as they come back.
    evicts_at: Option<Millis>,
    may_evict: bool,
    /// The device was full when it was last looked at.
    is_full: bool,
    /// There was no room for a transaction, and nothing was done about it yet.
    lacks_room: bool,
    step: Step,
    /// The store has closed, and whether it is being opened again.
    is_closed: bool,
    is_opening: bool,
}

impl Upkeep {
    pub fn deadline(&self) -> Option<Millis> {
        self.evicts_at
    }
}

impl Hub {
    // Eviction

    /// The tabs that there are, as far as the owner can tell. Before the hub has heard of all of them,
    /// and of those it knows from the store, or a minute has passed, it drops no document.
    pub fn await_tabs(&mut self, tabs: &[String], now: Millis) {
        self.now = now;
        for tab in tabs {
            self.expect(tab);
        }
        self.upkeep.evicts_at = Some(if self.tabs.awaits_any() { now + GRACE } else { now });
    }

    /// A tab has come, has told what it has open, or is gone.
    pub(super) fn heard_of_tab(&mut self) {
        if !self.tabs.awaits_any()
            && let Some(at) = &mut self.upkeep.evicts_at
        {
            *at = (*at).min(self.now + TELL_AGAIN_AFTER);
        }
    }

    pub(super) fn start_evicting(&mut self) {
        if self.upkeep.evicts_at.take_if(|at| *at <= self.now).is_some() {
            self.upkeep.may_evict = true;
            self.tidy();
        }
    }

    /// Looks whether the device is nearly full, and for documents that are too old or too many.
    fn tidy(&mut self) {
        self.upkeep.commits = 0;
        let Some(journal) = self.journal.as_mut().filter(|journal| !journal.is_off()) else {
            return;
        };
        if self.upkeep.step == Step::None {
            self.upkeep.step = Step::Room;
            journal.ask(StoreRequest::Room);
        }
    }

    /// The answer to [`StoreRequest::Room`].
    pub fn room(&mut self, room: Room, now: Millis) {
        self.now = now;
        let (excess, lacks_room) = (room.excess(), std::mem::take(&mut self.upkeep.lacks_room));
        let has_become_full = excess.is_some() && !self.upkeep.is_full;
        // Until documents may be dropped, the device is yet to be relieved.
        self.upkeep.is_full = excess.is_some() && self.upkeep.may_evict;
        if has_become_full || lacks_room {
            self.tell_store_event("quota", Payload(to_value(&room)), now);
        }
        let keep = match excess.filter(|_| has_become_full) {
            _ if lacks_room => Some(Keep::Nothing),
            Some(excess) => Some(Keep::Less(excess)),
            // A list of all documents costs the more the more there are.
            None if self.settings.store_limits == Limits::default() => None,
            None => Some(Keep::WithinLimits),
        };
        self.upkeep.step = Step::None;
        if let (Some(keep), Some(journal)) =
            (keep.filter(|_| self.upkeep.may_evict), &mut self.journal)
        {
            self.upkeep.step = Step::Inventory(keep);
            journal.ask(StoreRequest::Inventory);
        }
    }

    /// The answer to [`StoreRequest::Inventory`], with the time of the uses in it.
    pub fn inventory(
        &mut self,
        inventory: Result<Inventory, StoreError>,
        wall_clock: Millis,
        now: Millis,
    ) {
        self.now = now;
        if let (Step::Inventory(keep), Ok(inventory)) = (self.upkeep.step, inventory) {
            let mut limits = self.settings.store_limits;
            let bytes: u64 = inventory.docs.iter().map(|it| it.bytes).sum();
            let fits = match keep {
                Keep::WithinLimits => u64::MAX,
                Keep::Less(excess) => bytes.saturating_sub(excess),
                Keep::Nothing => 0,
            };
            limits.max_bytes = Some(limits.max_bytes.map_or(fits, |max| max.min(fits)));
            let victims = victims(&inventory, &limits, wall_clock, &|doc| self.holds(doc));
            self.evict(victims, now);
        }
        self.upkeep.step = Step::None;
        if self.upkeep.lacks_room {
            self.tidy();
        }
    }

    // What goes wrong

    /// A transaction has ended.
    pub(super) fn note_transaction(&mut self, result: &Result<(), StoreError>) {
        self.upkeep.commits += 1;
        match result {
            Err(StoreError::Quota { .. }) => self.upkeep.lacks_room = true,
            // That is told as the store closes.
            Ok(()) | Err(StoreError::Closed { .. }) => {}
            Err(error) => self.tell_store_error(error.clone().into()),
        }
        if self.upkeep.lacks_room || self.upkeep.commits >= COMMITS {
            self.tidy();
        }
    }

    /// A store that is not open, or did not answer in time, is opened again. As long as it counts as
    /// open, its owner is about to tell that it is not.
    pub(super) fn note_failure(&mut self, error: &StoreError) {
        self.upkeep.is_closed |= matches!(error, StoreError::Unanswered { .. });
        if self.upkeep.is_closed {
            self.open_again();
        }
    }

    /// The store has closed without being asked to.
    pub fn store_closed(&mut self, error: StoreError, now: Millis) {
        self.now = now;
        self.upkeep.is_closed = true;
        self.tell_store_error(error.into());
        self.open_again();
    }

    fn open_again(&mut self) {
        if let Some(journal) = &mut self.journal
            && !std::mem::replace(&mut self.upkeep.is_opening, true)
        {
            journal.ask(StoreRequest::Open);
        }
    }

    /// The answer to [`StoreRequest::Open`]. A store that is open again may be empty, so everything is
    /// written again; it has uncommitted ops of these documents: what could not be read of them stays
    /// as it is.
    pub fn store_opened(&mut self, opened: Result<Vec<DocId>, StoreError>, now: Millis) {
        self.now = now;
        self.upkeep.is_opening = false;
        match opened {
            Ok(pending) => {
                self.upkeep.is_closed = false;
                let (docs, _, _, mut cx) = self.parts();
                docs.write_all(&pending, &mut cx);
            }
            // The hub of newer code has what this one wrote, and sends it.
            Err(error @ (StoreError::Fenced { .. } | StoreError::NewerSchema { .. })) => {
                self.events.push_back(HubEvent::Fenced(error.into()));
            }
            Err(error) => self.tell_store_error(error.into()),
        }
    }

    /// Tells all tabs what is wrong with the store.
    fn tell_store_error(&mut self, error: Error) {
        self.tell_store_event("error", Payload(to_value(&error)), self.now);
    }
}
