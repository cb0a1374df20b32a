use std::cell::RefCell;
use std::rc::Rc;

use tabmux_middleware::{Millis, Tracer};
use wasm_bindgen::prelude::*;

use tabmux::protocol::{Layered, ToHub, ToTab};

/// What the `tracing` layer saw and JavaScript has not been told yet: the layer itself must not
/// call out, since the core is borrowed while it runs.
#[derive(Clone, Default)]
pub struct Traces(Rc<RefCell<Vec<Trace>>>);

struct Trace {
    direction: &'static str,
    at: Millis,
    message: JsValue,
}

impl Traces {
    /// A tracer that keeps what it hears here.
    pub fn tracer(&self) -> Box<dyn Tracer<Layered<ToHub>, Layered<ToTab>>> {
        Box::new(self.clone())
    }

    fn keep(&self, direction: &'static str, message: JsValue, at: Millis) {
        self.0.borrow_mut().push(Trace { direction, at, message });
    }

    /// Hands everything to `callback`, as `{direction, time, size, message}`. The size is that of
    /// the message as JSON text.
    pub fn report(&self, callback: &js_sys::Function) {
        for Trace { direction, at, message } in self.0.take() {
            let text = js_sys::JSON::stringify(&message).ok();
            let event = js_sys::Object::new();
            let entries: [(&str, JsValue); 4] = [
                ("direction", direction.into()),
                ("time", (at as f64).into()),
                ("size", text.map_or(0, |text| text.length()).into()),
                ("message", message),
            ];
            for (name, value) in entries {
                let _ = js_sys::Reflect::set(&event, &name.into(), &value);
            }
            let _ = callback.call1(&JsValue::UNDEFINED, &event);
        }
    }
}

impl Tracer<Layered<ToHub>, Layered<ToTab>> for Traces {
    fn outbound(&mut self, message: &Layered<ToHub>, at: Millis) {
        self.keep("out", message.sent(), at);
    }

    fn inbound(&mut self, message: &Layered<ToTab>, at: Millis) {
        self.keep("in", message.arrived(), at);
    }
}
