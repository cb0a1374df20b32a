use tabmux::store::StoreError;
use tabmux::{Error, codes};

use crate::behaviour::doc;

#[test]
fn errors_of_a_store_keep_their_code_and_message_outside_of_it() {
    let name = || "notes".to_owned();
    let reason = || "because".to_owned();
    let cases = [
        (StoreError::Fenced { epoch: 1, current: 2 }, codes::STORE_FENCED),
        (StoreError::NewerSchema { name: name(), found: 2, known: 1 }, codes::STORE_NEWER_SCHEMA),
        (StoreError::Key { name: name(), reason: reason() }, codes::STORE_KEY),
        (StoreError::Quota { name: name() }, codes::STORE_QUOTA),
        (StoreError::Blocked { name: name() }, codes::STORE_BLOCKED),
        (StoreError::Closed { name: name(), reason: reason() }, codes::STORE_CLOSED),
        (StoreError::Unavailable { reason: reason() }, codes::STORE_UNAVAILABLE),
        (StoreError::Failed { name: name(), reason: reason() }, codes::STORE_FAILED),
        (StoreError::Gap { doc: doc("a"), n: 2, next: 1 }, codes::STORE_FAILED),
        (StoreError::OldCheckpoint { doc: doc("a"), next: 1, first: 2 }, codes::STORE_FAILED),
    ];
    for (error, code) in cases {
        let message = error.to_string();
        assert_eq!(Error::from(error), Error::new(code, message));
    }
}
