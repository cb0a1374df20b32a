//! What a hub knows of the one before it.

use serde_json::{Value, json};
use tabmux::hub::HubEvent;
use tabmux::ot::{Op, Replica};
use tabmux::store::{MemoryDisk, RecordKey};
use tabmux::tab::TabEvent;
use tabmux::transports::Frame;
use tabmux::{Error, Payload, codes, to_value};

use super::two_with_a_text;
use crate::disk::Disk;
use crate::stage::{LINGER, Seat, Stage, create, doc, guarantees, settings};

fn count(stage: &Stage, at: usize, is: impl Fn(&TabEvent) -> bool) -> usize {
    stage.seats[at].events.iter().filter(|event| is(event)).count()
}

#[test]
fn l3_a_tab_goes_on_with_what_it_holds() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.edit(0, &id, json!(["oh "]));
    stage.replace_hub("connected");
    stage.edit_outside(&id, json!(["well, "]));
    for at in 0..2 {
        assert_eq!(stage.text(at, &id).as_deref(), Some("well, oh hello"));
        assert_eq!(count(&stage, at, |event| *event == TabEvent::HubLost), 0);
        assert_eq!(count(&stage, at, |event| matches!(event, TabEvent::Load { .. })), 1);
    }
    assert_eq!(stage.script.borrow().count("subscribe docs.a"), 2, "once for each hub");
}

#[test]
fn a_tab_that_missed_changes_of_the_lost_hub_is_sent_them() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.hold_disk();
    stage.edit(0, &id, json!(["oh "]));
    stage.go_unheard();
    assert_eq!(stage.text(1, &id).as_deref(), Some("hello"));
    stage.replace_hub("disconnected");
    assert_eq!(stage.text(1, &id).as_deref(), Some("oh hello"));
    assert_eq!(count(&stage, 1, |event| matches!(event, TabEvent::Load { .. })), 1);
}

#[test]
fn with_another_store_the_tab_has_lost_its_hub() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.disk = Some(Disk::new(&MemoryDisk::default(), "another"));
    stage.replace_hub("connected");
    assert_eq!(count(&stage, 0, |event| *event == TabEvent::HubLost), 1);
    assert_eq!(stage.text(0, &id).as_deref(), Some("hello"));
}

#[test]
fn edits_made_since_the_state_came_again_outlive_the_fetch_for_it() {
    let mut lost = Stage::new(1);
    lost.seed(&doc("a"), "hello");
    lost.fetch(0, &doc("a"));
    lost.connection("disconnected");
    // Of the next hub the tab asks these again, before it can ask for what it has lost.
    lost.fetch(0, &doc("a"));
    lost.fetch(0, &doc("b"));

    let disk = MemoryDisk::default();
    Disk::new(&disk, "another");
    let mut stage = Stage::before_tabs(&disk, "connected");
    stage.join(settings("sibling"));
    stage.seed(&doc("a"), "hello");
    stage.subscribe(0, &doc("a"));
    stage.hold_disk();
    stage.seats.extend(lost.seats.pop());
    stage.rejoin(1);
    assert_eq!(stage.text(1, &doc("a")).as_deref(), Some("hello"));
    // The hub has yet to read the other document; what came after waits.
    let tokens = ["oh ", "well, "].map(|word| stage.edit(1, &doc("a"), json!([word])));
    stage.edit_outside(&doc("a"), json!(["yes, "]));
    stage.release_disk();
    for token in tokens {
        assert_eq!(stage.answers(1, token), [None]);
    }
    for at in 0..2 {
        assert_eq!(stage.text(at, &doc("a")).as_deref(), Some("well, oh yes, hello"));
    }
}

#[test]
fn i3_an_op_that_was_not_written_is_sent_again() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.hold_disk();
    let token = stage.edit(0, &id, json!(["oh "]));
    stage.replace_hub("connected");
    assert_eq!(stage.answers(0, token), [None]);
    for at in 0..2 {
        assert_eq!(stage.text(at, &id).as_deref(), Some("oh hello"));
    }
}

