use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

#[cfg(target_arch = "wasm32")]
use std::rc::Rc;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen::prelude::*;

type Handler<T> = Box<dyn FnMut(T)>;

/// What waits for a handler, which gets it in order and one at a time.
///
/// The part every transport needs: it keeps what comes before there is a handler, never calls the
/// handler from within itself, and lets the handler do anything with the transport, such as closing
/// it or setting another handler.
///
/// ```
/// use std::{cell::RefCell, rc::Rc};
/// use tabmux_transports::Inbox;
///
/// let inbox = Inbox::default();
/// let seen = Rc::new(RefCell::new(Vec::new()));
/// inbox.push(1);
/// inbox.listen(Box::new({
///     let seen = Rc::clone(&seen);
///     move |item| seen.borrow_mut().push(item)
/// }));
/// inbox.end(Some(2));
/// inbox.push(3);
/// assert!(seen.borrow().is_empty());
/// inbox.deliver();
/// assert_eq!(*seen.borrow(), [1, 2]);
/// ```
pub struct Inbox<T> {
    waiting: RefCell<VecDeque<T>>,
    handler: RefCell<Option<Handler<T>>>,
    delivering: Cell<bool>,
    ended: Cell<bool>,
    #[cfg(target_arch = "wasm32")]
    soon: Soon<T>,
}

impl<T> Default for Inbox<T> {
    fn default() -> Self {
        Inbox {
            waiting: RefCell::default(),
            handler: RefCell::default(),
            delivering: Cell::default(),
            ended: Cell::default(),
            #[cfg(target_arch = "wasm32")]
            soon: Soon::default(),
        }
    }
}

impl<T> Inbox<T> {
    /// Adds an item. Does nothing once the inbox has ended.
    pub fn push(&self, item: T) {
        if !self.ended.get() {
            self.waiting.borrow_mut().push_back(item);
        }
    }

    /// Adds the last item, if there is one. The handler is dropped when it has had all.
    pub fn end(&self, last: Option<T>) {
        if !self.ended.replace(true) {
            self.waiting.borrow_mut().extend(last);
        }
    }

    /// Forgets what waits, then ends.
    pub fn abort(&self, last: Option<T>) {
        if !self.ended.get() {
            // Dropping an item may lead back here, so nothing may be borrowed meanwhile.
            let forgotten = self.waiting.take();
            self.end(last);
            drop(forgotten);
        }
    }

    /// Whether it takes no more items, although some may wait to be delivered.
    pub fn has_ended(&self) -> bool {
        self.ended.get()
    }

    /// Sets the handler, without calling it.
    pub fn listen(&self, handler: Handler<T>) {
        let replaced = self.handler.replace(Some(handler));
        drop(replaced);
    }

    /// Gives the handler what waits, and says whether that was anything. Does nothing when called
    /// by the handler.
    pub fn deliver(&self) -> bool {
        if self.delivering.replace(true) {
            return false;
        }
        let mut delivered = false;
        while let Some(mut handler) = self.handler.take() {
            let next = self.waiting.borrow_mut().pop_front();
            let Some(item) = next else {
                if !self.ended.get() {
                    self.handler.replace(Some(handler));
                }
                break;
            };
            handler(item);
            delivered = true;
            let mut current = self.handler.borrow_mut();
            if current.is_none() {
                *current = Some(handler);
            }
        }
        self.delivering.set(false);
        delivered
    }
}

/// How an inbox is delivered in a microtask.
#[cfg(target_arch = "wasm32")]
struct Soon<T> {
    /// The inbox itself, until the microtask: it may be delivered after all others have dropped it.
    scheduled: RefCell<Option<Rc<Inbox<T>>>>,
    /// The same function each time: to make one takes longer than a small frame.
    deliver: RefCell<Option<JsValue>>,
}

#[cfg(target_arch = "wasm32")]
impl<T> Default for Soon<T> {
    fn default() -> Self {
        Soon { scheduled: RefCell::default(), deliver: RefCell::default() }
    }
}

#[cfg(target_arch = "wasm32")]
impl<T: 'static> Inbox<T> {
    /// Gives the handler what waits, in a microtask.
    pub fn deliver_soon(self: &Rc<Self>) {
        if self.soon.scheduled.borrow().is_some() {
            return;
        }
        let mut deliver = self.soon.deliver.borrow_mut();
        let deliver = deliver.get_or_insert_with(|| {
            let inbox = Rc::downgrade(self);
            let deliver: Closure<dyn FnMut()> = Closure::new(move || {
                let scheduled = inbox.upgrade().and_then(|inbox| inbox.soon.scheduled.take());
                if let Some(inbox) = scheduled {
                    inbox.deliver();
                }
            });
            deliver.into_js_value()
        });
        if crate::queue_microtask(deliver) {
            self.soon.scheduled.replace(Some(Rc::clone(self)));
        }
    }
}
