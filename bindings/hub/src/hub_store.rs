//! What a hub does with its store.

use std::rc::Rc;

use futures::future::{AbortHandle, Abortable};
use js_sys::{Object, Reflect};

use super::hub::Shell;
use super::store::HubStore;
use tabmux::Error;
use tabmux::hub::StoreRequest;
use tabmux::store::{Inventory, Limits, StoreError, victims};
use tabmux::{Payload, to_value};
use tabmux_bindings::clock::{now, wall_clock};
use tabmux_bindings::errors::to_js;

/// After so many transactions old documents are looked for.
const COMMITS: u32 = 1000;
/// The part of the device's room from which on it counts as full.
const FULL: f64 = 0.9;

/// How many bytes too many there are on a device that counts as full.
fn excess(room: &Object) -> Option<u64> {
    let number = |name: &str| Reflect::get(room, &name.into()).ok()?.as_f64();
    let excess = number("usage")? - FULL * number("quota")?;
    (excess > 0.0).then_some(excess as u64)
}

impl Shell {
    /// Starts what the hub wants of its store, in order.
    pub(super) fn run_store(self: &Rc<Self>) {
        let Some(store) = &self.store else { return };
        loop {
            let next = self.hub.borrow_mut().poll_store();
            let Some(request) = next else { return };
            store.under_way.set(store.under_way.get() + 1);
            let shell = Rc::clone(self);
            self.spawn(async move {
                if let Some(store) = &shell.store {
                    shell.run(store, request).await;
                    store.under_way.set(store.under_way.get() - 1);
                }
                shell.pump();
            });
        }
    }

    async fn run(self: &Rc<Self>, store: &HubStore, request: StoreRequest) {
        match request {
            StoreRequest::Read(doc) => {
                let read = store.read(&doc).await;
                self.reopen_after(&read, store);
                self.hub.borrow_mut().stored(doc, read, now());
                self.arriving();
                self.hub.borrow_mut().proceed(now());
            }
            StoreRequest::Commit(writes) => {
                let result = store.commit(&writes).await;
                self.reopen_after(&result, store);
                self.hub.borrow_mut().committed(result, now());
                store.commits.set(store.commits.get() + 1);
                if store.commits.get() >= COMMITS {
                    self.tidy();
                }
            }
            StoreRequest::Ask { tab, request, question } => {
                let answer = self.answer(store, question).await;
                self.hub.borrow_mut().answer(&tab, request, answer, now());
            }
        }
    }

    /// A transaction failed; the hub goes on without.
    pub(super) fn store_failed(self: &Rc<Self>, error: StoreError) {
        match error {
            StoreError::Quota { .. } => self.in_background(async |shell, store| {
                if let Ok(inventory) = store.inventory().await {
                    let nothing = Limits { max_age: None, max_bytes: Some(0) };
                    shell.evict(store, &inventory, &nothing);
                }
                let room = shell.room().await;
                shell.tell_quota(&room);
            }),
            // Who watches it tells of it.
            StoreError::Closed { .. } => {}
            error => self.tell_store_error(&error.into()),
        }
    }

    /// A store that is not open, or did not answer in time, is opened again. As long as it counts as
    /// open, whoever watches it is about to hear that it is not.
    fn reopen_after<T>(self: &Rc<Self>, result: &Result<T, StoreError>, store: &HubStore) {
        if result.is_err() && !store.is_open.get() && !store.is_reopening.get() {
            if let Some(watch) = store.watch.take() {
                watch.abort();
            }
            self.in_background(async |shell, store| shell.reopen(store).await);
        }
    }

    fn in_background(self: &Rc<Self>, work: impl AsyncFnOnce(&Rc<Self>, &HubStore) + 'static) {
        let shell = Rc::clone(self);
        self.spawn(async move {
            if let Some(store) = &shell.store {
                work(&shell, store).await;
            }
            shell.pump();
        });
    }

