//! The hub with its tabs, step by step: every scenario is one story without chance.

mod documents;
mod presence;
mod queries;
mod sessions;
mod stage;
#[allow(dead_code)] // Each test program uses a part of it.
#[path = "../support/mod.rs"]
mod support;
mod upstream;
