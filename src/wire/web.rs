use std::marker::PhantomData;
use std::sync::atomic::Ordering::Relaxed;

use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;

use super::Shape;

#[wasm_bindgen(module = "/src/wire/members.js")]
extern "C" {
    #[wasm_bindgen(js_name = shape)]
    fn define(names: &str, is_open: bool) -> u32;

    #[wasm_bindgen(js_name = members, catch)]
    fn read_members(list: &JsValue, at: u32, shape: u32) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = count)]
    fn read_count(list: &JsValue, at: u32) -> i32;
    #[wasm_bindgen(js_name = isAbsent)]
    fn read_is_absent(list: &JsValue, at: u32, is_null_absent: bool) -> bool;
    #[wasm_bindgen(js_name = number)]
    fn read_number(list: &JsValue, at: u32) -> f64;
    #[wasm_bindgen(js_name = text)]
    fn read_text(list: &JsValue, at: u32) -> Option<String>;
    #[wasm_bindgen(js_name = boolean)]
    fn read_boolean(list: &JsValue, at: u32) -> i32;
    #[wasm_bindgen(js_name = value)]
    fn read_value(list: &JsValue, at: u32) -> JsValue;
    #[wasm_bindgen(js_name = tag)]
    fn read_tag(list: &JsValue, at: u32) -> Option<String>;
    #[wasm_bindgen(js_name = entries)]
    fn read_entries(list: &JsValue, at: u32) -> Option<Array>;

    #[wasm_bindgen(js_name = put)]
    fn put_number(target: &JsValue, shape: u32, at: u32, number: f64);
    #[wasm_bindgen(js_name = put)]
    fn put_text(target: &JsValue, shape: u32, at: u32, text: &str);
    #[wasm_bindgen(js_name = put)]
    fn put_boolean(target: &JsValue, shape: u32, at: u32, value: bool);
    #[wasm_bindgen(js_name = put)]
    fn put_value(target: &JsValue, shape: u32, at: u32, value: &JsValue);
    #[wasm_bindgen(js_name = putObject)]
    fn put_object(target: &JsValue, shape: u32, at: u32) -> JsValue;
    #[wasm_bindgen(js_name = putList)]
    fn put_list(target: &JsValue, shape: u32, at: u32) -> JsValue;
}

/// What stands for a shape where there are items.
const LIST: u32 = 0;

impl Shape {
    /// The number that JavaScript knows it by.
    fn id(&'static self) -> u32 {
        match self.id.load(Relaxed) {
            LIST => self.define(),
            id => id,
        }
    }

    #[cold]
    #[inline(never)]
    fn define(&'static self) -> u32 {
        let id = define(&self.names.join(","), self.is_open);
        self.id.store(id, Relaxed);
        id
    }
}

/// The members of an object or the items of a list, as an array.
pub struct List(JsValue);

impl Default for List {
    fn default() -> Self {
        List(Array::new().into())
    }
}

impl List {
    pub fn of(value: JsValue) -> Self {
        List(Array::of1(&value).into())
    }

    pub fn members(&self, at: u32, shape: &'static Shape) -> Result<List, String> {
        match read_members(&self.0, at, shape.id()) {
            Ok(members) => Ok(List(members)),
            Err(reason) => Err(reason.as_string().unwrap_or_else(|| "can't be read".to_owned())),
        }
    }

    pub fn items(&self, at: u32) -> Option<(List, u32)> {
        let count = read_count(&self.0, at).try_into().ok()?;
        Some((List(self.value(at)), count))
    }

    pub fn entries(&self, at: u32) -> Option<Vec<(String, JsValue)>> {
        let entries = read_entries(&self.0, at)?;
        let entry = |entry: JsValue| {
            let entry: Array = entry.unchecked_into();
            Some((entry.get(0).as_string()?, entry.get(1)))
        };
        entries.into_iter().map(entry).collect()
    }

    pub fn tag(&self, at: u32) -> Option<String> {
        read_tag(&self.0, at)
    }

    pub fn is_absent(&self, at: u32, is_null_absent: bool) -> bool {
        read_is_absent(&self.0, at, is_null_absent)
    }

    pub fn number(&self, at: u32) -> Option<u64> {
        let number = read_number(&self.0, at);
        (number >= 0.0).then_some(number as u64)
    }

    pub fn text(&self, at: u32) -> Option<String> {
        read_text(&self.0, at)
    }

    pub fn boolean(&self, at: u32) -> Option<bool> {
        match read_boolean(&self.0, at) {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub fn value(&self, at: u32) -> JsValue {
        read_value(&self.0, at)
    }
}

/// Where a value is to be written.
pub struct Place<'a> {
    target: &'a JsValue,
    shape: u32,
    at: u32,
}

impl<'a> Place<'a> {
    /// Writes a number.
    pub fn number(self, number: u64) {
        put_number(self.target, self.shape, self.at, number as f64);
    }

    /// Writes a text.
    pub fn text(self, text: &str) {
        put_text(self.target, self.shape, self.at, text);
    }

    /// Writes true or false.
    pub fn boolean(self, value: bool) {
        put_boolean(self.target, self.shape, self.at, value);
    }

    /// Writes a value as it is.
    pub fn value(self, value: &JsValue) {
        put_value(self.target, self.shape, self.at, value);
    }

    /// Writes an object, whose members come next.
    pub fn object(self, shape: &'static Shape) -> Target<'a> {
        let value = put_object(self.target, self.shape, self.at);
        Target { value, shape: shape.id(), inside: PhantomData }
    }

    /// Writes a list, whose items come next, in their order.
    pub fn list(self) -> Target<'a> {
        let value = put_list(self.target, self.shape, self.at);
        Target { value, shape: LIST, inside: PhantomData }
    }
}

/// An object or a list that is being written.
pub struct Target<'a> {
    value: JsValue,
    shape: u32,
    inside: PhantomData<&'a JsValue>,
}

impl Target<'_> {
    /// The place of a member, or of the next item.
    pub fn at(&mut self, at: u32) -> Place<'_> {
        Place { target: &self.value, shape: self.shape, at }
    }
}

pub fn written(write: impl FnOnce(Place<'_>)) -> JsValue {
    let root = Array::new();
    write(Place { target: &root, shape: LIST, at: 0 });
    root.get(0)
}

/// An object with these members.
pub fn from_entries(entries: Vec<(String, JsValue)>) -> JsValue {
    let entries: Array =
        entries.into_iter().map(|(name, value)| Array::of2(&name.into(), &value)).collect();
    Object::from_entries(&entries).map_or(JsValue::UNDEFINED, Into::into)
}
