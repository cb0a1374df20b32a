use std::rc::Rc;

use js_sys::Array;
use tabmux_transports::{
    BroadcastListener, BroadcastTransport, Frame, JsTransport, Listener, MessagePortTransport,
    Transport, TransportError, direct_pair,
};
use wasm_bindgen::prelude::*;
use web_sys::MessagePort;

use super::errors::to_js;
use crate::error::{Error, codes};

/// One end of a transport, for a tab or a hub to take.
#[wasm_bindgen]
pub struct TransportEnd(pub(super) Rc<dyn Transport>);

/// The hub's end of a transport on which tabs come and go.
#[wasm_bindgen]
pub struct ListenerEnd(pub(super) Rc<dyn Listener>);

pub(super) fn transport_error(error: TransportError) -> JsValue {
    to_js(&Error::new(codes::TRANSPORT, error.to_string()))
}

/// Sends a frame. A transport that promised to lose none and fails is of no more use: what waits
/// for an answer must hear of it.
pub(super) fn send(transport: &dyn Transport, frame: Frame) -> Result<(), TransportError> {
    transport.send(frame).inspect_err(|error| {
        if transport.guarantees().reliable {
            transport.close(Some(&error.to_string()));
        }
    })
}

/// A transport over a message port.
#[wasm_bindgen(js_name = overMessagePort)]
pub fn over_message_port(port: MessagePort) -> TransportEnd {
    TransportEnd(Rc::new(MessagePortTransport::new(port)))
}

/// A tab's end of a broadcast channel.
#[wasm_bindgen(js_name = overBroadcastChannel)]
pub fn over_broadcast_channel(channel: &str, tab: &str) -> Result<TransportEnd, JsValue> {
    let transport = BroadcastTransport::connect(channel, tab).map_err(transport_error)?;
    Ok(TransportEnd(Rc::new(transport)))
}

/// The hub's end of a broadcast channel.
#[wasm_bindgen(js_name = listenOnBroadcastChannel)]
pub fn listen_on_broadcast_channel(channel: &str, hub: &str) -> Result<ListenerEnd, JsValue> {
    let listener = BroadcastListener::listen(channel, hub).map_err(transport_error)?;
    Ok(ListenerEnd(Rc::new(listener)))
}

/// The two ends of a transport within this thread.
#[wasm_bindgen(js_name = directPair)]
pub fn js_direct_pair() -> Array {
    let (tab, hub) = direct_pair();
    Array::of2(&TransportEnd(Rc::new(tab)).into(), &TransportEnd(Rc::new(hub)).into())
}

/// A transport written in JavaScript.
#[wasm_bindgen(js_name = overJsTransport)]
pub fn over_js_transport(object: JsValue) -> Result<TransportEnd, JsValue> {
    Ok(TransportEnd(Rc::new(JsTransport::new(object).map_err(transport_error)?)))
}
