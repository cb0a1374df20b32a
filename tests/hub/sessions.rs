use serde_json::json;
use tabmux::Payload;
use tabmux::hub::{HubEvent, UpstreamEvent};
use tabmux::protocol::{ConnectionEvent, ToTab, tab_id};
use tabmux::tab::{TabEvent, TabSettings};
use tabmux::transports::Frame;

use crate::stage::{Stage, doc, settings};

fn refusal(stage: &Stage, at: usize) -> Option<String> {
    stage.seats[at].events.iter().find_map(|event| match event {
        TabEvent::Refused(error) => error.code_text(),
        _ => None,
    })
}

#[test]
fn a_tab_of_another_identity_is_refused_and_the_others_live_on() {
    let (mut stage, id) = (Stage::new(1), doc("a"));
    stage.seed(&id, "secret");
    let mut settings = settings("stranger");
    settings.identity = "someone else".to_owned();
    let stranger = stage.join(settings);
    assert_eq!(refusal(&stage, stranger).as_deref(), Some("ERR_TABMUX_IDENTITY"));
    assert!(!stage.seats[stranger].tab.is_joined());
    stage.subscribe(stranger, &id);
    assert_eq!(stage.text(stranger, &id), None);
    stage.subscribe(0, &id);
    assert_eq!(stage.text(0, &id).as_deref(), Some("secret"));
}

#[test]
fn a_tab_of_another_protocol_is_refused() {
    let mut stage = Stage::new(0);
    let peer = stage.hub.connect(crate::stage::settings("x").guarantees);
    let hello = r#"{"session":1,"layers":[],"packet":{"messages":[{"type":"hello","body":
        {"request":1,"protocol":99,"codec":"json","tab":"x","identity":"someone"}}]}}"#;
    stage.hub.receive(peer, Frame::Text(hello.to_owned()), 0);
    stage.hub.wake(0);
    let Some((_, Frame::Text(answer))) = stage.hub.poll_transmit() else { panic!("no answer") };
    assert!(answer.contains("refusal") && answer.contains("ERR_TABMUX_PROTOCOL"), "{answer}");
}

#[test]
fn s1_a_bad_frame_is_reported_and_dropped_and_everyone_goes_on() {
    let (mut stage, id) = (Stage::new(2), doc("a"));
    stage.seed(&id, "hello");
    stage.subscribe(1, &id);
    let bad = [
        "",
        "no JSON",
        "[]",
        r#"{"session":1}"#,
        r#"{"session":1,"packet":{"messages":[{"type":"doc.fly"}]}}"#,
        r#"{"session":1,"packet":{"messages":[{"type":"doc.fetch","body":{"request":-1}}]}}"#,
        r#"{"session":1,"packet":{"messages":[{"type":"doc.load","body":
            {"doc":{"collection":"docs","id":"a"},"rev":9,"snapshot":{},"all_committed":true}}]}}"#,
    ];
    for (at, frame) in bad.iter().enumerate() {
        let culprit = stage.seats[0].peer;
        stage.receive(culprit, Frame::Text((*frame).to_owned()));
        assert_eq!(stage.faults.len(), at + 1, "{frame:?} is reported");
        assert_eq!(stage.faults[at].code_text().as_deref(), Some("ERR_TABMUX_BAD_FRAME"));
    }
    assert_eq!(stage.text(1, &id).as_deref(), Some("hello"));
    let fetch = stage.fetch(0, &id);
    assert_eq!(stage.callback(0, fetch), Some(None), "the culprit's connection goes on");
}

#[test]
fn a_slow_tab_hears_that_the_connection_was_lost_and_only_the_last_of_other_states() {
    let state = |state: &str| {
        let (state, id, reason, losses) = (state.to_owned(), None, None, 0);
        ToTab::ConnectionEvent(ConnectionEvent { state, id, reason, losses })
    };
    use tabmux::middleware::Message as _;
    let mut lost = state("disconnected");
    assert_eq!(lost.merge(state("connecting")), Ok(()));
    assert_eq!(lost.merge(state("connected")), Err(state("connected")));
    let mut back = state("connected");
    assert_eq!(back.merge(state("disconnected")), Ok(()));
    assert_eq!(back, state("disconnected"));
}

#[test]
fn a_tab_proves_its_id_to_every_hub_and_nobody_else_does() {
    let mut stage = Stage::with_store(1);
    let secret = "0123456789abcdef".repeat(4);
    let id = tab_id(&secret).expect("it is a secret");
    let own = TabSettings { secret: Some(secret), ..settings(&id) };
    let at = stage.join(own);
    let wrong = TabSettings { secret: Some("0".repeat(64)), ..settings(&id) };
    for settings in [settings(&id), wrong] {
        let stranger = stage.join(settings);
        assert_eq!(refusal(&stage, stranger).as_deref(), Some("ERR_TABMUX_TAB_ID"));
    }
    assert_eq!(stage.faults.len(), 2);
    stage.subscribe(at, &doc("a"));
    assert!(stage.seats[at].tab.is_joined());
    // The strangers come to the next hub as well, and before the tab.
    stage.seats.swap(at, at + 1);
    stage.replace_hub("connected");
    assert!(stage.seats[at + 1].tab.is_joined());
    assert!(!stage.seats[at].tab.is_joined());
}

