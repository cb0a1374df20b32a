//! The six things the codecs need of a platform, each with the same signature on both.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod web;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::{check, copy, float, float_text, parse, stringify};
#[cfg(target_arch = "wasm32")]
pub(crate) use web::{check, copy, float, float_text, parse, stringify};
