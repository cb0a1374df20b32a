//! How messages look on the wire: `{type, body}`.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error};

use crate::platform::{Payload, from_value};

/// The messages of one direction, with their names on the wire. A message's variant and what it
/// carries have the name of the wire without its dots: `doc.submitOp` is `DocSubmitOp`.
///
/// The reading is not derived: serde keeps a `body` that comes before its `type` in a value of its own,
/// to read from that as well, which would be the largest part of a tab's WebAssembly module.
macro_rules! messages {
    (
        $(#[$about:meta])*
        $direction:ident { $($(#[$doc:meta])* $name:literal = $variant:ident $(($body:ident))?,)* }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        #[serde(tag = "type", content = "body")]
        pub enum $direction {
            $($(#[$doc])* #[serde(rename = $name)] $variant $(($body))?,)*
        }

        $(
            const _: () = assert!(
                $crate::protocol::wire::is_one_word($name, stringify!($variant))
                    $(&& $crate::protocol::wire::is_one_word($name, stringify!($body)))?,
                concat!("the message `", $name, "` has another name in Rust"),
            );
        )*

        impl<'de> serde::Deserialize<'de> for $direction {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let message = $crate::protocol::wire::Wire::deserialize(deserializer)?;
                match message.name.as_str() {
                    $($name => Ok($direction::$variant $((message.read::<$body, _>()?))?),)*
                    _ => Err(message.unknown()),
                }
            }
        }
    };
}

pub(super) use messages;

/// A message of which only the name has been read.
#[derive(Deserialize)]
pub(super) struct Wire {
    #[serde(rename = "type")]
    pub name: String,
    body: Option<Payload>,
}

impl Wire {
    pub fn read<T: DeserializeOwned, E: Error>(self) -> Result<T, E> {
        let Some(body) = self.body else { return Err(E::missing_field("body")) };
        from_value(body.0).map_err(|reason| E::custom(format!("{}: {reason}", self.name)))
    }

    pub fn unknown<E: Error>(self) -> E {
        E::custom(format!("unknown message {:?}", self.name))
    }
}

/// Whether `rust` is the name on the wire without its dots, each word of it with a capital letter.
pub(super) const fn is_one_word(wire: &str, rust: &str) -> bool {
    let (wire, rust) = (wire.as_bytes(), rust.as_bytes());
    let (mut from, mut to, mut begins) = (0, 0, true);
    while from < wire.len() {
        if wire[from] == b'.' {
            begins = true;
        } else {
            let letter = if begins { wire[from].to_ascii_uppercase() } else { wire[from] };
            if to >= rust.len() || rust[to] != letter {
                return false;
            }
            (to, begins) = (to + 1, false);
        }
        from += 1;
    }
    to == rust.len()
}
