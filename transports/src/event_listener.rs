use wasm_bindgen::prelude::*;
use web_sys::{EventTarget, MessageEvent};

/// Hears an event of a target until it is dropped.
pub(crate) struct EventListener {
    target: EventTarget,
    event: &'static str,
    action: Closure<dyn FnMut(JsValue)>,
}

impl EventListener {
    pub fn new(
        target: &EventTarget,
        event: &'static str,
        mut action: impl FnMut(&MessageEvent) + 'static,
    ) -> Self {
        let action = Closure::new(move |event: JsValue| action(event.unchecked_ref()));
        // Neither this nor its inverse fails.
        let _ = target.add_event_listener_with_callback(event, action.as_ref().unchecked_ref());
        EventListener { target: target.clone(), event, action }
    }
}

impl Drop for EventListener {
    fn drop(&mut self) {
        let action = self.action.as_ref().unchecked_ref();
        let _ = self.target.remove_event_listener_with_callback(self.event, action);
    }
}
