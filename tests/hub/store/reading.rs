//! What waits for documents that are read, and documents that can't be read.

use std::rc::Rc;

use serde_json::{Value, json};
use tabmux::hub::{QueryResults, UpstreamEvent};
use tabmux::protocol::{QuerySpec, StoreQuestion};
use tabmux::store::{RecordKey, StoreError, Write};
use tabmux::{Payload, codes};

use super::two_with_a_text;
use crate::stage::{LINGER, Stage, doc};

#[test]
fn while_a_document_is_read_what_comes_waits_in_order() {
    let mut stage = Stage::with_store(2);
    stage.seed(&doc("a"), "hello");
    stage.script.borrow_mut().calls.clear();
    stage.hold_disk();
    stage.subscribe(0, &doc("a"));
    stage.subscribe(1, &doc("b"));
    stage.fetch(0, &doc("c"));
    assert!(stage.hub.is_stalled());
    assert_eq!(stage.script.borrow().calls, [] as [&str; 0]);
    stage.release_disk();
    assert!(!stage.hub.is_stalled());
    assert_eq!(stage.disk().reads, [doc("a"), doc("b"), doc("c")]);
    let calls = stage.script.borrow().calls.clone();
    let asked = calls.iter().filter(|call| !call.contains("bulk"));
    assert_eq!(asked.collect::<Vec<_>>(), ["subscribe docs.a", "subscribe docs.b", "fetch docs.c"]);
    assert_eq!(stage.text(0, &doc("a")).as_deref(), Some("hello"));
}

#[test]
fn a_document_is_read_once_however_many_ask_for_it() {
    let (mut stage, id) = (Stage::with_store(2), doc("a"));
    stage.hold_disk();
    stage.subscribe(0, &id);
    stage.subscribe(1, &id);
    stage.release_disk();
    stage.fetch(0, &id);
    assert_eq!(stage.disk().reads, [id]);
}

#[test]
fn the_results_of_a_query_are_told_when_their_documents_were_read() {
    let (mut stage, id) = (Stage::with_store(1), doc("a"));
    stage.seed(&id, "hello");
    let (collection, query) = ("docs".to_owned(), Payload(json!({ "x": 1 })));
    let spec = QuerySpec { collection, query, options: None, subscribe: true };
    stage.tab(0, |tab, now| tab.query(spec, now));
    stage.hold_disk();
    stage.script.borrow_mut().load(&id);
    let found = QueryResults { docs: Some(vec![id.clone()]), extra: None };
    stage.script.borrow_mut().events.push_back(UpstreamEvent::QueryReady(1, Ok(found)));
    stage.settle();
    assert!(stage.hub.is_stalled());
    stage.release_disk();
    assert_eq!(stage.disk().reads, std::slice::from_ref(&id));
    assert_eq!(stage.text(0, &id).as_deref(), Some("hello"));
    assert!(stage.disk().stored(&id).checkpoint.is_some(), "results are kept, too");
}

#[test]
fn a_document_is_forgotten_once_it_is_written_and_read_when_it_is_wanted_again() {
    let (mut stage, id) = (Stage::with_store(1), doc("a"));
    stage.seed(&id, "hello");
    stage.hold_disk();
    stage.subscribe(0, &id);
    stage.step_disk();
    let key = stage.open(0, &id);
    stage.tab(0, |tab, now| tab.close(key, now));
    stage.run_for(5 * LINGER);
    assert_eq!(stage.hub.size().0, 1, "it is not written");
    stage.release_disk();
    stage.run_for(LINGER);
    assert_eq!(stage.hub.size(), (0, 0));
    stage.connection("disconnected");
    stage.subscribe(0, &id);
    assert_eq!(stage.disk().reads, [id.clone(), id.clone()]);
    assert_eq!(stage.text(0, &id).as_deref(), Some("hello"));
}

#[test]
fn no_document_is_forgotten_while_others_are_read() {
    let (mut stage, id) = (Stage::with_store(1), doc("a"));
    stage.seed(&id, "hello");
    stage.fetch(0, &id);
    let key = stage.open(0, &id);
    stage.tab(0, |tab, now| tab.close(key, now));
    stage.hold_disk();
    stage.subscribe(0, &doc("b"));
    stage.run_for(2 * LINGER);
    assert_eq!(stage.hub.size().0, 1, "what waits may be about it");
    stage.release_disk();
    assert_eq!(stage.hub.size().0, 1, "only what is subscribed");
    stage.subscribe(0, &id);
    assert_eq!(stage.text(0, &id).as_deref(), Some("hello"));
}

