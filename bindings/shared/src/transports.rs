use std::rc::Rc;

use tabmux_transports::{Frame, JsTransport, MessagePortTransport, Transport, TransportError};
use wasm_bindgen::prelude::*;
use web_sys::MessagePort;

use super::errors::to_js;
use tabmux::{Error, codes};

/// One end of a transport, for a tab or a hub to take.
#[wasm_bindgen]
pub struct TransportEnd(#[wasm_bindgen(skip)] pub Rc<dyn Transport>);

/// What a transport says of itself.
pub fn transport_error(error: &TransportError) -> Error {
    Error::new(codes::TRANSPORT, error.to_string())
}

/// As [`transport_error`], as JavaScript gets it.
pub fn transport_error_to_js(error: TransportError) -> JsValue {
    to_js(&transport_error(&error))
}

/// Sends a frame. A transport that promised to lose none and fails is of no more use: what waits
/// for an answer must hear of it.
pub fn send(transport: &dyn Transport, frame: Frame) -> Result<(), TransportError> {
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

/// A transport written in JavaScript.
#[wasm_bindgen(js_name = overJsTransport)]
pub fn over_js_transport(
    #[wasm_bindgen(unchecked_param_type = "unknown")] object: JsValue,
) -> Result<TransportEnd, JsValue> {
    Ok(TransportEnd(Rc::new(JsTransport::new(object).map_err(transport_error_to_js)?)))
}

/// An end of a transport in this thread, whose other end a core has as well.
#[wasm_bindgen(js_name = overDirect)]
pub fn over_direct(
    #[wasm_bindgen(unchecked_param_type = "unknown")] end: JsValue,
) -> Result<TransportEnd, JsValue> {
    Ok(TransportEnd(Rc::new(JsTransport::of_pair(end).map_err(transport_error_to_js)?)))
}
