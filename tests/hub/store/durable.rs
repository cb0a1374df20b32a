//! When what the hub does may be seen.

use serde_json::json;
use tabmux::codes;
use tabmux::hub::HubEvent;
use tabmux::protocol::StoreQuestion;
use tabmux::store::{StoreError, Write};
use tabmux::tab::TabEvent;

use super::two_with_a_text;
use crate::disk::Disk;
use crate::stage::{LINGER, Stage, doc};

/// Whether a tab was told that the hub has its ops.
fn is_sequenced(stage: &Stage, at: usize) -> bool {
    stage.seats[at].events.iter().any(|event| matches!(event, TabEvent::Sequenced { .. }))
}

#[test]
fn d2_nobody_sees_an_op_before_it_is_written() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.hold_disk();
    stage.edit(0, &id, json!(["oh "]));
    assert!(!is_sequenced(&stage, 0));
    assert_eq!(stage.text(1, &id).as_deref(), Some("hello"));
    stage.step_disk();
    assert!(is_sequenced(&stage, 0));
    assert_eq!(stage.text(1, &id).as_deref(), Some("oh hello"));
}

#[test]
fn d2_nothing_overtakes_what_waits_for_the_disk() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.hold_disk();
    stage.edit(0, &id, json!(["oh "]));
    let fetch = stage.fetch(1, &id);
    assert_eq!(stage.callback(1, fetch), None, "the answer would have the op");
    stage.release_disk();
    let told = stage.seats[1].events.iter().filter_map(|event| match event {
        TabEvent::Apply { .. } => Some("the op"),
        TabEvent::Callback { request, .. } if *request == fetch => Some("the answer"),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), ["the op", "the answer"]);
}

#[test]
fn d3_an_op_goes_to_the_server_when_its_name_is_written() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.hold_disk();
    stage.edit(0, &id, json!(["oh "]));
    assert_eq!(stage.script.borrow().released(), [] as [&str; 0]);
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("hello"));
    stage.step_disk();
    assert_eq!(stage.script.borrow().released(), ["client-1:1"]);
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("oh hello"));
}

#[test]
fn f14_d3_the_next_hub_sends_an_op_that_was_never_acknowledged_under_its_name() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.script.borrow_mut().is_mute = true;
    let token = stage.edit(0, &id, json!(["oh "]));
    assert_eq!(stage.answers(0, token), []);
    stage.script.borrow_mut().is_mute = false;
    stage.replace_hub("connected");
    let released = ["client-1:1", "client-1:1"];
    assert_eq!(stage.script.borrow().released(), released);
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("oh hello"), "committed once");
    assert_eq!(stage.answers(0, token), [None]);
}

#[test]
fn ops_that_come_at_once_share_a_transaction_and_the_next_ones_gather() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.subscribe(0, &doc("b"));
    stage.submit(0, &doc("b"), crate::stage::create("b")).unwrap();
    stage.flush(0, &doc("b"));
    stage.hold_disk();
    let before = stage.disk().transactions.len();
    for (at, word) in [(0, "one "), (1, "two "), (0, "three ")] {
        stage.edit(at, &id, json!([word]));
    }
    stage.edit(0, &doc("b"), json!(["four "]));
    assert_eq!(stage.disk().requests.len(), 1, "one transaction at a time");
    stage.step_disk();
    stage.step_disk();
    let docs: Vec<Vec<&str>> = stage.disk.as_ref().unwrap().transactions[before..]
        .iter()
        .map(|writes| writes.iter().map(|write| write.doc().id.as_str()).collect())
        .collect();
    assert_eq!(docs[0], ["a", "a"], "the op that came first, and its name");
    assert!(docs[1].contains(&"a") && docs[1].contains(&"b"), "{docs:?}");
}

fn quota() -> StoreError {
    StoreError::Quota { name: "memory".to_owned() }
}

#[test]
fn f15_what_could_not_be_written_is_seen_all_the_same_and_written_after_a_pause() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.events.clear();
    stage.disk().disk.fail_next_commit(quota());
    let token = stage.edit(0, &id, json!(["oh "]));
    assert_eq!(stage.store_events(1), [("quota", &json!({}))]);
    assert_eq!(stage.text(1, &id).as_deref(), Some("oh hello"));
    assert_eq!(stage.answers(0, token), [], "it waits for its name to be written");
    let tried = stage.disk().transactions.len();
    stage.edit(1, &id, json!(["well, "]));
    assert_eq!(stage.text(0, &id).as_deref(), Some("well, oh hello"));
    stage.run_for(999);
    assert_eq!(stage.disk().transactions.len(), tried, "nothing is written for a second");
    stage.run_for(1);
    assert_eq!(stage.answers(0, token), [None]);
    let last = stage.disk().transactions[tried..].to_vec();
    assert!(matches!(&last[0][0], Write::Checkpoint { doc, .. } if *doc == id), "{last:?}");
    stage.replace_hub("disconnected");
    let tab = stage.join(crate::stage::settings("new"));
    stage.fetch(tab, &id);
    assert_eq!(stage.text(tab, &id).as_deref(), Some("well, oh hello"));
}

