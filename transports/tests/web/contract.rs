//! What every transport owes its users.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::FutureExt;
use tabmux_transports::{Event, Frame, TransportError, events};

use crate::support::{Pair, a_while, all, closed, eval, json, take, text};

/// The tests below, for the pairs this function makes.
macro_rules! contract {
    ($pair:ident: $($test:ident)*) => {
        $(
            #[wasm_bindgen_test::wasm_bindgen_test]
            async fn $test() {
                crate::contract::$test($pair(stringify!($test)).await).await;
            }
        )*
    };
    ($pair:ident) => {
        crate::contract::contract!($pair:
            frames_of_every_kind_arrive_in_order_both_ways
            a_handler_can_send_and_close_while_it_is_called
            a_handler_is_never_called_from_within_a_method
            a_close_reaches_both_ends_after_the_frames
            neither_end_can_send_after_a_close
            what_a_handler_holds_is_freed_by_a_close
            dropping_an_end_closes_the_link
        );
    };
}
pub(crate) use contract;

pub async fn frames_of_every_kind_arrive_in_order_both_ways(pair: Pair) {
    for (from, to) in [(&pair.tab, &pair.hub), (&pair.hub, &pair.tab)] {
        let mut received = events(&**to);
        from.send(text("grüße 🎉")).unwrap();
        from.send(Frame::Bytes(vec![0, 1, 255])).unwrap();
        from.send(Frame::Object(eval("({a: [1, null, 'x'], b: new Map()})"))).unwrap();
        from.send(Frame::Bytes(vec![])).unwrap();
        from.send(text("")).unwrap();
        let received = take(5, &mut received).await;
        assert_eq!(received[0], Event::Frame(text("grüße 🎉")));
        assert_eq!(received[1], Event::Frame(Frame::Bytes(vec![0, 1, 255])));
        let Event::Frame(Frame::Object(object)) = &received[2] else { panic!("{received:?}") };
        assert_eq!(json(object), r#"{"a":[1,null,"x"],"b":{}}"#);
        assert_eq!(received[3], Event::Frame(Frame::Bytes(vec![])));
        assert_eq!(received[4], Event::Frame(text("")));
    }
}

pub async fn what_arrived_before_anyone_listened_is_kept(pair: Pair) {
    pair.tab.send(text("one")).unwrap();
    pair.tab.send(text("two")).unwrap();
    pair.tab.close(Some("bye"));
    a_while().await;
    let mut stream = events(&*pair.hub);
    assert_eq!(take(1, &mut stream).now_or_never(), None);
    let received = all(stream).await;
    assert_eq!(received, [Event::Frame(text("one")), Event::Frame(text("two")), closed("bye")]);
}

pub async fn a_handler_can_send_and_close_while_it_is_called(pair: Pair) {
    let at_hub = Rc::new(RefCell::new(Vec::new()));
    pair.hub.listen(Box::new({
        let (hub, at_hub) = (Rc::clone(&pair.hub), Rc::clone(&at_hub));
        move |event| {
            at_hub.borrow_mut().push(event);
            if hub.send(text("answer")).is_ok() {
                hub.close(Some("answered"));
            }
        }
    }));
    let received = events(&*pair.tab);
    pair.tab.send(text("question")).unwrap();
    pair.tab.send(text("too late")).unwrap();
    assert_eq!(all(received).await, [Event::Frame(text("answer")), closed("answered")]);
    assert_eq!(*at_hub.borrow(), [Event::Frame(text("question")), closed("answered")]);
}

pub async fn a_handler_is_never_called_from_within_a_method(pair: Pair) {
    let (within, calls) = (Rc::new(Cell::new(false)), Rc::new(RefCell::new(Vec::new())));
    let method = |call: &dyn Fn()| {
        within.set(true);
        call();
        within.set(false);
    };
    for end in [&pair.hub, &pair.tab] {
        method(&|| {
            end.listen(Box::new({
                let (within, calls) = (Rc::clone(&within), Rc::clone(&calls));
                move |_| calls.borrow_mut().push(within.get())
            }));
        });
    }
    method(&|| pair.tab.send(text("hello")).unwrap());
    a_while().await;
    method(&|| pair.tab.close(None));
    a_while().await;
    assert_eq!(*calls.borrow(), [false; 3]);
}

pub async fn a_close_reaches_both_ends_after_the_frames(pair: Pair) {
    let (at_tab, at_hub) = (events(&*pair.tab), events(&*pair.hub));
    for number in 0..100 {
        pair.tab.send(text(&number.to_string())).unwrap();
    }
    pair.tab.close(Some("bye"));
    pair.tab.close(Some("again"));
    assert_eq!(all(at_tab).await, [closed("bye")]);
    let mut expected: Vec<Event> =
        (0..100).map(|number| Event::Frame(text(&number.to_string()))).collect();
    expected.push(closed("bye"));
    assert_eq!(all(at_hub).await, expected);
}

pub async fn neither_end_can_send_after_a_close(pair: Pair) {
    let at_tab = events(&*pair.tab);
    pair.hub.close(None);
    let closed = |transport: &str| Err(TransportError::Closed { transport: transport.to_owned() });
    assert_eq!(pair.hub.send(text("late")), closed(pair.hub.name()));
    assert_eq!(all(at_tab).await, [Event::Closed(None)]);
    assert_eq!(pair.tab.send(text("late")), closed(pair.tab.name()));
}

pub async fn what_a_handler_holds_is_freed_by_a_close(pair: Pair) {
    for end in [&pair.tab, &pair.hub] {
        end.listen(Box::new({
            let end = Rc::clone(end);
            move |_| assert!(!end.name().is_empty())
        }));
    }
    pair.tab.close(None);
    a_while().await;
    assert_eq!(Rc::strong_count(&pair.tab), 1);
    assert_eq!(Rc::strong_count(&pair.hub), 1);
}

pub async fn dropping_an_end_closes_the_link(pair: Pair) {
    let at_hub = events(&*pair.hub);
    pair.tab.send(text("last words")).unwrap();
    drop(pair.tab);
    assert_eq!(all(at_hub).await, [Event::Frame(text("last words")), Event::Closed(None)]);
}
