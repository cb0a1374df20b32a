//! What a tab leaves that ends before the hub has heard it, and what becomes of it.

use serde_json::{Value, json};
use tabmux::codes;
use tabmux::ot::Op;
use tabmux::protocol::LastWords;
use tabmux::{Error, Payload};

use super::two_with_a_text;
use crate::stage::{Stage, doc, settings};

/// The tab ends, and the hub learns of it. Returns what the tab has left.
fn end(stage: &mut Stage, at: usize) -> Option<LastWords> {
    let words = stage.seats[at].tab.last_words();
    stage.seats.remove(at);
    let tab = words.as_ref().map(|words| words.tab.clone()).unwrap_or_default();
    stage.hub.tab_gone(&tab, stage.now);
    stage.settle();
    words
}

/// A tab passes on what another has left; how that request ended.
fn pass_on(stage: &mut Stage, at: usize, words: &LastWords) -> Option<Error> {
    let asked = stage.tab(at, |tab, now| tab.pass_on(words.clone(), now));
    stage.callback(at, asked).expect("it has an answer")
}

fn type_unsent(stage: &mut Stage, at: usize, op: Value) {
    stage.submit(at, &doc("a"), Op::Edit(Payload(op))).unwrap();
}

fn text(stage: &Stage) -> Option<String> {
    stage.script.borrow().text(&doc("a"))
}

fn lost(stage: &Stage, at: usize) -> Vec<(String, Value)> {
    let events = stage.store_events(at).into_iter().filter(|(name, _)| *name == "lost");
    let told = events.map(|(_, detail)| {
        (detail["error"]["code"].as_str().unwrap().to_owned(), detail["ops"].clone())
    });
    told.collect()
}

#[test]
fn what_the_hub_never_heard_is_committed_once_however_often_it_is_passed_on() {
    let mut stage = two_with_a_text();
    type_unsent(&mut stage, 0, json!(["oh "]));
    let words = end(&mut stage, 0).unwrap();
    assert_eq!(text(&stage).as_deref(), Some("hello"));
    for _ in 0..2 {
        assert_eq!(pass_on(&mut stage, 0, &words), None);
        assert_eq!(text(&stage).as_deref(), Some("oh hello"));
    }
    stage.replace_hub("connected");
    assert_eq!(pass_on(&mut stage, 0, &words), None);
    assert_eq!(text(&stage).as_deref(), Some("oh hello"));
    assert_eq!(lost(&stage, 0), []);
}

#[test]
fn what_the_hub_had_heard_is_not_done_again() {
    for is_gone in [false, true] {
        for crashes in [false, true] {
            let mut stage = two_with_a_text();
            type_unsent(&mut stage, 0, json!(["oh "]));
            stage.flush_unheard(0, &doc("a"));
            let words = stage.seats[0].tab.last_words().unwrap();
            stage.settle();
            if is_gone {
                end(&mut stage, 0);
                stage.hub.tab_gone("tab-0", stage.now);
            } else {
                stage.seats.remove(0);
            }
            stage.settle();
            if crashes {
                stage.replace_hub("connected");
            }
            assert_eq!(pass_on(&mut stage, 0, &words), None);
            assert_eq!(text(&stage).as_deref(), Some("oh hello"));
            assert_eq!(lost(&stage, 0), []);
        }
    }
}

#[test]
fn of_two_batches_only_that_is_done_which_the_hub_had_not_heard() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    type_unsent(&mut stage, 0, json!(["oh "]));
    stage.flush_unheard(0, &id);
    // After the first batch, as the tab has it.
    type_unsent(&mut stage, 0, json!([3, "my "]));
    let words = end(&mut stage, 0).unwrap();
    assert_eq!(words.docs[0].ops.len(), 2);
    stage.edit(0, &id, json!(["so, "]));
    assert_eq!(pass_on(&mut stage, 0, &words), None);
    assert_eq!(text(&stage).as_deref(), Some("so, oh my hello"));
    assert_eq!(stage.text(0, &id), text(&stage));
}

