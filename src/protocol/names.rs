//! The names of messages on the wire.

use crate::wire::{Members, Shape, Wire};

/// The messages of one direction, `{type, body}` on the wire, with their names there. A message's variant
/// and what it carries have that name without its dots: `doc.submitOp` is `DocSubmitOp`. What is no message
/// is read as the one after `or`, beside the error.
macro_rules! messages {
    (
        $(#[$about:meta])*
        $direction:ident or $spare:expr => {
            $($(#[$doc:meta])* $name:literal = $variant:ident $(($body:ident))?,)*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $direction {
            $($(#[$doc])* $variant $(($body))?,)*
        }

        $(
            const _: () = assert!(
                $crate::protocol::names::is_one_word($name, stringify!($variant))
                    $(&& $crate::protocol::names::is_one_word($name, stringify!($body)))?,
                concat!("the message `", $name, "` has another name in Rust"),
            );
        )*

        impl $crate::wire::Wire for $direction {
            // Several call it, and it is large.
            #[inline(never)]
            fn write(&self, to: $crate::wire::Place<'_>) {
                let mut target = to.object(&$crate::protocol::names::SHAPE);
                match self {
                    $(messages!(@pattern $direction $variant body $($body)?) => {
                        target.at(0).text($name);
                        $(<$body>::write(body, target.at(1));)?
                    })*
                }
            }

            #[inline(never)]
            fn read(from: $crate::wire::Member<'_>) -> Self {
                let members = from.members(&$crate::protocol::names::SHAPE);
                $crate::protocol::names::Named::read_named(&String::read(members.at(0)), &members)
            }
        }

        impl $crate::protocol::names::Named for $direction {
            fn read_named(name: &str, members: &$crate::wire::Members<'_>) -> Self {
                match name {
                    $($name => $direction::$variant $((<$body as $crate::wire::Wire>::read(members.at(1))))?,)*
                    _ => {
                        members.at(0).must_be(&["a message, `", name, "` is none"].concat());
                        $spare
                    }
                }
            }
        }
    };
    (@pattern $direction:ident $variant:ident $name:ident) => { $direction::$variant };
    (@pattern $direction:ident $variant:ident $name:ident $body:ident) => {
        $direction::$variant($name)
    };
}

pub(super) use messages;

/// The messages of one direction.
pub trait Named: Wire {
    /// Reads the message of this name, whose members are those of [`SHAPE`].
    fn read_named(name: &str, members: &Members<'_>) -> Self;
}

pub(super) static SHAPE: Shape = Shape::new(&["type", "body"], true);

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
