//! What the store answers while the server can't be reached.

use serde_json::json;
use tabmux::hub::{QueryResults, UpstreamEvent};
use tabmux::ot::Op;
use tabmux::protocol::{DocId, QueryReady, QuerySpec};
use tabmux::tab::TabEvent;
use tabmux::{Payload, codes};

use crate::stage::{Stage, create, doc, settings};

/// A tab of a hub whose store has the texts `a` and `b` and knows that there is no `gone`.
fn with_stored_texts(state: &str) -> Stage {
    let mut stage = Stage::with_store(1);
    stage.seed(&doc("a"), "hello");
    stage.seed(&doc("b"), "world");
    for id in ["a", "b", "gone"] {
        stage.fetch(0, &doc(id));
    }
    stage.seats.clear();
    stage.replace_hub(state);
    stage.join(settings("later"));
    stage
}

fn query(stage: &mut Stage, query: serde_json::Value, subscribe: bool) -> u64 {
    let (collection, query) = ("docs".to_owned(), Payload(query));
    let spec = QuerySpec { collection, query, options: None, subscribe };
    stage.tab(0, |tab, now| tab.query(spec, now))
}

/// The answers to a query.
fn answers(stage: &Stage, asked: u64) -> Vec<QueryReady> {
    let events = stage.seats[0].events.iter().filter_map(|event| match event {
        TabEvent::QueryReady(ready) if ready.request == asked => Some(ready.clone()),
        _ => None,
    });
    events.collect()
}

fn results(stage: &Stage, asked: u64) -> Option<Vec<DocId>> {
    answers(stage, asked).pop().and_then(|ready| ready.results)
}

/// The codes of the errors of a query that lives.
fn errors(stage: &Stage, asked: u64) -> Vec<Option<String>> {
    let events = stage.seats[0].events.iter().filter_map(|event| match event {
        TabEvent::QueryFailed(failed) if failed.request == asked => Some(failed.error.code_text()),
        _ => None,
    });
    events.collect()
}

#[test]
fn documents_of_the_store_are_fetched_and_subscribed_to() {
    let mut stage = with_stored_texts("disconnected");
    let fetch = stage.fetch(0, &doc("a"));
    let subscribe = stage.subscribe(0, &doc("b"));
    let nothing = stage.fetch(0, &doc("gone"));
    for asked in [fetch, subscribe, nothing] {
        assert_eq!(stage.callback(0, asked), Some(None));
    }
    assert_eq!(stage.text(0, &doc("a")).as_deref(), Some("hello"));
    assert_eq!(stage.text(0, &doc("b")).as_deref(), Some("world"));
    assert_eq!(stage.text(0, &doc("gone")), None);
}

#[test]
fn many_documents_are_answered_when_all_are_in_the_store() {
    let mut stage = with_stored_texts("disconnected");
    let keys = ["a", "b"].map(|id| stage.open(0, &doc(id)));
    let both = stage.tab(0, |tab, now| tab.get_bulk(&keys, now));
    assert_eq!(stage.callback(0, both), Some(None));
    assert_eq!(stage.text(0, &doc("b")).as_deref(), Some("world"));
    stage.seed(&doc("new"), "you");
    let keys = ["a", "new"].map(|id| stage.open(0, &doc(id)));
    let some = stage.tab(0, |tab, now| tab.get_bulk(&keys, now));
    assert_eq!(stage.callback(0, some), None);
    stage.connection("connected");
    assert_eq!(stage.callback(0, some), Some(None));
    assert_eq!(stage.text(0, &doc("new")).as_deref(), Some("you"));
}

#[test]
fn documents_that_the_store_lacks_wait_for_the_server() {
    let mut stage = with_stored_texts("disconnected");
    stage.seed(&doc("new"), "you");
    let fetch = stage.fetch(0, &doc("new"));
    let subscribe = stage.subscribe(0, &doc("new"));
    stage.run_for(100_000);
    assert_eq!((stage.callback(0, fetch), stage.callback(0, subscribe)), (None, None));
    stage.connection("connected");
    assert_eq!(stage.callback(0, fetch), Some(None));
    assert_eq!(stage.callback(0, subscribe), Some(None));
    assert_eq!(stage.text(0, &doc("new")).as_deref(), Some("you"));
}

#[test]
fn the_first_connection_is_given_a_second() {
    let mut stage = with_stored_texts("connecting");
    let fetch = stage.fetch(0, &doc("a"));
    let subscribe = stage.subscribe(0, &doc("b"));
    stage.run_for(999);
    assert_eq!((stage.callback(0, fetch), stage.callback(0, subscribe)), (None, None));
    stage.run_for(1);
    assert_eq!(stage.callback(0, fetch), Some(None));
    assert_eq!(stage.callback(0, subscribe), Some(None));
    assert_eq!(stage.text(0, &doc("b")).as_deref(), Some("world"));
}