#[test]
fn a_transport_is_for_one_tab() {
    let mut stage = Stage::new(1);
    let peer = stage.hub.connect(settings("x").guarantees);
    for (session, tab) in [(1, "x"), (2, "y"), (3, "x")] {
        let hello = json!({
            "session": session,
            "layers": [],
            "packet": {"messages": [{"type": "hello", "body":
                {"request": 1, "protocol": 1, "codec": "json", "tab": tab, "identity": "someone"}}]},
        });
        stage.hub.receive(peer, Frame::Text(hello.to_string()), 0);
        stage.hub.wake(0);
        let (mut answers, expected) =
            (String::new(), if tab == "x" { "welcome" } else { "refusal" });
        while let Some((to, frame)) = stage.hub.poll_transmit() {
            if let (true, Frame::Text(text)) = (to == peer, frame) {
                answers.push_str(&text);
            }
        }
        assert!(answers.contains(expected), "{tab}: {answers}");
    }
    stage.settle();
    assert_eq!(stage.faults.len(), 1);
}

#[test]
fn the_session_of_a_tab_that_takes_nothing_ends_before_it_costs_too_much() {
    let mut stage = Stage::new(1);
    let peer = stage.hub.connect(settings("frozen").guarantees);
    let messages = json!([
        {"type": "hello", "body":
            {"request": 1, "protocol": 1, "codec": "json", "tab": "frozen", "identity": "someone"}},
        {"type": "connection.send", "body":
            {"message": {"a": "ps", "ch": "room", "seq": 1}, "losses": 0}},
    ]);
    let layers = json!([{"layer": "coalescing", "window": 4}, "batching"]);
    let frame = json!({"session": 1, "layers": layers, "packet": {"messages": messages}});
    stage.receive(peer, Frame::Text(frame.to_string()));
    let mut stale = false;
    for version in 0..60_000 {
        let message = json!({"a": "p", "ch": "room", "id": "other", "p": {}, "pv": version});
        stage.hub.upstream_event(UpstreamEvent::Message(Payload(message)), None, 0);
        stage.hub.wake(0);
        while let Some((to, frame)) = stage.hub.poll_transmit() {
            if let (true, Frame::Text(text)) = (to == peer, frame) {
                stale |= text.contains("\"stale\":true");
            }
        }
    }
    assert!(stale);
    stage.settle();
    let codes: Vec<_> = stage.faults.iter().filter_map(|it| it.code_text()).collect();
    assert_eq!(codes, ["ERR_TABMUX_TOO_MUCH"]);
    stage.seed(&doc("a"), "hello");
    stage.subscribe(0, &doc("a"));
    assert_eq!(stage.text(0, &doc("a")).as_deref(), Some("hello"));
}

/// Both have the text open, and the Web Lock of the first is free.
fn one_of_two_has_ended() -> Stage {
    let mut stage = Stage::new(2);
    stage.seed(&doc("a"), "hello");
    for at in 0..2 {
        stage.subscribe(at, &doc("a"));
    }
    stage.events.clear();
    stage.hub.tab_gone("tab-0", stage.now);
    stage
}

fn has_left(stage: &Stage) -> bool {
    stage.events.iter().any(|event| matches!(event, HubEvent::Left { tab, .. } if tab == "tab-0"))
}

#[test]
fn l2_what_a_tab_has_sent_before_it_ended_is_taken_before_it_is_gone() {
    let mut stage = one_of_two_has_ended();
    stage.edit(0, &doc("a"), json!(["oh "]));
    assert_eq!(stage.text(1, &doc("a")).as_deref(), Some("oh hello"));
    assert!(!has_left(&stage));
    stage.run_for(200);
    assert!(has_left(&stage));
    assert!(stage.hub.has_tabs());
    stage.hub.tab_gone("tab-1", stage.now);
    assert!(!stage.hub.has_tabs());
}

#[test]
fn a_tab_that_begins_a_session_has_not_ended() {
    let mut stage = one_of_two_has_ended();
    stage.rejoin(0);
    stage.run_for(200);
    assert!(!has_left(&stage));
    stage.edit(0, &doc("a"), json!(["oh "]));
    assert_eq!(stage.text(1, &doc("a")).as_deref(), Some("oh hello"));
}
