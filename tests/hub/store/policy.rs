//! What the store keeps, and for how long.

use serde_json::{Value, json};
use tabmux::hub::StoreRequest;
use tabmux::protocol::{DocId, StoreQuestion, StoreReply};
use tabmux::store::{MemoryDisk, StoreError};
use tabmux::tab::TabEvent;
use tabmux::{Payload, codes};

use super::two_with_a_text;
use crate::disk::Disk;
use crate::stage::{LINGER, Stage, create, doc, settings};

/// A tab asks the store. Returns the number of the request.
fn ask(stage: &mut Stage, question: StoreQuestion) -> u64 {
    stage.tab(0, |tab, now| tab.ask_store(question, now))
}

/// What the tab was answered.
fn reply(stage: &Stage, asked: u64) -> Option<StoreReply> {
    stage.seats[0].events.iter().find_map(|event| match event {
        TabEvent::StoreReply(reply) if reply.request == asked => Some(reply.clone()),
        _ => None,
    })
}

fn refusal(stage: &Stage, asked: u64) -> Option<String> {
    reply(stage, asked)?.error?.code_text()
}

fn pin(id: &DocId, pinned: bool) -> StoreQuestion {
    StoreQuestion::Pin { doc: id.clone(), pinned }
}

/// The tab lets go of a document, and so does the hub.
fn let_go(stage: &mut Stage, id: &DocId) {
    let key = stage.open(0, id);
    stage.tab(0, |tab, now| tab.close(key, now));
    stage.run_for(LINGER);
}

#[test]
fn documents_that_are_not_to_be_kept_are_neither_read_nor_written() {
    let mut stage = Stage::before_tabs(&MemoryDisk::default(), "connected");
    stage.hub.keep_only(Box::new(|id| id.id != "secret"));
    stage.join(settings("tab"));
    stage.join(settings("sibling"));
    for id in ["secret", "a"] {
        stage.seed(&doc(id), "hello");
        stage.subscribe(0, &doc(id));
        stage.subscribe(1, &doc(id));
        let token = stage.edit(0, &doc(id), json!(["oh "]));
        assert_eq!(stage.answers(0, token), [None]);
        assert_eq!(stage.text(1, &doc(id)).as_deref(), Some("oh hello"));
    }
    assert_eq!(stage.disk().reads, [doc("a")]);
    assert!(stage.disk().info(&doc("a")).is_some());
    assert_eq!(stage.disk().info(&doc("secret")), None);
}

#[test]
fn a_document_is_pinned_unless_it_is_not_kept() {
    let mut stage = Stage::before_tabs(&MemoryDisk::default(), "connected");
    stage.hub.keep_only(Box::new(|id| id.id != "secret"));
    stage.join(settings("tab"));
    stage.seed(&doc("a"), "hello");
    stage.fetch(0, &doc("a"));
    let asked = ask(&mut stage, pin(&doc("a"), true));
    assert_eq!(reply(&stage, asked).unwrap().error, None);
    assert!(stage.disk().info(&doc("a")).unwrap().pinned);
    ask(&mut stage, pin(&doc("a"), false));
    assert!(!stage.disk().info(&doc("a")).unwrap().pinned);
    let refused = ask(&mut stage, pin(&doc("secret"), true));
    assert_eq!(refusal(&stage, refused).as_deref(), Some(codes::STORE_EXCLUDED));
    assert_eq!(stage.disk().info(&doc("secret")), None);
}

#[test]
fn a_pin_is_answered_when_it_is_written() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.hold_disk();
    let asked = ask(&mut stage, pin(&id, true));
    assert_eq!(reply(&stage, asked), None);
    stage.release_disk();
    assert!(reply(&stage, asked).is_some());
}

#[test]
fn f15_a_pin_that_could_not_be_written_is_written_after_the_pause() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    for id in [&id, &doc("unknown")] {
        stage.disk().disk.fail_next_commit(StoreError::Quota { name: "memory".to_owned() });
        ask(&mut stage, pin(id, true));
        stage.run_for(1000);
        assert!(stage.disk().info(id).is_some_and(|info| info.pinned), "{id} is pinned");
    }
}

#[test]
fn f15_of_two_pins_the_last_counts() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.disk().disk.fail_next_commit(StoreError::Quota { name: "memory".to_owned() });
    ask(&mut stage, pin(&id, true));
    ask(&mut stage, pin(&id, false));
    stage.run_for(1000);
    assert!(!stage.disk().info(&id).unwrap().pinned);
}

