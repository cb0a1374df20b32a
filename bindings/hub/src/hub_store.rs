//! What a hub does with its store.

use std::rc::Rc;

use futures::future::{AbortHandle, Abortable};

use super::hub::{DeviceRoom, Shell};
use super::store::HubStore;
use tabmux::Error;
use tabmux::hub::{Room, StoreRequest};
use tabmux::{Payload, to_value};
use tabmux_bindings::clock::{now, wall_clock};

impl Shell {
    /// Starts what the hub wants of its store, in order.
    pub(super) fn run_store(self: &Rc<Self>) {
        let Some(store) = &self.store else { return };
        loop {
            let next = self.hub.borrow_mut().poll_store();
            let Some(request) = next else { return };
            let is_awaited = must_end(&request);
            store.under_way.set(store.under_way.get() + u32::from(is_awaited));
            let shell = Rc::clone(self);
            self.spawn(async move {
                if let Some(store) = &shell.store {
                    shell.run(store, request).await;
                    store.under_way.set(store.under_way.get() - u32::from(is_awaited));
                }
                shell.pump();
            });
        }
    }

    async fn run(self: &Rc<Self>, store: &HubStore, request: StoreRequest) {
        match request {
            StoreRequest::Read(doc) => {
                let read = store.read(&doc).await;
                self.hub.borrow_mut().stored(doc, read, now());
                self.tell_upstream_events();
                self.hub.borrow_mut().proceed(now());
            }
            StoreRequest::Commit(writes) => {
                let result = store.commit(&writes).await;
                self.hub.borrow_mut().committed(result, now());
            }
            StoreRequest::Room => {
                let DeviceRoom { usage, quota, .. } = self.room().await;
                self.hub.borrow_mut().room(Room { usage, quota }, now());
            }
            StoreRequest::Inventory => {
                let inventory = store.inventory().await;
                self.hub.borrow_mut().inventory(inventory, wall_clock(), now());
            }
            StoreRequest::Open => {
                if let Some(watch) = store.watch.take() {
                    watch.abort();
                }
                let opened = store.reopen().await;
                let is_open = opened.is_ok();
                self.hub.borrow_mut().store_opened(opened, now());
                if is_open {
                    self.watch_store();
                }
            }
            StoreRequest::Ask { tab, request, question } => {
                let answer = self.answer(store, question).await;
                self.hub.borrow_mut().answer(&tab, request, answer, now());
            }
        }
    }

    /// Tells the hub if the store closes without being asked to.
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
            shell.hub.borrow_mut().store_closed(error, now());
            shell.pump();
        };
        self.spawn(async move {
            // Aborted, it has nothing to say.
            let _ = Abortable::new(work, registration).await;
        });
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
        let is_drained = hub.is_drained();
        drop(hub);
        if store.under_way.get() > 0 || is_due {
            return;
        }
        if !self.is_closed.get() {
            if is_drained {
                self.tell(self.handler.drained());
            }
        } else if store.release() {
            self.alarm.take();
            self.tell(self.handler.store_closed());
        }
    }
}

/// Whether a hub that closes waits until this is done. A browser may never answer the others.
fn must_end(request: &StoreRequest) -> bool {
    match request {
        StoreRequest::Read(_) | StoreRequest::Commit(_) | StoreRequest::Ask { .. } => true,
        StoreRequest::Room | StoreRequest::Inventory | StoreRequest::Open => false,
    }
}
