use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use js_sys::Array;
use serde::Deserialize;
use tabmux_codecs::Limits;
use tabmux_transports::{Event, Transport};
use wasm_bindgen::prelude::*;

use super::clock::{Alarm, now};
use super::errors::to_js;
use super::transports::{ListenerEnd, TransportEnd, send, transport_error};
use super::types::JsTypes;
use super::upstream::{UpstreamAdapter, event_from_js};
use crate::hub::{Hub, HubEvent, HubSettings, PeerId};
use crate::platform::from_value;

#[wasm_bindgen]
extern "C" {
    /// `js/src/hub/hub.ts`: what the hub tells its owner.
    pub type HubHandler;
    #[wasm_bindgen(method)]
    fn joined(this: &HubHandler, tab: &str);
    #[wasm_bindgen(method)]
    fn left(this: &HubHandler, tab: &str);
    /// A tab is about to be heard: what happened upstream before it must be told first.
    #[wasm_bindgen(method)]
    fn arriving(this: &HubHandler);
    /// The last transport is gone.
    #[wasm_bindgen(method)]
    fn idle(this: &HubHandler);
    #[wasm_bindgen(method)]
    fn fault(this: &HubHandler, error: JsValue);
}

#[derive(Deserialize)]
struct Settings {
    identity: String,
    epoch: u64,
    lineage: String,
    linger: u64,
}

/// A hub with its transports and timers.
#[wasm_bindgen]
pub struct HubCore(Rc<Shell>);

struct Shell {
    hub: RefCell<Hub>,
    transports: RefCell<HashMap<PeerId, Rc<dyn Transport>>>,
    listeners: RefCell<Vec<ListenerEnd>>,
    handler: HubHandler,
    alarm: RefCell<Option<Rc<Alarm>>>,
}

#[wasm_bindgen]
impl HubCore {
    /// `settings` is `{identity, epoch, lineage, linger}`, `types` is ShareDB's `types.map`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        settings: JsValue,
        types: JsValue,
        upstream: UpstreamAdapter,
        handler: HubHandler,
    ) -> Result<HubCore, JsError> {
        let Settings { identity, epoch, lineage, linger } =
            from_value(settings).map_err(|reason| JsError::new(&reason))?;
        let limits = Limits::default();
        let (stored, seed) = (None, now());
        let settings = HubSettings { identity, epoch, lineage, stored, linger, limits, seed };
        let shell = Rc::new(Shell {
            hub: RefCell::new(Hub::new(settings, Rc::new(JsTypes(types)), Box::new(upstream))),
            transports: RefCell::default(),
            listeners: RefCell::default(),
            handler,
            alarm: RefCell::new(None),
        });
        let weak = Rc::downgrade(&shell);
        let alarm = Alarm::new(move || {
            if let Some(shell) = weak.upgrade() {
                shell.hub.borrow_mut().wake(now());
                shell.pump();
            }
        });
        *shell.alarm.borrow_mut() = Some(alarm);
        Ok(HubCore(shell))
    }

    /// Takes a transport to a tab.
    pub fn accept(&self, transport: &TransportEnd) {
        self.0.accept(Rc::clone(&transport.0));
    }

    /// Takes every tab that comes on a listener.
    pub fn listen(&self, listener: ListenerEnd) {
        let weak = Rc::downgrade(&self.0);
        listener.0.accept(Box::new(move |transport| {
            if let Some(shell) = weak.upgrade() {
                shell.accept(transport);
            }
        }));
        self.0.listeners.borrow_mut().push(listener);
    }

    /// A tab's Web Lock is free: it is gone.
    #[wasm_bindgen(js_name = tabGone)]
    pub fn tab_gone(&self, tab: &str) {
        self.0.hub.borrow_mut().tab_gone(tab, now());
        self.0.pump();
    }

    /// Takes an event of the upstream connection; it is told to the tabs with what else happens
    /// in this turn.
    #[wasm_bindgen(js_name = upstreamEvent)]
    pub fn upstream_event(&self, event: &Array) {
        if let Some(event) = event_from_js(event) {
            self.0.hub.borrow_mut().upstream_event(event, now());
            self.0.set_alarm();
        }
    }

    /// How many documents the hub holds, and how many of their changes it keeps for tabs.
    pub fn size(&self) -> Vec<u32> {
        let (docs, changes) = self.0.hub.borrow().size();
        vec![docs as u32, changes as u32]
    }

    /// Whether there is no transport to a tab.
    #[wasm_bindgen(js_name = isIdle)]
    pub fn is_idle(&self) -> bool {
        self.0.transports.borrow().is_empty()
    }

    /// Closes every transport.
    pub fn close(&self) {
        for listener in self.0.listeners.take() {
            listener.0.close();
        }
        for (_, transport) in self.0.transports.take() {
            transport.close(Some("the hub was closed"));
        }
        self.0.alarm.take();
    }
}

impl Shell {
    fn accept(self: &Rc<Self>, transport: Rc<dyn Transport>) {
        let peer = self.hub.borrow_mut().connect(transport.guarantees());
        self.transports.borrow_mut().insert(peer, Rc::clone(&transport));
        let weak: Weak<Shell> = Rc::downgrade(self);
        transport.listen(Box::new(move |event| {
            if let Some(shell) = weak.upgrade() {
                shell.transport_event(peer, event);
            }
        }));
    }

    fn transport_event(&self, peer: PeerId, event: Event) {
        let closed = matches!(event, Event::Closed(_));
        self.handler.arriving();
        match event {
            Event::Frame(frame) => self.hub.borrow_mut().receive(peer, frame, now()),
            Event::Error(error) => self.handler.fault(transport_error(error)),
            Event::Closed(_) => self.hub.borrow_mut().disconnected(peer, now()),
        }
        self.pump();
        if closed {
            self.forget(peer);
        }
    }

    fn forget(&self, peer: PeerId) -> Option<Rc<dyn Transport>> {
        let transport = self.transports.borrow_mut().remove(&peer)?;
        if self.transports.borrow().is_empty() {
            self.handler.idle();
        }
        Some(transport)
    }

    /// Sends and tells all that waits.
    fn pump(&self) {
        loop {
            let next = self.hub.borrow_mut().poll_transmit();
            let Some((peer, frame)) = next else { break };
            let Some(transport) = self.transports.borrow().get(&peer).cloned() else { continue };
            if let Err(error) = send(&*transport, frame) {
                self.handler.fault(transport_error(error));
            }
        }
        loop {
            let next = self.hub.borrow_mut().poll_event();
            match next {
                Some(HubEvent::Joined { tab, .. }) => self.handler.joined(&tab),
                Some(HubEvent::Left { tab, peer }) => {
                    self.handler.left(&tab);
                    if let Some(transport) = self.forget(peer) {
                        transport.close(None);
                    }
                }
                Some(HubEvent::Fault(error)) => self.handler.fault(to_js(&error)),
                None => break,
            }
        }
        self.set_alarm();
    }

    fn set_alarm(&self) {
        let deadline = self.hub.borrow().deadline();
        if let Some(alarm) = &*self.alarm.borrow() {
            alarm.set(deadline);
        }
    }
}