#[test]
fn other_questions_go_to_the_owner_of_the_store() {
    let mut stage = two_with_a_text();
    let asked = ask(&mut stage, StoreQuestion::Inventory);
    let question = StoreRequest::Ask {
        tab: "tab-0".to_owned(),
        request: asked,
        question: StoreQuestion::Inventory,
    };
    assert_eq!(stage.disk().questions, [question]);
    stage.hub.answer("tab-0", asked, Ok(Some(Payload(json!("much")))), 0);
    stage.settle();
    assert_eq!(reply(&stage, asked).unwrap().answer, Some(Payload(json!("much"))));
}

#[test]
fn without_a_store_there_is_no_answer() {
    let mut stage = Stage::new(1);
    let asked = ask(&mut stage, StoreQuestion::Inventory);
    assert_eq!(refusal(&stage, asked).as_deref(), Some(codes::STORE_OFF));
}

#[test]
fn documents_are_evicted_unless_they_are_in_use() {
    let mut stage = two_with_a_text();
    stage.seed(&doc("b"), "world");
    stage.fetch(0, &doc("b"));
    let_go(&mut stage, &doc("b"));
    let now = stage.now;
    stage.hub.evict(vec![doc("a"), doc("b")], now);
    stage.settle();
    assert!(stage.disk().info(&doc("a")).is_some());
    assert_eq!(stage.disk().info(&doc("b")), None);
    let evicted = ("evicted", &json!([{ "collection": "docs", "id": "b" }]));
    assert_eq!(stage.store_events(0), [evicted]);
    assert_eq!(stage.store_events(1), [evicted]);
    stage.edit(0, &doc("a"), json!(["oh "]));
    stage.subscribe(0, &doc("b"));
    assert_eq!(stage.text(0, &doc("b")).as_deref(), Some("world"));
    assert!(stage.disk().info(&doc("b")).is_some(), "it is kept again");
    assert_eq!(stage.store_events(0), [evicted], "no transaction fails");
}

#[test]
fn documents_that_are_read_or_wait_for_the_first_tab_are_in_use() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.connection("disconnected");
    stage.edit(0, &id, json!(["oh "]));
    stage.seats.clear();
    stage.replace_hub("disconnected");
    stage.hub.evict(vec![id.clone()], 0);
    stage.settle();
    assert!(stage.disk().info(&id).unwrap().pending);
    stage.join(settings("new"));
    stage.hold_disk();
    stage.subscribe(0, &doc("b"));
    stage.hub.evict(vec![doc("b")], 0);
    stage.release_disk();
    assert_eq!(stage.store_events(0), []);
}

#[test]
fn a_document_that_is_wanted_again_while_it_is_evicted_is_written_anew() {
    let mut stage = two_with_a_text();
    stage.seed(&doc("b"), "world");
    stage.fetch(0, &doc("b"));
    let_go(&mut stage, &doc("b"));
    stage.hold_disk();
    // The eviction waits for this, and so comes after the document was read.
    stage.edit(0, &doc("a"), json!(["oh "]));
    let now = stage.now;
    stage.hub.evict(vec![doc("b")], now);
    stage.subscribe(0, &doc("b"));
    stage.release_disk();
    stage.edit(0, &doc("b"), json!(["oh "]));
    let evicted = ("evicted", &json!([{ "collection": "docs", "id": "b" }]));
    assert_eq!(stage.store_events(0), [evicted], "no transaction fails");
    assert!(stage.disk().info(&doc("b")).is_some());
}

#[test]
fn the_server_is_told_of_ops_that_nobody_came_back_for() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.connection("disconnected");
    stage.edit(0, &id, json!(["oh "]));
    stage.seats.clear();
    stage.replace_hub("connected");
    assert_eq!(stage.hub.uncommitted(), std::slice::from_ref(&id));
    stage.join(settings("new"));
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("oh hello"));
    assert_eq!(stage.hub.uncommitted(), []);
    assert!(!stage.disk().info(&id).unwrap().pending);
}

#[test]
fn nothing_is_stored_any_more_and_everything_else_goes_on() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.hub.stop_storing(0);
    stage.settle();
    let written = stage.disk().transactions.len();
    let token = stage.edit(0, &id, json!(["oh "]));
    stage.subscribe(0, &doc("b"));
    assert_eq!(stage.answers(0, token), [None]);
    assert_eq!(stage.text(1, &id).as_deref(), Some("oh hello"));
    assert_eq!(stage.disk().transactions.len(), written);
    let asked = ask(&mut stage, StoreQuestion::Inventory);
    assert_eq!(refusal(&stage, asked).as_deref(), Some(codes::STORE_OFF));
}

#[test]
fn nothing_is_stored_any_more_while_a_transaction_is_under_way() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.hold_disk();
    stage.edit(0, &id, json!(["oh "]));
    stage.edit(0, &id, json!(["well, "]));
    stage.hub.stop_storing(0);
    stage.release_disk();
    stage.run_for(60_000);
    assert_eq!(stage.text(1, &id).as_deref(), Some("well, oh hello"));
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("well, oh hello"));
}

