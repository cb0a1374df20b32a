use std::marker::PhantomData;
use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering::Relaxed;

use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;

use super::{MEMBERS, Shape};

// Of numbers only `i32` and `f64` are passed as they are: such functions are called without generated code.
#[wasm_bindgen(module = "/src/wire/members.js")]
extern "C" {
    #[wasm_bindgen(js_name = shape)]
    fn define(names: &str, is_open: bool) -> i32;

    #[wasm_bindgen(js_name = begin)]
    fn begin_reading(depth: i32, value: &JsValue);
    #[wasm_bindgen(js_name = end)]
    fn end_reading(depth: i32);
    #[wasm_bindgen(js_name = members)]
    fn read_members(depth: i32, at: i32, shape: i32) -> f64;
    #[wasm_bindgen(js_name = mistake)]
    fn last_mistake() -> String;
    #[wasm_bindgen(js_name = items)]
    fn read_items(depth: i32, at: i32) -> i32;
    #[wasm_bindgen(js_name = isAbsent)]
    fn read_is_absent(depth: i32, at: i32, is_null_absent: bool) -> bool;
    #[wasm_bindgen(js_name = number)]
    fn read_number(depth: i32, at: i32) -> f64;
    #[wasm_bindgen(js_name = text)]
    fn read_text(depth: i32, at: i32) -> Option<String>;
    #[wasm_bindgen(js_name = boolean)]
    fn read_boolean(depth: i32, at: i32) -> i32;
    #[wasm_bindgen(js_name = value)]
    fn read_value(depth: i32, at: i32) -> JsValue;
    #[wasm_bindgen(js_name = tag)]
    fn read_tag(depth: i32, at: i32) -> Option<String>;
    #[wasm_bindgen(js_name = entries)]
    fn read_entries(depth: i32, at: i32) -> Option<Array>;

    #[wasm_bindgen(js_name = beginWriting)]
    fn begin_writing(depth: i32);
    #[wasm_bindgen(js_name = take)]
    fn take_written(depth: i32) -> JsValue;
    #[wasm_bindgen(js_name = put)]
    fn put_number(depth: i32, shape: i32, at: i32, number: f64);
    #[wasm_bindgen(js_name = put)]
    fn put_text(depth: i32, shape: i32, at: i32, text: &str);
    #[wasm_bindgen(js_name = put)]
    fn put_boolean(depth: i32, shape: i32, at: i32, value: bool);
    #[wasm_bindgen(js_name = put)]
    fn put_value(depth: i32, shape: i32, at: i32, value: &JsValue);
    #[wasm_bindgen(js_name = putObject)]
    fn put_object(depth: i32, shape: i32, at: i32);
    #[wasm_bindgen(js_name = putList)]
    fn put_list(depth: i32, shape: i32, at: i32);
}

/// What stands for a shape where there are items.
const LIST: i32 = 0;

/// How deep JavaScript is in what it reads: a value may be read while another is, and that one goes on.
static READING: AtomicI32 = AtomicI32::new(0);

/// The same for what it writes.
static WRITING: AtomicI32 = AtomicI32::new(0);

impl Shape {
    /// The number that JavaScript knows it by.
    fn id(&'static self) -> i32 {
        match self.id.load(Relaxed) {
            LIST => self.define(),
            id => id,
        }
    }

    #[cold]
    #[inline(never)]
    fn define(&'static self) -> i32 {
        let id = define(&self.names.join(","), self.is_open);
        self.id.store(id, Relaxed);
        id
    }
}

/// The members of an object or the items of a list that is being read.
pub struct List {
    depth: i32,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// The value itself, as the only item.
    Root,
    Items,
    /// The members that are `undefined`, and those that are `null`, as bits.
    Members {
        absent: u32,
        nulls: u32,
    },
}

impl Default for List {
    /// Nothing is there.
    fn default() -> Self {
        List::at(READING.load(Relaxed), Kind::Members { absent: ALL, nulls: 0 })
    }
}

impl Drop for List {
    fn drop(&mut self) {
        READING.store(self.depth, Relaxed);
        if matches!(self.kind, Kind::Root) {
            end_reading(self.depth);
        }
    }
}

impl List {
    pub fn of(value: JsValue) -> Self {
        let depth = READING.load(Relaxed);
        begin_reading(depth, &value);
        List::at(depth, Kind::Root)
    }

    fn at(depth: i32, kind: Kind) -> Self {
        READING.store(depth + 1, Relaxed);
        List { depth, kind }
    }

