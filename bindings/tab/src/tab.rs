use std::cell::{Cell, RefCell, RefMut};
use std::rc::Rc;

use js_sys::Reflect;
use tabmux_codecs::{Codec, StructuredClone};
use tabmux_middleware::LayerConfig;
use tabmux_transports::{Event, Frame, Transport};
use wasm_bindgen::prelude::*;

use super::tab_events::{TabHandler, tell, tell_fault};
use super::tab_options::{CoreSettings, config_error, find_codec, read_layers};
use super::trace::Traces;
use tabmux::ot::{SubmitOptions, Token};
use tabmux::protocol::{DocId, QuerySpec, StoreQuestion, TabLayers};
use tabmux::tab::{DocKey, Tab, TabSettings};
use tabmux::{Error, codes};
use tabmux::{Payload, from_value, to_value};
use tabmux_bindings::clock::{Alarm, now};
use tabmux_bindings::errors::{from_js, to_js};
use tabmux_bindings::layers::{JsLayers, LayerCall};
use tabmux_bindings::ops::op_from_js;
use tabmux_bindings::transports::{TransportEnd, send, transport_error};
use tabmux_bindings::types::JsTypes;

/// A tab's end of the connection with its transport and timers.
#[wasm_bindgen]
pub struct TabCore(pub(super) Rc<Shell>);

pub(super) struct Shell {
    pub tab: RefCell<Tab>,
    transport: RefCell<Option<Rc<dyn Transport>>>,
    handler: TabHandler,
    alarm: RefCell<Option<Rc<Alarm>>>,
    layers: JsLayers,
    traces: Traces,
    trace: Option<js_sys::Function>,
    /// Events are being told: what comes meanwhile is told after them.
    is_emitting: Cell<bool>,
}