#[test]
fn nothing_is_stored_any_more_of_a_document_that_was_just_read() {
    let (mut stage, id) = (two_with_a_text(), doc("b"));
    stage.seed(&id, "world");
    stage.hold_disk();
    stage.subscribe(0, &id);
    stage.hub.stop_storing(0);
    stage.release_disk();
    let written = stage.disk().transactions.len();
    stage.edit(0, &id, json!(["oh "]));
    assert_eq!(stage.text(0, &id).as_deref(), Some("oh world"));
    assert_eq!(stage.disk().transactions.len(), written);
    assert_eq!(stage.disk().info(&id), None);
}

#[test]
fn f23_everything_is_written_again_to_a_store_that_is_new() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.disk().disk.delete();
    stage.edit(0, &id, json!(["oh "]));
    let disk = Disk::new(&stage.disk().disk, "anew");
    stage.disk = Some(disk);
    let now = stage.now;
    stage.hub.store_opened(Ok(Vec::new()), now);
    stage.run_for(1000);
    stage.edit(0, &id, json!(["well, "]));
    stage.replace_hub("disconnected");
    let tab = stage.join(settings("new"));
    stage.subscribe(tab, &id);
    assert_eq!(stage.text(tab, &id).as_deref(), Some("well, oh hello"));
}

/// A tab holds a document that the store has, and that could not be read, as the store was closed.
fn one_that_was_not_read() -> Stage {
    let (mut stage, id) = (two_with_a_text(), doc("b"));
    stage.seed(&id, "world");
    stage.hold_disk();
    stage.subscribe(0, &id);
    stage.disk().requests.clear();
    let (name, reason) = ("the disk".to_owned(), "a test".to_owned());
    let now = stage.now;
    stage.hub.stored(id.clone(), Err(StoreError::Closed { name, reason }), now);
    stage.release_disk();
    assert_eq!(stage.text(0, &id).as_deref(), Some("world"));
    assert_eq!(stage.disk().info(&id), None);
    stage
}

#[test]
fn f15_a_document_that_was_not_read_is_written_once_the_store_is_open_again() {
    let (mut stage, id) = (one_that_was_not_read(), doc("b"));
    let now = stage.now;
    stage.hub.store_opened(Ok(Vec::new()), now);
    stage.run_for(1000);
    stage.edit(0, &id, json!(["oh "]));
    stage.replace_hub("disconnected");
    assert_eq!(stage.text(0, &id).as_deref(), Some("oh world"));
    let tab = stage.join(settings("new"));
    stage.subscribe(tab, &id);
    assert_eq!(stage.text(tab, &id).as_deref(), Some("oh world"));
}

#[test]
fn f15_uncommitted_ops_that_were_not_read_are_not_written_over() {
    let (mut stage, id) = (one_that_was_not_read(), doc("b"));
    let now = stage.now;
    stage.hub.store_opened(Ok(vec![id.clone()]), now);
    stage.edit(0, &id, json!(["oh "]));
    assert_eq!(stage.text(0, &id).as_deref(), Some("oh world"));
    assert_eq!(stage.disk().info(&id), None);
}

#[test]
fn a_document_was_used_as_long_as_a_tab_had_it_open() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    let used = |stage: &mut Stage| stage.disk().info(&id).unwrap().used;
    stage.run_for(60_000);
    stage.seats.clear();
    for tab in ["tab-0", "tab-1"] {
        stage.tab_gone(tab);
    }
    let ended = Some(stage.now);
    assert_eq!(used(&mut stage), ended, "the hub may end now");
    stage.run_for(60_000);
    assert_eq!(used(&mut stage), ended);
}

#[test]
fn a_document_that_is_open_for_long_is_used_although_nothing_happens_to_it() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.subscribe(0, &doc("b"));
    stage.submit(0, &doc("b"), create("b")).unwrap();
    stage.flush(0, &doc("b"));
    stage.run_for(60 * 60 * 1000);
    stage.edit(0, &doc("b"), json!(["oh "]));
    assert_eq!(stage.disk().info(&id).unwrap().used, Some(stage.now));
}

#[test]
fn what_happens_to_the_store_is_kept_for_the_first_tab() {
    let mut stage = Stage::before_tabs(&MemoryDisk::default(), "connected");
    stage.hub.tell_store_event("quota", Payload(json!(7)), 0);
    stage.settle();
    stage.join(settings("first"));
    stage.join(settings("second"));
    assert_eq!(stage.store_events(0), [("quota", &Value::from(7))]);
    assert_eq!(stage.store_events(1), []);
}
