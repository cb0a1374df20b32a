//! What becomes of subscriptions when the hub's connection to the server is lost.

use serde_json::json;
use tabmux::Error;
use tabmux::protocol::DocId;
use tabmux::tab::TabEvent;

use crate::stage::{LINGER, Stage, doc, settings};

fn refused() -> Error {
    Error::new("ERR_TEST_REFUSED", "refused by the server")
}

/// What the tabs were told of their subscriptions since this was asked last.
fn told(stage: &mut Stage) -> Vec<Vec<Option<String>>> {
    let told = stage.seats.iter_mut().map(|seat| {
        let events = seat.events.drain(..).filter_map(|event| match event {
            TabEvent::Subscribed { error, .. } => Some(error.and_then(|it| it.code_text())),
            _ => None,
        });
        events.collect()
    });
    told.collect()
}

/// The hub's connection is lost and made again, while another client edits the document.
fn reconnect(stage: &mut Stage, id: &DocId) {
    stage.connection("disconnected");
    stage.edit_outside(id, json!(["oh "]));
    stage.connection("connected");
}

fn two_subscribers(mut stage: Stage) -> (Stage, DocId) {
    let id = doc("a");
    stage.seed(&id, "hello");
    for at in 0..2 {
        stage.subscribe(at, &id);
    }
    told(&mut stage);
    (stage, id)
}

#[test]
fn a_subscription_is_made_again_with_the_next_connection() {
    let (mut stage, id) = two_subscribers(Stage::new(2));
    reconnect(&mut stage, &id);
    assert_eq!(told(&mut stage), [[None], [None]]);
    for at in 0..2 {
        assert_eq!(stage.text(at, &id).as_deref(), Some("oh hello"));
    }
}

#[test]
fn f32_a_refused_subscription_is_none_until_the_server_allows_it() {
    for stage in [Stage::new(2), Stage::with_store(2)] {
        let (mut stage, id) = two_subscribers(stage);
        stage.script.borrow_mut().refused_subscriptions = Some(refused());
        reconnect(&mut stage, &id);
        let code = refused().code_text();
        assert_eq!(told(&mut stage), [[code.clone()], [code]]);

        let late = stage.join(settings("late"));
        let asked = stage.subscribe(late, &id);
        assert_eq!(stage.callback(late, asked), Some(Some(refused())));
        assert_eq!(stage.text(late, &id), None);
        let again = stage.subscribe(0, &id);
        assert_eq!(stage.callback(0, again), Some(Some(refused())));
        assert_eq!(told(&mut stage), [vec![], vec![], vec![]]);

        stage.script.borrow_mut().refused_subscriptions = None;
        reconnect(&mut stage, &id);
        assert_eq!(told(&mut stage), [[None], [None], [None]]);
        for at in 0..3 {
            assert_eq!(stage.text(at, &id).as_deref(), Some("oh oh hello"));
        }
    }
}

#[test]
fn f32_who_is_allowed_to_subscribe_again_brings_the_others_back() {
    let (mut stage, id) = two_subscribers(Stage::new(2));
    stage.script.borrow_mut().refused_subscriptions = Some(refused());
    reconnect(&mut stage, &id);
    stage.script.borrow_mut().refused_subscriptions = None;
    told(&mut stage);
    stage.subscribe(1, &id);
    assert_eq!(told(&mut stage), [vec![None], vec![]]);
    stage.edit_outside(&id, json!(["ah "]));
    for at in 0..2 {
        assert_eq!(stage.text(at, &id).as_deref(), Some("ah oh hello"));
    }
}

#[test]
fn a_tab_that_comes_back_is_told_of_its_subscription() {
    let (mut stage, id) = two_subscribers(Stage::new(2));
    stage.rejoin(0);
    assert_eq!(told(&mut stage), [vec![None], vec![]]);
    stage.script.borrow_mut().refused_subscriptions = Some(refused());
    reconnect(&mut stage, &id);
    told(&mut stage);
    stage.rejoin(0);
    assert_eq!(told(&mut stage)[0], [refused().code_text()]);
}

#[test]
fn a_refused_subscription_that_no_tab_wants_any_more_ends() {
    let (mut stage, id) = two_subscribers(Stage::new(2));
    stage.script.borrow_mut().refused_subscriptions = Some(refused());
    reconnect(&mut stage, &id);
    for at in 0..2 {
        let key = stage.open(at, &id);
        stage.tab(at, |tab, now| tab.close(key, now));
    }
    stage.run_for(LINGER);
    assert_eq!(stage.script.borrow().count("unsubscribe docs.a"), 1);
    assert_eq!(stage.hub.size(), (0, 0));
}
