//! What a module tells JavaScript: interfaces of TypeScript, of which JavaScript implements exactly what
//! Rust calls.

use std::marker::PhantomData;

use js_sys::Promise;
use tabmux::wire::{Ts, TsText};
use tabmux::{Error, Payload, Wire, from_value, to_value};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::errors::to_js;

/// What a method is called with.
pub trait Argument {
    /// What wasm-bindgen carries.
    type Js;
    /// What TypeScript calls it.
    const TS: Ts;
    /// Makes it so.
    fn into_js(self) -> Self::Js;
}

macro_rules! arguments {
    ($($type:ty as $js:ty: $name:literal = $it:pat => $made:expr;)*) => {
        $(impl Argument for $type {
            type Js = $js;
            const TS: Ts = Ts::Plain($name);

            fn into_js(self) -> $js {
                let $it = self;
                $made
            }
        })*
    };
}

arguments! {
    bool as bool: "boolean" = it => it;
    u32 as u32: "number" = it => it;
    u64 as f64: "number" = it => it as f64;
    Option<u64> as Option<f64>: "number | undefined" = it => it.map(|it| it as f64);
    Option<String> as Option<String>: "string | undefined" = it => it;
    Payload as JsValue: "unknown" = it => it.0;
    Option<Payload> as JsValue: "unknown" = it => it.map_or(JsValue::UNDEFINED, |it| it.0);
}

impl<'a> Argument for &'a str {
    type Js = &'a str;
    const TS: Ts = Ts::Plain("string");

    fn into_js(self) -> &'a str {
        self
    }
}

impl<T: Wire> Argument for &T {
    type Js = JsValue;
    const TS: Ts = T::TS;

    fn into_js(self) -> JsValue {
        to_value(self)
    }
}

/// An error as JavaScript gets it in the same thread: what was thrown in the first place, or its code and
/// message.
pub struct Thrown<'a>(pub &'a Error);

impl Argument for Thrown<'_> {
    type Js = JsValue;
    const TS: Ts = Ts::Alias { name: "CoreError", of: "Error | {code?: unknown; message: string}" };

    fn into_js(self) -> JsValue {
        to_js(self.0)
    }
}

impl Argument for Option<Thrown<'_>> {
    type Js = JsValue;
    const TS: Ts = Ts::Optional(&Thrown::TS);

    fn into_js(self) -> JsValue {
        self.map_or(JsValue::UNDEFINED, Thrown::into_js)
    }
}

/// No error is `undefined`.
pub fn thrown(error: Option<&Error>) -> Option<Thrown<'_>> {
    error.map(Thrown)
}

/// What a method returns, if it returns something.
pub trait Returned: Sized {
    /// What TypeScript calls it.
    const TS: Returns;
    /// Reads it.
    ///
    /// # Errors
    /// It is something else.
    fn from_js(returned: JsValue) -> Result<Self, JsValue>;
}

impl<T: Wire> Returned for T {
    const TS: Returns = Returns::Now(T::TS);

    fn from_js(returned: JsValue) -> Result<Self, JsValue> {
        from_value(returned).map_err(|reason| JsValue::from_str(&reason))
    }
}

/// What comes later.
pub struct Promised<T>(Promise, PhantomData<T>);

impl<T: Wire> Returned for Promised<T> {
    const TS: Returns = Returns::Later(T::TS);

    fn from_js(returned: JsValue) -> Result<Self, JsValue> {
        Ok(Promised(Promise::resolve(&returned), PhantomData))
    }
}

impl<T: Wire> Promised<T> {
    /// Waits for it.
    ///
    /// # Errors
    /// What was thrown, or that it is something else.
    pub async fn get(self) -> Result<T, JsValue> {
        T::from_js(JsFuture::from(self.0).await?)
    }
}

/// When a method returns something, and what.
pub enum Returns {
    /// Nothing.
    Nothing,
    /// As it returns.
    Now(Ts),
    /// By a promise.
    Later(Ts),
}

/// A method of an interface.
pub struct Method {
    /// What JavaScript calls it.
    pub name: &'static str,
    /// Its arguments, each with its name.
    pub arguments: &'static [(&'static str, Ts)],
    /// What it returns.
    pub returns: Returns,
}

/// The text of an interface. With `N` of 0 it is only counted.
pub const fn interface<const N: usize>(name: &str, methods: &[Method]) -> TsText<N> {
    let mut text = TsText::new();
    text.add("export interface ");
    text.add(name);
    text.add(" {\n");
    let mut at = 0;
    while at < methods.len() {
        text.add("  ");
        add_method(&mut text, &methods[at]);
        text.add(";\n");
        at += 1;
    }
    text.add("}\n");
    text
}

