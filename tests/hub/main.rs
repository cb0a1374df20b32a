//! The hub with its tabs, step by step: every scenario is one story without chance.

mod away;
mod disk;
mod documents;
mod many;
mod messages;
mod plugins;
mod presence;
mod queries;
mod script;
mod sessions;
mod stage;
mod store;
mod storm;
mod subscriptions;
#[allow(dead_code)] // Each test program uses a part of it.
#[path = "../support/mod.rs"]
mod support;
mod upstream;
