use serde_json::json;
use tabmux::hub::{QueryResults, UpstreamEvent};
use tabmux::protocol::{DocId, QueryDiff, QueryReady, QuerySpec};
use tabmux::tab::TabEvent;
use tabmux::{Payload, codes};

use crate::stage::{LINGER, Stage, create, doc};

fn ask(stage: &mut Stage, at: usize) -> u64 {
    let (collection, query) = ("docs".to_owned(), Payload(json!({})));
    let spec = QuerySpec { collection, query, options: None, subscribe: true };
    stage.tab(at, |tab, now| tab.query(spec, now))
}

fn tell(stage: &mut Stage, event: UpstreamEvent) {
    stage.script.borrow_mut().events.push_back(event);
    stage.settle();
}

/// The upstream query finds these documents.
fn find(stage: &mut Stage, query: u64, docs: &[DocId]) {
    for id in docs {
        stage.script.borrow_mut().load(id);
    }
    let found = QueryResults { docs: Some(docs.to_vec()), extra: None };
    tell(stage, UpstreamEvent::QueryReady(query, Ok(found)));
}

/// The answers to a tab's query.
fn answers(stage: &Stage, at: usize, asked: u64) -> Vec<QueryReady> {
    let events = stage.seats[at].events.iter().filter_map(|event| match event {
        TabEvent::QueryReady(ready) if ready.request == asked => Some(ready.clone()),
        _ => None,
    });
    events.collect()
}

#[test]
fn a_tab_that_joins_a_query_without_results_waits_for_them() {
    let (mut stage, id) = (Stage::new(2), doc("a"));
    stage.seed(&id, "hello");
    ask(&mut stage, 0);
    let insert = QueryDiff::Insert { index: 0, docs: vec![id.clone()] };
    tell(&mut stage, UpstreamEvent::QueryChanged(1, vec![insert]));
    tell(&mut stage, UpstreamEvent::QueryExtra(1, Some(Payload(json!(1)))));
    let joined = ask(&mut stage, 1);
    assert_eq!(answers(&stage, 1, joined), []);
    find(&mut stage, 1, std::slice::from_ref(&id));
    assert_eq!(answers(&stage, 1, joined)[0].results, Some(vec![id.clone()]));
    assert_eq!(stage.text(1, &id).as_deref(), Some("hello"));
    assert_eq!(stage.script.borrow().count("query 2"), 0);
}

#[test]
fn a_document_that_the_tab_let_go_of_and_took_again_follows_its_new_query() {
    let (mut stage, id) = (Stage::new(1), doc("a"));
    stage.seed(&id, "hello");
    let first = ask(&mut stage, 0);
    find(&mut stage, 1, std::slice::from_ref(&id));
    let key = stage.open(0, &id);
    stage.tab(0, |tab, now| tab.close(key, now));
    ask(&mut stage, 0);
    stage.tab(0, |tab, now| tab.end_query(first, now));
    stage.run_for(2 * LINGER);
    stage.edit_outside(&id, json!(["oh "]));
    assert_eq!(stage.text(0, &id).as_deref(), Some("oh hello"));
}

#[test]
fn a_document_that_the_tab_let_go_of_is_held_for_as_long_as_its_query() {
    let (mut stage, id) = (Stage::new(1), doc("a"));
    stage.seed(&id, "hello");
    let asked = ask(&mut stage, 0);
    find(&mut stage, 1, std::slice::from_ref(&id));
    let key = stage.open(0, &id);
    stage.tab(0, |tab, now| tab.close(key, now));
    stage.run_for(2 * LINGER);
    assert_eq!(stage.script.borrow().count("destroy docs.a"), 0);
    stage.edit_outside(&id, json!(["oh "]));
    assert_eq!(stage.hub.size(), (1, 0), "it keeps no changes for the tab");
    stage.tab(0, |tab, now| tab.end_query(asked, now));
    stage.run_for(2 * LINGER);
    assert_eq!(stage.script.borrow().count("destroy docs.a"), 1);
    assert_eq!(stage.hub.size(), (0, 0));
}

