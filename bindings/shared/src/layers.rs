use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use tabmux::Wire;
use tabmux::protocol::Layered;
use tabmux_codecs::{Codec, StructuredClone};
use tabmux_middleware::{Layer, MakeLayer, Millis, Output, Packet, SortedMap};
use tabmux_transports::Frame;
use wasm_bindgen::prelude::*;

use tabmux::Payload;

/// The layers of one end that are written in JavaScript. They are called while the core is not borrowed:
/// until then, and until the core takes what they passed on, messages wait here.
#[derive(Clone, Default)]
pub struct JsLayers(Rc<RefCell<Waiting>>);

#[derive(Default)]
struct Waiting {
    last_id: u32,
    calls: VecDeque<LayerCall>,
    /// By the layer.
    passed: SortedMap<u32, Passed>,
}

/// A message that a layer is to see.
pub struct LayerCall {
    /// The layer's name.
    pub name: Rc<str>,
    /// The number of the layer in this stack.
    pub id: u32,
    /// Whether the message comes from the other end.
    pub inbound: bool,
    /// The message.
    pub message: Payload,
}

#[derive(Default)]
struct Passed {
    link: u64,
    down: Vec<JsValue>,
    up: Vec<JsValue>,
}

impl JsLayers {
    /// What makes the layer of this name.
    pub fn maker<Out, In>(&self, name: &str) -> MakeLayer<Layered<Out>, Layered<In>>
    where
        Out: Wire + 'static,
        In: Wire + 'static,
    {
        let (layers, name) = (self.clone(), Rc::from(name));
        Rc::new(move |link| {
            let mut waiting = layers.0.borrow_mut();
            waiting.last_id += 1;
            let id = waiting.last_id;
            waiting.passed.insert(id, Passed { link, ..Passed::default() });
            Box::new(JsLayer { name: Rc::clone(&name), id, layers: layers.clone() })
        })
    }

    /// The next message that a layer is to see.
    pub fn next_call(&self) -> Option<LayerCall> {
        self.0.borrow_mut().calls.pop_front()
    }

    /// A layer passes on a message. Returns the number of its link, unless that has ended.
    pub fn pass(&self, id: u32, inbound: bool, message: JsValue) -> Option<u64> {
        let mut waiting = self.0.borrow_mut();
        let passed = waiting.passed.get_mut(&id)?;
        let messages = if inbound { &mut passed.up } else { &mut passed.down };
        messages.push(message);
        Some(passed.link)
    }
}

struct JsLayer {
    name: Rc<str>,
    id: u32,
    layers: JsLayers,
}

impl JsLayer {
    fn call(&self, inbound: bool, message: JsValue) {
        let call = LayerCall {
            name: Rc::clone(&self.name),
            id: self.id,
            inbound,
            message: Payload(message),
        };
        self.layers.0.borrow_mut().calls.push_back(call);
    }
}

impl<Out: Wire, In: Wire> Layer<Layered<Out>, Layered<In>> for JsLayer {
    fn name(&self) -> &str {
        &self.name
    }

    fn outbound(
        &mut self,
        mut packet: Packet<Layered<Out>>,
        _now: Millis,
        out: &mut Output<Layered<Out>, Layered<In>>,
    ) {
        for message in std::mem::take(&mut packet.messages) {
            // What the layer changes must not change here.
            match StructuredClone::default().encode(&message.sent()) {
                Ok(Frame::Object(copy)) => self.call(false, copy),
                // The codec is going to say so.
                _ => packet.messages.push(message),
            }
        }
        // What layers say to each other does not wait.
        if packet.taken.is_some() || !packet.messages.is_empty() {
            out.down.push(packet);
        }
    }

    fn inbound(
        &mut self,
        mut packet: Packet<Layered<In>>,
        _now: Millis,
        out: &mut Output<Layered<Out>, Layered<In>>,
    ) {
        for message in packet.messages.drain(..) {
            self.call(true, message.arrived());
        }
        if packet.taken.is_some() {
            out.up.push(packet);
        }
    }

    fn deadline(&self) -> Option<Millis> {
        let waiting = self.layers.0.borrow();
        let passed = waiting.passed.get(&self.id)?;
        (!passed.down.is_empty() || !passed.up.is_empty()).then_some(0)
    }

    fn wake(&mut self, _now: Millis, out: &mut Output<Layered<Out>, Layered<In>>) {
        let mut waiting = self.layers.0.borrow_mut();
        let Some(passed) = waiting.passed.get_mut(&self.id) else { return };
        out.down.extend(packet(&mut passed.down));
        out.up.extend(packet(&mut passed.up));
    }
}

fn packet<M>(messages: &mut Vec<JsValue>) -> Option<Packet<Layered<M>>> {
    let passed = messages.drain(..).map(|message| Layered::Passed(Payload(message)));
    let messages: Vec<_> = passed.collect();
    (!messages.is_empty()).then(|| Packet::new(messages))
}

impl Drop for JsLayer {
    fn drop(&mut self) {
        self.layers.0.borrow_mut().passed.remove(&self.id);
    }
}
