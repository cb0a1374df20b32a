use std::rc::Rc;

use tabmux_bindings::transports::{TransportEnd, transport_error_to_js};
use tabmux_transports::BroadcastTransport;
use wasm_bindgen::prelude::*;

/// A tab's end of a broadcast channel.
#[wasm_bindgen(js_name = overBroadcastChannel)]
pub fn over_broadcast_channel(channel: &str, tab: &str) -> Result<TransportEnd, JsValue> {
    let transport = BroadcastTransport::connect(channel, tab).map_err(transport_error_to_js)?;
    Ok(TransportEnd(Rc::new(transport)))
}
