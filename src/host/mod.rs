//! Which topology a tab takes: where the hub lives, and how the tab reaches it.

mod topology;

pub use topology::{Choice, Support, Topology, choose};