/// The events of this name that a tab was told of the store.
fn told(stage: &Stage, at: usize, name: &str) -> Vec<Value> {
    let events = stage.store_events(at).into_iter().filter(|(told, _)| *told == name);
    events.map(|(_, detail)| detail.clone()).collect()
}

#[test]
fn f15_a_damaged_document_is_reported_and_loaded_from_the_server_and_written_anew() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.disk().spoil(&id, RecordKey::Checkpoint);
    stage.replace_hub("connected");
    for at in 0..2 {
        let errors = told(&stage, at, "error");
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0]["code"], codes::STORE_DAMAGED);
        assert_eq!((&errors[0]["collection"], &errors[0]["id"]), (&json!("docs"), &json!("a")));
        assert_eq!(told(&stage, at, "lost"), [] as [Value; 0]);
    }
    stage.edit_outside(&id, json!(["oh "]));
    assert_eq!(stage.text(0, &id).as_deref(), Some("oh hello"));
    stage.replace_hub("disconnected");
    assert_eq!(told(&stage, 0, "error").len(), 1, "it is whole again");
    let tab = stage.join(crate::stage::settings("new"));
    stage.subscribe(tab, &id);
    assert_eq!(stage.text(tab, &id).as_deref(), Some("oh hello"));
}

#[test]
fn f15_an_op_whose_commit_is_among_the_intact_records_is_not_told_as_lost() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    let first = stage.disk().stored(&id).next;
    stage.edit(0, &id, json!(["oh "]));
    // The op, its name, its commit.
    assert_eq!(stage.disk().stored(&id).next, first + 3);
    stage.disk().spoil(&id, RecordKey::Entry(first + 1));
    stage.replace_hub("connected");
    assert_eq!(told(&stage, 0, "error").len(), 1);
    assert_eq!(told(&stage, 0, "lost"), [] as [Value; 0]);
}

#[test]
fn i3_a_committed_op_is_not_sent_again_after_its_commit_was_damaged() {
    for by_export in [false, true] {
        let (mut stage, id) = (two_with_a_text(), doc("a"));
        let first = stage.disk().stored(&id).next;
        stage.edit(0, &id, json!(["oh "]));
        stage.seats.clear();
        stage.disk().spoil(&id, RecordKey::Entry(first + 1));
        stage.replace_hub("disconnected");
        let tab = stage.join(crate::stage::settings("new"));
        if by_export {
            assert!(stage.disk().stored(&id).damage.is_some(), "a record is spoilt");
            let now = stage.now;
            stage.hub.damaged(id.clone(), now);
            stage.settle();
        } else {
            stage.subscribe(tab, &id);
        }
        assert_eq!(told(&stage, tab, "error").len(), 1);
        stage.seats.clear();
        stage.replace_hub("connected");
        let tab = stage.join(crate::stage::settings("newer"));
        stage.subscribe(tab, &id);
        assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("oh hello"));
        assert_eq!(stage.text(tab, &id).as_deref(), Some("oh hello"));
        assert_eq!(told(&stage, tab, "lost"), [] as [Value; 0]);
    }
}

#[test]
fn f15_a_hub_that_ends_before_it_has_set_damage_aside_leaves_it_to_the_next() {
    for reads in 1..3 {
        let (mut stage, id) = (two_with_a_text(), doc("a"));
        let first = stage.disk().stored(&id).next;
        stage.connection("disconnected");
        stage.edit(0, &id, json!(["oh "]));
        stage.edit(0, &id, json!(["ah "]));
        stage.disk().spoil(&id, RecordKey::Entry(first + 1));
        stage.seats.clear();
        for _ in 0..reads {
            // Without a tab it reads what is uncommitted, and writes nothing.
            stage.replace_hub("disconnected");
            assert_eq!(stage.disk().reads, std::slice::from_ref(&id));
        }
        let tab = stage.join(crate::stage::settings("new"));
        assert_eq!(told(&stage, tab, "error").len(), 1);
        let lost: Vec<Value> =
            told(&stage, tab, "lost").iter().map(|detail| detail["ops"].clone()).collect();
        assert_eq!(lost, [json!([{ "op": ["oh "] }])]);
        stage.seats.clear();
        stage.replace_hub("connected");
        let tab = stage.join(crate::stage::settings("newer"));
        stage.subscribe(tab, &id);
        assert_eq!(stage.text(tab, &id).as_deref(), Some("hello"));
        assert_eq!(told(&stage, tab, "error"), [] as [Value; 0], "it is whole again");
    }
}

