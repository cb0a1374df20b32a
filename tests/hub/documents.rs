use std::rc::Rc;

use serde_json::json;
use tabmux::hub::UpstreamEvent;
use tabmux::ot::{Op, Origin};
use tabmux::protocol::{DocId, Snapshot};
use tabmux::tab::TabEvent;
use tabmux::{Error, Payload};

use crate::stage::{LINGER, NoTypes, Stage, create, doc, settings};
use crate::support::{Copy, Text};

#[test]
fn a_document_the_hub_follows_is_loaded_without_the_server() {
    let (mut stage, id) = (Stage::new(2), doc("a"));
    stage.seed(&id, "hello");
    stage.subscribe(0, &id);
    stage.script.borrow_mut().calls.clear();
    let fetch = stage.fetch(1, &id);
    assert_eq!(stage.callback(1, fetch), Some(None));
    assert_eq!(stage.text(1, &id).as_deref(), Some("hello"));
    for call in ["fetch docs.a", "subscribe docs.a"] {
        assert_eq!(stage.script.borrow().count(call), 0);
    }
}

#[test]
fn a_state_that_has_changes_the_hub_is_yet_to_hear_of_is_not_changed_twice() {
    let (mut stage, id) = (Stage::new(2), doc("a"));
    stage.seed(&id, "hello");
    let edit = |text: &str| Op::Edit(Payload(json!([text])));
    stage.script.borrow_mut().edits_after_subscribing = vec![edit("1 "), edit("2 ")];
    stage.subscribe(0, &id);
    stage.subscribe(1, &id);
    stage.edit_outside(&id, json!(["3 "]));
    for at in 0..2 {
        assert_eq!(stage.text(at, &id).as_deref(), Some("3 2 1 hello"));
    }
}

#[test]
fn tabs_share_one_subscription_until_the_linger_after_the_last_of_them() {
    let (mut stage, id) = (Stage::new(3), doc("a"));
    stage.seed(&id, "hello");
    for at in 0..3 {
        stage.subscribe(at, &id);
    }
    assert_eq!(stage.script.borrow().count("subscribe docs.a"), 1);
    stage.edit_outside(&id, json!(["oh "]));
    for at in 0..3 {
        assert_eq!(stage.text(at, &id).as_deref(), Some("oh hello"));
    }
    for at in 0..3 {
        stage.run_for(2 * LINGER);
        assert_eq!(stage.script.borrow().count("unsubscribe docs.a"), 0);
        let key = stage.open(at, &id);
        stage.tab(at, |tab, now| tab.unsubscribe(key, now));
    }
    stage.run_for(LINGER - 1);
    assert_eq!(stage.script.borrow().count("unsubscribe docs.a"), 0);
    stage.run_for(1);
    assert_eq!(stage.script.borrow().count("unsubscribe docs.a"), 1);
}

#[test]
fn a_tab_that_comes_within_the_linger_finds_the_document_followed() {
    let (mut stage, id) = (Stage::new(2), doc("a"));
    stage.seed(&id, "hello");
    stage.subscribe(0, &id);
    let key = stage.open(0, &id);
    stage.tab(0, |tab, now| tab.close(key, now));
    stage.run_for(LINGER / 2);
    stage.subscribe(1, &id);
    stage.run_for(2 * LINGER);
    stage.edit_outside(&id, json!(["oh "]));
    assert_eq!(stage.text(1, &id).as_deref(), Some("oh hello"));
    assert_eq!(stage.script.borrow().count("subscribe docs.a"), 1);
    assert_eq!(stage.script.borrow().count("unsubscribe docs.a"), 0);
}

#[test]
fn a_document_nobody_holds_any_more_is_forgotten() {
    let (mut stage, id) = (Stage::new(1), doc("a"));
    stage.subscribe(0, &id);
    stage.tab_gone("tab-0");
    stage.run_for(LINGER);
    assert_eq!(stage.script.borrow().count("destroy docs.a"), 1);
    assert_eq!(stage.hub.size(), (0, 0));
}