    pub fn members(&self, at: u32, shape: &'static Shape) -> Result<List, String> {
        let found = read_members(self.depth, at as i32, shape.id());
        if found < 0.0 {
            return Err(last_mistake());
        }
        let found = found as u64;
        let (absent, nulls) = (found as u32 & ALL, (found >> MEMBERS) as u32);
        Ok(List::at(self.depth + 1, Kind::Members { absent, nulls }))
    }

    pub fn items(&self, at: u32) -> Option<(List, u32)> {
        let count = read_items(self.depth, at as i32).try_into().ok()?;
        Some((List::at(self.depth + 1, Kind::Items), count))
    }

    pub fn entries(&self, at: u32) -> Option<Vec<(String, JsValue)>> {
        let entries = read_entries(self.depth, at as i32)?;
        let entry = |entry: JsValue| {
            let entry: Array = entry.unchecked_into();
            Some((entry.get(0).as_string()?, entry.get(1)))
        };
        entries.into_iter().map(entry).collect()
    }

    pub fn tag(&self, at: u32) -> Option<String> {
        read_tag(self.depth, at as i32)
    }

    pub fn is_absent(&self, at: u32, is_null_absent: bool) -> bool {
        match self.kind {
            Kind::Members { absent, nulls } => {
                (absent >> at) & 1 != 0 || (is_null_absent && (nulls >> at) & 1 != 0)
            }
            Kind::Root | Kind::Items => read_is_absent(self.depth, at as i32, is_null_absent),
        }
    }

    pub fn number(&self, at: u32) -> Option<u64> {
        let number = read_number(self.depth, at as i32);
        (number >= 0.0).then_some(number as u64)
    }

    pub fn text(&self, at: u32) -> Option<String> {
        read_text(self.depth, at as i32)
    }

    pub fn boolean(&self, at: u32) -> Option<bool> {
        match read_boolean(self.depth, at as i32) {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub fn value(&self, at: u32) -> JsValue {
        read_value(self.depth, at as i32)
    }
}

/// All members that a shape can have, as bits.
const ALL: u32 = (1 << MEMBERS) - 1;

/// Where a value is to be written.
pub struct Place<'a> {
    depth: i32,
    shape: i32,
    at: i32,
    inside: PhantomData<&'a ()>,
}

impl<'a> Place<'a> {
    /// Writes a number.
    pub fn number(self, number: u64) {
        put_number(self.depth, self.shape, self.at, number as f64);
    }

    /// Writes a text.
    pub fn text(self, text: &str) {
        put_text(self.depth, self.shape, self.at, text);
    }

    /// Writes true or false.
    pub fn boolean(self, value: bool) {
        put_boolean(self.depth, self.shape, self.at, value);
    }

    /// Writes a value as it is.
    pub fn value(self, value: &JsValue) {
        put_value(self.depth, self.shape, self.at, value);
    }

    /// Writes an object, whose members come next.
    pub fn object(self, shape: &'static Shape) -> Target<'a> {
        put_object(self.depth, self.shape, self.at);
        Target::at_depth(self.depth + 1, shape.id())
    }

    /// Writes a list, whose items come next, in their order.
    pub fn list(self) -> Target<'a> {
        put_list(self.depth, self.shape, self.at);
        Target::at_depth(self.depth + 1, LIST)
    }
}

/// An object or a list that is being written.
pub struct Target<'a> {
    depth: i32,
    shape: i32,
    inside: PhantomData<&'a ()>,
}

impl Drop for Target<'_> {
    fn drop(&mut self) {
        WRITING.store(self.depth, Relaxed);
    }
}

impl Target<'_> {
    fn at_depth(depth: i32, shape: i32) -> Self {
        WRITING.store(depth + 1, Relaxed);
        Target { depth, shape, inside: PhantomData }
    }

    /// The place of a member, or of the next item.
    pub fn at(&mut self, at: u32) -> Place<'_> {
        Place { depth: self.depth, shape: self.shape, at: at as i32, inside: PhantomData }
    }
}

pub fn written(write: impl FnOnce(Place<'_>)) -> JsValue {
    let depth = WRITING.load(Relaxed);
    begin_writing(depth);
    write(Target::at_depth(depth, LIST).at(0));
    take_written(depth)
}

/// An object with these members.
pub fn from_entries(entries: Vec<(String, JsValue)>) -> JsValue {
    let entries: Array =
        entries.into_iter().map(|(name, value)| Array::of2(&name.into(), &value)).collect();
    Object::from_entries(&entries).map_or(JsValue::UNDEFINED, Into::into)
}
