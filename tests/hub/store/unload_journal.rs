//! What a tab leaves that ends before the hub has heard it, and what becomes of it.

use serde_json::{Value, json};
use tabmux::codes;
use tabmux::ot::Op;
use tabmux::protocol::ConnectionUnloadJournal;
use tabmux::{Error, Payload};

use super::two_with_a_text;
use crate::stage::{Stage, doc, settings};

/// The tab ends, and the hub learns of it. Returns what the tab has left.
fn end(stage: &mut Stage, at: usize) -> Option<ConnectionUnloadJournal> {
    let journal = stage.seats[at].tab.unload_journal();
    stage.seats.remove(at);
    let tab = journal.as_ref().map(|journal| journal.tab.clone()).unwrap_or_default();
    stage.tab_gone(&tab);
    stage.settle();
    journal
}

/// A tab passes on what another has left; how that request ended.
fn pass_on(stage: &mut Stage, at: usize, journal: &ConnectionUnloadJournal) -> Option<Error> {
    let asked = stage.tab(at, |tab, now| tab.pass_on(journal.clone(), now));
    stage.callback(at, asked).expect("it has an answer")
}

fn type_unsent(stage: &mut Stage, at: usize, op: Value) {
    stage.submit(at, &doc("a"), Op::Edit(Payload(op))).unwrap();
}

/// The hub has heard an op on a text that it does not store, and the tab nothing of that.
fn with_an_unheard_op_on_what_is_not_kept(another_has_it: bool) -> Stage {
    let (mut stage, id) = (Stage::with_store(2), doc("a"));
    stage.hub.keep_only(Box::new(|_| false));
    stage.seed(&id, "hello");
    stage.subscribe(0, &id);
    if another_has_it {
        stage.subscribe(1, &id);
    }
    type_unsent(&mut stage, 0, json!(["oh "]));
    stage.flush_unheard(0, &id);
    stage
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
    let journal = end(&mut stage, 0).unwrap();
    assert_eq!(text(&stage).as_deref(), Some("hello"));
    for _ in 0..2 {
        assert_eq!(pass_on(&mut stage, 0, &journal), None);
        assert_eq!(text(&stage).as_deref(), Some("oh hello"));
    }
    stage.replace_hub("connected");
    assert_eq!(pass_on(&mut stage, 0, &journal), None);
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
            let journal = stage.seats[0].tab.unload_journal().unwrap();
            stage.settle();
            if is_gone {
                end(&mut stage, 0);
                stage.tab_gone("tab-0");
            } else {
                stage.seats.remove(0);
            }
            stage.settle();
            if crashes {
                stage.replace_hub("connected");
            }
            assert_eq!(pass_on(&mut stage, 0, &journal), None);
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
    let journal = end(&mut stage, 0).unwrap();
    assert_eq!(journal.docs[0].ops.len(), 2);
    stage.edit(0, &id, json!(["so, "]));
    assert_eq!(pass_on(&mut stage, 0, &journal), None);
    assert_eq!(text(&stage).as_deref(), Some("so, oh my hello"));
    assert_eq!(stage.text(0, &id), text(&stage));
}

#[test]
fn what_is_passed_on_before_the_hub_knows_of_the_end_finds_its_place_among_later_ops() {
    for another_edits in [false, true] {
        let (mut stage, id) = (Stage::with_store(2), doc("a"));
        stage.seed(&id, "hello");
        stage.subscribe(0, &id);
        type_unsent(&mut stage, 0, json!(["oh "]));
        stage.flush_unheard(0, &id);
        type_unsent(&mut stage, 0, json!([3, "my "]));
        let journal = stage.seats[0].tab.unload_journal().unwrap();
        stage.seats.remove(0);
        stage.settle();
        if another_edits {
            stage.edit_outside(&id, json!(["so, "]));
        }
        assert_eq!(pass_on(&mut stage, 0, &journal), None);
        let expected = if another_edits { "so, oh my hello" } else { "oh my hello" };
        assert_eq!(text(&stage).as_deref(), Some(expected));
        assert_eq!(lost(&stage, 0), []);
    }
}

