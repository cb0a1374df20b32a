//! How messages and records become what a codec carries, and are read from it.
//!
//! [`wire!`] lists the members of a struct under their names. What it makes of that are calls of a few
//! functions that are the same for all structs: a page downloads them once.

#[cfg(not(target_arch = "wasm32"))]
mod native;
mod typescript;
#[cfg(target_arch = "wasm32")]
mod web;

#[cfg(not(target_arch = "wasm32"))]
use native as imp;
#[cfg(target_arch = "wasm32")]
use web as imp;

use std::cell::RefCell;

use tabmux_codecs::Value;
use tabmux_middleware::SortedMap;

use crate::platform::Payload;

pub use imp::{Place, from_entries};
pub use typescript::{Ts, TsMember, TsText, member};

/// What can be told as a codec's value.
pub trait Wire: Sized {
    /// Whether `null` means something to it. Elsewhere it is as good as absent.
    const TAKES_NULL: bool = false;

    /// What TypeScript calls it.
    const TS: Ts = Ts::Plain("unknown");

    /// Writes it to its place.
    fn write(&self, to: Place<'_>);

    /// Reads it. What is not as it must be is noted, and read as something blank: the code of a reader that
    /// goes on is half that of one that returns at each of its members.
    fn read(from: Member<'_>) -> Self;
}

/// What a codec carries, made of a value.
pub fn to_value<T: Wire>(value: &T) -> Value {
    imp::written(|place| value.write(place))
}

/// The inverse of [`to_value`].
///
/// # Errors
/// The message names the member at fault, and says what it must be.
pub fn from_value<T: Wire>(value: Value) -> Result<T, String> {
    let mistake = RefCell::default();
    let list = imp::List::of(value);
    let members = Members { list, shape: None, parent: None, mistake: &mistake };
    let value = T::read(members.at(0));
    match mistake.take() {
        None => Ok(value),
        Some(mistake) => Err(mistake),
    }
}

/// How many members a struct can have: as many bits twice are a number of JavaScript.
const MEMBERS: usize = 26;

/// The names of a struct's members.
pub struct Shape {
    names: &'static [&'static str],
    /// Other members are none of its business. Else there must be none.
    is_open: bool,
    #[cfg(target_arch = "wasm32")]
    id: std::sync::atomic::AtomicI32,
}

impl Shape {
    /// The members of these names, and no others unless it `is_open`.
    pub const fn new(names: &'static [&'static str], is_open: bool) -> Self {
        assert!(names.len() <= MEMBERS, "a struct has too many members");
        Shape {
            names,
            is_open,
            #[cfg(target_arch = "wasm32")]
            id: std::sync::atomic::AtomicI32::new(0),
        }
    }
}

/// The members of an object in the order of its [`Shape`], or the items of a list.
pub struct Members<'a> {
    list: imp::List,
    shape: Option<&'static Shape>,
    parent: Option<&'a Member<'a>>,
    /// The first mistake that was found.
    mistake: &'a RefCell<Option<String>>,
}

impl Members<'_> {
    /// The member at this place.
    pub fn at(&self, at: u32) -> Member<'_> {
        Member { of: self, at }
    }
}

/// One of [`Members`], to be read once.
pub struct Member<'a> {
    of: &'a Members<'a>,
    at: u32,
}

impl<'a> Member<'a> {
    /// The members of this object. It is a mistake if it is none, or has members that are not in the shape.
    pub fn members<'b>(&'b self, shape: &'static Shape) -> Members<'b> {
        let list = self.of.list.members(self.at, shape).unwrap_or_else(|reason| {
            self.note(&reason);
            imp::List::default()
        });
        Members { list, shape: Some(shape), parent: Some(self), mistake: self.of.mistake }
    }

    /// The items of this list, and how many there are. It is a mistake if it is none.
    pub fn items<'b>(&'b self) -> (Members<'b>, u32) {
        let (list, count) = self.of.list.items(self.at).unwrap_or_else(|| {
            self.must_be("a list");
            (imp::List::default(), 0)
        });
        (Members { list, shape: None, parent: Some(self), mistake: self.of.mistake }, count)
    }

    /// The names and values of this object's members. It is a mistake if it is none.
    pub fn entries(&self) -> Vec<(String, Value)> {
        self.of.list.entries(self.at).unwrap_or_else(|| {
            self.must_be("an object");
            Vec::new()
        })
    }

    /// The member `type` of this object, if it is one that has it.
    pub fn tag(&self) -> Option<String> {
        self.of.list.tag(self.at)
    }

    /// Whether it is not there.
    pub fn is_absent(&self) -> bool {
        self.of.list.is_absent(self.at, false)
    }

    /// The value as it is.
    pub fn value(&self) -> Value {
        self.of.list.value(self.at)
    }

    /// The text that this is, if it is one.
    pub fn as_text(&self) -> Option<String> {
        self.of.list.text(self.at)
    }

    /// Notes that this value is something else.
    #[cold]
    #[inline(never)]
    pub fn must_be(&self, what: &str) {
        if self.is_absent() {
            self.note("is missing");
        } else {
            self.note(&["must be ", what].concat());
        }
    }

    /// Notes what is wrong with this value.
    #[cold]
    #[inline(never)]
    pub fn note(&self, reason: &str) {
        self.of.mistake.borrow_mut().get_or_insert_with(|| {
            let mut path = String::new();
            self.add_path(&mut path);
            if path.is_empty() {
                path.push_str("it");
            }
            [&path, " ", reason].concat()
        });
    }

    fn add_path(&self, path: &mut String) {
        let Some(parent) = self.of.parent else { return };
        parent.add_path(path);
        match self.of.shape {
            Some(shape) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(shape.names.get(self.at as usize).unwrap_or(&""));
            }
            None => {
                path.push('[');
                path.push_str(&self.at.to_string());
                path.push(']');
            }
        }
    }
}

