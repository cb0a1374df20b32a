use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;

use futures::channel::oneshot;
use futures::future::{Either, select};
use js_sys::Function;
use tabmux_middleware::Millis;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_namespace = performance, js_name = timeOrigin)]
    static TIME_ORIGIN: f64;
    #[wasm_bindgen(thread_local_v2, js_name = performance)]
    static PERFORMANCE: JsValue;
    #[wasm_bindgen(thread_local_v2, js_namespace = performance, js_name = now)]
    static PERFORMANCE_NOW: Function;
    #[wasm_bindgen(thread_local_v2, js_name = setTimeout)]
    static SET_TIMEOUT: Function;
    #[wasm_bindgen(thread_local_v2, js_name = clearTimeout)]
    static CLEAR_TIMEOUT: Function;
    #[wasm_bindgen(js_name = queueMicrotask, catch)]
    fn queue_microtask(handler: &JsValue) -> Result<(), JsValue>;
}

/// Takes the platform's clock as it is when the module is loaded: a test that replaces it later
/// means the application's time, not that of the messages on their way.
pub fn take_clock() {
    PERFORMANCE.with(|_| ());
    PERFORMANCE_NOW.with(|_| ());
    SET_TIMEOUT.with(|_| ());
    CLEAR_TIMEOUT.with(|_| ());
}

fn performance_now() -> f64 {
    let now = PERFORMANCE_NOW.with(|now| PERFORMANCE.with(|it| now.call0(it)));
    now.ok().and_then(|now| now.as_f64()).unwrap_or_default()
}

fn set_timeout(handler: &JsValue, delay: f64, from_timer: bool) -> JsValue {
    let (delay, from_timer) = (delay.into(), from_timer.into());
    let id = SET_TIMEOUT.with(|it| it.call3(&JsValue::UNDEFINED, handler, &delay, &from_timer));
    id.unwrap_or_default()
}

fn clear_timeout(id: &JsValue) {
    let _ = CLEAR_TIMEOUT.with(|it| it.call1(&JsValue::UNDEFINED, id));
}

/// Milliseconds since 1970, by a clock that never goes back.
pub fn now() -> Millis {
    (TIME_ORIGIN.with(|origin| *origin) + performance_now()) as Millis
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
                self.microtask.set(queue_microtask(ring).is_ok());
            }
            return;
        }
        let sooner = |(at, _): &(Millis, JsValue)| *at <= deadline;
        if self.timeout.borrow().as_ref().is_some_and(sooner) {
            return;
        }
        self.stop_timeout();
        let id = set_timeout(ring, (deadline - now) as f64, true);
        unref(&id);
        *self.timeout.borrow_mut() = Some((deadline, id));
    }

    fn stop_timeout(&self) {
        if let Some((_, id)) = self.timeout.take() {
            clear_timeout(&id);
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.stop_timeout();
    }
}

/// In Node, a timer that only gives up or cleans up must not keep the process alive.
fn unref(timer: &JsValue) {
    if let Ok(unref) = js_sys::Reflect::get(timer, &"unref".into())
        && let Some(unref) = unref.dyn_ref::<js_sys::Function>()
    {
        let _ = unref.call0(timer);
    }
}