#[test]
fn who_waits_for_the_server_is_answered_when_it_is_lost() {
    let mut stage = with_stored_texts("connecting");
    let fetch = stage.fetch(0, &doc("a"));
    let asked = query(&mut stage, json!({ "x": 1 }), false);
    stage.connection("disconnected");
    assert_eq!(stage.callback(0, fetch), Some(None));
    assert_eq!(answers(&stage, asked).len(), 1);
}

#[test]
fn a_query_for_ids_that_the_store_knows_is_answered() {
    let mut stage = with_stored_texts("disconnected");
    let one = query(&mut stage, json!({ "_id": "a" }), false);
    assert_eq!(results(&stage, one), Some(vec![doc("a")]));
    assert_eq!(stage.text(0, &doc("a")).as_deref(), Some("hello"));
    let many = query(&mut stage, json!({ "_id": { "$in": ["b", "gone", "a"] } }), true);
    assert_eq!(results(&stage, many), Some(vec![doc("b"), doc("a")]));
    assert_eq!(answers(&stage, many)[0].error, None);
}

#[test]
fn a_query_that_the_store_can_not_answer_says_so() {
    let mut stage = with_stored_texts("disconnected");
    for asks in [json!({ "x": 1 }), json!({ "_id": "new" }), json!({ "_id": "a", "x": 1 })] {
        let asked = query(&mut stage, asks.clone(), false);
        let codes: Vec<_> = answers(&stage, asked)
            .iter()
            .map(|ready| ready.error.as_ref().and_then(|error| error.code_text()))
            .collect();
        assert_eq!(codes, [Some(codes::OFFLINE.to_owned())], "{asks}");
    }
}

#[test]
fn a_subscribed_query_that_the_store_can_not_answer_lives_on() {
    let mut stage = with_stored_texts("disconnected");
    let asked = query(&mut stage, json!({ "x": 1 }), true);
    assert_eq!(errors(&stage, asked), [Some(codes::OFFLINE.to_owned())]);
    assert_eq!(answers(&stage, asked), []);
    stage.connection("connected");
    stage.script.borrow_mut().load(&doc("a"));
    let found = QueryResults { docs: Some(vec![doc("a")]), extra: None };
    stage.script.borrow_mut().events.push_back(UpstreamEvent::QueryReady(1, Ok(found)));
    stage.settle();
    assert_eq!(results(&stage, asked), Some(vec![doc("a")]));
}

#[test]
fn a_subscribed_query_that_the_store_has_answered_follows_the_server_later() {
    let mut stage = with_stored_texts("disconnected");
    let asked = query(&mut stage, json!({ "_id": { "$in": ["a", "b"] } }), true);
    stage.connection("connected");
    let found = QueryResults { docs: Some(vec![doc("b")]), extra: None };
    stage.script.borrow_mut().events.push_back(UpstreamEvent::QueryReady(1, Ok(found)));
    stage.settle();
    assert_eq!(answers(&stage, asked).len(), 2);
    assert_eq!(results(&stage, asked), Some(vec![doc("b")]));
}

#[test]
fn back_online_a_document_goes_on_from_the_stored_version() {
    let mut stage = with_stored_texts("disconnected");
    stage.subscribe(0, &doc("a"));
    stage.edit_outside(&doc("a"), json!(["oh "]));
    assert_eq!(stage.text(0, &doc("a")).as_deref(), Some("hello"));
    stage.connection("connected");
    assert_eq!(stage.text(0, &doc("a")).as_deref(), Some("oh hello"));
    let loads = stage.seats[0].events.iter().filter(|it| matches!(it, TabEvent::Load { .. }));
    assert_eq!(loads.count(), 1, "it is changed, not loaded again");
    assert_eq!(stage.script.borrow().restored[0].1.snapshot.version, Some(1));
}

#[test]
fn what_is_done_offline_is_seen_by_all_tabs_and_done_once_online() {
    let mut stage = with_stored_texts("disconnected");
    stage.join(settings("sibling"));
    for at in 0..2 {
        stage.subscribe(at, &doc("a"));
        stage.subscribe(at, &doc("gone"));
    }
    stage.subscribe(0, &doc("b"));
    let mut tokens = vec![stage.edit(0, &doc("a"), json!([5, "!"]))];
    tokens.push(stage.submit(0, &doc("gone"), create("back")).unwrap());
    stage.flush(0, &doc("gone"));
    tokens.push(stage.submit(0, &doc("b"), Op::Del).unwrap());
    stage.flush(0, &doc("b"));
    assert_eq!(stage.text(1, &doc("a")).as_deref(), Some("hello!"));
    assert_eq!(stage.text(1, &doc("gone")).as_deref(), Some("back"));
    stage.edit_outside(&doc("a"), json!(["oh "]));
    stage.replace_hub("disconnected");
    stage.connection("connected");
    for token in tokens {
        assert_eq!(stage.answers(0, token), [None]);
    }
    let script = stage.script.borrow();
    assert_eq!(script.text(&doc("a")).as_deref(), Some("oh hello!"));
    assert_eq!(script.text(&doc("gone")).as_deref(), Some("back"));
    assert_eq!(script.text(&doc("b")), None);
}