#[test]
fn i3_an_op_that_was_written_is_not_taken_again() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.hold_disk();
    let token = stage.edit(0, &id, json!(["oh "]));
    stage.disk().write_untold();
    stage.replace_hub("connected");
    assert_eq!(stage.script.borrow().released(), ["client-1:1"], "it is sent by the second hub");
    assert_eq!(stage.answers(0, token), [None]);
    for at in 0..2 {
        assert_eq!(stage.text(at, &id).as_deref(), Some("oh hello"));
    }
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("oh hello"));
}

#[test]
fn an_op_whose_commit_was_written_is_answered_once() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.hold_disk();
    let token = stage.edit(0, &id, json!(["oh "]));
    stage.step_disk();
    stage.disk().write_untold();
    assert_eq!(stage.answers(0, token), []);
    stage.replace_hub("disconnected");
    assert_eq!(stage.answers(0, token), [None]);
    stage.connection("connected");
    assert_eq!(stage.answers(0, token), [None]);
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("oh hello"));
}

#[test]
fn ops_that_wait_for_the_server_are_answered_once_by_the_next_hub() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.connection("disconnected");
    let tokens = ["one ", "two ", "three "].map(|word| stage.edit(0, &id, json!([word])));
    stage.replace_hub("disconnected");
    assert_eq!(stage.hub.uncommitted(), std::slice::from_ref(&id));
    let last = stage.edit(0, &id, json!(["four "]));
    stage.connection("connected");
    for token in [tokens[0], tokens[1], tokens[2], last] {
        assert_eq!(stage.answers(0, token), [None]);
    }
    assert_eq!(stage.hub.uncommitted(), []);
    let text = Some("four three two one hello");
    assert_eq!(stage.script.borrow().text(&id).as_deref(), text);
    assert_eq!(stage.text(1, &id).as_deref(), text);
}

#[test]
fn an_op_that_was_refused_stays_refused() {
    let (mut stage, id) = (Stage::with_store(2), doc("a"));
    stage.subscribe(0, &id);
    stage.subscribe(1, &id);
    stage.hold_disk();
    stage.submit(0, &id, create("first")).unwrap();
    let second = stage.submit(1, &id, create("second")).unwrap();
    stage.flush(0, &id);
    stage.flush(1, &id);
    stage.go_unheard();
    assert_eq!(stage.answers(1, second), []);
    stage.replace_hub("disconnected");
    assert_eq!(stage.answers(1, second), [Some("ERR_DOC_ALREADY_CREATED".to_owned())]);
    assert_eq!(stage.text(1, &id).as_deref(), Some("first"));
}

#[test]
fn what_the_server_refused_stays_refused() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.hold_disk();
    stage.script.borrow_mut().refusal = Some(Error::new("ERR_TEST_REFUSED", "no"));
    let token = stage.edit(0, &id, json!(["oh "]));
    stage.step_disk();
    stage.disk().write_untold();
    assert_eq!(stage.answers(0, token), []);
    stage.replace_hub("disconnected");
    assert_eq!(stage.answers(0, token), [Some("ERR_TEST_REFUSED".to_owned())]);
    for at in 0..2 {
        assert_eq!(stage.text(at, &id).as_deref(), Some("hello"));
    }
}

#[test]
fn of_a_document_that_is_not_kept_nobody_can_say_what_became_of_an_op() {
    let mut stage = Stage::before_tabs(&MemoryDisk::default(), "connected");
    stage.hub.keep_only(Box::new(|_| false));
    let (tab, id) = (stage.join(settings("tab")), doc("a"));
    stage.seed(&id, "hello");
    stage.subscribe(tab, &id);
    stage.script.borrow_mut().is_mute = true;
    let unacknowledged = stage.edit(tab, &id, json!(["oh "]));
    let unheard = stage.submit(tab, &id, Op::Edit(Payload(json!(["well, "])))).unwrap();
    stage.flush_unheard(tab, &id);
    stage.script.borrow_mut().is_mute = false;
    stage.replace_hub_that_keeps_nothing("connected");
    for token in [unacknowledged, unheard] {
        assert_eq!(stage.answers(tab, token), [Some(codes::HUB_LOST.to_owned())]);
    }
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("oh hello"));
}

