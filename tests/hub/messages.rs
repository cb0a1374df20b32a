//! Each end knows the messages of the other, and no more; the page that lists them is complete.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tabmux::from_value;
use tabmux::protocol::{EnvelopeToHub, EnvelopeToTab};

use crate::storm::{of_hubs, of_tabs};

const PAGE: &str = include_str!("../../docs/protocol.md");
const TO_HUB: &str = include_str!("../../src/protocol/to_hub.rs");
const TO_TAB: &str = include_str!("../../src/protocol/to_tab.rs");

/// The names that the source gives its messages.
fn declared(source: &str) -> BTreeSet<&str> {
    let rows = source.lines().filter_map(|line| line.trim().strip_prefix('"'));
    rows.filter_map(|row| row.split_once("\" = ")).map(|(name, _)| name).collect()
}

/// The names in the first column of the table below a heading.
fn documented(heading: &str) -> BTreeSet<&str> {
    let (_, section) = PAGE.split_once(heading).expect("the heading is there");
    let rows = section.lines().skip_while(|line| !line.starts_with("| `"));
    let names = rows.take_while(|line| line.starts_with('|')).flat_map(|row| {
        let column = row.split('|').nth(1).expect("a row has columns");
        column.split(", ").map(|name| name.trim().trim_matches('`'))
    });
    names.collect()
}

/// The names of the messages in these envelopes.
fn sent(envelopes: &[Value]) -> BTreeSet<&str> {
    envelopes
        .iter()
        .map(|envelope| envelope["packet"]["messages"][0]["type"].as_str().expect("it has a name"))
        .collect()
}

#[test]
fn the_page_lists_every_message_of_each_end() {
    assert_eq!(documented("## Messages from a tab"), declared(TO_HUB));
    assert_eq!(documented("## Messages from the hub"), declared(TO_TAB));
}

#[test]
fn each_end_takes_what_the_other_says() {
    let (of_tabs, of_hubs) = (of_tabs(), of_hubs());
    assert_eq!(sent(&of_tabs), declared(TO_HUB));
    assert_eq!(sent(&of_hubs), declared(TO_TAB));
    for envelope in of_tabs {
        from_value::<EnvelopeToHub>(envelope).unwrap();
    }
    for envelope in of_hubs {
        from_value::<EnvelopeToTab>(envelope).unwrap();
    }
}

#[test]
fn what_only_the_other_end_says_is_as_unknown_as_what_nobody_says() {
    let envelope = |name: &str, head: Value| {
        let mut envelope = json!({"session": 1, "packet": {"messages": [{"type": name}]}});
        envelope.as_object_mut().unwrap().extend(head.as_object().unwrap().clone());
        envelope
    };
    for name in declared(TO_TAB).into_iter().chain(["doc.fly"]) {
        let error = from_value::<EnvelopeToHub>(envelope(name, json!({}))).unwrap_err();
        assert!(error.contains(&format!("a message, `{name}` is none")), "{error}");
    }
    for name in declared(TO_HUB).into_iter().chain(["doc.fly"]) {
        let error = from_value::<EnvelopeToTab>(envelope(name, json!({"epoch": 1}))).unwrap_err();
        assert!(error.contains(&format!("a message, `{name}` is none")), "{error}");
    }
}