const fn add_method<const N: usize>(text: &mut TsText<N>, method: &Method) {
    text.add(method.name);
    // Not as a method: TypeScript would not look at what those take.
    text.add(": (");
    let mut at = 0;
    while at < method.arguments.len() {
        if at > 0 {
            text.add(", ");
        }
        let (name, ts) = &method.arguments[at];
        text.add(name);
        text.add(": ");
        text.add_type(ts);
        at += 1;
    }
    text.add(") => ");
    match &method.returns {
        Returns::Nothing => text.add("void"),
        Returns::Now(ts) => text.add_type(ts),
        Returns::Later(ts) => {
            text.add("Promise<");
            text.add_type(ts);
            text.add(">");
        }
    }
}

/// The declarations of these types.
pub const fn declarations<const N: usize>(types: &[Ts]) -> TsText<N> {
    let mut text = TsText::new();
    let mut at = 0;
    while at < types.len() {
        text.declare(&types[at]);
        at += 1;
    }
    text
}

/// Declares an object of JavaScript and what Rust calls of it, for both languages: for Rust a type with
/// these methods, for TypeScript an interface of that name. Every method may throw.
#[macro_export]
macro_rules! door {
    (
        $(#[$doc:meta])*
        interface $door:ident = $door_name:literal {
            $(
                $(#[$method_doc:meta])*
                fn $method:ident $(as $js:ident)? ($($argument:ident: $type:ty),* $(,)?)
                $(-> $returned:ty)?;
            )*
        }
    ) => {
        #[wasm_bindgen::prelude::wasm_bindgen]
        extern "C" {
            $(#[$doc])*
            #[wasm_bindgen(typescript_type = $door_name)]
            pub type $door;
        }

        const _: () = {
            use wasm_bindgen::prelude::*;
            use $crate::door::{Argument, Method, Returned, Returns, interface};

            const METHODS: &[Method] = &[$(Method {
                name: $crate::door!(@name $method $($js)?),
                arguments: &[$((stringify!($argument), <$type as Argument>::TS)),*],
                returns: $crate::door!(@returns $($returned)?),
            }),*];

            $crate::typescript!(interface($door_name, METHODS));

            #[wasm_bindgen]
            extern "C" {
                type Raw;
            }

            $($crate::door!(@import $method [$($js)?] ($($argument: $type),*) $($returned)?);)*

            impl $door {
                $(
                    $(#[$method_doc])*
                    ///
                    /// # Errors
                    /// What it threw.
                    pub fn $method(
                        &self,
                        $($argument: $type),*
                    ) -> Result<$crate::door!(@type $($returned)?), JsValue> {
                        let raw: &Raw = self.unchecked_ref();
                        let returned = raw.$method($($argument.into_js()),*)?;
                        $crate::door!(@read returned $($returned)?)
                    }
                )*
            }
        };
    };
    (@name $method:ident) => { stringify!($method) };
    (@name $method:ident $js:ident) => { stringify!($js) };
    (@returns) => { Returns::Nothing };
    (@returns $returned:ty) => { <$returned as Returned>::TS };
    (@type) => { () };
    (@type $returned:ty) => { $returned };
    (@read $value:ident) => { Ok($value) };
    (@read $value:ident $returned:ty) => { <$returned as Returned>::from_js($value) };
    (@import $method:ident [$($js:ident)?] ($($argument:ident: $type:ty),*)) => {
        #[wasm_bindgen]
        extern "C" {
            #[wasm_bindgen(method, catch $(, js_name = $js)?)]
            fn $method(this: &Raw, $($argument: <$type as Argument>::Js),*) -> Result<(), JsValue>;
        }
    };
    (@import $method:ident [$($js:ident)?] ($($argument:ident: $type:ty),*) $returned:ty) => {
        #[wasm_bindgen]
        extern "C" {
            #[wasm_bindgen(method, catch $(, js_name = $js)?)]
            fn $method(
                this: &Raw,
                $($argument: <$type as Argument>::Js),*
            ) -> Result<JsValue, JsValue>;
        }
    };
}

/// Adds a text to the module's typings: that of a function such as [`interface`], with its arguments.
#[macro_export]
macro_rules! typescript {
    ($function:ident($($argument:expr),*)) => {
        const _: () = {
            const LENGTH: usize = $function::<0>($($argument),*).length();
            const TEXT: $crate::TsText<LENGTH> = $function($($argument),*);
            #[wasm_bindgen::prelude::wasm_bindgen(typescript_custom_section)]
            const TYPESCRIPT: &str = TEXT.as_str();
        };
    };
}

/// Declares types of arguments for the typings of a module.
#[macro_export]
macro_rules! declare_types {
    ($($type:ty),* $(,)?) => {
        const _: () = {
            use tabmux::wire::Ts;
            use $crate::door::{Argument, declarations};

            const TYPES: &[Ts] = &[$(<$type as Argument>::TS),*];

            $crate::typescript!(declarations(TYPES));
        };
    };
}
