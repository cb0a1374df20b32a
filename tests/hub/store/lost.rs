//! Ops that can't be kept: what is told of them, and that they are not done after that.

use std::rc::Rc;

use serde_json::{Value, json};
use tabmux::store::RecordKey;
use tabmux::{Error, Payload, codes};

use super::two_with_a_text;
use crate::stage::{NoTypes, Stage, doc, settings};

const REFUSED: &str = "ERR_TEST_REFUSED";

/// What a tab was told is lost.
fn details(stage: &Stage, at: usize) -> Vec<&Value> {
    let events = stage.store_events(at).into_iter().filter(|(name, _)| *name == "lost");
    events.map(|(_, detail)| detail).collect()
}

/// The ops that a tab was told are lost.
fn lost(stage: &Stage, at: usize) -> Vec<Value> {
    details(stage, at).into_iter().map(|detail| detail["ops"].clone()).collect()
}

/// The tabs leave while an op of theirs can't be sent, and the server refuses it once it can.
fn refused_after_the_last_tab_has_left(stage: &mut Stage) {
    stage.connection("disconnected");
    stage.edit(0, &doc("a"), json!(["oh "]));
    stage.seats.clear();
    for tab in ["tab-0", "tab-1"] {
        stage.tab_gone(tab);
    }
    stage.settle();
    assert!(!stage.hub.is_drained());
    stage.script.borrow_mut().refusal = Some(Error::new(REFUSED, "no"));
    stage.connection("connected");
    assert!(stage.hub.is_drained());
}

#[test]
fn the_next_tab_of_the_hub_is_told_of_a_refusal_that_nobody_heard() {
    let mut stage = two_with_a_text();
    refused_after_the_last_tab_has_left(&mut stage);
    let tab = stage.join(settings("new"));
    assert_eq!(lost(&stage, tab), [json!([{ "op": ["oh "] }])]);
}

#[test]
fn the_first_tab_of_the_next_hub_is_told_of_a_refusal_that_nobody_heard() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    refused_after_the_last_tab_has_left(&mut stage);
    assert!(stage.disk().info(&id).unwrap().pending);
    stage.replace_hub("connected");
    let tab = stage.join(settings("new"));
    assert_eq!(lost(&stage, tab), [json!([{ "op": ["oh "] }])]);
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("hello"));
}

#[test]
fn the_store_keeps_what_was_lost_until_a_tab_has_heard_of_it() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    refused_after_the_last_tab_has_left(&mut stage);
    stage.hold_disk();
    stage.edit_outside(&id, json!(["well, "]));
    let tab = stage.join(settings("new"));
    stage.run_for(5000);
    assert_eq!(lost(&stage, tab).len(), 0, "it waits for the disk");
    stage.replace_hub("connected");
    assert_eq!(lost(&stage, tab).len(), 1);
    assert!(!stage.disk().info(&id).unwrap().pending);
    stage.replace_hub("connected");
    assert_eq!(lost(&stage, tab).len(), 1);
}

#[test]
fn what_waits_for_the_disk_is_told_to_a_tab_that_begins_another_session() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    refused_after_the_last_tab_has_left(&mut stage);
    stage.hold_disk();
    stage.edit_outside(&id, json!(["well, "]));
    let tab = stage.join(settings("new"));
    stage.rejoin(tab);
    stage.release_disk();
    let told = lost(&stage, tab);
    assert_eq!(told.first(), Some(&json!([{ "op": ["oh "] }])), "{told:?}");
}

#[test]
fn what_a_tab_that_is_gone_was_to_be_told_is_told_to_the_next() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    refused_after_the_last_tab_has_left(&mut stage);
    stage.hold_disk();
    stage.edit_outside(&id, json!(["well, "]));
    stage.join(settings("new"));
    let now = stage.now;
    stage.hub.tell_store_event("quota", Payload(json!(7)), now);
    stage.run_for(5000);
    stage.tab_gone("new");
    stage.seats.clear();
    stage.release_disk();
    stage.run_for(5000);
    let tab = stage.join(settings("newer"));
    let told = lost(&stage, tab);
    assert_eq!(told.first(), Some(&json!([{ "op": ["oh "] }])), "{told:?}");
    assert!(stage.store_events(tab).contains(&("quota", &json!(7))));
}

#[test]
fn what_was_lost_is_told_though_its_document_is_damaged_after_that() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    refused_after_the_last_tab_has_left(&mut stage);
    stage.edit_outside(&id, json!(["well, "]));
    let last = stage.disk().stored(&id).next - 1;
    stage.disk().spoil(&id, RecordKey::Entry(last));
    stage.replace_hub("connected");
    let tab = stage.join(settings("new"));
    assert_eq!(lost(&stage, tab), [json!([{ "op": ["oh "] }])]);
}

