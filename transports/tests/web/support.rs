use std::any::Any;
use std::rc::Rc;

use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::{Stream, StreamExt};
use js_sys::{Function, Promise, Reflect};
use tabmux_transports::{Event, Frame, Listener, Transport, TransportError};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Two connected ends, and what must live as long as they do.
pub struct Pair {
    pub tab: Rc<dyn Transport>,
    pub hub: Rc<dyn Transport>,
    pub _keep: Box<dyn Any>,
}

pub fn text(text: &str) -> Frame {
    Frame::Text(text.to_owned())
}

pub fn closed(reason: &str) -> Event {
    Event::Closed(Some(reason.to_owned()))
}

/// The next events, as many as asked.
pub async fn take(count: usize, stream: &mut (impl Stream<Item = Event> + Unpin)) -> Vec<Event> {
    stream.by_ref().take(count).collect().await
}

/// Every event up to the close, which must come.
pub async fn all(stream: impl Stream<Item = Event>) -> Vec<Event> {
    stream.collect().await
}

pub async fn next_peer(peers: &mut UnboundedReceiver<Rc<dyn Transport>>) -> Rc<dyn Transport> {
    peers.next().await.expect("the listener is open")
}

pub fn accepted(listener: &dyn Listener) -> UnboundedReceiver<Rc<dyn Transport>> {
    let (sender, receiver) = unbounded();
    listener.accept(Box::new(move |peer| {
        // Nobody waits any more once a test has ended.
        let _ = sender.unbounded_send(peer);
    }));
    receiver
}

/// Lets what was posted arrive, for tests of what happens to it before someone listens.
pub async fn a_while() {
    let promise = Promise::new(&mut |resolve, _| {
        let set_timeout = Reflect::get(&js_sys::global(), &"setTimeout".into()).unwrap();
        let set_timeout: Function = set_timeout.unchecked_into();
        set_timeout.call2(&JsValue::UNDEFINED, &resolve, &100.into()).unwrap();
    });
    JsFuture::from(promise).await.unwrap();
}

/// Lets the microtasks that wait now run.
pub async fn a_microtask() {
    JsFuture::from(Promise::resolve(&JsValue::UNDEFINED)).await.unwrap();
}

/// The value of a JavaScript expression.
pub fn eval(expression: &str) -> JsValue {
    Function::new_no_args(&format!("return {expression}")).call0(&JsValue::UNDEFINED).unwrap()
}

pub fn member(object: &JsValue, key: &str) -> JsValue {
    Reflect::get(object, &key.into()).unwrap()
}

pub fn json(value: &JsValue) -> String {
    js_sys::JSON::stringify(value).unwrap().into()
}

pub fn is_garbage(event: &Event) -> bool {
    matches!(event, Event::Error(TransportError::Failed { reason, .. })
        if reason == "what arrived is not a frame, and was dropped")
}