#[test]
fn a_tab_that_only_fetched_hears_of_changes_when_it_fetches_again() {
    let (mut stage, id) = (Stage::new(2), doc("a"));
    stage.seed(&id, "hello");
    stage.fetch(0, &id);
    stage.subscribe(1, &id);
    stage.edit_outside(&id, json!(["oh "]));
    assert_eq!(stage.text(0, &id).as_deref(), Some("hello"));
    stage.fetch(0, &id);
    assert_eq!(stage.text(0, &id).as_deref(), Some("oh hello"));
    let key = stage.open(0, &id);
    let loads = |event: &&TabEvent| matches!(event, TabEvent::Load { doc, .. } if *doc == key);
    assert_eq!(stage.seats[0].events.iter().filter(loads).count(), 1, "then it gets the change");
}

#[test]
fn of_two_tabs_that_create_a_document_at_once_one_wins() {
    let (mut stage, id) = (Stage::new(2), doc("a"));
    for at in 0..2 {
        stage.subscribe(at, &id);
    }
    let first = stage.submit(0, &id, create("first")).unwrap();
    let second = stage.submit(1, &id, create("second")).unwrap();
    stage.flush(0, &id);
    stage.flush(1, &id);
    assert_eq!(stage.answers(0, first), [None]);
    assert_eq!(stage.answers(1, second), [Some("ERR_DOC_ALREADY_CREATED".to_owned())]);
    for at in 0..2 {
        assert_eq!(stage.text(at, &id).as_deref(), Some("first"));
    }
    assert_eq!(stage.script.borrow().count("submit to docs.a"), 1);
}

#[test]
fn an_op_on_a_document_that_is_loaded_anew_is_refused() {
    let (mut stage, id) = (Stage::new(1), doc("a"));
    stage.subscribe(0, &id);
    stage.script.borrow_mut().lose(&id);
    let token = stage.submit(0, &id, create("mine")).unwrap();
    stage.flush(0, &id);
    assert_eq!(stage.answers(0, token), [Some("ERR_DOC_IN_HARD_ROLLBACK".to_owned())]);
    assert_eq!(stage.script.borrow().count("submit to docs.a"), 0);
}

#[test]
fn a_followed_document_that_is_loaded_anew_is_there_once_it_is_loaded() {
    let (mut stage, id) = (Stage::new(3), doc("a"));
    stage.seed(&id, "hello");
    stage.subscribe(0, &id);
    stage.script.borrow_mut().lose(&id);
    let fetch = stage.fetch(1, &id);
    assert_eq!(stage.callback(1, fetch), Some(None));
    assert_eq!(stage.text(1, &id).as_deref(), Some("hello"));

    stage.script.borrow_mut().lose(&id);
    let subscribe = stage.subscribe(2, &id);
    assert_eq!(stage.callback(2, subscribe), Some(None));
    assert_eq!(stage.text(2, &id).as_deref(), Some("hello"));
}

#[test]
fn a_creation_of_a_type_the_hub_lacks_is_answered_with_sharedbs_error() {
    let (mut stage, id) = (Stage::with_types(2, Rc::new(NoTypes)), doc("a"));
    stage.script.borrow_mut().knows_no_types = true;
    let token = stage.submit(0, &id, create("mine")).unwrap();
    stage.flush(0, &id);
    assert_eq!(stage.answers(0, token), [Some("ERR_DOC_TYPE_NOT_RECOGNIZED".to_owned())]);
    assert_eq!(stage.text(0, &id), None);
    let fetch = stage.fetch(1, &id);
    assert_eq!(stage.callback(1, fetch), Some(None), "a sibling goes on");
}

#[test]
fn a_document_of_a_type_the_tab_lacks_is_told_with_sharedbs_error() {
    let (mut stage, id) = (Stage::new(1), doc("a"));
    let lacking = stage.join_with_types(settings("lacking"), Rc::new(NoTypes));
    let error = stage.submit(lacking, &id, create("mine")).unwrap_err();
    assert_eq!(error.code_text().as_deref(), Some("ERR_DOC_TYPE_NOT_RECOGNIZED"));
    stage.seed(&id, "hello");
    stage.subscribe(0, &id);
    stage.subscribe(lacking, &id);
    let error = stage.seats[lacking].events.iter().find_map(|event| match event {
        TabEvent::DocError { error, .. } => error.code_text(),
        _ => None,
    });
    assert_eq!(error.as_deref(), Some("ERR_DOC_TYPE_NOT_RECOGNIZED"));
    assert_eq!(stage.text(0, &id).as_deref(), Some("hello"), "a sibling reads it");
}

