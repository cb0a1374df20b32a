//! The in-memory transport under its virtual clock.
#![cfg(not(target_arch = "wasm32"))]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tabmux_transports::{Event, Faults, Frame, Transport, TransportError, memory_pair};

type Log = Rc<RefCell<Vec<Event>>>;

fn record(transport: &dyn Transport) -> Log {
    let log = Log::default();
    transport.listen(Box::new({
        let log = Rc::clone(&log);
        move |event| log.borrow_mut().push(event)
    }));
    log
}

fn text(text: &str) -> Frame {
    Frame::Text(text.to_owned())
}

fn slow() -> Faults {
    Faults { delay: 10..=10, ..Faults::default() }
}

#[test]
fn frames_of_every_kind_arrive_in_order_both_ways() {
    let frames = [
        text("one"),
        Frame::Bytes(vec![0, 255]),
        Frame::Object(serde_json::json!({"a": [1, null]})),
    ];
    let (tab, hub, clock) = memory_pair(1, Faults::default());
    let (at_tab, at_hub) = (record(&tab), record(&hub));
    for frame in &frames {
        tab.send(frame.clone()).unwrap();
        hub.send(frame.clone()).unwrap();
    }
    clock.deliver_all();
    let expected = frames.map(Event::Frame);
    assert_eq!(*at_tab.borrow(), expected);
    assert_eq!(*at_hub.borrow(), expected);
}

#[test]
fn a_frame_arrives_when_its_delay_has_passed() {
    let (tab, hub, clock) = memory_pair(1, slow());
    let at_hub = record(&hub);
    tab.send(text("hello")).unwrap();
    clock.advance(9);
    assert!(at_hub.borrow().is_empty());
    clock.advance(1);
    assert_eq!(*at_hub.borrow(), [Event::Frame(text("hello"))]);
}

#[test]
fn an_answer_starts_its_journey_when_the_question_arrives() {
    let (tab, hub, clock) = memory_pair(1, slow());
    let (hub, at_tab) = (Rc::new(hub), record(&tab));
    hub.listen(Box::new({
        let hub = Rc::clone(&hub);
        move |event| {
            if let Event::Frame(frame) = event {
                hub.send(frame).unwrap();
            }
        }
    }));
    tab.send(text("ping")).unwrap();
    clock.advance(19);
    assert!(at_tab.borrow().is_empty());
    clock.advance(100);
    assert_eq!(*at_tab.borrow(), [Event::Frame(text("ping"))]);
    assert_eq!(clock.now(), 119);
}

#[test]
fn what_arrived_before_anyone_listened_is_kept() {
    let (tab, hub, clock) = memory_pair(1, Faults::default());
    tab.send(text("early")).unwrap();
    clock.deliver_all();
    let at_hub = record(&hub);
    assert!(at_hub.borrow().is_empty());
    clock.deliver_all();
    assert_eq!(*at_hub.borrow(), [Event::Frame(text("early"))]);
}

#[test]
fn a_close_comes_after_the_frames_sent_before_it() {
    let (tab, hub, clock) = memory_pair(1, slow());
    let (at_tab, at_hub) = (record(&tab), record(&hub));
    tab.send(text("last words")).unwrap();
    tab.close(Some("bye"));
    tab.close(Some("again"));
    clock.deliver_all();
    let closed = Event::Closed(Some("bye".to_owned()));
    assert_eq!(*at_hub.borrow(), [Event::Frame(text("last words")), closed.clone()]);
    assert_eq!(*at_tab.borrow(), [closed]);
}

#[test]
fn a_close_arrives_even_when_every_frame_is_lost() {
    let (tab, hub, clock) = memory_pair(1, Faults { loss: 1.0, ..Faults::default() });
    let at_hub = record(&hub);
    tab.send(text("lost")).unwrap();
    drop(tab);
    clock.deliver_all();
    assert_eq!(*at_hub.borrow(), [Event::Closed(None)]);
}

#[test]
fn neither_end_can_send_after_a_close() {
    let (tab, hub, clock) = memory_pair(1, Faults::default());
    tab.close(None);
    clock.deliver_all();
    let closed = Err(TransportError::Closed { transport: "memory".to_owned() });
    assert_eq!(tab.send(text("late")), closed);
    assert_eq!(hub.send(text("late")), closed);
}

#[test]
fn a_handler_can_close_its_own_transport_and_is_then_dropped() {
    let (tab, hub, clock) = memory_pair(1, Faults::default());
    let (tab, at_hub) = (Rc::new(tab), record(&hub));
    tab.listen(Box::new({
        let tab = Rc::clone(&tab);
        move |_| tab.close(Some("enough"))
    }));
    hub.send(text("one")).unwrap();
    hub.send(text("two")).unwrap();
    clock.deliver_all();
    assert_eq!(*at_hub.borrow(), [Event::Closed(Some("enough".to_owned()))]);
    assert_eq!(Rc::strong_count(&tab), 1);
}

#[test]
fn a_handler_can_set_the_next_handler() {
    let (tab, hub, clock) = memory_pair(1, Faults::default());
    let (hub, later) = (Rc::new(hub), Log::default());
    let calls = Rc::new(Cell::new(0));
    hub.listen(Box::new({
        let (hub, later, calls) = (Rc::clone(&hub), Rc::clone(&later), Rc::clone(&calls));
        move |_| {
            calls.set(calls.get() + 1);
            let later = Rc::clone(&later);
            hub.listen(Box::new(move |event| later.borrow_mut().push(event)));
        }
    }));
    tab.send(text("one")).unwrap();
    tab.send(text("two")).unwrap();
    clock.deliver_all();
    assert_eq!(calls.get(), 1);
    assert_eq!(*later.borrow(), [Event::Frame(text("two"))]);
}

#[test]
fn it_promises_only_what_its_faults_allow() {
    let promises = |faults| {
        let guarantees = memory_pair(1, faults).0.guarantees();
        (guarantees.ordered, guarantees.reliable)
    };
    assert_eq!(promises(slow()), (true, true));
    assert_eq!(promises(Faults { reordering: 0.1, ..Faults::default() }), (false, true));
    assert_eq!(promises(Faults { loss: 0.1, ..Faults::default() }), (true, false));
    assert_eq!(promises(Faults { duplication: 0.1, ..Faults::default() }), (true, false));
}
