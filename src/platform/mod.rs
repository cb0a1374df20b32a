//! What differs between the browser and everywhere else: how an opaque value is held.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod web;

#[cfg(not(target_arch = "wasm32"))]
use native as imp;
#[cfg(target_arch = "wasm32")]
use web as imp;

pub use imp::{Payload, from_value, to_value};

/// Reads a payload that is there, `null` included; serde alone would read `null` as absent.
pub(crate) fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Payload>, D::Error> {
    serde::Deserialize::deserialize(deserializer).map(Some)
}