#[test]
fn f15_ops_of_a_damaged_document_are_told_with_their_content_and_not_committed_later() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.connection("disconnected");
    let first = stage.disk().stored(&id).next;
    for word in ["one ", "two ", "three "] {
        stage.edit(0, &id, json!([word]));
    }
    stage.disk().spoil(&id, RecordKey::Entry(first + 1));
    stage.seats.clear();
    stage.replace_hub("disconnected");
    let tab = stage.join(settings("new"));
    assert_eq!(lost(&stage, tab), [json!([{ "op": ["one "] }, { "op": ["three "] }])]);
    let detail = details(&stage, tab)[0];
    assert_eq!((&detail["collection"], &detail["id"]), (&json!("docs"), &json!("a")));
    assert_eq!(detail["error"]["code"], codes::STORE_DAMAGED);
    stage.run_for(1000);
    stage.replace_hub("connected");
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("hello"));
    assert_eq!(lost(&stage, tab).len(), 1);
}

#[test]
fn a_document_of_a_type_that_the_hub_lacks_is_left_as_it_is() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.connection("disconnected");
    stage.edit(0, &id, json!(["oh "]));
    let stored = stage.disk().stored(&id);
    stage.seats.clear();
    stage.replace_hub_with_types("disconnected", Rc::new(NoTypes));
    let tab = stage.join(settings("new"));
    let told: Vec<&Value> = stage.store_events(tab).into_iter().map(|(_, it)| it).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["code"], codes::TYPE_NOT_RECOGNIZED);
    assert_eq!(stage.disk().stored(&id), stored);
    stage.replace_hub("connected");
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("oh hello"));
}

#[test]
fn an_op_that_its_tab_knows_to_be_refused_is_not_sent_again_though_the_state_was_not_loaded() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.script.borrow_mut().refusal = Some(Error::new(REFUSED, "no"));
    stage.script.borrow_mut().stays_unloaded = true;
    let token = stage.edit(0, &id, json!(["oh "]));
    assert_eq!(stage.answers(0, token), [Some(REFUSED.to_owned())]);
    stage.replace_hub("connected");
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("hello"));
    assert_eq!(stage.answers(0, token).len(), 1);
}

/// The server has refused an op while the tab is there, and the document was loaded anew; the hub
/// ends before it hears which ops that cost.
fn hub_ends_in_a_hard_rollback(stage: &mut Stage) -> u64 {
    stage.connection("disconnected");
    let token = stage.edit(0, &doc("a"), json!(["oh "]));
    stage.script.borrow_mut().lose(&doc("a"));
    stage.script.borrow_mut().load(&doc("a"));
    stage.settle();
    assert_eq!(stage.answers(0, token), [], "it waits for its answer");
    token
}

#[test]
fn what_a_hard_rollback_dropped_is_told_though_hub_and_tab_ended_before_either_heard_of_it() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    hub_ends_in_a_hard_rollback(&mut stage);
    stage.seats.clear();
    stage.replace_hub("connected");
    let tab = stage.join(settings("new"));
    assert_eq!(lost(&stage, tab), [json!([{ "op": ["oh "] }])]);
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("hello"));
}

#[test]
fn a_tab_that_lives_is_answered_by_the_next_hub_what_a_hard_rollback_dropped() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    let token = hub_ends_in_a_hard_rollback(&mut stage);
    stage.replace_hub("connected");
    assert_eq!(stage.answers(0, token), [Some(codes::PENDING_OP_REMOVED.to_owned())]);
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("hello"));
}

#[test]
fn an_op_of_a_tab_that_is_gone_is_told_if_a_hard_rollback_dropped_it_just_before_the_hub_died() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.connection("disconnected");
    stage.edit(0, &id, json!(["oh "]));
    stage.seats.clear();
    for tab in ["tab-0", "tab-1"] {
        stage.tab_gone(tab);
    }
    stage.settle();
    stage.script.borrow_mut().stays_unloaded = true;
    stage.script.borrow_mut().lose(&id);
    let now = stage.now;
    stage.hub.store_opened(Ok(Vec::new()), now);
    stage.settle();
    assert!(stage.disk().info(&id).unwrap().pending);
    stage.replace_hub("connected");
    let tab = stage.join(settings("new"));
    assert_eq!(lost(&stage, tab), [json!([{ "op": ["oh "] }])]);
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("hello"));
}

#[test]
fn a_hub_that_still_reads_is_not_at_rest() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.connection("disconnected");
    stage.edit(0, &id, json!(["oh "]));
    stage.seats.clear();
    stage.replace_hub("disconnected");
    assert!(!stage.hub.is_drained(), "it has no connection yet");
    stage.join(settings("new"));
    stage.hold_disk();
    stage.connection("connected");
    assert!(!stage.hub.is_drained());
    stage.release_disk();
    assert!(stage.hub.is_drained());
}