#[wasm_bindgen]
impl TabCore {
    /// `settings` is `{id, secret, identity, codec}`, the last a name or a
    /// [`CodecObject`](tabmux_bindings::codecs::CodecObject); `options` goes to the hub definition's `connect`,
    /// `layers` is a list of layers or `undefined`, `types` is ShareDB's `types.map`, `trace` hears
    /// of every message where the layers include `tracing`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "CoreSettings")] settings: JsValue,
        #[wasm_bindgen(unchecked_param_type = "unknown")] options: JsValue,
        #[wasm_bindgen(unchecked_param_type = "unknown")] layers: JsValue,
        #[wasm_bindgen(unchecked_param_type = "unknown")] types: JsValue,
        transport: &TransportEnd,
        handler: TabHandler,
        trace: Option<js_sys::Function>,
    ) -> Result<TabCore, JsValue> {
        let CoreSettings { id, secret, identity, codec } =
            from_value(settings).map_err(|reason| JsError::new(&reason))?;
        let guarantees = transport.0.guarantees();
        let codec = find_codec(codec, transport.0.name(), &guarantees)?;
        let layers = read_layers(layers, &guarantees, trace.is_some())?;
        let js_layers = JsLayers::default();
        let mut own_layers = TabLayers::default();
        for layer in &layers {
            if let LayerConfig::Own(name) = layer {
                own_layers.add(name.as_str(), js_layers.maker(name));
            }
        }
        let traces = Traces::default();
        let source = traces.clone();
        let settings = TabSettings {
            id,
            secret: Some(secret),
            identity,
            options: (!options.is_undefined()).then_some(Payload(options)),
            codec,
            layers,
            own_layers,
            guarantees,
            seed: now(),
            tracer: trace.is_some().then(|| Rc::new(move || source.tracer()) as Rc<_>),
        };
        let tab = Tab::new(settings, Rc::new(JsTypes::new(types))).map_err(config_error)?;
        let shell = Rc::new(Shell {
            tab: RefCell::new(tab),
            transport: RefCell::new(None),
            handler,
            alarm: RefCell::new(None),
            layers: js_layers,
            traces,
            trace,
            is_emitting: Cell::new(false),
        });
        let weak = Rc::downgrade(&shell);
        let alarm = Alarm::new(move || {
            if let Some(shell) = weak.upgrade() {
                shell.tab().wake(now());
                shell.pump();
            }
        });
        *shell.alarm.borrow_mut() = Some(alarm);
        Ok(TabCore(shell))
    }

    /// Begins a session over a transport.
    pub fn attach(&self, transport: &TransportEnd) {
        let transport = Rc::clone(&transport.0);
        if let Some(before) = self.0.transport.replace(Some(Rc::clone(&transport))) {
            before.close(None);
        }
        self.0.tab().attach(now());
        let weak = Rc::downgrade(&self.0);
        let own = Rc::downgrade(&transport);
        transport.listen(Box::new(move |event| {
            let (Some(shell), Some(own)) = (weak.upgrade(), own.upgrade()) else { return };
            let current = shell.transport.borrow().clone();
            if current.is_some_and(|current| Rc::ptr_eq(&current, &own)) {
                shell.transport_event(event);
            }
        }));
        self.0.pump();
    }

    /// Goes offline; `offline` says that the tab may leave the hub.
    #[wasm_bindgen(js_name = goOffline)]
    pub fn go_offline(&self) {
        self.0.tab().go_offline(now());
        self.0.pump();
    }

    /// Comes back. Returns whether there is still the transport; without one, it must be attached.
    #[wasm_bindgen(js_name = goOnline)]
    pub fn go_online(&self) -> bool {
        self.0.tab().go_online(now());
        self.0.pump();
        self.0.transport.borrow().is_some()
    }

    /// Leaves the hub and closes the transport.
    pub fn leave(&self) {
        // Of a core that has failed only the transport can be closed.
        let has_failed = self.0.tab.try_borrow_mut().is_err();
        if has_failed {
            self.0.alarm.take();
        } else {
            self.0.tab().leave(now());
            self.0.transmit();
            while self.0.call_layers() {
                self.0.tab().wake(now());
                self.0.transmit();
            }
            self.0.tab().detach();
        }
        if let Some(transport) = self.0.transport.take() {
            transport.close(None);
        }
        if !has_failed {
            self.0.pump();
        }
    }

    /// Whether no exception has left it in the middle of something. To be asked while it is called by
    /// nobody.
    #[wasm_bindgen(js_name = isSound)]
    pub fn is_sound(&self) -> bool {
        self.0.tab.try_borrow_mut().is_ok()
            && self.0.transport.try_borrow_mut().is_ok()
            && !self.0.is_emitting.get()
    }

    /// The key of a document; the same until it is closed.
    pub fn open(&self, collection: String, id: String) -> DocKey {
        self.0.tab().open(DocId { collection, id })
    }

    /// Lets go of a document.
    pub fn close(&self, doc: DocKey) {
        self.0.tab().close(doc, now());
        self.0.pump();
    }

    /// Asks for a document; the answer is `callback(request)`. `anew` replaces what is held.
    pub fn fetch(&self, doc: DocKey, anew: bool) -> Option<f64> {
        self.ask(|tab| tab.fetch(doc, anew, now()))
    }

    /// Asks for a document and all its changes. As `fetch`.
    pub fn subscribe(&self, doc: DocKey) -> Option<f64> {
        self.ask(|tab| tab.subscribe(doc, now()))
    }

    /// Asks for no more changes. As `fetch`.
    pub fn unsubscribe(&self, doc: DocKey) -> Option<f64> {
        self.ask(|tab| tab.unsubscribe(doc, now()))
    }

    /// Asks for many documents. As `fetch`.
    #[wasm_bindgen(js_name = getBulk)]
    pub fn get_bulk(&self, docs: Vec<DocKey>) -> Option<f64> {
        self.ask(|tab| Some(tab.get_bulk(&docs, now())))
    }

    /// Asks the database; returns the query's number. Throws if the query can't be carried.
    pub fn query(
        &self,
        collection: String,
        #[wasm_bindgen(unchecked_param_type = "unknown")] query: JsValue,
        #[wasm_bindgen(unchecked_param_type = "unknown")] options: JsValue,
        subscribe: bool,
    ) -> Result<f64, JsValue> {
        let copy = |name, value| carriable_member(name, value).map_err(|error| to_js(&error));
        let query = Payload(copy("query", query)?.unwrap_or(JsValue::NULL));
        let options = copy("options", options)?.map(Payload);
        let spec = QuerySpec { collection, query, options, subscribe };
        let request = self.0.tab().query(spec, now());
        self.0.pump();
        Ok(request as f64)
    }

    /// The requests up to `endBulk` may be asked of the server as one.
    #[wasm_bindgen(js_name = beginBulk)]
    pub fn begin_bulk(&self) {
        self.0.tab().begin_bulk(now());
        self.0.pump();
    }

    /// Ends what `beginBulk` began.
    #[wasm_bindgen(js_name = endBulk)]
    pub fn end_bulk(&self) {
        self.0.tab().end_bulk(now());
        self.0.pump();
    }

    /// Has the hub take a message as if the server had sent it. Throws if it can't be carried.
    #[wasm_bindgen(js_name = handleMessage)]
    pub fn handle_message(
        &self,
        #[wasm_bindgen(unchecked_param_type = "unknown")] message: JsValue,
    ) -> Result<(), JsValue> {
        let message = carriable(&message).map_err(|error| to_js(&error))?;
        self.0.tab().handle_message(Payload(message), now());
        self.0.pump();
        Ok(())
    }

    /// A layer passes on a message.
    pub fn pass(
        &self,
        id: u32,
        inbound: bool,
        #[wasm_bindgen(unchecked_param_type = "unknown")] message: JsValue,
    ) {
        self.0.layers.pass(id, inbound, message);
        self.0.set_alarm();
    }

    /// Ends a query.
    #[wasm_bindgen(js_name = endQuery)]
    pub fn end_query(&self, query: f64) {
        self.0.tab().end_query(query as u64, now());
        self.0.pump();
    }

    /// Gives the server a message of ShareDB's own protocol. Throws if it can't be carried, or is not
    /// for a tab to send.
    pub fn send(
        &self,
        #[wasm_bindgen(unchecked_param_type = "unknown")] message: JsValue,
    ) -> Result<(), JsValue> {
        let message = carriable(&message).map_err(|error| to_js(&error))?;
        let sent = self.0.tab().send(Payload(message), now());
        self.0.pump();
        sent.map_err(|error| to_js(&error))
    }

    /// Nobody waits for the answer to a request any more.
    pub fn forget(&self, request: f64) {
        self.0.tab().forget(request as u64);
    }

    /// Asks something of the hub's store; the answer is `storeReply(request)`.
    #[wasm_bindgen(js_name = askStore)]
    pub fn ask_store(
        &self,
        #[wasm_bindgen(unchecked_param_type = "StoreQuestion")] question: JsValue,
    ) -> Result<Option<f64>, JsError> {
        let question: StoreQuestion =
            from_value(question).map_err(|reason| JsError::new(&reason))?;
        Ok(self.ask(|tab| Some(tab.ask_store(question, now()))))
    }

    fn ask(&self, ask: impl FnOnce(&mut Tab) -> Option<u64>) -> Option<f64> {
        let request = ask(&mut self.0.tab());
        self.0.pump();
        request.map(|request| request as f64)
    }

    /// Takes an op that is about to be applied. Returns an error if it can't be taken or carried to
    /// the hub; nothing has changed then. Throws what the OT type throws.
    #[wasm_bindgen(unchecked_return_type = "CoreError | undefined")]
    pub fn submit(
        &self,
        doc: DocKey,
        #[wasm_bindgen(unchecked_param_type = "Op")] op: JsValue,
        #[wasm_bindgen(unchecked_param_type = "unknown")] source: JsValue,
        submit_source: bool,
        prevent_compose: bool,
        token: f64,
    ) -> Result<JsValue, JsValue> {
        let taken = carriable(&op).and_then(op_from_js).and_then(|op| {
            let source = if submit_source { carriable_member("source", source)? } else { None };
            let source = source.map(Payload);
            let options = SubmitOptions { source, submit_source, prevent_compose };
            self.0.tab().submit(doc, op, options, token as Token)
        });
        match taken {
            Ok(()) => Ok(JsValue::UNDEFINED),
            Err(error) if error.thrown.is_some() => Err(to_js(&error)),
            Err(error) => Ok(to_js(&error)),
        }
    }

    /// Sends what was submitted, unless an earlier batch is on its way.
    pub fn flush(&self, doc: DocKey) {
        self.0.tab().flush(doc, now());
        self.0.pump();
    }

    /// Takes a document's state that the application had by other means.
    pub fn ingest(
        &self,
        doc: DocKey,
        #[wasm_bindgen(unchecked_param_type = "Snapshot")] snapshot: JsValue,
    ) -> Result<(), JsValue> {
        let snapshot = carriable(&snapshot).and_then(|snapshot| {
            from_value(snapshot).map_err(|reason| Error::new(codes::UNCARRIABLE, reason))
        });
        let taken = snapshot.and_then(|snapshot| self.0.tab().ingest(doc, snapshot, now()));
        self.0.pump();
        taken.map_err(|error| to_js(&error))
    }

    /// Whether the server has answered for every op in the document's state.
    #[wasm_bindgen(js_name = hasNothingPending)]
    pub fn has_nothing_pending(&self, doc: DocKey) -> bool {
        self.0.tab.borrow().has_nothing_pending(doc)
    }

    /// As `flush`, without waiting for the server where a pause made ops go one by one.
    pub fn write(&self, doc: DocKey) {
        self.0.tab().write(doc, now());
        self.0.pump();
    }

    /// Whether the hub has every op of the document.
    #[wasm_bindgen(js_name = isSequenced)]
    pub fn is_sequenced(&self, doc: DocKey) -> bool {
        self.0.tab.borrow().is_sequenced(doc)
    }

    /// Whether ops are sent without `flush`.
    #[wasm_bindgen(js_name = isAutoFlush)]
    pub fn is_auto_flush(&self) -> bool {
        self.0.tab.borrow().is_auto_flush()
    }

    /// Sends ops by itself, or only in `flush`.
    #[wasm_bindgen(js_name = setAutoFlush)]
    pub fn set_auto_flush(&self, auto: bool) {
        self.0.tab().set_auto_flush(auto, now());
        self.0.pump();
    }

    /// A document's ops on their way, oldest first.
    #[wasm_bindgen(js_name = pendingOps, unchecked_return_type = "Array<Op>")]
    pub fn pending_ops(&self, doc: DocKey) -> js_sys::Array {
        let tab = self.0.tab.borrow();
        let pending = tab.replica(doc).into_iter().flat_map(|replica| replica.pending());
        pending.map(|slot| to_value(&slot.op)).collect()
    }

    /// How many of the ops on their way were sent.
    #[wasm_bindgen(js_name = sentOps)]
    pub fn sent_ops(&self, doc: DocKey) -> u32 {
        self.0.tab.borrow().replica(doc).map_or(0, |replica| replica.sent()) as u32
    }

    /// Holds a document's ops back, or lets them go again with the next `flush`.
    #[wasm_bindgen(js_name = setPaused)]
    pub fn set_paused(&self, doc: DocKey, paused: bool) {
        self.0.tab().set_paused(doc, paused);
    }

    /// Gives up a document's state; returns the submits that were dropped, those of each op together.
    #[wasm_bindgen(js_name = rollBack, unchecked_return_type = "Array<Array<number>>")]
    pub fn roll_back(&self, doc: DocKey) -> JsValue {
        to_value(&self.0.tab().roll_back(doc))
    }

    /// Begins to apply an op piece by piece; returns the position for the other two calls.
    #[wasm_bindgen(js_name = beginApply)]
    pub fn begin_apply(&self, doc: DocKey) -> u32 {
        let mut tab = self.0.tab();
        tab.replica_mut(doc).map_or(0, |replica| replica.begin_apply()) as u32
    }

    /// The piece, transformed against the ops submitted since `beginApply`.
    #[wasm_bindgen(js_name = transformPiece, unchecked_return_type = "Op")]
    pub fn transform_piece(
        &self,
        doc: DocKey,
        since: u32,
        #[wasm_bindgen(unchecked_param_type = "Op")] piece: JsValue,
    ) -> Result<JsValue, JsValue> {
        let mut tab = self.0.tab();
        let Some(replica) = tab.replica_mut(doc) else { return Ok(piece) };
        let op = op_from_js(piece).map_err(|error| to_js(&error))?;
        let piece = replica.transform_piece(since as usize, op);
        piece.map(|op| to_value(&op)).map_err(|error| to_js(&error))
    }

    /// Ends what `beginApply` began.
    #[wasm_bindgen(js_name = endApply)]
    pub fn end_apply(&self, doc: DocKey, since: u32) -> Result<(), JsValue> {
        let mut tab = self.0.tab();
        let Some(replica) = tab.replica_mut(doc) else { return Ok(()) };
        replica.end_apply(since as usize).map_err(|error| to_js(&error))
    }
}

