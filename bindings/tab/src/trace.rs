use std::cell::RefCell;
use std::rc::Rc;

use tabmux_middleware::{Direction, Millis, TraceEvent, Tracer};
use wasm_bindgen::prelude::*;

use tabmux::protocol::Message;
use tabmux::to_value;

/// What the `tracing` layer saw and JavaScript has not been told yet: the layer itself must not
/// call out, since the core is borrowed while it runs.
#[derive(Clone, Default)]
pub struct Traces(Rc<RefCell<Vec<Trace>>>);

struct Trace {
    direction: Direction,
    at: Millis,
    message: JsValue,
}

impl Traces {
    /// A tracer that keeps what it hears here.
    pub fn tracer(&self) -> Tracer<Message> {
        let traces = self.clone();
        Tracer {
            measure: Box::new(|_| 0),
            record: Box::new(move |TraceEvent { direction, at, message, .. }| {
                let trace = Trace { direction, at, message: to_value(message) };
                traces.0.borrow_mut().push(trace);
            }),
        }
    }

    /// Hands everything to `callback`, as `{direction, time, size, message}`. The size is that of
    /// the message as JSON text.
    pub fn report(&self, callback: &js_sys::Function) {
        for trace in self.0.take() {
            let text = js_sys::JSON::stringify(&trace.message).ok();
            let direction = match trace.direction {
                Direction::Outbound => "out",
                Direction::Inbound => "in",
            };
            let event = js_sys::Object::new();
            let entries: [(&str, JsValue); 4] = [
                ("direction", direction.into()),
                ("time", (trace.at as f64).into()),
                ("size", text.map_or(0, |text| text.length()).into()),
                ("message", trace.message),
            ];
            for (name, value) in entries {
                let _ = js_sys::Reflect::set(&event, &name.into(), &value);
            }
            let _ = callback.call1(&JsValue::UNDEFINED, &event);
        }
    }
}