    /// Opens the store again once it has closed without being asked to.
    pub(super) fn watch_store(self: &Rc<Self>) {
        let Some(store) = &self.store else { return };
        let Ok(open) = store.get() else { return };
        let weak = Rc::downgrade(self);
        let (watch, registration) = AbortHandle::new_pair();
        store.watch.replace(Some(watch));
        let work = async move {
            let error = open.closed().await;
            drop(open);
            let Some(shell) = weak.upgrade() else { return };
            let Some(store) = &shell.store else { return };
            store.is_open.set(false);
            shell.tell_store_error(&error.into());
            shell.reopen(store).await;
            shell.pump();
        };
        self.spawn(async move {
            // Aborted, it has nothing to say.
            let _ = Abortable::new(work, registration).await;
        });
    }

    async fn reopen(self: &Rc<Self>, store: &HubStore) {
        if store.is_reopening.replace(true) {
            return;
        }
        let opened = store.reopen().await;
        store.is_reopening.set(false);
        match opened {
            Ok(pending) => {
                store.is_open.set(true);
                self.hub.borrow_mut().store_replaced(&pending, now());
                self.watch_store();
            }
            // The hub of newer code has what this one wrote, and sends it.
            Err(error @ (StoreError::Fenced { .. } | StoreError::NewerSchema { .. })) => {
                self.tell(self.handler.fenced(to_js(&error.into())));
            }
            Err(error) => self.tell_store_error(&error.into()),
        }
    }

    /// Looks whether the device is nearly full, and for documents that are too old or too many.
    pub(super) fn tidy(self: &Rc<Self>) {
        let Some(store) = &self.store else { return };
        store.commits.set(0);
        if store.is_tidying.replace(true) {
            return;
        }
        self.in_background(async |shell, store| {
            let room = shell.room().await;
            let excess = excess(&room);
            let is_full = excess.is_some();
            let has_become_full = is_full && !store.is_full.get();
            // Until documents may be dropped, the device is yet to be relieved.
            store.is_full.set(is_full && store.may_evict.get());
            if has_become_full {
                shell.tell_quota(&room);
            }
            // A list of all documents costs the more the more there are.
            let is_limited = store.limits != Limits::default();
            if (is_limited || has_become_full)
                && let Ok(inventory) = store.inventory().await
            {
                let mut limits = store.limits;
                if has_become_full {
                    let bytes: u64 = inventory.docs.iter().map(|it| it.bytes).sum();
                    let fits = bytes.saturating_sub(excess.unwrap_or_default());
                    limits.max_bytes = Some(limits.max_bytes.map_or(fits, |max| max.min(fits)));
                }
                shell.evict(store, &inventory, &limits);
            }
            store.is_tidying.set(false);
        });
    }

    /// Drops what no tab has open. What tabs of an earlier hub have open is known only after a while.
    fn evict(&self, store: &HubStore, inventory: &Inventory, limits: &Limits) {
        if !store.may_evict.get() {
            return;
        }
        let mut hub = self.hub.borrow_mut();
        let victims = victims(inventory, limits, wall_clock(), &|doc| hub.holds(doc));
        hub.evict(victims, now());
    }

    fn tell_quota(&self, room: &Object) {
        let detail = Object::new();
        for name in ["usage", "quota"] {
            if let Ok(value) = Reflect::get(room, &name.into())
                && !value.is_undefined()
            {
                let _ = Reflect::set(&detail, &name.into(), &value);
            }
        }
        let detail = Payload(detail.into());
        self.hub.borrow_mut().tell_store_event("quota", detail, now());
    }

    /// Tells all tabs what is wrong with the store.
    pub(super) fn tell_store_error(&self, error: &Error) {
        let detail = Payload(to_value(error));
        self.hub.borrow_mut().tell_store_event("error", detail, now());
        self.set_alarm();
    }

    /// Lets go of the store of a hub that has closed once all is written, and tells one without tabs
    /// when the server has everything.
    pub(super) fn rest(&self) {
        let Some(store) = &self.store else { return };
        let hub = self.hub.borrow();
        let is_due = hub.deadline().is_some_and(|at| at <= now());
        let is_rested = hub.is_rested();
        drop(hub);
        if store.under_way.get() > 0 || is_due {
            return;
        }
        if !self.is_closed.get() {
            if is_rested {
                self.tell(self.handler.rested());
            }
        } else if store.release() {
            self.alarm.take();
            self.tell(self.handler.store_closed());
        }
    }
}