#[test]
fn f15_a_transaction_that_was_given_up_and_is_written_after_all_doubles_nothing() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.hold_disk();
    let token = stage.edit(0, &id, json!(["oh "]));
    let late = StoreError::Failed { name: "memory".to_owned(), reason: "it is late".to_owned() };
    let now = stage.now;
    stage.hub.committed(Err(late), now);
    stage.disk().write_untold();
    let reopened = Disk::new(&stage.disk().disk, "unused");
    stage.disk = Some(reopened);
    stage.hub.store_opened(Ok(Vec::new()), now);
    stage.edit(1, &id, json!(["well, "]));
    stage.run_for(1000);
    assert_eq!(stage.answers(0, token), [None]);
    assert!(!stage.disk().info(&id).unwrap().pending);
    stage.connection("disconnected");
    stage.edit(0, &id, json!(["oh, "]));
    stage.replace_hub("connected");
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("oh, well, oh hello"));
    let failed = |event: &&HubEvent| matches!(event, HubEvent::Fenced(_));
    assert_eq!(stage.events.iter().find(failed), None);
}

/// How often a tab was told that its hub, and what only that knew, is lost.
fn losses(stage: &Stage, at: usize) -> usize {
    stage.seats[at].events.iter().filter(|event| **event == TabEvent::HubLost).count()
}

#[test]
fn f15_i1_what_was_seen_unwritten_is_lost_with_its_hub_and_the_tabs_are_told() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.connection("disconnected");
    stage.disk().disk.fail_next_commit(quota());
    let token = stage.edit(0, &id, json!(["oh "]));
    assert_eq!(stage.text(1, &id).as_deref(), Some("oh hello"));
    stage.replace_hub("connected");
    assert_eq!(stage.answers(0, token), [Some(codes::HUB_LOST.to_owned())]);
    stage.edit_outside(&id, json!(["well, "]));
    for at in 0..2 {
        assert_eq!(losses(&stage, at), 1);
        stage.subscribe(at, &id);
        assert_eq!(stage.text(at, &id).as_deref(), Some("well, hello"));
    }
}

#[test]
fn f15_once_everything_is_written_the_next_hub_goes_on_with_it() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.connection("disconnected");
    stage.disk().disk.fail_next_commit(quota());
    let token = stage.edit(0, &id, json!(["oh "]));
    stage.run_for(1000);
    stage.replace_hub("connected");
    assert_eq!(stage.answers(0, token), [None]);
    for at in 0..2 {
        assert_eq!(losses(&stage, at), 0);
        assert_eq!(stage.text(at, &id).as_deref(), Some("oh hello"));
    }
}

#[test]
fn f15_while_the_store_fails_a_tab_comes_back_to_its_hub_with_what_it_holds() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.disk().disk.fail_next_commit(quota());
    stage.edit(0, &id, json!(["oh "]));
    stage.rejoin(1);
    assert_eq!(losses(&stage, 1), 0);
    assert_eq!(stage.text(1, &id).as_deref(), Some("oh hello"));
    stage.run_for(1000);
    stage.rejoin(1);
    assert_eq!(losses(&stage, 1), 0);
}

#[test]
fn f15_the_pauses_double_until_something_is_written() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    let mut pauses = Vec::new();
    for _ in 0..8 {
        stage.disk().disk.fail_next_commit(quota());
        let (tried, began) = (stage.disk().transactions.len(), stage.now);
        if pauses.is_empty() {
            stage.edit(0, &id, json!(["oh "]));
        }
        while stage.disk().transactions.len() == tried {
            stage.run_for(500);
        }
        pauses.push(stage.now - began);
    }
    assert_eq!(pauses, [0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000]);
    stage.run_for(60_000);
    stage.disk().disk.fail_next_commit(quota());
    stage.edit(0, &id, json!(["oh "]));
    let tried = stage.disk().transactions.len();
    stage.run_for(1000);
    assert!(stage.disk().transactions.len() > tried, "the first pause is short again");
}