#[test]
fn what_a_tab_left_finds_its_place_though_it_never_came_back_to_the_present_hub() {
    for wait in [1000, 120_000] {
        let (mut stage, id) = (two_with_a_text(), doc("a"));
        stage.edit(0, &id, json!(["first "]));
        type_unsent(&mut stage, 0, json!([6, "oh "]));
        let journal = stage.seats[0].tab.unload_journal().unwrap();
        stage.seats.remove(0);
        stage.replace_hub("connected");
        stage.edit(0, &id, json!(["so, "]));
        stage.run_for(wait);
        stage.run_for(1);
        stage.tab_gone("tab-0");
        stage.settle();
        assert_eq!(pass_on(&mut stage, 0, &journal), None);
        assert_eq!(text(&stage).as_deref(), Some("so, first oh hello"), "after {wait} ms");
        assert_eq!(lost(&stage, 0), []);
    }
}

#[test]
fn of_a_document_that_is_not_kept_what_the_hub_had_heard_is_not_done_again_nor_told_as_lost() {
    for is_gone in [false, true] {
        for another_has_it in [false, true] {
            let mut stage = with_an_unheard_op_on_what_is_not_kept(another_has_it);
            let journal = stage.seats[0].tab.unload_journal().unwrap();
            stage.seats.remove(0);
            if is_gone {
                stage.tab_gone("tab-0");
            }
            stage.settle();
            for _ in 0..2 {
                assert_eq!(pass_on(&mut stage, 0, &journal), None);
            }
            assert_eq!(text(&stage).as_deref(), Some("oh hello"));
            assert_eq!(lost(&stage, 0), []);
        }
    }
}

#[test]
fn i3_what_is_passed_on_after_the_hub_forgot_its_document_is_told_as_lost() {
    for is_kept in [false, true] {
        let mut stage = with_an_unheard_op_on_what_is_not_kept(false);
        if is_kept {
            stage = Stage::with_store(2);
            stage.seed(&doc("a"), "hello");
            stage.subscribe(0, &doc("a"));
            type_unsent(&mut stage, 0, json!(["oh "]));
            stage.flush_unheard(0, &doc("a"));
        }
        let journal = end(&mut stage, 0).unwrap();
        for _ in 0..20 {
            stage.run_for(5000);
        }
        assert!(!stage.hub.holds(&doc("a")));
        let now = stage.now;
        stage.hub.evict(vec![doc("a")], now);
        stage.settle();
        stage.subscribe(0, &doc("a"));
        assert_eq!(pass_on(&mut stage, 0, &journal), None);
        assert_eq!(text(&stage).as_deref(), Some("oh hello"));
        assert_eq!(lost(&stage, 0).len(), 1, "nobody can tell any more");
    }
}

#[test]
fn i3_a_tab_that_comes_back_sends_nothing_twice_on_a_document_that_is_not_kept() {
    for another_has_it in [false, true] {
        let mut stage = with_an_unheard_op_on_what_is_not_kept(another_has_it);
        let (id, now) = (doc("a"), stage.now);
        let peer = std::mem::replace(&mut stage.seats[0].peer, u32::MAX);
        stage.hub.disconnected(peer, now);
        stage.settle();
        stage.rejoin(0);
        assert_eq!(text(&stage).as_deref(), Some("oh hello"));
        assert_eq!(stage.text(0, &id), text(&stage));
        assert_eq!(stage.answers(0, 1), [None]);
    }
}

#[test]
fn a_tab_that_lives_on_after_others_passed_on_what_it_left_hears_of_all_its_ops() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    type_unsent(&mut stage, 0, json!(["oh "]));
    stage.flush_unheard(0, &id);
    let second = stage.submit(0, &id, Op::Edit(Payload(json!([3, "my "])))).unwrap();
    let journal = stage.seats[0].tab.unload_journal().unwrap();
    let mut seat = stage.seats.remove(0);
    stage.tab_gone("tab-0");
    stage.settle();
    assert_eq!(pass_on(&mut stage, 0, &journal), None);
    seat.peer = u32::MAX;
    stage.seats.push(seat);
    stage.rejoin(1);
    stage.flush(1, &id);
    let later = stage.edit(1, &id, json!(["so, "]));
    assert_eq!(text(&stage).as_deref(), Some("so, oh my hello"));
    assert_eq!(stage.text(1, &id), text(&stage));
    assert_eq!(stage.answers(1, second), [None]);
    assert_eq!(stage.answers(1, later), [None]);
}

#[test]
fn a_creation_that_waited_for_the_server_when_its_tab_ended_is_told_as_lost_once() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.seats.clear();
    stage.replace_hub("disconnected");
    let first = stage.join(settings("first"));
    stage.join(settings("second"));
    stage.submit(first, &id, crate::stage::create("mine")).unwrap();
    stage.flush_unheard(first, &id);
    let journal = end(&mut stage, first).unwrap();
    assert!(pass_on(&mut stage, 0, &journal).is_some(), "it has no place yet");
    stage.connection("connected");
    for _ in 0..2 {
        assert_eq!(pass_on(&mut stage, 0, &journal), None);
        assert_eq!(lost(&stage, 0).len(), 1);
    }
}

