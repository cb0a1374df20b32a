use std::rc::Rc;

use tabmux_bindings::transports::transport_error_to_js;
use tabmux_transports::{BroadcastListener, Listener};
use wasm_bindgen::prelude::*;

/// The hub's end of a transport on which tabs come and go.
#[wasm_bindgen]
pub struct ListenerEnd(pub(super) Rc<dyn Listener>);

/// The hub's end of a broadcast channel.
#[wasm_bindgen(js_name = listenOnBroadcastChannel)]
pub fn listen_on_broadcast_channel(channel: &str, hub: &str) -> Result<ListenerEnd, JsValue> {
    let listener = BroadcastListener::listen(channel, hub).map_err(transport_error_to_js)?;
    Ok(ListenerEnd(Rc::new(listener)))
}
