use tabmux::protocol::{ConnectionEvent, Message};
use tabmux::tab::TabEvent;
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
            {"doc":{"collection":"docs","id":"a"},"rev":9,"snapshot":{},"settled":true}}]}}"#,
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
        Message::ConnectionEvent(ConnectionEvent { state, id, reason, losses })
    };
    use tabmux::middleware::Message as _;
    let mut lost = state("disconnected");
    assert_eq!(lost.merge(state("connecting")), Ok(()));
    assert_eq!(lost.merge(state("connected")), Err(state("connected")));
    let mut back = state("connected");
    assert_eq!(back.merge(state("disconnected")), Ok(()));
    assert_eq!(back, state("disconnected"));
}