#[test]
fn a_tab_that_does_not_end_after_all_sends_the_same_as_it_has_left() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    type_unsent(&mut stage, 0, json!(["oh "]));
    stage.flush_unheard(0, &id);
    type_unsent(&mut stage, 0, json!([3, "my "]));
    let journal = stage.seats[0].tab.unload_journal().unwrap();
    type_unsent(&mut stage, 0, json!([6, "dear "]));
    stage.rejoin(0);
    stage.flush(0, &id);
    assert_eq!(text(&stage).as_deref(), Some("oh my dear hello"));
    end(&mut stage, 0);
    stage.tab_gone("tab-0");
    assert_eq!(pass_on(&mut stage, 0, &journal), None);
    assert_eq!(text(&stage).as_deref(), Some("oh my dear hello"));
}

#[test]
fn without_a_server_it_is_durable_as_if_the_tab_had_said_it() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.connection("disconnected");
    type_unsent(&mut stage, 0, json!(["oh "]));
    let journal = end(&mut stage, 0).unwrap();
    stage.replace_hub("disconnected");
    assert_eq!(pass_on(&mut stage, 0, &journal), None);
    assert_eq!(stage.text(0, &id).as_deref(), Some("oh hello"));
    stage.replace_hub("connected");
    assert_eq!(text(&stage).as_deref(), Some("oh hello"));
}

#[test]
fn what_finds_no_place_any_more_is_told_with_its_content() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    type_unsent(&mut stage, 0, json!(["oh "]));
    let journal = end(&mut stage, 0).unwrap();
    stage.submit(0, &id, Op::Del).unwrap();
    stage.flush(0, &id);
    assert_eq!(pass_on(&mut stage, 0, &journal), None);
    assert_eq!(lost(&stage, 0), [(codes::DOC_WAS_DELETED.to_owned(), json!([{ "op": ["oh "] }]))]);
    assert_eq!(pass_on(&mut stage, 0, &journal), None);
    assert_eq!(lost(&stage, 0).len(), 1, "it is told once");
}

#[test]
fn what_was_left_by_a_tab_of_a_hub_that_could_not_write_is_told_as_lost_by_the_next() {
    let mut stage = two_with_a_text();
    type_unsent(&mut stage, 0, json!(["oh "]));
    let mut journal = end(&mut stage, 0).unwrap();
    journal.lineage += ", 7 alone";
    assert_eq!(pass_on(&mut stage, 0, &journal), None);
    assert_eq!(lost(&stage, 0)[0].1, json!([{ "op": ["oh "] }]));
    assert_eq!(text(&stage).as_deref(), Some("hello"));
}

#[test]
fn a_hub_of_another_store_leaves_it_where_it_is() {
    let mut stage = two_with_a_text();
    type_unsent(&mut stage, 0, json!(["oh "]));
    let mut journal = end(&mut stage, 0).unwrap();
    journal.lineage = "another".to_owned();
    let refused = pass_on(&mut stage, 0, &journal).unwrap();
    assert_eq!(refused.code_text().as_deref(), Some(codes::HUB_LOST));
    assert_eq!(lost(&stage, 0), []);
}

#[test]
fn nothing_is_left_that_the_hub_has_that_is_held_back_or_that_no_hub_would_take() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.edit(0, &id, json!(["oh "]));
    assert_eq!(stage.seats[0].tab.unload_journal(), None);
    let key = stage.open(0, &id);
    stage.tab(0, |tab, _| tab.set_paused(key, true));
    type_unsent(&mut stage, 0, json!(["no "]));
    assert_eq!(stage.seats[0].tab.unload_journal(), None);

    let mut stage = Stage::new(1);
    stage.seed(&id, "hello");
    stage.subscribe(0, &id);
    type_unsent(&mut stage, 0, json!(["oh "]));
    assert_eq!(stage.seats[0].tab.unload_journal(), None, "a hub without a store forgets");
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
    let journal = end(&mut stage, new).unwrap();
    assert_eq!(pass_on(&mut stage, 0, &journal), None);
    assert_eq!(lost(&stage, 0)[0].0, codes::DOC_ALREADY_CREATED);
    assert_eq!(text(&stage).as_deref(), Some("hello"));
}