/// What `tab-1` says that comes back to a hub of this lineage, in one frame.
fn resuming(lineage: &str, held: Value) -> Frame {
    let hello = json!({
        "request": 1, "tab": "tab-1", "identity": "someone", "protocol": 1, "codec": "json",
        "resume": lineage,
    });
    let messages = json!([
        { "type": "hello", "body": hello },
        { "type": "connection.resume", "body": { "docs": [held] } },
    ]);
    let frame = json!({ "session": 9, "layers": [], "packet": { "messages": messages } });
    Frame::Text(frame.to_string())
}

/// What the hub says of the first op of `tab-1`, which comes back and awaits it.
fn told_of_what_is_awaited(stage: &mut Stage, held: Value) -> Vec<Value> {
    let (peer, now) = (stage.hub.connect(guarantees()), stage.now);
    stage.hub.receive(peer, resuming("first", held), now);
    let mut told = Vec::new();
    for _ in 0..10 {
        stage.hub.wake(now);
        while stage.disk.as_mut().is_some_and(|disk| disk.serve(&mut stage.hub, now)) {}
        while let Some((_, frame)) = stage.hub.poll_transmit() {
            let Frame::Text(text) = frame else { panic!("JSON is text") };
            let frame: Value = serde_json::from_str(&text).unwrap();
            let messages = frame["packet"]["messages"].as_array().cloned().unwrap_or_default();
            let bodies = messages.into_iter().map(|message| message["body"].clone());
            told.extend(bodies.filter(|body| body["op_ids"] == json!([1])));
        }
    }
    told.into_iter().map(|body| body["error"]["code"].clone()).collect()
}

#[test]
fn that_nobody_knows_what_became_of_an_op_is_told_again_to_who_has_not_heard_it() {
    for is_kept in [false, true] {
        let (mut stage, id) = (Stage::with_store(2), doc("a"));
        stage.hub.keep_only(Box::new(move |_| is_kept));
        stage.seed(&id, "hello");
        stage.subscribe(1, &id);
        let key = stage.open(1, &id);
        let rev = stage.seats[1].tab.replica(key).and_then(Replica::rev);
        stage.connection("disconnected");
        stage.edit(1, &id, json!(["oh "]));
        stage.seats.clear();
        if is_kept {
            stage.disk().spoil(&id, RecordKey::Checkpoint);
            stage.replace_hub("connected");
        } else {
            stage.replace_hub_that_keeps_nothing("connected");
        }
        let later = json!({ "op_id": 2, "op": { "op": ["well, "] }, "compose": true });
        let held = |ops: Value| {
            let doc = to_value(&id);
            json!({ "doc": doc, "rev": rev, "subscribed": true, "awaiting": [1], "ops": ops })
        };
        for ops in [json!([later]), json!([])] {
            let told = told_of_what_is_awaited(&mut stage, held(ops));
            assert_eq!(told, [codes::HUB_LOST], "is kept: {is_kept}");
        }
    }
}

#[test]
fn i3_what_a_tab_says_again_to_a_hub_that_was_lost_is_not_new_to_the_next() {
    for (lineage, is_known) in [("first", true), ("first, 1 alone", false)] {
        let (mut stage, id) = (two_with_a_text(), doc("a"));
        let key = stage.open(1, &id);
        let rev = stage.seats[1].tab.replica(key).and_then(Replica::rev);
        stage.edit(1, &id, json!(["oh "]));
        stage.seats.clear();
        stage.replace_hub("connected");
        let op = json!({ "op_id": 1, "op": { "op": ["oh "] }, "compose": true });
        let held = json!({ "doc": to_value(&id), "rev": rev, "subscribed": true, "ops": [op] });
        let peer = stage.hub.connect(guarantees());
        stage.receive(peer, resuming(lineage, held));
        assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("oh hello"));
        assert_eq!(stage.script.borrow().count("subscribe docs.a"), 1 + usize::from(is_known));
    }
}