impl Shell {
    /// One place where it is borrowed makes for less code than many.
    fn tab(&self) -> RefMut<'_, Tab> {
        self.tab.borrow_mut()
    }

    fn transport_event(&self, event: Event) {
        match event {
            Event::Frame(frame) => self.receive(frame),
            Event::Error(error) => tell_fault(&self.handler, &transport_error(&error)),
            Event::Closed(reason) => {
                self.transport.take();
                self.tab().detach();
                self.tell(self.handler.closed(reason));
            }
        }
    }

    fn receive(&self, frame: Frame) {
        self.tab().receive(frame, now());
        self.pump();
    }

    fn transmit(&self) {
        loop {
            let next = self.tab().poll_transmit();
            let Some(frame) = next else { return };
            let Some(transport) = self.transport.borrow().clone() else { continue };
            if let Err(error) = send(&*transport, frame) {
                tell_fault(&self.handler, &transport_error(&error));
            }
        }
    }

    /// An exception of the handler must not pass through the core: it is a fault.
    fn tell(&self, told: Result<(), JsValue>) {
        if let Err(thrown) = told {
            tell_fault(&self.handler, &from_js(thrown));
        }
    }

    /// Sends and tells all that waits.
    pub fn pump(&self) {
        self.transmit();
        if !self.is_emitting.replace(true) {
            loop {
                let next = self.tab().poll_event(now());
                match next {
                    Some(event) => self.tell(tell(&self.handler, &self.tab, event)),
                    None => break,
                }
            }
            self.is_emitting.set(false);
            self.transmit();
        }
        if let Some(trace) = &self.trace {
            self.traces.report(trace);
        }
        self.call_layers();
        self.set_alarm();
    }

    /// Has the application's layers see what waits for them; returns whether there was anything.
    fn call_layers(&self) -> bool {
        let mut has_called = false;
        while let Some(LayerCall { name, id, inbound, message }) = self.layers.next_call() {
            has_called = true;
            self.tell(self.handler.layer(&name, id, inbound, message));
        }
        has_called
    }

    fn set_alarm(&self) {
        let deadline = self.tab.borrow().deadline();
        if let Some(alarm) = &*self.alarm.borrow() {
            alarm.set(deadline);
        }
    }
}

/// A copy of a value as JSON has it, or an error that names what JSON can't carry.
fn carriable(value: &JsValue) -> Result<JsValue, Error> {
    if value.is_undefined() {
        return Ok(JsValue::UNDEFINED);
    }
    match StructuredClone::default().encode(value) {
        Ok(Frame::Object(copy)) => Ok(copy),
        Ok(_) => Ok(JsValue::UNDEFINED),
        Err(error) => Err(Error::new(codes::UNCARRIABLE, error.to_string())),
    }
}

/// A copy of the value of a message's member of this name, unless JSON leaves it out, as it does a
/// function.
fn carriable_member(name: &str, value: JsValue) -> Result<Option<JsValue>, Error> {
    let message = js_sys::Object::new();
    let _ = Reflect::set(&message, &name.into(), &value);
    let copy = carriable(&message)?;
    let member = Reflect::get(&copy, &name.into()).unwrap_or(JsValue::UNDEFINED);
    Ok((!member.is_undefined()).then_some(member))
}
