//! The server has lost the ops since the version that the store has.

use serde_json::{Value, json};
use tabmux::protocol::DocId;

use super::two_with_a_text;
use crate::stage::{Stage, doc};

/// The hub goes online, and the server has only the state of this document.
fn come_back_too_late(stage: &mut Stage, id: &DocId, text: &str) {
    let (version, _) = stage.script.borrow().server[id].clone();
    stage.seed(id, text);
    stage.script.borrow_mut().server.get_mut(id).unwrap().0 = version + 5;
    stage.script.borrow_mut().forget_ops();
    stage.connection("connected");
}

fn lost(stage: &Stage, at: usize) -> Vec<Value> {
    let events = stage.store_events(at).into_iter().filter(|(name, _)| *name == "lost");
    events.map(|(_, detail)| detail.clone()).collect()
}

const MISSING: &str = "ERR_TEST_MISSING_OPS";

#[test]
fn ops_that_fit_are_kept() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.connection("disconnected");
    let token = stage.edit(0, &id, json!(["oh "]));
    come_back_too_late(&mut stage, &id, "quite another text");
    for at in 0..2 {
        assert_eq!(stage.text(at, &id).as_deref(), Some("oh quite another text"));
        assert_eq!(lost(&stage, at), [] as [Value; 0]);
    }
    assert_eq!(stage.answers(0, token), [None]);
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("oh quite another text"));
}

#[test]
fn ops_that_do_not_fit_are_told_with_their_content() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.connection("disconnected");
    let unfit = stage.edit(0, &id, json!([5, "!"]));
    let fit = stage.edit(1, &id, json!(["oh "]));
    come_back_too_late(&mut stage, &id, "x");
    for at in 0..2 {
        assert_eq!(stage.text(at, &id).as_deref(), Some("oh x"));
        let lost = lost(&stage, at);
        assert_eq!(lost.len(), 1, "{lost:?}");
        assert_eq!((&lost[0]["collection"], &lost[0]["id"]), (&json!("docs"), &json!("a")));
        assert_eq!(lost[0]["ops"], json!([{ "op": [5, "!"] }]));
        assert_eq!(lost[0]["error"]["code"], MISSING);
    }
    assert_eq!(stage.answers(0, unfit), [Some(MISSING.to_owned())]);
    assert_eq!(stage.answers(1, fit), [None]);
    assert_eq!(stage.hub.uncommitted(), []);
}

#[test]
fn an_op_that_may_have_been_committed_is_told_and_not_done_again() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.script.borrow_mut().is_mute = true;
    let token = stage.edit(0, &id, json!(["oh "]));
    stage.script.borrow_mut().is_mute = false;
    stage.connection("disconnected");
    come_back_too_late(&mut stage, &id, "oh hello");
    assert_eq!(lost(&stage, 1)[0]["ops"], json!([{ "op": ["oh "] }]));
    assert_eq!(stage.answers(0, token), [Some(MISSING.to_owned())]);
    assert_eq!(stage.text(0, &id).as_deref(), Some("oh hello"));
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("oh hello"));
}

#[test]
fn the_loss_outlives_the_hub_that_found_it() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.connection("disconnected");
    let token = stage.edit(0, &id, json!([5, "!"]));
    stage.replace_hub("disconnected");
    come_back_too_late(&mut stage, &id, "x");
    assert_eq!(stage.answers(0, token), [Some(MISSING.to_owned())]);
    stage.replace_hub("disconnected");
    assert_eq!(stage.hub.uncommitted(), []);
    let tab = stage.join(crate::stage::settings("new"));
    stage.subscribe(tab, &id);
    assert_eq!(stage.text(tab, &id).as_deref(), Some("x"));
}

#[test]
fn a_tab_that_is_subscribed_hears_of_changes_afterwards() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.replace_hub("disconnected");
    come_back_too_late(&mut stage, &id, "another");
    stage.edit_outside(&id, json!(["yet "]));
    for at in 0..2 {
        assert_eq!(stage.text(at, &id).as_deref(), Some("yet another"));
    }
}

/// A new tab comes to a hub that has yet to hear of the loss.
fn come_before(stage: &mut Stage) -> usize {
    stage.seats.clear();
    stage.replace_hub("connecting");
    stage.join(crate::stage::settings("new"))
}

#[test]
fn a_tab_that_subscribes_just_then_gets_what_was_loaded() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    let tab = come_before(&mut stage);
    let asked = stage.subscribe(tab, &id);
    come_back_too_late(&mut stage, &id, "another");
    assert_eq!(stage.callback(tab, asked), Some(None));
    stage.edit_outside(&id, json!(["yet "]));
    assert_eq!(stage.text(tab, &id).as_deref(), Some("yet another"));
}

#[test]
fn a_tab_that_fetches_just_then_gets_what_was_loaded() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    let tab = come_before(&mut stage);
    let asked = stage.fetch(tab, &id);
    come_back_too_late(&mut stage, &id, "another");
    assert_eq!(stage.callback(tab, asked), Some(None));
    assert_eq!(stage.text(tab, &id).as_deref(), Some("another"));
}
