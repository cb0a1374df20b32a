use std::cell::RefCell;

use serde_json::{Map, Value};

use super::Shape;

/// The members of an object or the items of a list; each is taken out when it is read.
#[derive(Default)]
pub struct List(RefCell<Vec<Option<Value>>>);

impl List {
    pub fn of(value: Value) -> Self {
        List(RefCell::new(vec![Some(value)]))
    }

    pub fn members(&self, at: u32, shape: &Shape) -> Result<List, String> {
        let Some(Value::Object(mut object)) = self.take_if(at, Value::is_object) else {
            return Err("must be an object".to_owned());
        };
        let members = shape.names.iter().map(|name| object.remove(*name)).collect();
        match object.keys().next() {
            Some(other) if !shape.is_open => {
                Err(format!("has a member `{other}`, which is unknown"))
            }
            _ => Ok(List(RefCell::new(members))),
        }
    }

    pub fn items(&self, at: u32) -> Option<(List, u32)> {
        let Some(Value::Array(items)) = self.take_if(at, Value::is_array) else { return None };
        let count = items.len() as u32;
        Some((List(RefCell::new(items.into_iter().map(Some).collect())), count))
    }

    pub fn entries(&self, at: u32) -> Option<Vec<(String, Value)>> {
        match self.take_if(at, Value::is_object) {
            Some(Value::Object(object)) => Some(object.into_iter().collect()),
            _ => None,
        }
    }

    pub fn tag(&self, at: u32) -> Option<String> {
        self.peek(at, |value| Some(value.get("type")?.as_str()?.to_owned()))
    }

    pub fn is_absent(&self, at: u32, is_null_absent: bool) -> bool {
        self.peek(at, |value| (!is_null_absent || !value.is_null()).then_some(())).is_none()
    }

    pub fn number(&self, at: u32) -> Option<u64> {
        self.peek(at, Value::as_u64)
    }

    pub fn text(&self, at: u32) -> Option<String> {
        self.peek(at, |value| Some(value.as_str()?.to_owned()))
    }

    pub fn boolean(&self, at: u32) -> Option<bool> {
        self.peek(at, Value::as_bool)
    }

    pub fn value(&self, at: u32) -> Value {
        self.take_if(at, |_| true).unwrap_or_default()
    }

    fn take_if(&self, at: u32, is_fit: impl FnOnce(&Value) -> bool) -> Option<Value> {
        self.0.borrow_mut().get_mut(at as usize)?.take_if(|value| is_fit(value))
    }

    fn peek<T>(&self, at: u32, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        read(self.0.borrow().get(at as usize)?.as_ref()?)
    }
}

/// Where a value is to be written.
pub struct Place<'a>(At<'a>);

enum At<'a> {
    Root(&'a mut Value),
    Member(&'a mut Map<String, Value>, &'static str),
    Item(&'a mut Vec<Value>),
}

impl<'a> Place<'a> {
    /// Writes a number.
    pub fn number(self, number: u64) {
        self.put(number.into());
    }

    /// Writes a text.
    pub fn text(self, text: &str) {
        self.put(text.into());
    }

    /// Writes true or false.
    pub fn boolean(self, value: bool) {
        self.put(value.into());
    }

    /// Writes a value as it is.
    pub fn value(self, value: &Value) {
        self.put(value.clone());
    }

    /// Writes an object, whose members come next.
    pub fn object(self, shape: &'static Shape) -> Target<'a> {
        let object = self.put(Value::Object(Map::new())).as_object_mut();
        Target(In::Object(object.expect("it has just been made"), shape.names))
    }

    /// Writes a list, whose items come next, in their order.
    pub fn list(self) -> Target<'a> {
        let list = self.put(Value::Array(Vec::new())).as_array_mut();
        Target(In::List(list.expect("it has just been made")))
    }

    fn put(self, value: Value) -> &'a mut Value {
        match self.0 {
            At::Root(root) => {
                *root = value;
                root
            }
            At::Member(object, name) => {
                let member = object.entry(name).or_insert(Value::Null);
                *member = value;
                member
            }
            At::Item(list) => {
                list.push(value);
                list.last_mut().expect("it has just been pushed")
            }
        }
    }
}

/// An object or a list that is being written.
pub struct Target<'a>(In<'a>);

enum In<'a> {
    Object(&'a mut Map<String, Value>, &'static [&'static str]),
    List(&'a mut Vec<Value>),
}

impl Target<'_> {
    /// The place of a member, or of the next item.
    pub fn at(&mut self, at: u32) -> Place<'_> {
        Place(match &mut self.0 {
            In::Object(object, names) => At::Member(object, names[at as usize]),
            In::List(list) => At::Item(list),
        })
    }
}

pub fn written(write: impl FnOnce(Place<'_>)) -> Value {
    let mut root = Value::Null;
    write(Place(At::Root(&mut root)));
    root
}

/// An object with these members.
pub fn from_entries(entries: Vec<(String, Value)>) -> Value {
    Value::Object(entries.into_iter().collect())
}
