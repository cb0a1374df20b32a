use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;

use futures::channel::oneshot;
use futures::future::{Either, select};
use tabmux_middleware::Millis;
use tabmux_transports::queue_microtask;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/clock.js")]
extern "C" {
    #[wasm_bindgen(js_name = now)]
    fn clock_now() -> f64;
    #[wasm_bindgen(js_name = setTimer, catch)]
    fn set_timer(handler: &JsValue, delay: f64) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = clearTimer, catch)]
    fn clear_timer(timer: &JsValue) -> Result<(), JsValue>;
}

/// Milliseconds since 1970, by a clock that never goes back.
pub fn now() -> Millis {
    clock_now() as Millis
}

/// Milliseconds since 1970 by the system's clock. It also goes on while the system sleeps, and may be
/// set back.
pub fn wall_clock() -> Millis {
    js_sys::Date::now() as Millis
}

/// What the work comes to, unless that takes longer than this.
pub async fn within<T>(span: Millis, work: impl Future<Output = T>) -> Option<T> {
    let (sender, late) = oneshot::channel();
    let mut sender = Some(sender);
    let alarm = Alarm::new(move || {
        if let Some(sender) = sender.take() {
            // The work may have ended.
            let _ = sender.send(());
        }
    });
    alarm.set(Some(now() + span));
    match select(pin!(work), late).await {
        Either::Left((result, _)) => Some(result),
        Either::Right(_) => None,
    }
}

/// Calls a function when a deadline has come: on a microtask if it has come already.
pub struct Alarm {
    /// A function that JavaScript's garbage collector frees: a microtask that was queued can't be
    /// taken back when the alarm is dropped.
    ring: RefCell<Option<JsValue>>,
    microtask: Cell<bool>,
    timeout: RefCell<Option<(Millis, JsValue)>>,
}

impl Alarm {
    /// An alarm that calls `ring`; it is called once for each deadline at most.
    pub fn new(mut ring: impl FnMut() + 'static) -> Rc<Self> {
        let alarm = Rc::new(Alarm {
            ring: RefCell::new(None),
            microtask: Cell::new(false),
            timeout: RefCell::new(None),
        });
        let weak = Rc::downgrade(&alarm);
        let closure: Closure<dyn FnMut(JsValue)> = Closure::new(move |from_timer: JsValue| {
            let Some(alarm) = weak.upgrade() else { return };
            // The clock can't tell which it is: a timer may ring a little before its time.
            if from_timer.is_truthy() {
                alarm.timeout.take();
            } else {
                alarm.microtask.set(false);
            }
            ring();
        });
        *alarm.ring.borrow_mut() = Some(closure.into_js_value());
        alarm
    }

    /// Sets the alarm to this deadline, or stops it.
    pub fn set(&self, deadline: Option<Millis>) {
        let ring = self.ring.borrow();
        let Some(ring) = ring.as_ref() else { return };
        let Some(deadline) = deadline else { return self.stop_timeout() };
        let now = now();
        if deadline <= now {
            if !self.microtask.replace(true) {
                self.microtask.set(queue_microtask(ring));
            }
            return;
        }
        let sooner = |(at, _): &(Millis, JsValue)| *at <= deadline;
        if self.timeout.borrow().as_ref().is_some_and(sooner) {
            return;
        }
        self.stop_timeout();
        // Without a timer, the next call of the core makes up for it.
        let id = set_timer(ring, (deadline - now) as f64).unwrap_or_default();
        *self.timeout.borrow_mut() = Some((deadline, id));
    }

    fn stop_timeout(&self) {
        if let Some((_, id)) = self.timeout.take() {
            // Then it rings for nothing.
            let _ = clear_timer(&id);
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.stop_timeout();
    }
}
