use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Reflect};
use wasm_bindgen::prelude::*;

use super::errors::from_js;
use tabmux::Payload;
use tabmux::ot::{OtType, Side, TypeHandle, Types};
use tabmux::{Error, codes};

#[wasm_bindgen]
extern "C" {
    /// An OT type as JavaScript has it.
    type TypeObject;
    #[wasm_bindgen(method, getter, catch)]
    fn uri(this: &TypeObject) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn name(this: &TypeObject) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn apply(this: &TypeObject, data: &JsValue, op: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn transform(
        this: &TypeObject,
        op: &JsValue,
        other: &JsValue,
        side: &str,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = transformX)]
    fn transform_x(this: &TypeObject, left: &JsValue, right: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn compose(this: &TypeObject, first: &JsValue, second: &JsValue) -> Result<JsValue, JsValue>;
}

struct JsType {
    object: TypeObject,
    has_compose: bool,
    has_transform_x: bool,
}

impl JsType {
    fn new(object: JsValue) -> Self {
        let has = |method: &str| {
            Reflect::get(&object, &method.into()).is_ok_and(|member| member.is_function())
        };
        let (has_compose, has_transform_x) = (has("compose"), has("transformX"));
        JsType { object: object.unchecked_into(), has_compose, has_transform_x }
    }
}

impl OtType for JsType {
    fn uri(&self) -> String {
        let text = |it: Result<JsValue, JsValue>| it.ok()?.as_string();
        text(self.object.uri()).or_else(|| text(self.object.name())).unwrap_or_default()
    }

    fn apply(&self, data: Payload, op: &Payload) -> Result<Payload, Error> {
        self.object.apply(&data.0, &op.0).map(Payload).map_err(from_js)
    }

    fn transform(&self, op: &Payload, other: &Payload, side: Side) -> Result<Payload, Error> {
        let side = match side {
            Side::Left => "left",
            Side::Right => "right",
        };
        self.object.transform(&op.0, &other.0, side).map(Payload).map_err(from_js)
    }

    fn transform_pair(&self, left: &Payload, right: &Payload) -> Result<(Payload, Payload), Error> {
        if self.has_transform_x {
            let both = self.object.transform_x(&left.0, &right.0).map_err(from_js)?;
            let both: Array = both.dyn_into().map_err(|_| {
                Error::new(codes::OP_NOT_APPLIED, "the type's `transformX` must return two ops")
            })?;
            return Ok((Payload(both.get(0)), Payload(both.get(1))));
        }
        Ok((self.transform(left, right, Side::Left)?, self.transform(right, left, Side::Right)?))
    }

    fn compose(&self, first: &Payload, second: &Payload) -> Option<Result<Payload, Error>> {
        self.has_compose
            .then(|| self.object.compose(&first.0, &second.0).map(Payload).map_err(from_js))
    }
}

/// ShareDB's `types.map`: OT types by name and by URI.
pub struct JsTypes {
    map: JsValue,
    /// The one that was asked for last.
    last: RefCell<Option<Rc<JsType>>>,
}

impl JsTypes {
    /// `map` is `types.map`.
    pub fn new(map: JsValue) -> Self {
        JsTypes { map, last: RefCell::default() }
    }
}

impl Types for JsTypes {
    fn get(&self, name: &str) -> Option<TypeHandle> {
        let object = Reflect::get(&self.map, &name.into()).ok()?;
        let is_it = |last: &&Rc<JsType>| *AsRef::<JsValue>::as_ref(&last.object) == object;
        if let Some(last) = self.last.borrow().as_ref().filter(is_it) {
            return Some(Rc::clone(last) as TypeHandle);
        }
        let found = object.is_object().then(|| Rc::new(JsType::new(object)))?;
        self.last.replace(Some(Rc::clone(&found)));
        Some(found)
    }
}
