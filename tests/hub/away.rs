use serde_json::json;
use tabmux::Payload;
use tabmux::hub::HubEvent;
use tabmux::ot::Op;
use tabmux::tab::TabEvent;

use crate::stage::{Stage, doc};

/// How many changes of a document the hub keeps for a tab that is away.
const KEPT: usize = 10_000;

fn is_offline(stage: &Stage, at: usize) -> bool {
    stage.seats[at].events.contains(&TabEvent::Offline)
}

fn close(stage: &mut Stage, at: usize) {
    stage.seats[at].events.clear();
    stage.tab(at, |tab, now| tab.go_offline(now));
    assert!(is_offline(stage, at));
    stage.tab(at, |tab, now| tab.leave(now));
    stage.seats[at].tab.detach();
}

fn open(stage: &mut Stage, at: usize) {
    let now = stage.now;
    stage.seats[at].tab.go_online(now);
    stage.rejoin(at);
}

fn two_tabs() -> (Stage, tabmux::protocol::DocId) {
    let (mut stage, id) = (Stage::new(2), doc("a"));
    stage.seed(&id, "text");
    for at in 0..2 {
        stage.subscribe(at, &id);
    }
    (stage, id)
}

#[test]
fn a_tab_that_closes_and_opens_misses_nothing_and_repeats_nothing() {
    let (mut stage, id) = two_tabs();
    let before = stage.edit(0, &id, json!(["0"]));
    close(&mut stage, 0);
    stage.edit(1, &id, json!(["1"]));
    let away = stage.edit(0, &id, json!(["offline "]));
    assert_eq!(stage.text(1, &id).as_deref(), Some("10text"));
    open(&mut stage, 0);
    for at in 0..2 {
        let text = stage.text(at, &id).unwrap_or_default();
        assert_eq!(text.matches("offline ").count(), 1, "{text}");
        assert!(text.ends_with("0text") && text.contains('1'), "{text}");
    }
    assert_eq!(stage.answers(0, away).len(), 1);
    assert!(stage.answers(0, before).len() <= 1, "it may have been answered before");
}

#[test]
fn a_tab_may_leave_once_the_hub_has_what_was_submitted_before() {
    let (mut stage, id) = two_tabs();
    let key = stage.open(0, &id);
    stage.edit(0, &id, json!(["a"]));
    stage.flush_unheard(0, &id);
    let now = stage.now;
    stage.seats[0].tab.go_offline(now);
    stage.edit(0, &id, json!(["later"]));
    stage.tab(0, |tab, now| tab.flush(key, now));
    assert!(is_offline(&stage, 0));
    assert_eq!(stage.text(1, &id).as_deref(), Some("atext"), "what came after waits");
    open(&mut stage, 0);
    assert_eq!(stage.text(1, &id).as_deref(), Some("lateratext"));
}

#[test]
fn a_tab_that_is_away_is_gone_for_its_siblings_and_without_a_transport() {
    let (mut stage, _) = two_tabs();
    close(&mut stage, 0);
    let left = |event: &HubEvent| matches!(event, HubEvent::Left { tab, .. } if tab == "tab-0");
    assert!(stage.events.iter().any(left));
    let tabs = stage.seats[1].events.iter().rev().find_map(|event| match event {
        TabEvent::Tabs(tabs) => Some(tabs.len()),
        _ => None,
    });
    assert_eq!(tabs, Some(1));
}

#[test]
fn what_is_kept_for_a_tab_that_is_away_has_a_limit_and_ends_with_it() {
    let (mut stage, id) = two_tabs();
    close(&mut stage, 0);
    for at in 0..KEPT + 100 {
        let op = if at % 2 == 0 { json!(["x"]) } else { json!([{"d": 1}]) };
        stage.script.borrow_mut().edit(&id, Op::Edit(Payload(op)));
        if at % 1000 == 0 {
            stage.settle();
        }
    }
    stage.settle();
    assert!(stage.hub.size().1 <= KEPT, "{:?}", stage.hub.size());
    let lost = stage.edit(0, &id, json!(["lost"]));
    open(&mut stage, 0);
    assert_eq!(stage.answers(0, lost).len(), 1);
    assert_eq!(stage.text(0, &id), stage.text(1, &id));
    close(&mut stage, 0);
    stage.edit_outside(&id, json!(["y"]));
    stage.tab_gone("tab-0");
    stage.settle();
    stage.run_for(1);
    stage.edit_outside(&id, json!(["z"]));
    assert!(stage.hub.size().1 < 64, "{:?}", stage.hub.size());
}

#[test]
fn a_tab_that_leaves_as_it_ends_is_not_awaited() {
    let (mut stage, id) = two_tabs();
    stage.hub.tab_gone("tab-0", stage.now);
    close(&mut stage, 0);
    stage.run_for(200);
    for _ in 0..100 {
        stage.edit_outside(&id, json!(["x"]));
    }
    assert!(stage.hub.size().1 < 64, "{:?}", stage.hub.size());
}