#[test]
fn a_tab_that_does_not_end_after_all_sends_the_same_as_it_has_left() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    type_unsent(&mut stage, 0, json!(["oh "]));
    stage.flush_unheard(0, &id);
    type_unsent(&mut stage, 0, json!([3, "my "]));
    let words = stage.seats[0].tab.last_words().unwrap();
    type_unsent(&mut stage, 0, json!([6, "dear "]));
    stage.rejoin(0);
    stage.flush(0, &id);
    assert_eq!(text(&stage).as_deref(), Some("oh my dear hello"));
    end(&mut stage, 0);
    stage.hub.tab_gone("tab-0", stage.now);
    assert_eq!(pass_on(&mut stage, 0, &words), None);
    assert_eq!(text(&stage).as_deref(), Some("oh my dear hello"));
}

#[test]
fn without_a_server_it_is_durable_as_if_the_tab_had_said_it() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.connection("disconnected");
    type_unsent(&mut stage, 0, json!(["oh "]));
    let words = end(&mut stage, 0).unwrap();
    stage.replace_hub("disconnected");
    assert_eq!(pass_on(&mut stage, 0, &words), None);
    assert_eq!(stage.text(0, &id).as_deref(), Some("oh hello"));
    stage.replace_hub("connected");
    assert_eq!(text(&stage).as_deref(), Some("oh hello"));
}

#[test]
fn what_finds_no_place_any_more_is_told_with_its_content() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    type_unsent(&mut stage, 0, json!(["oh "]));
    let words = end(&mut stage, 0).unwrap();
    stage.submit(0, &id, Op::Del).unwrap();
    stage.flush(0, &id);
    assert_eq!(pass_on(&mut stage, 0, &words), None);
    assert_eq!(lost(&stage, 0), [(codes::DOC_WAS_DELETED.to_owned(), json!([{ "op": ["oh "] }]))]);
    assert_eq!(pass_on(&mut stage, 0, &words), None);
    assert_eq!(lost(&stage, 0).len(), 1, "it is told once");
}

#[test]
fn what_was_left_by_a_tab_of_a_hub_that_could_not_write_is_told_as_lost_by_the_next() {
    let mut stage = two_with_a_text();
    type_unsent(&mut stage, 0, json!(["oh "]));
    let mut words = end(&mut stage, 0).unwrap();
    words.lineage += ", 7 alone";
    assert_eq!(pass_on(&mut stage, 0, &words), None);
    assert_eq!(lost(&stage, 0)[0].1, json!([{ "op": ["oh "] }]));
    assert_eq!(text(&stage).as_deref(), Some("hello"));
}

#[test]
fn a_hub_of_another_store_leaves_it_where_it_is() {
    let mut stage = two_with_a_text();
    type_unsent(&mut stage, 0, json!(["oh "]));
    let mut words = end(&mut stage, 0).unwrap();
    words.lineage = "another".to_owned();
    let refused = pass_on(&mut stage, 0, &words).unwrap();
    assert_eq!(refused.code_text().as_deref(), Some(codes::HUB_LOST));
    assert_eq!(lost(&stage, 0), []);
}

#[test]
fn nothing_is_left_that_the_hub_has_that_is_held_back_or_that_no_hub_would_take() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.edit(0, &id, json!(["oh "]));
    assert_eq!(stage.seats[0].tab.last_words(), None);
    let key = stage.open(0, &id);
    stage.tab(0, |tab, _| tab.set_paused(key, true));
    type_unsent(&mut stage, 0, json!(["no "]));
    assert_eq!(stage.seats[0].tab.last_words(), None);

    let mut stage = Stage::new(1);
    stage.seed(&id, "hello");
    stage.subscribe(0, &id);
    type_unsent(&mut stage, 0, json!(["oh "]));
    assert_eq!(stage.seats[0].tab.last_words(), None, "a hub without a store forgets");
}

#[test]
fn a_creation_that_was_left_is_told_as_lost_if_the_document_exists() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    let new = stage.join(settings("new"));
    let create = tabmux::ot::Create {
        type_name: crate::support::Text::URI.to_owned(),
        data: Some(Payload(json!("mine"))),
        snapshot: false,
    };
    stage.submit(new, &id, Op::Create(create)).unwrap();
    let words = end(&mut stage, new).unwrap();
    assert_eq!(pass_on(&mut stage, 0, &words), None);
    assert_eq!(lost(&stage, 0)[0].0, codes::DOC_ALREADY_CREATED);
    assert_eq!(text(&stage).as_deref(), Some("hello"));
}
