//! A hub with a store.

mod durable;
