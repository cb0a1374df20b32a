use std::rc::Rc;

use crate::{Error, Payload};

/// Which of two concurrent ops wins where they collide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The op that gets its place later: a tab's, against the hub's.
    Left,
    /// The op that has its place.
    Right,
}

/// An OT type, in the shape of the `ottypes` specification.
///
/// In the browser it is the JavaScript object that the application registered; in Rust it can be
/// anything that implements this trait:
///
/// ```
/// use tabmux::{Error, Payload, ot::{OtType, Side}};
///
/// /// A number; an op is what to add to it.
/// struct Counter;
///
/// impl OtType for Counter {
///     fn uri(&self) -> String {
///         "https://example.com/counter".into()
///     }
///     fn apply(&self, data: Payload, op: &Payload) -> Result<Payload, Error> {
/// # #[cfg(not(target_arch = "wasm32"))] {
///         let sum = data.0.as_i64().unwrap_or(0) + op.0.as_i64().unwrap_or(0);
///         return Ok(Payload(sum.into()));
/// # }
/// # #[allow(unreachable_code)] { Ok(data) }
///     }
///     fn transform(&self, op: &Payload, _other: &Payload, _: Side) -> Result<Payload, Error> {
///         Ok(op.clone())
///     }
/// }
/// ```
pub trait OtType {
    /// The URI that names the type on the wire.
    fn uri(&self) -> String;

    /// Applies an op to serialised data.
    fn apply(&self, data: Payload, op: &Payload) -> Result<Payload, Error>;

    /// Transforms `op` so that it applies after `other`.
    fn transform(&self, op: &Payload, other: &Payload, side: Side) -> Result<Payload, Error>;

    /// Transforms two concurrent ops against each other: the first is the left one.
    fn transform_pair(&self, left: &Payload, right: &Payload) -> Result<(Payload, Payload), Error> {
        Ok((self.transform(left, right, Side::Left)?, self.transform(right, left, Side::Right)?))
    }

    /// Composes two consecutive ops into one, or `None` if the type can't.
    fn compose(&self, _first: &Payload, _second: &Payload) -> Option<Result<Payload, Error>> {
        None
    }
}

/// A type that several documents share.
pub type TypeHandle = Rc<dyn OtType>;

/// The registry of OT types.
pub trait Types {
    /// The type of this name or URI, if it is registered.
    fn get(&self, name: &str) -> Option<TypeHandle>;
}
