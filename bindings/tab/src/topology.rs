use wasm_bindgen::prelude::*;

use tabmux::host::{Support, choose};

/// The id of the tab with this secret, which is 64 hexadecimal digits.
#[wasm_bindgen(js_name = tabIdOf)]
pub fn tab_id_of(secret: &str) -> Option<String> {
    tabmux::protocol::tab_id(secret)
}

/// The topology to take and why, as `[topology, reason]`; see `host::choose`.
#[wasm_bindgen(js_name = chooseTopology)]
pub fn choose_topology(shared_worker: bool, locks: bool, allowed: bool) -> Vec<String> {
    let choice = choose(Support { shared_worker, locks, allowed });
    vec![choice.topology.to_string(), choice.reason.to_owned()]
}
