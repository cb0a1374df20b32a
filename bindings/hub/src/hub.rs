use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::task::Poll;

use tabmux_codecs::{Codecs, Limits};
use tabmux_middleware::{SortedMap, SortedSet};
use tabmux_transports::{Event, Transport};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::listeners::ListenerEnd;
use super::store::{HubStore, OpenStore, Policy, StoreSettings};
use super::upstream::UpstreamAdapter;
use super::upstream_event::event_from_js;
use tabmux::hub::{self, Hub, HubEvent, PeerId};
use tabmux::ot::Types;
use tabmux::protocol::{DocId, HubLayers};
use tabmux::{Error, Payload, codes, from_value, wire};
use tabmux_bindings::clock::{Alarm, now};
use tabmux_bindings::codecs::{CodecObject, JsCodec};
use tabmux_bindings::door::{Promised, Thrown};
use tabmux_bindings::errors::from_js;
use tabmux_bindings::layers::{JsLayers, LayerCall};
use tabmux_bindings::transports::{TransportEnd, send, transport_error};
use tabmux_bindings::types::JsTypes;
use tabmux_bindings::{declare_types, door};

door! {
    /// `js/src/hub/hub.ts`: what the hub tells its owner.
    interface HubHandler = "HubHandler" {
        /// A layer is to see a message; what it passes on goes to `HubCore.pass`.
        fn layer(name: &str, id: u32, inbound: bool, message: Payload);
        fn joined(tab: &str);
        fn left(tab: &str);
        /// A tab of an earlier hub may come back.
        fn expected(tab: &str);
        /// The hub is about to hear of something: what happened upstream before it must be told first.
        fn tell_upstream_events as tellUpstreamEvents();
        /// The last transport is gone.
        fn idle();
        fn fault(error: Thrown<'_>);
        /// The store is another hub's now: this one must close.
        fn fenced(error: Thrown<'_>);
        /// There is no tab, and the server has every op; told again and again.
        fn drained();
        /// The hub was closed, and has let go of its store.
        fn store_closed as storeClosed();
        /// The store was wiped: this hub keeps nothing any more.
        fn cleared();
        /// Whether the store is to keep a document.
        fn keeps(collection: &str, id: &str) -> bool;
        fn room() -> Promised<DeviceRoom>;
    }
}

declare_types!(&HubSettings, &Policy, &DeviceRoom, &StoreSettings, Thrown<'_>);

/// What the browser says of the room on this device.
#[derive(Default)]
pub(super) struct DeviceRoom {
    pub usage: Option<u64>,
    pub quota: Option<u64>,
    pub persisted: Option<bool>,
}

wire!(open DeviceRoom { usage, quota, persisted });

/// What a hub is made with.
struct HubSettings {
    identity: String,
    epoch: u64,
    lineage: String,
    linger: u64,
    policy: Option<Policy>,
}

wire!(open HubSettings { identity, epoch, lineage, linger, policy });

/// A hub with its transports and timers.
#[wasm_bindgen]
pub struct HubCore(Rc<Shell>);

pub(super) struct Shell {
    pub hub: RefCell<Hub>,
    pub identity: String,
    pub types: Rc<dyn Types>,
    pub upstream: UpstreamAdapter,
    pub store: Option<HubStore>,
    transports: RefCell<SortedMap<PeerId, Rc<dyn Transport>>>,
    listeners: RefCell<Vec<ListenerEnd>>,
    layers: JsLayers,
    /// Layers are being called: those of these links have passed on something meanwhile.
    calling: RefCell<Option<SortedSet<PeerId>>>,
    pub handler: HubHandler,
    pub alarm: RefCell<Option<Rc<Alarm>>>,
    pub is_closed: Cell<bool>,
    /// An exception has passed through the core: nothing holds any more.
    is_abandoned: Cell<bool>,
}

#[wasm_bindgen]
impl HubCore {
    /// `types` is ShareDB's `types.map`.
    /// With a store, epoch and lineage are the store's.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "HubSettings")] settings: JsValue,
        #[wasm_bindgen(unchecked_param_type = "unknown")] types: JsValue,
        upstream: UpstreamAdapter,
        handler: HubHandler,
        store: Option<OpenStore>,
    ) -> Result<HubCore, JsError> {
        let HubSettings { identity, mut epoch, mut lineage, linger, policy } =
            from_value(settings).map_err(|reason| JsError::new(&reason))?;
        let (mut stored, limits, seed) = (None, Limits::default(), now());
        if let Some(store) = &store {
            let opened = store.opened().clone();
            (epoch, lineage, stored) = (opened.epoch, opened.lineage, Some(opened.pending));
        }
        let hub_identity = identity.clone();
        let settings = hub::HubSettings {
            identity,
            epoch,
            lineage,
            stored,
            store_limits: policy.as_ref().map(Policy::limits).unwrap_or_default(),
            unload_journals: store.as_ref().is_some_and(|store| store.takes_unload_journals),
            linger,
            codecs: Codecs::built_in(limits),
            layers: HubLayers::default(),
            seed,
        };
        let types: Rc<dyn Types> = Rc::new(JsTypes::new(types));
        let adapter = same(&upstream);
        let mut hub = Hub::new(settings, Rc::clone(&types), Box::new(adapter));
        let keeper: HubHandler = same(&handler);
        hub.keep_only(Box::new(move |doc| {
            keeper.keeps(&doc.collection, &doc.id).unwrap_or_default()
        }));
        let shell = Rc::new(Shell {
            hub: RefCell::new(hub),
            identity: hub_identity,
            types,
            upstream,
            store: store.zip(policy).map(|(store, policy)| HubStore::new(store, &policy)),
            transports: RefCell::default(),
            listeners: RefCell::default(),
            layers: JsLayers::default(),
            calling: RefCell::default(),
            handler,
            alarm: RefCell::new(None),
            is_closed: Cell::new(false),
            is_abandoned: Cell::new(false),
        });
        let weak = Rc::downgrade(&shell);
        let alarm = Alarm::new(move || {
            if let Some(shell) = weak.upgrade() {
                shell.tell_upstream_events();
                shell.hub.borrow_mut().wake(now());
                shell.pump();
            }
        });
        *shell.alarm.borrow_mut() = Some(alarm);
        shell.run_store();
        shell.watch_store();
        Ok(HubCore(shell))
    }

    /// Tabs may use this codec from now on.
    #[wasm_bindgen(js_name = addCodec)]
    pub fn add_codec(&self, #[wasm_bindgen(unchecked_param_type = "unknown")] codec: CodecObject) {
        self.0.hub.borrow_mut().add_codec(Rc::new(JsCodec::new(codec)));
    }

    /// Tabs may have a layer of this name from now on.
    #[wasm_bindgen(js_name = addLayer)]
    pub fn add_layer(&self, name: &str) {
        self.0.hub.borrow_mut().add_layer(name, self.0.layers.maker(name));
    }

    /// A layer passes on a message.
    pub fn pass(
        &self,
        id: u32,
        inbound: bool,
        #[wasm_bindgen(unchecked_param_type = "unknown")] message: JsValue,
    ) {
        if let Some(link) = self.0.layers.pass(id, inbound, message) {
            self.0.passed(link as PeerId);
        }
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

    /// A tab's Web Lock is free: it has ended.
    #[wasm_bindgen(js_name = tabGone)]
    pub fn tab_gone(&self, tab: &str) {
        self.0.hub.borrow_mut().tab_gone(tab, now());
        self.0.set_alarm();
    }

    /// The Web Lock of a tab of an earlier hub can't be seen.
    #[wasm_bindgen(js_name = cannotWatch)]
    pub fn cannot_watch(&self, tab: &str) {
        self.0.hub.borrow_mut().cannot_watch(tab, now());
        self.0.set_alarm();
    }

    /// Whether a tab is here, or may be: the hub can't look while it is called by the caller.
    #[wasm_bindgen(js_name = hasTabs)]
    pub fn has_tabs(&self) -> bool {
        self.0.hub.try_borrow().map_or(true, |hub| hub.has_tabs())
    }

    /// Takes an event of the upstream connection; it is told to the tabs with what else happens
    /// in this turn.
    #[wasm_bindgen(js_name = upstreamEvent)]
    pub fn upstream_event(
        &self,
        #[wasm_bindgen(unchecked_param_type = "UpstreamEvent")] event: &JsValue,
    ) {
        match event_from_js(event) {
            Ok((event, head)) => {
                self.0.hub.borrow_mut().upstream_event(event, head, now());
                self.0.run_store();
                self.0.set_alarm();
            }
            Err(fault) => self.0.fault(&fault),
        }
    }

    /// Whether the hub must not be told of upstream events at present.
    #[wasm_bindgen(js_name = isStalled)]
    pub fn is_stalled(&self) -> bool {
        self.0.hub.borrow().is_stalled()
    }

    /// Whether the upstream may take states of these documents from the server; asks the store for
    /// those that it may not.
    #[wasm_bindgen(js_name = hasAtHand)]
    pub fn has_at_hand(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Array<DocId>")] docs: JsValue,
    ) -> bool {
        let docs: Vec<DocId> = match from_value(docs) {
            Ok(docs) => docs,
            Err(reason) => {
                let message = format!("a question about documents makes no sense: {reason}");
                self.0.fault(&Error::new(codes::BAD_FRAME, message));
                return true;
            }
        };
        let has = self.0.hub.borrow_mut().has_at_hand(docs, now());
        self.0.run_store();
        has
    }

    /// The hub is about to let go of the server until a tab comes.
    pub fn rest(&self) {
        self.0.hub.borrow_mut().rest();
    }

    /// Whether the server has every op, as far as the store would lose it.
    #[wasm_bindgen(js_name = isDrained)]
    pub fn is_drained(&self) -> bool {
        let stores = self.0.store.as_ref().is_some_and(|store| !store.is_cleared.get());
        !stores || self.0.hub.borrow().is_drained()
    }

    /// Tells all tabs why the store is only in the place of the one that was asked for.
    #[wasm_bindgen(js_name = tellStoreFailure)]
    pub fn tell_store_failure(
        &self,
        #[wasm_bindgen(unchecked_param_type = "unknown")] error: JsValue,
    ) {
        let error = from_js(error);
        self.0.tell_store_error(&error);
        if let Some(store) = &self.0.store {
            store.failure.replace(Some(error));
        }
    }

    /// What the application does for the store has failed; the store is as it was.
    #[wasm_bindgen(js_name = tellStoreError)]
    pub fn tell_store_error(
        &self,
        #[wasm_bindgen(unchecked_param_type = "unknown")] error: JsValue,
    ) {
        self.0.tell_store_error(&from_js(error));
    }

    /// The tabs that there are, as far as Web Locks tell. What tabs of an earlier hub have open is not
    /// dropped from the store.
    #[wasm_bindgen(js_name = awaitTabs)]
    pub fn await_tabs(&self, tabs: Vec<String>) {
        self.0.hub.borrow_mut().await_tabs(&tabs, now());
        self.0.pump();
    }

    /// Whether there is no transport to a tab.
    #[wasm_bindgen(js_name = isIdle)]
    pub fn is_idle(&self) -> bool {
        self.0.transports.borrow().is_empty()
    }

    /// Takes no more tabs that come on listeners.
    #[wasm_bindgen(js_name = stopListening)]
    pub fn stop_listening(&self) {
        for listener in self.0.listeners.take() {
            listener.0.close();
        }
    }

    /// Closes every transport, and the store once all is written.
    pub fn close(&self, reason: Option<String>) {
        self.0.is_closed.set(true);
        // A listener that closes gives its tabs no reason.
        for (_, transport) in self.0.transports.take() {
            transport.close(reason.as_deref());
        }
        self.stop_listening();
        match self.0.store {
            Some(_) => self.0.rest(),
            None => drop(self.0.alarm.take()),
        }
    }

    /// Whether no exception has left it in the middle of something. To be asked while it is called by
    /// nobody.
    #[wasm_bindgen(js_name = isSound)]
    pub fn is_sound(&self) -> bool {
        let shell = &self.0;
        shell.hub.try_borrow_mut().is_ok()
            && shell.transports.try_borrow_mut().is_ok()
            && shell.listeners.try_borrow_mut().is_ok()
            && shell.alarm.try_borrow_mut().is_ok()
    }

    /// Closes every transport, as if this thread had ended, and lets go of the store: whatever state
    /// it is in. Nothing else may be called from then on.
    pub fn abandon(&self) {
        let shell = &self.0;
        shell.is_abandoned.set(true);
        shell.is_closed.set(true);
        if let Some(store) = &shell.store {
            store.release();
        }
        if let Ok(mut alarm) = shell.alarm.try_borrow_mut() {
            alarm.take();
        }
        let transports =
            shell.transports.try_borrow_mut().map(|mut them| std::mem::take(&mut *them));
        for (_, transport) in transports.into_iter().flatten() {
            transport.close(None);
        }
        let listeners = shell.listeners.try_borrow_mut().map(|mut them| std::mem::take(&mut *them));
        for listener in listeners.into_iter().flatten() {
            listener.0.close();
        }
    }
}

impl Shell {
    fn accept(self: &Rc<Self>, transport: Rc<dyn Transport>) {
        if self.is_closed.get() {
            return transport.close(Some("the hub was closed"));
        }
        let peer = self.hub.borrow_mut().connect(transport.guarantees());
        self.transports.borrow_mut().insert(peer, Rc::clone(&transport));
        let weak: Weak<Shell> = Rc::downgrade(self);
        transport.listen(Box::new(move |event| {
            if let Some(shell) = weak.upgrade() {
                shell.transport_event(peer, event);
            }
        }));
    }

    fn transport_event(self: &Rc<Self>, peer: PeerId, event: Event) {
        if self.is_abandoned.get() {
            return;
        }
        let closed = matches!(event, Event::Closed(_));
        self.tell_upstream_events();
        match event {
            Event::Frame(frame) => self.hub.borrow_mut().receive(peer, frame, now()),
            Event::Error(error) => self.fault(&transport_error(&error)),
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
            self.tell(self.handler.idle());
        }
        Some(transport)
    }

    /// A layer of this link has passed on something.
    fn passed(self: &Rc<Self>, link: PeerId) {
        if let Some(passed) = &mut *self.calling.borrow_mut() {
            passed.insert(link);
            return;
        }
        if self.is_abandoned.get() {
            return;
        }
        self.tell_upstream_events();
        self.hub.borrow_mut().wake_link(link, now());
        self.pump();
    }

    /// Has the application's layers see what waits for them, and takes what they pass on at once.
    fn call_layers(&self) {
        if self.calling.borrow().is_some() {
            return;
        }
        while let Some(first) = self.layers.next_call() {
            self.calling.replace(Some(SortedSet::default()));
            let mut next = Some(first);
            while let Some(LayerCall { name, id, inbound, message }) = next {
                self.tell(self.handler.layer(&name, id, inbound, message));
                next = self.layers.next_call();
            }
            for link in self.calling.take().into_iter().flatten() {
                self.hub.borrow_mut().wake_link(link, now());
            }
        }
    }

    /// Sends and tells all that waits.
    pub(super) fn pump(self: &Rc<Self>) {
        self.call_layers();
        loop {
            let next = self.hub.borrow_mut().poll_transmit();
            let Some((peer, frame)) = next else { break };
            let Some(transport) = self.transports.borrow().get(&peer).cloned() else { continue };
            if let Err(error) = send(&*transport, frame) {
                self.fault(&transport_error(&error));
            }
        }
        loop {
            let next = self.hub.borrow_mut().poll_event();
            match next {
                Some(HubEvent::Joined { tab, .. }) => self.tell(self.handler.joined(&tab)),
                Some(HubEvent::Left { tab, peer }) => {
                    self.tell(self.handler.left(&tab));
                    if let Some(transport) = self.forget(peer) {
                        transport.close(None);
                    }
                }
                Some(HubEvent::Expected { tab }) => self.tell(self.handler.expected(&tab)),
                Some(HubEvent::Fenced(error)) => self.tell(self.handler.fenced(Thrown(&error))),
                Some(HubEvent::Fault(error)) => self.fault(&error),
                None => break,
            }
        }
        self.run_store();
        self.set_alarm();
        if self.transports.borrow().is_empty() {
            self.rest();
        }
    }

    /// What happened upstream before is told first.
    pub(super) fn tell_upstream_events(&self) {
        self.tell(self.handler.tell_upstream_events());
    }

    /// An exception of the handler must not pass through the core: it is a fault.
    pub(super) fn tell(&self, told: Result<(), JsValue>) {
        if let Err(thrown) = told {
            self.fault(&from_js(thrown));
        }
    }

    fn fault(&self, error: &Error) {
        // There is nobody else to tell.
        let _ = self.handler.fault(Thrown(error));
    }

    /// What the browser says of the room on this device; nothing, if that fails.
    pub(super) async fn room(&self) -> DeviceRoom {
        match self.handler.room() {
            Ok(room) => room.get().await.unwrap_or_default(),
            Err(_) => DeviceRoom::default(),
        }
    }

    /// Does the work in the background, for as long as the hub is not abandoned.
    pub(super) fn spawn(self: &Rc<Self>, work: impl Future<Output = ()> + 'static) {
        let shell = Rc::clone(self);
        let mut work = Box::pin(work);
        spawn_local(poll_fn(move |cx| match shell.is_abandoned.get() {
            true => Poll::Ready(()),
            false => work.as_mut().poll(cx),
        }));
    }

    pub(super) fn set_alarm(&self) {
        let deadline = self.hub.borrow().deadline();
        if let Some(alarm) = &*self.alarm.borrow() {
            alarm.set(deadline);
        }
    }
}

/// The same object of JavaScript.
fn same<T: JsCast>(object: &T) -> T {
    JsValue::clone(object.as_ref()).unchecked_into()
}