#[test]
fn a_damaged_document_is_reported_to_the_first_tab_that_hears_of_it() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.disk().spoil(&id, RecordKey::Checkpoint);
    stage.seats.clear();
    stage.replace_hub("connected");
    let tab = stage.join(crate::stage::settings("deaf"));
    stage.open(tab, &id);
    stage.hold_disk();
    stage.subscribe(tab, &id);
    stage.go_unheard();
    assert_eq!(told(&stage, tab, "error"), [] as [Value; 0]);
    stage.seats.clear();
    for reports in [1, 0] {
        stage.replace_hub("connected");
        let tab = stage.join(crate::stage::settings("new"));
        stage.subscribe(tab, &id);
        assert_eq!(told(&stage, tab, "error").len(), reports);
        assert_eq!(stage.text(tab, &id).as_deref(), Some("hello"));
        stage.seats.clear();
    }
}

#[test]
fn what_could_not_be_set_aside_yet_is_in_the_next_transaction() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.connection("disconnected");
    stage.edit(0, &id, json!(["oh "]));
    stage.disk().spoil(&id, RecordKey::Checkpoint);
    stage.seats.clear();
    let quota = StoreError::Quota { name: "memory".to_owned() };
    stage.replace_hub("disconnected");
    stage.disk().disk.fail_next_commit(quota);
    stage.join(crate::stage::settings("new"));
    let transactions = stage.disk().transactions.len();
    stage.run_for(10_000);
    let sets_aside = |writes: &Rc<[Write]>| {
        let set_aside = Write::SetAside { doc: id.clone() };
        let at = writes.iter().position(|write| *write == set_aside);
        at.is_some_and(|at| matches!(writes[at + 1], Write::Checkpoint { .. }))
    };
    let later = stage.disk().transactions[transactions..].to_vec();
    assert_eq!(later.iter().filter(|it| sets_aside(it)).count(), 1);
}

#[test]
fn a_document_in_use_is_written_anew_if_somebody_else_finds_it_damaged() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    let first = stage.disk().stored(&id).next;
    stage.edit(0, &id, json!(["oh "]));
    stage.disk().spoil(&id, RecordKey::Entry(first + 1));
    let now = stage.now;
    stage.hub.damaged(id.clone(), now);
    stage.settle();
    stage.replace_hub("disconnected");
    assert_eq!(stage.text(0, &id).as_deref(), Some("oh hello"));
    assert_eq!(told(&stage, 0, "error"), [] as [Value; 0]);
    stage.connection("connected");
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("oh hello"));
}

#[test]
fn a_pinned_document_stays_pinned_when_its_records_are_damaged() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    let pin = StoreQuestion::Pin { doc: id.clone(), pinned: true };
    stage.tab(0, |tab, now| tab.ask_store(pin, now));
    stage.disk().spoil(&id, RecordKey::Checkpoint);
    stage.replace_hub("disconnected");
    assert!(stage.disk().info(&id).unwrap().pinned);
    assert_eq!(stage.disk().stored(&id).damage, None);
}

#[test]
fn a_document_that_could_not_be_read_is_stored_once_the_store_is_opened_again() {
    let (name, reason) = ("store".to_owned(), "no".to_owned());
    let closed = StoreError::Closed { name: name.clone(), reason: reason.clone() };
    for error in [closed, StoreError::Failed { name, reason }] {
        let (mut stage, id) = (Stage::with_store(1), doc("a"));
        stage.seed(&id, "hello");
        stage.hold_disk();
        stage.subscribe(0, &id);
        stage.disk().requests.clear();
        let now = stage.now;
        stage.hub.stored(id.clone(), Err(error), now);
        stage.hub.proceed(now);
        stage.release_disk();
        stage.hub.store_opened(Ok(Vec::new()), now);
        stage.settle();
        stage.edit(0, &id, json!(["oh "]));
        stage.replace_hub("disconnected");
        let tab = stage.join(crate::stage::settings("new"));
        stage.subscribe(tab, &id);
        assert_eq!(stage.text(tab, &id).as_deref(), Some("oh hello"));
    }
}

#[test]
fn nothing_is_written_of_a_damaged_document_that_was_read_as_its_store_was_cleared() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.disk().spoil(&id, RecordKey::Checkpoint);
    stage.seats.clear();
    stage.replace_hub("connected");
    let tab = stage.join(crate::stage::settings("new"));
    stage.hold_disk();
    stage.subscribe(tab, &id);
    let now = stage.now;
    stage.hub.stop_storing(now);
    stage.release_disk();
    assert_eq!(stage.text(tab, &id).as_deref(), Some("hello"));
    assert!(stage.disk().info(&id).is_some(), "it is not this hub's any more");
}