#[test]
fn a_revision_that_no_hub_can_have_reached_is_refused() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.connection("disconnected");
    let token = stage.edit(0, &id, json!(["oh "]));
    let peer = stage.seats[1].peer;
    let held = json!({ "doc": to_value(&id), "rev": (1_u64 << 53) - 1, "subscribed": true });
    stage.receive(peer, resuming("first", held));
    assert_eq!(stage.faults.len(), 1, "{:?}", stage.faults);
    assert!(stage.disk().info(&id).unwrap().pending);
    let later = stage.edit(0, &id, json!(["well, "]));
    stage.connection("connected");
    for token in [token, later] {
        assert_eq!(stage.answers(0, token), [None]);
    }
    assert_eq!(stage.script.borrow().text(&id).as_deref(), Some("well, oh hello"));
}

#[test]
fn tabs_of_the_lost_hub_are_expected_until_they_are_gone() {
    let (mut stage, id) = (two_with_a_text(), doc("a"));
    stage.connection("disconnected");
    stage.edit(1, &id, json!(["oh "]));
    stage.seats.pop();
    stage.events.clear();
    stage.replace_hub("connected");
    let expected = HubEvent::Expected { tab: "tab-1".to_owned() };
    assert!(stage.events.contains(&expected), "{:?}", stage.events);
    stage.edit(0, &id, json!(["well, "]));
    assert!(stage.hub.size().1 > 0, "changes are kept for a tab that may come back");
    stage.tab_gone("tab-1");
    stage.run_for(60_000);
    let key = stage.open(0, &id);
    stage.tab(0, |tab, now| tab.close(key, now));
    stage.run_for(LINGER);
    assert_eq!(stage.hub.size(), (0, 0));
}

/// The second tab is not back yet, and nobody can see its Web Lock.
fn one_of_two_that_nobody_can_watch() -> (Stage, Seat) {
    let mut stage = two_with_a_text();
    stage.edit(1, &doc("a"), json!(["oh "]));
    let seat = stage.seats.pop().expect("there are two");
    stage.replace_hub("connected");
    stage.hub.cannot_watch("tab-1", stage.now);
    (stage, seat)
}

#[test]
fn a_tab_that_nobody_can_watch_is_given_up_after_a_minute() {
    let (mut stage, _) = one_of_two_that_nobody_can_watch();
    stage.run_for(60_000);
    // As long its unload journal may be passed on.
    stage.run_for(60_000);
    let key = stage.open(0, &doc("a"));
    stage.tab(0, |tab, now| tab.close(key, now));
    stage.run_for(LINGER);
    assert_eq!(stage.hub.size(), (0, 0));
}

#[test]
fn a_tab_that_nobody_could_watch_stays_once_it_is_back() {
    let (mut stage, seat) = one_of_two_that_nobody_can_watch();
    stage.run_for(30_000);
    stage.seats.push(seat);
    stage.rejoin(1);
    stage.events.clear();
    stage.run_for(60_000);
    assert_eq!(stage.events, []);
    stage.edit(0, &doc("a"), json!(["well, "]));
    assert_eq!(stage.text(1, &doc("a")).as_deref(), Some("well, oh hello"));
}

#[test]
fn what_was_meant_for_the_connection_of_the_lost_hub_is_not_sent_on_that_of_the_next() {
    let mut stage = two_with_a_text();
    let now = stage.now;
    stage.seats[0].tab.attach(now);
    let message = json!({ "a": "ps", "ch": "x", "seq": 1 });
    stage.seats[0].tab.send(Payload(message), now).expect("it is for a tab to send");
    stage.replace_hub("connected");
    assert_eq!(stage.script.borrow().count(r#"send {"a":"ps","ch":"x","seq":1}"#), 0);
}