#[test]
fn a_tab_that_unsubscribes_is_told_no_changes_for_the_sake_of_a_query_that_it_has_ended() {
    let (mut stage, id) = (Stage::new(1), doc("a"));
    stage.seed(&id, "hello");
    let asked = ask(&mut stage, 0);
    find(&mut stage, 1, std::slice::from_ref(&id));
    stage.tab(0, |tab, now| tab.end_query(asked, now));
    stage.subscribe(0, &id);
    let key = stage.open(0, &id);
    stage.tab(0, |tab, now| tab.unsubscribe(key, now));
    stage.edit_outside(&id, json!(["oh "]));
    assert_eq!(stage.text(0, &id).as_deref(), Some("hello"));
}

#[test]
fn a_tab_that_ends_its_query_is_told_no_changes_of_a_document_that_it_has_unsubscribed() {
    let (mut stage, id) = (Stage::new(1), doc("a"));
    stage.seed(&id, "hello");
    stage.subscribe(0, &id);
    let asked = ask(&mut stage, 0);
    find(&mut stage, 1, std::slice::from_ref(&id));
    let key = stage.open(0, &id);
    stage.tab(0, |tab, now| tab.unsubscribe(key, now));
    stage.tab(0, |tab, now| tab.end_query(asked, now));
    stage.edit_outside(&id, json!(["oh "]));
    assert_eq!(stage.text(0, &id).as_deref(), Some("hello"));
}

#[test]
fn a_tab_that_ends_its_query_is_told_no_changes_of_what_that_finds_no_longer() {
    let (mut stage, id) = (Stage::new(2), doc("a"));
    stage.seed(&id, "hello");
    let asked = ask(&mut stage, 0);
    find(&mut stage, 1, std::slice::from_ref(&id));
    stage.subscribe(1, &id);
    stage.open(0, &id);
    let remove = QueryDiff::Remove { index: 0, count: 1 };
    tell(&mut stage, UpstreamEvent::QueryChanged(1, vec![remove]));
    stage.edit_outside(&id, json!(["oh "]));
    assert_eq!(stage.text(0, &id).as_deref(), Some("oh hello"), "what removed it may come now");
    stage.tab(0, |tab, now| tab.end_query(asked, now));
    stage.edit_outside(&id, json!(["oh "]));
    assert_eq!(stage.text(0, &id).as_deref(), Some("oh hello"));
    assert_eq!(stage.text(1, &id).as_deref(), Some("oh oh hello"));
}

#[test]
fn l1_a_query_that_a_silent_hub_does_not_answer_ends_with_an_error() {
    let mut stage = Stage::new(1);
    let peer = std::mem::replace(&mut stage.seats[0].peer, u32::MAX);
    let asked = ask(&mut stage, 0);
    stage.run_for(60_000);
    let answers = answers(&stage, 0, asked);
    let codes: Vec<_> = answers.iter().map(|ready| ready.error.as_ref()?.code_text()).collect();
    assert_eq!(codes, [Some("ERR_TABMUX_TIMEOUT".to_owned())]);
    stage.seats[0].peer = peer;
}

#[test]
fn a_tab_that_let_go_of_a_result_and_creates_it_again_hears_that_it_exists() {
    let (mut stage, id) = (Stage::new(1), doc("a"));
    stage.seed(&id, "hello");
    let asked = ask(&mut stage, 0);
    find(&mut stage, 1, std::slice::from_ref(&id));
    let key = stage.open(0, &id);
    stage.tab(0, |tab, now| tab.close(key, now));
    stage.tab(0, |tab, now| tab.end_query(asked, now));
    stage.connection("disconnected");
    let token = stage.submit(0, &id, create("mine")).unwrap();
    stage.flush(0, &id);
    stage.run_for(2 * LINGER);
    stage.connection("connected");
    assert_eq!(stage.answers(0, token), [Some(codes::DOC_ALREADY_CREATED.to_owned())]);
}
