//! OT types for the tests, and how to make random edits with them.
//!
//! Every edit carries a *marker*, a character that occurs nowhere else, in a place that no other
//! edit can remove. Counting markers in a log shows whether an op was applied twice or lost.

mod tally;
mod text;
mod tree;

use std::rc::Rc;

use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tabmux::ot::{Op, OtType, TypeHandle, Types};
use tabmux::{Error, Payload};

pub use tally::Tally;
pub use text::Text;
pub use tree::Tree;

/// The markers are the characters from here on.
pub const FIRST_MARKER: u32 = 0x1_0000;

/// What the tests want of a type beside OT.
pub trait TestType: OtType {
    /// New data that carries the marker.
    fn create(&self, marker: char) -> Value;
    /// A random op on the data that carries the marker.
    fn edit(&self, data: &Value, marker: char, rng: &mut ChaCha8Rng) -> Value;
    /// The op as several that are applied one after the other.
    fn pieces(&self, op: &Value) -> Vec<Value> {
        vec![op.clone()]
    }
    /// The op that undoes this one.
    fn invert(&self, _op: &Value) -> Option<Value> {
        None
    }
}

/// All types of the tests, by their URIs.
pub struct Registry;

impl Registry {
    /// The URIs.
    pub const ALL: [&'static str; 3] = [Text::URI, Tree::URI, Tally::URI];

    pub fn find(name: &str) -> Option<Rc<dyn TestType>> {
        match name {
            Text::URI => Some(Rc::new(Text)),
            Tree::URI => Some(Rc::new(Tree)),
            Tally::URI => Some(Rc::new(Tally)),
            _ => None,
        }
    }
}

impl Types for Registry {
    fn get(&self, name: &str) -> Option<TypeHandle> {
        Registry::find(name).map(|ty| ty as TypeHandle)
    }
}

/// The data of a document and its type, as whoever holds a copy keeps them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Copy {
    pub type_name: Option<String>,
    pub data: Option<Value>,
}

impl Copy {
    /// Applies an op.
    pub fn apply(&mut self, op: &Op) -> Result<(), Error> {
        match op {
            Op::Edit(edit) => {
                let ty = self.ty().ok_or_else(|| refused("an edit of no document"))?;
                let data = self.data.take().ok_or_else(|| refused("no data"))?;
                self.data = Some(ty.apply(Payload(data), edit)?.0);
            }
            Op::Create(create) => {
                self.type_name = Some(create.type_name.clone());
                self.data = create.data.clone().map(|data| data.0);
            }
            Op::Del => *self = Copy::default(),
            Op::NoOp => {}
        }
        Ok(())
    }

    pub fn ty(&self) -> Option<Rc<dyn TestType>> {
        self.type_name.as_deref().and_then(Registry::find)
    }
}

/// Every marker in the bytes of something that was encoded.
pub fn markers_in(bytes: &[u8]) -> Vec<char> {
    of_text(&String::from_utf8_lossy(bytes))
}

fn of_text(text: &str) -> Vec<char> {
    text.chars().filter(|c| u32::from(*c) >= FIRST_MARKER).collect()
}

/// Every marker in the value, as often as it occurs.
pub fn markers(value: &Value) -> Vec<char> {
    match value {
        Value::String(text) => of_text(text),
        Value::Array(items) => items.iter().flat_map(markers).collect(),
        Value::Object(map) => {
            map.iter().flat_map(|(key, value)| [of_text(key), markers(value)].concat()).collect()
        }
        _ => Vec::new(),
    }
}

pub(crate) fn refused(what: impl std::fmt::Display) -> Error {
    Error::new("ERR_TEST_OP_REFUSED", format!("the op does not fit the data: {what}"))
}
