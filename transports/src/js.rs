use std::cell::RefCell;
use std::rc::{Rc, Weak};

use js_sys::{Array, Function, JsString, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::{Event, Frame, FrameKind, Guarantees, Handler, Inbox, Transport, TransportError};

/// A transport written in JavaScript. The section "In JavaScript" of the
/// [crate's documentation](crate) shows the shape of the object.
pub struct JsTransport {
    name: String,
    guarantees: Guarantees,
    object: Object,
    send: Function,
    close: Function,
    inbox: Rc<Inbox<Event>>,
    callbacks: Rc<Callbacks>,
}

/// The object's `onframe`, `onerror` and `onclose`, while it is open.
type Callbacks = RefCell<Vec<(&'static str, Closure<dyn FnMut(JsValue)>)>>;

impl JsTransport {
    /// Wraps an object and sets its `onframe`, `onerror` and `onclose`.
    ///
    /// # Errors
    ///
    /// [`TransportError::Invalid`], naming the member at fault.
    pub fn new(object: JsValue) -> Result<Self, TransportError> {
        Self::reading(object, foreign)
    }

    /// As [`JsTransport::new`], for an end whose other end is one as well: what comes from there was made
    /// by a codec, is nobody else's, and need not be copied.
    ///
    /// # Errors
    ///
    /// As [`JsTransport::new`].
    pub fn of_pair(object: JsValue) -> Result<Self, TransportError> {
        Self::reading(object, Ok)
    }

    fn reading(object: JsValue, read: ReadObject) -> Result<Self, TransportError> {
        if !object.is_object() {
            return Err(invalid("js", "it must be an object"));
        }
        let object: Object = object.unchecked_into();
        let name = match member(&object, "name") {
            None => "js".to_owned(),
            Some(name) => name.as_string().ok_or_else(|| invalid("js", "name must be a string"))?,
        };
        let method = |key: &str| {
            let method = member(&object, key).and_then(|method| method.dyn_into().ok());
            method.ok_or_else(|| invalid(&name, format!("{key} must be a function")))
        };
        let (send, close) = (method("send")?, method("close")?);
        let guarantees = read_guarantees(&name, member(&object, "guarantees"))?;

        let inbox = Rc::<Inbox<Event>>::default();
        let callbacks = Rc::<Callbacks>::default();
        let on_frame = {
            let inbox = Rc::downgrade(&inbox);
            let name = name.clone();
            move |frame| {
                let frame = from_js(frame, read).map(Event::Frame);
                let event = frame
                    .unwrap_or_else(|thrown| Event::Error(TransportError::thrown(&name, &thrown)));
                push(&inbox, event);
            }
        };
        let on_error = {
            let (inbox, name) = (Rc::downgrade(&inbox), name.clone());
            move |error| push(&inbox, Event::Error(TransportError::thrown(&name, &error)))
        };
        let on_close = {
            let (inbox, callbacks) = (Rc::downgrade(&inbox), Rc::downgrade(&callbacks));
            let object = object.clone();
            move |reason: JsValue| {
                if let (Some(inbox), Some(callbacks)) = (inbox.upgrade(), callbacks.upgrade()) {
                    release(&object, &callbacks);
                    inbox.end(Some(Event::Closed(reason.as_string())));
                    inbox.deliver_soon();
                }
            }
        };
        let transport = JsTransport { name, guarantees, object, send, close, inbox, callbacks };
        transport.set("onframe", Closure::new(on_frame))?;
        transport.set("onerror", Closure::new(on_error))?;
        transport.set("onclose", Closure::new(on_close))?;
        Ok(transport)
    }

    fn set(
        &self,
        key: &'static str,
        callback: Closure<dyn FnMut(JsValue)>,
    ) -> Result<(), TransportError> {
        if !Reflect::set(&self.object, &key.into(), callback.as_ref()).unwrap_or(false) {
            return Err(invalid(&self.name, format!("{key} must be writable")));
        }
        self.callbacks.borrow_mut().push((key, callback));
        Ok(())
    }
}

/// From a microtask, because the object may call `onframe` from within its `send`.
fn push(inbox: &Weak<Inbox<Event>>, event: Event) {
    if let Some(inbox) = inbox.upgrade() {
        inbox.push(event);
        inbox.deliver_soon();
    }
}

/// Drops the callbacks. The object may still call them, so a function that does nothing takes their
/// place: `Function.prototype`.
fn release(object: &Object, callbacks: &Callbacks) {
    for (key, callback) in callbacks.take() {
        let nothing = Object::get_prototype_of(callback.as_ref());
        let _ = Reflect::set(object, &key.into(), &nothing);
    }
}

fn invalid(transport: &str, reason: impl Into<String>) -> TransportError {
    TransportError::Invalid { transport: transport.to_owned(), reason: reason.into() }
}

/// A member of the object, unless it is missing, `undefined` or `null`.
fn member(object: &Object, key: &str) -> Option<JsValue> {
    let value = Reflect::get(object, &key.into()).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

fn read_guarantees(name: &str, given: Option<JsValue>) -> Result<Guarantees, TransportError> {
    let mut guarantees =
        Guarantees { ordered: true, reliable: true, carries: KINDS.to_vec(), addressed: false };
    let Some(given) = given else { return Ok(guarantees) };
    if !given.is_object() {
        return Err(invalid(name, "guarantees must be an object"));
    }
    let given: Object = given.unchecked_into();
    for key in Object::keys(&given) {
        let key = String::from(JsString::from(key));
        let Some(value) = member(&given, &key) else { continue };
        let flag = || {
            let flag = value.as_bool();
            flag.ok_or_else(|| invalid(name, format!("guarantees.{key} must be true or false")))
        };
        match key.as_str() {
            "ordered" => guarantees.ordered = flag()?,
            "reliable" => guarantees.reliable = flag()?,
            "addressed" => guarantees.addressed = flag()?,
            "carries" => {
                guarantees.carries = read_kinds(&value).ok_or_else(|| {
                    invalid(name, "guarantees.carries must be an array of objects, strings, bytes")
                })?;
            }
            _ => return Err(invalid(name, format!("guarantees.{key} is not a guarantee"))),
        }
    }
    Ok(guarantees)
}

const KINDS: [FrameKind; 3] = [FrameKind::Text, FrameKind::Bytes, FrameKind::Object];

fn read_kinds(value: &JsValue) -> Option<Vec<FrameKind>> {
    let names: &Array = value.dyn_ref()?;
    let kind = |name: JsValue| {
        let name = name.as_string()?;
        KINDS.into_iter().find(|kind| kind.to_string() == name)
    };
    names.iter().map(kind).collect()
}

/// What JavaScript gets for a frame: a string, a `Uint8Array` or the object.
pub fn frame_to_js(frame: Frame) -> JsValue {
    match frame {
        Frame::Text(text) => text.into(),
        Frame::Bytes(bytes) => Uint8Array::from(bytes.as_slice()).into(),
        Frame::Object(object) => object,
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = structuredClone, catch)]
    fn structured_clone(value: &JsValue) -> Result<JsValue, JsValue>;
}

/// What is made of an object that came.
type ReadObject = fn(JsValue) -> Result<JsValue, JsValue>;

/// An object that came by other ways than a thread's border may have members that do something, such as
/// throw, when they are read: a copy has none.
fn foreign(object: JsValue) -> Result<JsValue, JsValue> {
    structured_clone(&object)
}

/// The inverse of [`frame_to_js`]; an object is taken as it is.
pub fn frame_from_js(frame: JsValue) -> Frame {
    from_js(frame, Ok).unwrap_or_else(Frame::Object)
}

fn from_js(frame: JsValue, read: ReadObject) -> Result<Frame, JsValue> {
    if let Some(text) = frame.as_string() {
        return Ok(Frame::Text(text));
    }
    match frame.dyn_into::<Uint8Array>() {
        Ok(bytes) => Ok(Frame::Bytes(bytes.to_vec())),
        Err(object) => read(object).map(Frame::Object),
    }
}

impl Transport for JsTransport {
    fn name(&self) -> &str {
        &self.name
    }

    fn guarantees(&self) -> Guarantees {
        self.guarantees.clone()
    }

    fn send(&self, frame: Frame) -> Result<(), TransportError> {
        if self.inbox.has_ended() {
            return Err(TransportError::closed(&self.name));
        }
        let kind = frame.kind();
        if !self.guarantees.carries.contains(&kind) {
            return Err(TransportError::Unsupported { transport: self.name.clone(), kind });
        }
        let sent = self.send.call1(&self.object, &frame_to_js(frame));
        sent.map(drop).map_err(|thrown| TransportError::thrown(&self.name, &thrown))
    }

    fn listen(&self, handler: Handler) {
        self.inbox.listen(handler);
        self.inbox.deliver_soon();
    }

    fn close(&self, reason: Option<&str>) {
        if self.inbox.has_ended() {
            return;
        }
        self.inbox.abort(Some(Event::Closed(reason.map(str::to_owned))));
        self.inbox.deliver_soon();
        // What it throws changes nothing: it is closed for us.
        let _ = self.close.call1(&self.object, &reason.map(JsValue::from_str).into());
        release(&self.object, &self.callbacks);
    }
}

impl Drop for JsTransport {
    fn drop(&mut self) {
        self.close(None);
    }
}
