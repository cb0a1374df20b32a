//! What the hub drops of its store, and what it does if that is full or closes.

use serde_json::json;
use tabmux::hub::{HubEvent, Room};
use tabmux::protocol::StoreQuestion;
use tabmux::store::StoreError;

use super::two_with_a_text;
use crate::stage::{LINGER, Stage, doc, settings};

const FULL: Room = Room { usage: Some(95), quota: Some(100) };

/// Two tabs have the text `a` open; the store has `b` as well, which nobody uses.
fn one_in_use_and_one_not() -> Stage {
    let mut stage = two_with_a_text();
    stage.seed(&doc("b"), "world");
    stage.fetch(0, &doc("b"));
    let key = stage.open(0, &doc("b"));
    stage.tab(0, |tab, now| tab.close(key, now));
    stage.run_for(LINGER);
    assert!(stage.disk().info(&doc("b")).is_some());
    stage
}

/// The tabs that there are, by their Web Locks.
fn await_tabs(stage: &mut Stage, tabs: &[&str]) {
    let tabs: Vec<String> = tabs.iter().map(|&tab| tab.to_owned()).collect();
    let now = stage.now;
    stage.hub.await_tabs(&tabs, now);
    stage.settle();
}

fn has_b(stage: &mut Stage) -> bool {
    stage.disk().info(&doc("b")).is_some()
}

#[test]
fn f15_a_device_that_is_nearly_full_is_told_once_and_relieved_of_what_nobody_uses() {
    let mut stage = one_in_use_and_one_not();
    stage.disk().room = FULL;
    await_tabs(&mut stage, &["tab-0", "tab-1"]);
    let quota = json!({"usage": 95, "quota": 100});
    let evicted = json!([{"collection": "docs", "id": "b"}]);
    assert_eq!(stage.store_events(0), [("quota", &quota), ("evicted", &evicted)]);
    assert!(!has_b(&mut stage));
    assert!(stage.disk().info(&doc("a")).is_some(), "it is in use");
    for _ in 0..1000 {
        stage.edit(0, &doc("a"), json!(["x"]));
    }
    assert_eq!(stage.store_events(0).len(), 2, "it is still full");
}

#[test]
fn f15_a_transaction_without_room_makes_the_store_drop_all_that_nobody_uses() {
    let mut stage = one_in_use_and_one_not();
    await_tabs(&mut stage, &[]);
    assert!(has_b(&mut stage));
    stage.disk().disk.fail_next_commit(StoreError::Quota { name: "memory".to_owned() });
    stage.edit(0, &doc("a"), json!(["oh "]));
    stage.run_for(1000);
    assert!(!has_b(&mut stage));
    assert!(stage.disk().info(&doc("a")).is_some(), "it is in use");
}

#[test]
fn what_the_store_holds_is_not_listed_without_a_reason() {
    let mut stage = one_in_use_and_one_not();
    stage.disk().room = Room { usage: Some(50), quota: Some(100) };
    await_tabs(&mut stage, &[]);
    assert_eq!(stage.disk().inventories, 0);
    assert_eq!(stage.store_events(0), []);
}

/// The hub of `one_in_use_and_one_not` is replaced, on a full device, while a tab is not back.
fn full_while_a_tab_is_awaited() -> Stage {
    let mut stage = one_in_use_and_one_not();
    stage.replace_hub("connected");
    stage.disk().room = FULL;
    await_tabs(&mut stage, &["tab-0", "tab-1", "elsewhere"]);
    assert!(stage.events.contains(&HubEvent::Expected { tab: "elsewhere".to_owned() }));
    stage.run_for(30_000);
    assert!(has_b(&mut stage));
    stage
}

#[test]
fn nothing_is_dropped_before_the_tabs_of_the_earlier_hub_are_back_or_a_minute_has_passed() {
    let mut stage = full_while_a_tab_is_awaited();
    stage.run_for(29_999);
    assert!(has_b(&mut stage));
    stage.run_for(1);
    assert!(!has_b(&mut stage));
}

