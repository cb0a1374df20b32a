//! What TypeScript calls the values that [`Wire`] reads and writes: the typings of what Rust and
//! JavaScript tell each other are made of it, so that they can't say anything else.

use super::Wire;

/// A type of TypeScript.
#[derive(Clone, Copy)]
pub enum Ts {
    /// One that needs no declaration.
    Plain(&'static str),
    /// One that may be absent.
    Optional(&'static Ts),
    /// A list.
    List(&'static Ts),
    /// A list of two.
    Pair(&'static [Ts; 2]),
    /// An object with any names.
    Map(&'static Ts),
    /// Another name of a type.
    Alias {
        /// Its name.
        name: &'static str,
        /// What it stands for.
        of: &'static str,
    },
    /// An object.
    Object {
        /// Its name.
        name: &'static str,
        /// What it has.
        members: &'static [TsMember],
    },
    /// Objects of which the member `type` says which one it is.
    Union {
        /// Its name.
        name: &'static str,
        /// Each with its `type`.
        variants: &'static [(&'static str, &'static [TsMember])],
    },
}

/// A member of an object of TypeScript.
#[derive(Clone, Copy)]
pub struct TsMember {
    name: &'static str,
    ts: Ts,
    has_default: bool,
}

/// The member of this name, of the type that `get` returns.
pub const fn member<S, T: Wire>(
    name: &'static str,
    has_default: bool,
    _get: fn(&S) -> &T,
) -> TsMember {
    TsMember { name, ts: T::TS, has_default }
}

/// A text that is put together while Rust compiles. With `N` of 0 it only counts.
pub struct TsText<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> TsText<N> {
    /// An empty text.
    #[expect(clippy::new_without_default, reason = "`default` can't be called in a constant")]
    pub const fn new() -> Self {
        TsText { bytes: [0; N], length: 0 }
    }

    /// How long it is.
    pub const fn length(&self) -> usize {
        self.length
    }

    /// The text.
    pub const fn as_str(&self) -> &str {
        match str::from_utf8(&self.bytes) {
            Ok(text) => text,
            Err(_) => panic!("the names of types are UTF-8"),
        }
    }

    /// Adds a text.
    pub const fn add(&mut self, text: &str) {
        let mut at = 0;
        while at < text.len() {
            if self.length < N {
                self.bytes[self.length] = text.as_bytes()[at];
            }
            self.length += 1;
            at += 1;
        }
    }

    /// Adds a type, by its name if it has one.
    pub const fn add_type(&mut self, ts: &Ts) {
        match ts {
            Ts::Plain(name)
            | Ts::Alias { name, .. }
            | Ts::Object { name, .. }
            | Ts::Union { name, .. } => self.add(name),
            Ts::Optional(ts) => {
                self.add_type(ts);
                self.add(" | undefined");
            }
            Ts::List(ts) => {
                self.add("Array<");
                self.add_type(ts);
                self.add(">");
            }
            Ts::Pair([first, second]) => {
                self.add("[");
                self.add_type(first);
                self.add(", ");
                self.add_type(second);
                self.add("]");
            }
            Ts::Map(ts) => {
                self.add("Record<string, ");
                self.add_type(ts);
                self.add(">");
            }
        }
    }

    /// Adds the declaration of a type that has a name.
    pub const fn declare(&mut self, ts: &Ts) {
        self.add("export type ");
        self.add_type(ts);
        self.add(" =");
        match ts {
            Ts::Alias { of, .. } => {
                self.add(" ");
                self.add(of);
            }
            Ts::Object { members, .. } => {
                self.add(" {");
                self.add_members(members, "");
                self.add("}");
            }
            Ts::Union { variants, .. } => {
                let mut at = 0;
                while at < variants.len() {
                    let (tag, members) = variants[at];
                    self.add("\n  | {type: '");
                    self.add(tag);
                    self.add("'");
                    self.add_members(members, "; ");
                    self.add("}");
                    at += 1;
                }
            }
            _ => panic!("it has no name"),
        }
        self.add(";\n");
    }

    const fn add_members(&mut self, members: &[TsMember], before: &str) {
        let mut at = 0;
        while at < members.len() {
            let TsMember { name, ts, has_default } = members[at];
            self.add(if at == 0 { before } else { "; " });
            self.add(name);
            match ts {
                Ts::Optional(ts) => {
                    self.add("?: ");
                    self.add_type(ts);
                    self.add(" | undefined");
                }
                ts => {
                    self.add(if has_default { "?: " } else { ": " });
                    self.add_type(&ts);
                }
            }
            at += 1;
        }
    }
}
