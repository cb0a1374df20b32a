use serde_json::{Value, json};
use tabmux::Payload;
use tabmux::hub::UpstreamEvent;
use tabmux::tab::TabEvent;

use crate::stage::Stage;

fn send(stage: &mut Stage, at: usize, message: Value) {
    stage.tab(at, |tab, now| tab.send(Payload(message), now).expect("it is for a tab to send"));
}

fn from_server(stage: &mut Stage, message: Value) {
    stage.script.borrow_mut().events.push_back(UpstreamEvent::Message(Payload(message)));
    stage.settle();
}

fn connection(stage: &mut Stage, state: &str) {
    stage.script.borrow_mut().connection(state);
    stage.settle();
}

/// What a tab was told of presence values: id, value and source.
fn heard(stage: &Stage, at: usize) -> Vec<(String, Value, String)> {
    let messages = stage.seats[at].events.iter().filter_map(|event| match event {
        TabEvent::Receive(message) if message.0["a"] == "p" => Some(&message.0),
        _ => None,
    });
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    messages
        .map(|message| (text(&message["id"]), message["p"].clone(), text(&message["src"])))
        .collect()
}

fn answered(stage: &Stage, at: usize, action: &str, seq: u64) -> bool {
    stage.seats[at].events.iter().any(|event| match event {
        TabEvent::Receive(message) => message.0["a"] == action && message.0["seq"] == seq,
        _ => false,
    })
}

#[test]
fn a_channel_is_subscribed_once_and_presence_goes_to_the_siblings_alone() {
    let mut stage = Stage::new(2);
    for at in 0..2 {
        send(&mut stage, at, json!({ "a": "ps", "ch": "x", "seq": 7 }));
    }
    assert_eq!(stage.script.borrow().count(r#"send {"a":"ps","ch":"x","seq":1}"#), 1);
    from_server(&mut stage, json!({ "a": "ps", "ch": "x", "seq": 1 }));
    assert!(answered(&stage, 0, "ps", 7) && answered(&stage, 1, "ps", 7));
    send(&mut stage, 0, json!({ "a": "p", "ch": "x", "id": "me", "p": 5, "pv": 0 }));
    assert_eq!(heard(&stage, 0), []);
    assert_eq!(heard(&stage, 1), [("me".to_owned(), json!(5), "tab-0".to_owned())]);
    stage.tab_gone("tab-0");
    stage.settle();
    assert_eq!(heard(&stage, 1)[1], ("me".to_owned(), Value::Null, "tab-0".to_owned()));
    assert_eq!(stage.script.borrow().calls.iter().filter(|call| call.contains("null")).count(), 1);
}

#[test]
fn a_subscription_asked_while_the_server_is_away_does_not_block_the_channel() {
    let mut stage = Stage::new(2);
    connection(&mut stage, "disconnected");
    send(&mut stage, 0, json!({ "a": "ps", "ch": "x", "seq": 1 }));
    connection(&mut stage, "connected");
    stage.script.borrow_mut().calls.clear();
    send(&mut stage, 1, json!({ "a": "ps", "ch": "x", "seq": 1 }));
    assert_eq!(stage.script.borrow().count(r#"send {"a":"ps","ch":"x","seq":2}"#), 1);
    from_server(&mut stage, json!({ "a": "ps", "ch": "x", "seq": 2 }));
    assert!(answered(&stage, 1, "ps", 1));
}

#[test]
fn l2_a_tab_that_goes_while_the_server_is_away_is_gone_for_its_siblings() {
    let mut stage = Stage::new(2);
    for at in 0..2 {
        send(&mut stage, at, json!({ "a": "ps", "ch": "x", "seq": 1 }));
    }
    from_server(&mut stage, json!({ "a": "ps", "ch": "x", "seq": 1 }));
    send(&mut stage, 0, json!({ "a": "p", "ch": "x", "id": "me", "p": 5, "pv": 0 }));
    connection(&mut stage, "disconnected");
    stage.tab_gone("tab-0");
    stage.settle();
    assert_eq!(heard(&stage, 1)[1], ("me".to_owned(), Value::Null, "tab-0".to_owned()));
}

#[test]
fn a_tab_with_a_new_session_listens_to_what_it_asks_for_again_alone() {
    let mut stage = Stage::new(1);
    send(&mut stage, 0, json!({ "a": "ps", "ch": "x", "seq": 1 }));
    from_server(&mut stage, json!({ "a": "ps", "ch": "x", "seq": 1 }));
    stage.rejoin(0);
    assert_eq!(stage.script.borrow().count(r#"send {"a":"pu","ch":"x","seq":2}"#), 1);
}

#[test]
fn a_tab_that_leaves_a_channel_before_the_server_has_answered_hears_what_that_says() {
    for tabs in [1, 2] {
        let mut stage = Stage::new(2);
        for at in 0..tabs {
            send(&mut stage, at, json!({ "a": "ps", "ch": "x", "seq": 7 }));
        }
        send(&mut stage, 0, json!({ "a": "pu", "ch": "x", "seq": 8 }));
        assert!(!answered(&stage, 0, "ps", 7));
        let error = json!({ "code": "ERR_REFUSED", "message": "no" });
        from_server(&mut stage, json!({ "a": "ps", "ch": "x", "seq": 1, "error": error }));
        assert!(answered(&stage, 0, "ps", 7));
        let is_error =
            |event: &TabEvent| matches!(event, TabEvent::Receive(it) if it.0["error"] == error);
        assert_eq!(stage.seats[0].events.iter().filter(|event| is_error(event)).count(), 1);
    }
}

#[test]
fn a_presence_that_is_taken_back_under_an_id_that_was_used_before_is_answered() {
    let mut stage = Stage::new(1);
    let pv = |pv: u64, p: Value| json!({ "a": "p", "ch": "x", "id": "me", "p": p, "pv": pv });
    let answer = |pv: u64| json!({ "a": "p", "ch": "x", "id": "me", "pv": pv });
    send(&mut stage, 0, pv(0, json!(5)));
    from_server(&mut stage, answer(0));
    // The tab destroys it, and makes another.
    send(&mut stage, 0, pv(1, Value::Null));
    send(&mut stage, 0, pv(0, Value::Null));
    from_server(&mut stage, answer(1));
    from_server(&mut stage, answer(0));
    assert_eq!(heard(&stage, 0).len(), 3);
}