#[test]
fn many_documents_are_asked_of_the_server_at_once_and_only_those_the_hub_lacks() {
    let mut stage = Stage::new(2);
    let ids = [doc("a"), doc("b"), doc("c")];
    for (id, text) in ids.iter().zip(["one", "two", "three"]) {
        stage.seed(id, text);
    }
    stage.subscribe(0, &ids[1]);
    stage.script.borrow_mut().calls.clear();
    let keys = ids.each_ref().map(|id| stage.open(1, id));
    let request = stage.tab(1, |tab, now| tab.get_bulk(&keys, now));
    let calls = stage.script.borrow().calls.clone();
    assert_eq!(calls[..4], ["start bulk", "fetch docs.a", "fetch docs.c", "end bulk"]);
    assert_eq!(stage.callback(1, request), Some(None));
    for (id, text) in ids.iter().zip(["one", "two", "three"]) {
        assert_eq!(stage.text(1, id).as_deref(), Some(text));
    }
    let nothing = stage.tab(1, |tab, now| tab.get_bulk(&[], now));
    assert_eq!(stage.callback(1, nothing), Some(None), "no documents are soon brought");
}

#[test]
fn of_many_documents_that_are_asked_for_the_tab_may_let_one_go() {
    let (mut stage, ids) = (Stage::new(1), [doc("a"), doc("b")]);
    stage.seed(&ids[1], "two");
    let keys = ids.each_ref().map(|id| stage.open(0, id));
    let request = stage.tab(0, |tab, now| {
        let request = tab.get_bulk(&keys, now);
        tab.close(keys[0], now);
        request
    });
    assert_eq!(stage.callback(0, request), Some(None));
    assert_eq!(stage.text(0, &ids[1]).as_deref(), Some("two"));
}

#[test]
fn an_edit_reaches_the_siblings_at_once_and_its_callback_comes_with_the_server() {
    let (mut stage, id) = (Stage::new(2), doc("a"));
    stage.seed(&id, "hello");
    stage.subscribe(0, &id);
    stage.subscribe(1, &id);
    let token = stage.submit(0, &id, Op::Edit(Payload(json!([5, "!"])))).unwrap();
    stage.flush(0, &id);
    assert_eq!(stage.text(1, &id).as_deref(), Some("hello!"));
    assert_eq!(stage.answers(0, token), [None]);
    assert_eq!(stage.script.borrow().server[&id].0, 2);
}

#[test]
fn a_creation_that_failed_while_its_tab_had_no_session_leaves_nothing_behind() {
    let (mut stage, id) = (Stage::new(1), doc("a"));
    let token = stage.submit(0, &id, create("mine")).unwrap();
    stage.flush_unheard(0, &id);
    stage.script.borrow_mut().events.clear();
    stage.script.borrow_mut().lose(&id);
    stage.seed(&id, "theirs");
    stage.script.borrow_mut().load(&id);
    stage.rejoin(0);
    let origin = Origin { tab: "tab-0".to_owned(), op_id: 1 };
    let error = Error::new("ERR_DOC_ALREADY_CREATED", "Document already created");
    let all_committed = UpstreamEvent::Answered(id.clone(), origin, Some(error));
    stage.script.borrow_mut().events.push_back(all_committed);
    stage.settle();
    assert_eq!(stage.answers(0, token), [Some("ERR_DOC_ALREADY_CREATED".to_owned())]);
    assert_eq!(stage.text(0, &id).as_deref(), Some("theirs"));
}

#[test]
fn a_creation_that_waits_for_the_server_outlives_its_tab() {
    let (mut stage, id) = (Stage::new(2), doc("a"));
    stage.seed(&id, "theirs");
    stage.fetch(0, &id);
    let deleted = (2, crate::support::Copy::default());
    stage.script.borrow_mut().server.insert(id.clone(), deleted);
    stage.submit(1, &id, create("mine")).unwrap();
    stage.flush_unheard(1, &id);
    stage.tab_gone("tab-1");
    stage.settle();
    let text = stage.script.borrow().server[&id].1.data.clone();
    assert_eq!(text, Some(json!("mine")));
    let key = stage.open(0, &id);
    stage.tab(0, |tab, now| tab.close(key, now));
    stage.run_for(2 * LINGER);
    assert_eq!(stage.hub.size(), (0, 0), "the hub holds nothing for the tab that is gone");
}