/// Whether a member is not what it would be without being there.
pub fn differs<T: PartialEq>(member: &T, default: T) -> bool {
    *member != default
}

/// Tells how a struct is written and read: by which names its members go, where that is not their own
/// (`as`), and which are left out if they have a certain value (`or`). A member that is an [`Option`] is
/// left out without one. Of an `open` struct other members are let be; else they are an error.
///
/// ```
/// use serde_json::json;
/// use tabmux::{from_value, to_value, wire};
///
/// #[derive(Debug, PartialEq)]
/// struct Note {
///     text: String,
///     by: Option<String>,
///     likes: u64,
/// }
///
/// wire!(Note { text, by as "author", likes or 0 });
///
/// let note = Note { text: "oh".to_owned(), by: None, likes: 0 };
/// assert_eq!(to_value(&note), json!({"text": "oh"}));
/// assert_eq!(from_value(json!({"text": "oh"})), Ok(note));
/// let mistake = from_value::<Note>(json!({"text": 7})).unwrap_err();
/// assert_eq!(mistake, "text must be a string");
/// ```
#[macro_export]
macro_rules! wire {
    (
        @struct $is_open:literal $type:ident $(<$parameter:ident>)? {
            $($field:ident $(as $name:literal)? $(or $default:expr)?),* $(,)?
        }
    ) => {
        const _: () = {
            static SHAPE: $crate::wire::Shape = $crate::wire::Shape::new(
                &[$($crate::wire!(@name $field $($name)?)),*],
                $is_open,
            );

            impl $(<$parameter: $crate::wire::Wire>)? $crate::wire::Wire for $type $(<$parameter>)? {
                const TS: $crate::wire::Ts = $crate::wire::Ts::Object {
                    name: stringify!($type),
                    members: &[$($crate::wire::member(
                        $crate::wire!(@name $field $($name)?),
                        $crate::wire!(@has_default $($default)?),
                        |it: &Self| &it.$field,
                    )),*],
                };

                fn write(&self, to: $crate::wire::Place<'_>) {
                    let $type { $($field),* } = self;
                    let mut target = to.object(&SHAPE);
                    let mut places = 0..;
                    $($crate::wire!(@write target places $field $(or $default)?);)*
                }

                fn read(from: $crate::wire::Member<'_>) -> Self {
                    let members = from.members(&SHAPE);
                    let mut places = 0..;
                    $type {
                        $($field: $crate::wire!(@read members places $(or $default)?),)*
                    }
                }
            }
        };
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $name:literal) => { $name };
    (@has_default) => { false };
    (@has_default $default:expr) => { true };
    (@write $target:ident $places:ident $field:ident $(or $default:expr)?) => {
        let place = $places.next().unwrap_or_default();
        if true $(&& $crate::wire::differs($field, $default))? {
            $crate::wire::Wire::write($field, $target.at(place));
        }
    };
    (@read $members:ident $places:ident) => {
        $crate::wire::Wire::read($members.at($places.next().unwrap_or_default()))
    };
    (@read $members:ident $places:ident or $default:expr) => {{
        let member = $members.at($places.next().unwrap_or_default());
        if member.is_absent() { $default } else { $crate::wire::Wire::read(member) }
    }};
    (open $($struct:tt)*) => { $crate::wire!(@struct true $($struct)*); };
    ($($struct:tt)*) => { $crate::wire!(@struct false $($struct)*); };
}
pub use wire;