#[test]
fn nothing_is_dropped_that_a_tab_takes_again_as_it_comes_back() {
    let mut stage = full_while_a_tab_is_awaited();
    let back = stage.join(settings("elsewhere"));
    stage.subscribe(back, &doc("b"));
    stage.run_for(200);
    assert!(has_b(&mut stage));
    assert_ne!(stage.store_events(0), [], "the device is full");
}

#[test]
fn documents_are_dropped_soon_after_the_last_tab_that_was_awaited_is_gone() {
    let mut stage = full_while_a_tab_is_awaited();
    stage.tab_gone("elsewhere");
    stage.run_for(200);
    assert!(!has_b(&mut stage));
}

fn closed() -> StoreError {
    StoreError::Closed { name: "memory".to_owned(), reason: "a test".to_owned() }
}

#[test]
fn f15_a_store_that_closes_is_told_and_opened_again() {
    let mut stage = two_with_a_text();
    let (epoch, now) = (stage.disk().opened.epoch, stage.now);
    stage.hub.store_closed(closed(), now);
    stage.settle();
    assert!(stage.disk().opened.epoch > epoch);
    assert_eq!(stage.store_events(0)[0].0, "error");
    stage.edit(0, &doc("a"), json!(["oh "]));
    assert_eq!(stage.store_events(0).len(), 1, "it is written");
}

#[test]
fn f15_a_store_that_does_not_open_is_tried_again_when_it_is_needed() {
    let mut stage = two_with_a_text();
    let (epoch, now) = (stage.disk().opened.epoch, stage.now);
    let blocked = StoreError::Blocked { name: "memory".to_owned() };
    stage.disk().disk.fail_next_open(blocked);
    stage.disk().disk.end_sessions("a test");
    stage.hub.store_closed(closed(), now);
    stage.settle();
    assert_eq!(stage.disk().opened.epoch, epoch);
    stage.edit(0, &doc("a"), json!(["oh "]));
    assert!(stage.disk().opened.epoch > epoch);
    stage.run_for(60_000);
    assert!(!stage.hub.is_behind());
}

#[test]
fn f15_a_store_that_does_not_answer_is_opened_again() {
    let mut stage = two_with_a_text();
    stage.hold_disk();
    stage.edit(0, &doc("a"), json!(["oh "]));
    stage.disk().requests.clear();
    let (epoch, now) = (stage.disk().opened.epoch, stage.now);
    let late = StoreError::Unanswered { name: "memory".to_owned(), seconds: 10 };
    stage.hub.committed(Err(late), now);
    stage.release_disk();
    assert!(stage.disk().opened.epoch > epoch);
    stage.run_for(1000);
    assert!(!stage.hub.is_behind());
}

#[test]
fn d1_a_store_that_another_hub_has_opened_meanwhile_is_that_hubs() {
    let mut stage = two_with_a_text();
    let fenced = StoreError::Fenced { epoch: 1, current: 2 };
    stage.disk().disk.fail_next_open(fenced.clone());
    let now = stage.now;
    stage.hub.store_closed(closed(), now);
    stage.settle();
    assert!(stage.events.contains(&HubEvent::Fenced(fenced.into())));
}

#[test]
fn f15_what_the_store_lacks_is_written_as_soon_as_a_transaction_succeeds() {
    let mut stage = one_in_use_and_one_not();
    stage.subscribe(0, &doc("b"));
    stage.disk().disk.fail_next_commit(StoreError::Quota { name: "memory".to_owned() });
    stage.edit(0, &doc("a"), json!(["oh "]));
    assert!(stage.hub.is_behind());
    stage.run_for(500);
    // What a tab asks for is written at once.
    let pin = StoreQuestion::Pin { doc: doc("b"), pinned: true };
    stage.tab(0, |tab, now| tab.ask_store(pin, now));
    assert!(!stage.hub.is_behind());
}