#[test]
fn who_has_no_part_in_a_refused_op_keeps_the_document_though_its_reload_is_refused_as_well() {
    let (mut stage, id) = (Stage::new(2), doc("a"));
    stage.seed(&id, "hello");
    stage.subscribe(0, &id);
    stage.subscribe(1, &id);
    stage.script.borrow_mut().is_mute = true;
    stage.edit(0, &id, json!(["oh "]));
    assert_eq!(stage.text(1, &id).as_deref(), Some("oh hello"));
    // The server does not have it after all.
    stage.seed(&id, "hello");
    stage.script.borrow_mut().lose(&id);
    let origin = Origin { tab: "tab-0".to_owned(), op_id: 1 };
    let refused = Some(Error::new("ERR_TEST_REFUSED", "no"));
    let events =
        [UpstreamEvent::Unloaded(id.clone()), UpstreamEvent::Answered(id.clone(), origin, refused)];
    stage.script.borrow_mut().events.extend(events);
    stage.settle();
    assert_eq!(stage.text(1, &id).as_deref(), Some("hello"));
}

/// A tab has a state of version 1 by other means.
fn ingest(stage: &mut Stage, at: usize, id: &DocId) {
    let key = stage.open(at, id);
    let (type_name, data) = (Some(Text::URI.to_owned()), Some(json!("hello")));
    let copy = Copy { type_name: type_name.clone(), data: data.clone() };
    stage.seats[at].copies.insert(key, copy);
    let snapshot = Snapshot { version: Some(1), type_name, data: data.map(Payload) };
    let now = stage.now;
    stage.seats[at].tab.ingest(key, snapshot, now).expect("the type is known");
}

#[test]
fn an_edit_of_an_ingested_state_is_transformed_by_what_the_hub_has_beyond_it() {
    let (mut stage, id) = (Stage::new(2), doc("a"));
    stage.seed(&id, "hello");
    stage.subscribe(0, &id);
    stage.edit_outside(&id, json!([5, " you"]));
    stage.connection("disconnected");
    stage.edit(0, &id, json!(["oh "]));
    ingest(&mut stage, 1, &id);
    let token = stage.edit(1, &id, json!([5, "!"]));
    for at in 0..2 {
        assert_eq!(stage.text(at, &id).as_deref(), Some("oh hello! you"));
    }
    stage.connection("connected");
    assert_eq!(stage.answers(1, token), [None]);
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("oh hello! you"));
    assert_eq!(stage.script.borrow().count("fetch docs.a since 1"), 1);
}

#[test]
fn what_a_tab_has_ingested_is_told_again_if_its_session_ends_before_the_answer() {
    let (mut stage, id) = (Stage::new(2), doc("a"));
    stage.seed(&id, "hello");
    stage.subscribe(0, &id);
    stage.edit_outside(&id, json!([5, " you"]));
    ingest(&mut stage, 1, &id);
    stage.rejoin(1);
    let token = stage.edit(1, &id, json!([5, "!"]));
    assert_eq!(stage.answers(1, token), [None]);
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("hello! you"));
}

#[test]
fn an_edit_waits_for_what_becomes_of_a_deletion_that_its_tab_has_not_heard_of() {
    for is_refused in [true, false] {
        let (mut stage, id) = (Stage::new(2), doc("a"));
        stage.seed(&id, "hello");
        stage.subscribe(0, &id);
        stage.fetch(1, &id);
        stage.connection("disconnected");
        stage.submit(0, &id, Op::Del).expect("it is there");
        stage.flush(0, &id);
        let token = stage.edit(1, &id, json!(["oh "]));
        assert_eq!(stage.answers(1, token), []);
        let refusal = is_refused.then(|| Error::new("ERR_TEST_REFUSED", "no"));
        stage.script.borrow_mut().refusal = refusal;
        stage.connection("connected");
        let (answer, text) = match is_refused {
            true => (None, Some("oh hello")),
            false => (Some("ERR_DOC_WAS_DELETED".to_owned()), None),
        };
        assert_eq!(stage.answers(1, token), [answer]);
        assert_eq!(stage.script.borrow().text(&id).as_deref(), text);
    }
}