#[test]
fn f15_that_a_document_is_in_use_is_no_reason_to_write_during_a_pause() {
    let (mut stage, id, other) = (two_with_a_text(), doc("a"), doc("b"));
    stage.seed(&other, "world");
    stage.disk().disk.fail_next_commit(quota());
    stage.edit(0, &id, json!(["oh "]));
    for pause in [1000, 2000, 4000, 8000] {
        stage.disk().disk.fail_next_commit(quota());
        stage.run_for(pause);
    }
    let tried = stage.disk().transactions.len();
    stage.fetch(0, &other);
    stage.run_for(1);
    let key = stage.open(0, &other);
    stage.tab(0, |tab, now| tab.close(key, now));
    stage.run_for(15_998);
    assert_eq!(stage.disk().transactions.len(), tried);
    stage.run_for(1);
    assert!(stage.disk().info(&other).is_some());
}

#[test]
fn f15_the_pause_is_over_once_something_is_written() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.connection("disconnected");
    stage.disk().disk.fail_next_commit(quota());
    let token = stage.edit(0, &id, json!(["oh "]));
    let pin = StoreQuestion::Pin { doc: doc("b"), pinned: true };
    stage.tab(0, |tab, now| tab.ask_store(pin, now));
    stage.replace_hub("connected");
    assert_eq!(losses(&stage, 0), 0);
    assert_eq!(stage.answers(0, token), [None]);
}

#[test]
fn d1_of_a_hub_that_is_fenced_nothing_more_is_seen() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    let later = crate::disk::Disk::new(&stage.disk().disk, "later");
    stage.edit(0, &id, json!(["oh "]));
    let fenced = |event: &HubEvent| match event {
        HubEvent::Fenced(error) => error.code_text(),
        _ => None,
    };
    let codes: Vec<String> = stage.events.iter().filter_map(fenced).collect();
    assert_eq!(codes, ["ERR_TABMUX_STORE_FENCED"]);
    stage.edit(1, &id, json!(["well, "]));
    stage.run_for(10 * LINGER);
    assert!(!is_sequenced(&stage, 0) && !is_sequenced(&stage, 1));
    assert_eq!(stage.script.borrow().released(), [] as [&str; 0]);
    assert!(later.stored(&id).log.is_empty());
}

#[test]
fn d4_what_an_op_costs_does_not_depend_on_the_document() {
    let costs = [1_000, 10_000, 100_000].map(|length| {
        let (mut stage, id) = (Stage::with_store(1), doc("a"));
        stage.seed(&id, &"x".repeat(length));
        stage.subscribe(0, &id);
        let before = stage.disk().disk.bytes_written();
        for _ in 0..20 {
            stage.edit(0, &id, json!(["y"]));
        }
        stage.disk().disk.bytes_written() - before
    });
    assert_eq!(costs[0], costs[1]);
    assert_eq!(costs[0], costs[2]);
}

#[test]
fn d4_a_log_is_replaced_by_a_checkpoint_after_a_thousand_entries() {
    let (mut stage, id) = (Stage::with_store(1), doc("a"));
    stage.seed(&id, &"x".repeat(150_000));
    stage.subscribe(0, &id);
    let mut entries = vec![0];
    for _ in 0..400 {
        // An op is three entries: that it got its place, that it is sent, that it is committed.
        stage.edit(0, &id, json!(["y"]));
        entries.push(stage.disk().info(&id).unwrap().entries);
    }
    assert_eq!(entries.iter().max(), Some(&999));
    let replaced = entries.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert_eq!(replaced, 1);
}

#[test]
fn d4_while_a_tab_lags_the_changes_it_needs_are_not_written_again_every_thousand_entries() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    // Nothing reaches the tab, and so it says nothing.
    stage.seats[1].peer = u32::MAX;
    let mut most_entries = 0;
    for n in 0..1500 {
        stage.edit(0, &id, if n % 2 == 0 { json!(["y"]) } else { json!([{"d": 1}]) });
        most_entries = most_entries.max(stage.disk().info(&id).unwrap().entries);
    }
    assert!(stage.hub.size().1 >= 1500, "all changes are kept for it");
    assert!(most_entries > 1000, "{most_entries}");
}

#[test]
fn d4_a_log_is_replaced_by_a_checkpoint_when_it_is_the_larger_of_the_two() {
    let (mut stage, id) = (Stage::with_store(1), doc("a"));
    stage.seed(&id, "hello");
    stage.subscribe(0, &id);
    let long = "y".repeat(10_000);
    let mut largest = 0;
    for _ in 0..5 {
        stage.edit(0, &id, json!([long]));
        largest = largest.max(stage.disk().info(&id).unwrap().bytes);
    }
    assert!(stage.disk().info(&id).unwrap().entries > 10, "64 KiB are never too much");
    for _ in 0..3 {
        stage.edit(0, &id, json!([long]));
    }
    let info = stage.disk().info(&id).unwrap();
    assert!(info.entries < 6, "{info:?}, after {largest} bytes");
}