/// As [`wire!`], for an enum: the member `type` says which variant it is. `else` is for one of another kind,
/// which is a mistake.
#[macro_export]
macro_rules! wire_enum {
    ($type:ident { $($name:literal = $variant:ident { $($field:ident),* },)* else $blank:expr }) => {
        impl $crate::wire::Wire for $type {
            const TS: $crate::wire::Ts = $crate::wire::Ts::Union {
                name: stringify!($type),
                variants: &[$((
                    $name,
                    &[$($crate::wire::member(stringify!($field), false, |it: &Self| match it {
                        $type::$variant { $field, .. } => $field,
                        #[allow(unreachable_patterns, reason = "an enum may have one variant")]
                        _ => unreachable!(),
                    })),*],
                )),*],
            };

            fn write(&self, to: $crate::wire::Place<'_>) {
                match self {
                    $($type::$variant { $($field),* } => {
                        static SHAPE: $crate::wire::Shape =
                            $crate::wire::Shape::new(&["type" $(, stringify!($field))*], false);
                        let mut target = to.object(&SHAPE);
                        let mut places = 1..;
                        target.at(0).text($name);
                        $($crate::wire!(@write target places $field);)*
                        let _ = &mut places;
                    })*
                }
            }

            fn read(from: $crate::wire::Member<'_>) -> Self {
                match from.tag().unwrap_or_default().as_str() {
                    $($name => {
                        static SHAPE: $crate::wire::Shape =
                            $crate::wire::Shape::new(&["type" $(, stringify!($field))*], false);
                        let members = from.members(&SHAPE);
                        let mut places = 1..;
                        let _ = (&members, &mut places);
                        $type::$variant { $($field: $crate::wire!(@read members places),)* }
                    })*
                    _ => {
                        from.must_be(concat!("a known kind of ", stringify!($type)));
                        $blank
                    }
                }
            }
        }
    };
}
pub use wire_enum;

impl Wire for u64 {
    const TS: Ts = Ts::Plain("number");

    fn write(&self, to: Place<'_>) {
        to.number(*self);
    }

    fn read(from: Member<'_>) -> Self {
        from.of.list.number(from.at).unwrap_or_else(|| {
            from.must_be("a whole number");
            0
        })
    }
}

impl Wire for u32 {
    const TS: Ts = Ts::Plain("number");

    fn write(&self, to: Place<'_>) {
        to.number((*self).into());
    }

    fn read(from: Member<'_>) -> Self {
        let number = from.of.list.number(from.at).and_then(|number| number.try_into().ok());
        number.unwrap_or_else(|| {
            from.must_be("a whole number of 32 bits");
            0
        })
    }
}

impl Wire for bool {
    const TS: Ts = Ts::Plain("boolean");

    fn write(&self, to: Place<'_>) {
        to.boolean(*self);
    }

    fn read(from: Member<'_>) -> Self {
        from.of.list.boolean(from.at).unwrap_or_else(|| {
            from.must_be("true or false");
            false
        })
    }
}

impl Wire for String {
    const TS: Ts = Ts::Plain("string");

    fn write(&self, to: Place<'_>) {
        to.text(self);
    }

    fn read(from: Member<'_>) -> Self {
        from.as_text().unwrap_or_else(|| {
            from.must_be("a string");
            String::new()
        })
    }
}

impl Wire for Payload {
    const TAKES_NULL: bool = true;

    fn write(&self, to: Place<'_>) {
        to.value(&self.0);
    }

    fn read(from: Member<'_>) -> Self {
        if from.is_absent() {
            from.note("is missing");
        }
        Payload(from.value())
    }
}

impl<T: Wire> Wire for Option<T> {
    const TS: Ts = Ts::Optional(&T::TS);

    fn write(&self, to: Place<'_>) {
        if let Some(value) = self {
            value.write(to);
        }
    }

    fn read(from: Member<'_>) -> Self {
        let is_none = from.of.list.is_absent(from.at, !T::TAKES_NULL);
        if is_none { None } else { Some(T::read(from)) }
    }
}

impl<T: Wire> Wire for Vec<T> {
    const TS: Ts = Ts::List(&T::TS);

    fn write(&self, to: Place<'_>) {
        let mut target = to.list();
        for (item, at) in self.iter().zip(0..) {
            item.write(target.at(at));
        }
    }

    fn read(from: Member<'_>) -> Self {
        let (items, count) = from.items();
        (0..count).map(|at| T::read(items.at(at))).collect()
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    const TS: Ts = Ts::Pair(&[A::TS, B::TS]);

    fn write(&self, to: Place<'_>) {
        let mut target = to.list();
        self.0.write(target.at(0));
        self.1.write(target.at(1));
    }

    fn read(from: Member<'_>) -> Self {
        let (items, count) = from.items();
        if count != 2 {
            from.must_be("a list of two");
        }
        (A::read(items.at(0)), B::read(items.at(1)))
    }
}

impl<T: Wire> Wire for SortedMap<String, T> {
    const TS: Ts = Ts::Map(&T::TS);

    fn write(&self, to: Place<'_>) {
        let entries = self.iter().map(|(name, value)| (name.clone(), to_value(value)));
        to.value(&from_entries(entries.collect()));
    }

    fn read(from: Member<'_>) -> Self {
        let mut map = SortedMap::default();
        for (name, value) in from.entries() {
            match from_value(value) {
                Ok(value) => {
                    map.insert(name, value);
                }
                Err(reason) => from.note(&reason),
            }
        }
        map
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
