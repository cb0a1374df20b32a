//! Frames as a faulty or hostile end may send them: what was recorded of an honest session, spoiled
//! again and again. Nobody panics, and the others work on as if nothing had been.

use std::rc::Rc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tabmux::Payload;
use tabmux::codecs::{Cbor, Codec, Json, Limits};
use tabmux::ot::{Op, SubmitOptions};
use tabmux::protocol::{DocId, QuerySpec};
use tabmux::tab::{Tab, TabSettings};
use tabmux::transports::{Frame, FrameKind, Guarantees};

use crate::stage::{Stage, doc, settings};
use crate::support::Registry;

/// How many frames each test sends.
const FRAMES: usize = 50_000;

/// Another seed is taken from the environment, to find more or to see a failure again.
fn random(test: &str) -> ChaCha8Rng {
    let seed = std::env::var("TABMUX_STORM_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(12);
    println!("{test}: TABMUX_STORM_SEED={seed}");
    ChaCha8Rng::seed_from_u64(seed)
}

fn codecs() -> [Rc<dyn Codec>; 2] {
    [Rc::new(Json::new(Limits::default())), Rc::new(Cbor::new(Limits::default()))]
}

fn settings_with(id: &str, codec: &Rc<dyn Codec>) -> TabSettings {
    let carries = vec![FrameKind::Text, FrameKind::Bytes];
    let guarantees = Guarantees { ordered: true, reliable: true, carries, addressed: false };
    TabSettings { codec: Rc::clone(codec), guarantees, ..settings(id) }
}

/// Every kind of value that JSON has, and some that are hard.
fn some_value(rng: &mut ChaCha8Rng) -> Value {
    match rng.random_range(0..14) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(0),
        3 => json!(-1),
        4 => json!(1.5),
        5 => json!(u64::MAX),
        6 => json!(i64::MIN),
        7 => json!((1u64 << 53) - 1),
        8 => json!(1e308),
        9 => json!(""),
        10 => json!("__proto__"),
        11 => json!("x".repeat(1 << rng.random_range(0..14))),
        12 => {
            let depth = rng.random_range(1..200);
            (0..depth).fold(json!(1), |inner, _| json!([inner]))
        }
        _ => json!({"constructor": {"prototype": null}, "a": [], "": {}}),
    }
}

/// All places in the value.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

/// Does something to the place with this number.
fn spoil_at(value: &mut Value, at: &mut usize, rng: &mut ChaCha8Rng) {
    if *at == 0 {
        return spoil_value(value, rng);
    }
    *at -= 1;
    let inner: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(members) => members.values_mut().collect(),
        _ => return,
    };
    for value in inner {
        let size = count(value);
        if *at < size {
            return spoil_at(value, at, rng);
        }
        *at -= size;
    }
}

fn spoil_value(value: &mut Value, rng: &mut ChaCha8Rng) {
    match (rng.random_range(0..6), &mut *value) {
        (0, Value::Array(items)) if !items.is_empty() => {
            items.remove(rng.random_range(0..items.len()));
        }
        (1, Value::Array(items)) if !items.is_empty() => {
            let item = items[rng.random_range(0..items.len())].clone();
            items.push(item);
        }
        (0, Value::Object(members)) if !members.is_empty() => {
            let name = members.keys().nth(rng.random_range(0..members.len())).cloned();
            members.remove(&name.unwrap_or_default());
        }
        (1, Value::Object(members)) => {
            members.insert("unheard-of".to_owned(), some_value(rng));
        }
        (2, Value::Number(number)) => {
            let near = number.as_u64().unwrap_or_default();
            *value = json!(near.wrapping_add(rng.random_range(0..3)).wrapping_sub(1));
        }
        (3, Value::String(text)) => {
            let at = rng.random_range(0..=text.len());
            if text.is_char_boundary(at) {
                text.truncate(at);
            }
        }
        _ => *value = some_value(rng),
    }
}

/// The messages in an envelope, as a list that can be changed.
fn messages(envelope: &mut Value) -> Option<&mut Vec<Value>> {
    envelope.pointer_mut("/packet/messages")?.as_array_mut()
}

/// A frame like one of these, with something wrong: bits that are flipped, an end that is missing,
/// values of other types, messages of another kind, from elsewhere, twice, or in another order.
fn spoiled(recorded: &[Value], codec: &dyn Codec, rng: &mut ChaCha8Rng) -> Option<Frame> {
    let pick = |rng: &mut ChaCha8Rng| recorded[rng.random_range(0..recorded.len())].clone();
    let mut envelope = pick(rng);
    let how = rng.random_range(0..10);
    let mut other = pick(rng);
    match how {
        0..=4 => {
            for _ in 0..rng.random_range(1..4) {
                let mut at = rng.random_range(0..count(&envelope));
                spoil_at(&mut envelope, &mut at, rng);
            }
        }
        5 => {
            let (own, theirs) = (messages(&mut envelope)?, messages(&mut other)?);
            let (own, theirs) = (own.first_mut()?, theirs.first_mut()?);
            own["type"] = theirs["type"].take();
        }
        6 => {
            let theirs = std::mem::take(messages(&mut other)?);
            let own = messages(&mut envelope)?;
            own.extend(theirs);
            own.reverse();
        }
        _ => {}
    }
    let frame = codec.encode(&envelope).ok()?;
    if how < 8 {
        return Some(frame);
    }
    Some(match frame {
        Frame::Text(text) => {
            let mut bytes = text.into_bytes();
            damage(&mut bytes, rng);
            Frame::Text(String::from_utf8_lossy(&bytes).into_owned())
        }
        Frame::Bytes(mut bytes) => {
            damage(&mut bytes, rng);
            Frame::Bytes(bytes)
        }
        frame => frame,
    })
}

fn damage(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    if rng.random_bool(0.3) {
        bytes.truncate(rng.random_range(0..=bytes.len()));
    }
    for _ in 0..rng.random_range(0..4) {
        if !bytes.is_empty() {
            let at = rng.random_range(0..bytes.len());
            bytes[at] ^= 1 << rng.random_range(0..8);
        }
    }
}

/// An envelope with one message.
fn envelope(from_hub: bool, kind: &str, body: Value) -> Value {
    let message =
        if body.is_null() { json!({"type": kind}) } else { json!({"type": kind, "body": body}) };
    let mut envelope = json!({"session": 1, "packet": {"messages": [message]}});
    if from_hub {
        envelope["epoch"] = json!(1);
    }
    envelope
}

fn hello(tab: &str) -> Value {
    let hello = json!({
        "request": 1, "protocol": 1, "codec": "json", "tab": tab, "identity": "someone",
        "resume": "first",
    });
    let mut hello = envelope(false, "hello", hello);
    hello["layers"] = json!([{"layer": "coalescing"}, {"layer": "batching", "maxMessages": 1000}]);
    hello
}

/// One of each message that a tab may send, and more of those with much in them.
pub fn of_tabs() -> Vec<Value> {
    let doc = json!({"collection": "docs", "id": "spoiled"});
    let ask = json!({"request": 5, "doc": doc, "rev": 1});
    let create = json!({"create": {"type": "test:text", "data": "abc"}});
    let edit = json!({"op": [1, "x"]});
    let ops = json!([
        {"op_id": 1, "op": create, "compose": false},
        {"op_id": 2, "op": edit, "compose": true, "source": {"a": 1}},
    ]);
    let held = json!([{"doc": doc, "rev": 3, "subscribed": true, "awaiting": [1], "ops": ops}]);
    let send = |message: Value| {
        envelope(false, "connection.send", json!({"message": message, "losses": 0}))
    };
    let presence = json!({"a": "p", "ch": "room", "id": "me", "p": {"at": 1}, "pv": 1});
    let query =
        json!({"collection": "docs", "query": {"a": 1}, "options": {"db": "x"}, "subscribe": true});
    vec![
        hello("storm"),
        envelope(false, "away", Value::Null),
        envelope(false, "bye", Value::Null),
        envelope(false, "connection.resume", json!({"docs": held})),
        envelope(
            false,
            "connection.unloadJournal",
            json!({"request": 9, "tab": "gone", "lineage": "first", "docs": held}),
        ),
        envelope(
            false,
            "connection.getBulk",
            json!({"request": 6, "docs": [{"doc": doc, "rev": 2}]}),
        ),
        envelope(false, "connection.bulkBegin", Value::Null),
        envelope(false, "connection.bulkEnd", Value::Null),
        envelope(false, "connection.query", json!({"request": 7, "spec": query})),
        envelope(false, "query.end", json!({"request": 7})),
        send(presence),
        send(json!({"a": "ps", "ch": "room", "seq": 1})),
        send(json!({"a": "pu", "ch": "room", "seq": 2})),
        send(json!({"a": "nf", "id": 1, "c": "docs", "d": "spoiled", "v": 1})),
        send(json!({"a": "op", "c": "docs", "d": "spoiled", "v": 1, "seq": 1, "op": []})),
        send(json!({"a": "pp"})),
        envelope(
            false,
            "connection.handleMessage",
            json!({"message": {"a": "op", "c": "docs", "d": "spoiled", "error": {"code": "x"}}}),
        ),
        envelope(
            false,
            "doc.ingest",
            json!({"doc": doc, "snapshot": {"version": 4, "type": "test:text", "data": "abc"}}),
        ),
        envelope(false, "doc.fetch", ask.clone()),
        envelope(false, "doc.subscribe", ask.clone()),
        envelope(false, "doc.unsubscribe", ask),
        envelope(false, "doc.submitOp", json!({"doc": doc, "base_rev": 1, "ops": ops})),
        envelope(false, "doc.submitOp", json!({"doc": doc, "ops": ops})),
        envelope(false, "doc.seen", json!({"doc": doc, "rev": 2})),
        envelope(false, "doc.release", json!({"doc": doc, "heard": 0})),
        envelope(false, "store.ask", json!({"request": 8, "question": {"type": "usage"}})),
        envelope(false, "store.heard", json!({"doc": doc, "number": 1})),
    ]
}

/// The same for a hub.
pub fn of_hubs() -> Vec<Value> {
    let doc = json!({"collection": "docs", "id": "one"});
    let error = json!({"code": "ERR", "message": "no"});
    let welcome = json!({"request": 1, "protocol": 1, "lineage": "first", "resumed": true});
    let changes = json!([
        {"op": {"op": [1, "x"]}, "version": 2, "src": "other"},
        {"op": {"del": true}, "version": 3},
        {"op": {"create": {"type": "test:text", "data": "abc", "snapshot": true}}, "version": 4},
    ]);
    let snapshot = json!({"version": 1, "type": "test:text", "data": "abc"});
    let diff = json!([
        {"type": "insert", "index": 0, "docs": [doc]},
        {"type": "move", "from": 0, "to": 1, "count": 1},
        {"type": "remove", "index": 0, "count": 1},
    ]);
    let from = |kind: &str, body: Value| envelope(true, kind, body);
    vec![
        from("welcome", welcome),
        from("refusal", json!({"request": 1, "error": error})),
        from("lineage", json!({"lineage": "second"})),
        from("callback", json!({"request": 2, "error": error})),
        from("callback", json!({"request": 3})),
        from("working", json!({"request": 2})),
        from("connection.event", json!({"state": "connected", "id": "me", "losses": 1})),
        from("connection.error", json!({"socket": true, "error": error})),
        from("connection.tabs", json!({"tabs": [{"id": "storm", "since": 1}]})),
        from("connection.receive", json!({"message": {"a": "pp"}})),
        from("query.docs", json!({"docs": [doc], "number": 1})),
        from("query.ready", json!({"request": 3, "results": [doc], "extra": null})),
        from("query.change", json!({"request": 3, "diff": diff})),
        from("query.extra", json!({"request": 3, "extra": {"a": 1}})),
        from("query.error", json!({"request": 3, "error": error})),
        from(
            "doc.load",
            json!({"doc": doc, "rev": 1, "snapshot": snapshot, "all_committed": true}),
        ),
        from(
            "doc.change",
            json!({"doc": doc, "rev": 4, "changes": changes, "all_committed": true}),
        ),
        from("doc.sequenced", json!({"doc": doc, "rev": 2, "op_id": 1})),
        from(
            "doc.committed",
            json!({"doc": doc, "op_ids": [1, 2], "version": 2, "all_committed": false}),
        ),
        from("doc.rejected", json!({"doc": doc, "op_ids": [1], "error": error})),
        from("doc.event", json!({"doc": doc, "error": error})),
        from("doc.subscribed", json!({"doc": doc, "error": error})),
        from("store.reply", json!({"request": 4, "answer": {"a": 1}})),
        from(
            "store.event",
            json!({"name": "lost", "detail": {}, "heard": {"doc": doc, "number": 1}}),
        ),
    ]
}

/// Two tabs share a text, while one frame after the other comes from a third.
fn storm_on_a_hub(mut stage: Stage, codec: Rc<dyn Codec>, mut rng: ChaCha8Rng) {
    let shared = doc("shared");
    stage.seed(&shared, "");
    stage.subscribe(0, &shared);
    stage.subscribe(1, &shared);
    let recorded = of_tabs();
    let (mut peer, mut letters) = (0, 0);
    for sent in 0..FRAMES {
        if sent % 20 == 0 {
            stage.hub.disconnected(peer, stage.now);
            peer = stage.hub.connect(settings_with("storm", &codec).guarantees);
            let hello = codec.encode(&hello("storm")).expect("it is plain");
            stage.receive(peer, hello);
        }
        if let Some(frame) = spoiled(&recorded, &*codec, &mut rng) {
            stage.receive(peer, frame);
        }
        if sent % 1000 == 999 {
            letters += 1;
            stage.edit(sent / 1000 % 2, &shared, json!(["a"]));
            stage.run_for(10);
            let text = "a".repeat(letters);
            assert_eq!(stage.text(0, &shared).as_ref(), Some(&text), "after {sent} frames");
            assert_eq!(stage.text(1, &shared).as_ref(), Some(&text), "after {sent} frames");
        }
        stage.faults.clear();
        stage.events.clear();
    }
    assert!(stage.hub.size().0 < 10_000, "{:?}", stage.hub.size());
}

#[test]
fn spoiled_frames_of_a_tab_are_felt_by_no_other() {
    let [json, _] = codecs();
    storm_on_a_hub(Stage::new(2), json, random("json"));
}

#[test]
fn spoiled_frames_of_a_tab_are_felt_by_no_other_of_a_hub_with_a_store() {
    let [_, cbor] = codecs();
    storm_on_a_hub(Stage::with_store(2), cbor, random("cbor"));
}

/// A tab with a document, a query and an op on their way.
fn busy_tab(codec: &Rc<dyn Codec>) -> Tab {
    let mut tab =
        Tab::new(settings_with("storm", codec), Rc::new(Registry)).expect("the layers fit");
    tab.attach(0);
    let welcome = of_hubs().swap_remove(0);
    tab.receive(codec.encode(&welcome).expect("it is plain"), 0);
    let key = tab.open(DocId::new("docs", "one"));
    tab.subscribe(key, 0);
    let load = of_hubs().swap_remove(15);
    tab.receive(codec.encode(&load).expect("it is plain"), 0);
    let (collection, query) = ("docs".to_owned(), Payload(json!({})));
    tab.query(QuerySpec { collection, query, options: None, subscribe: true }, 0);
    while tab.poll_event(0).is_some() {}
    for token in 1..3 {
        let op = Op::Edit(Payload(json!(["x"])));
        tab.submit(key, op, SubmitOptions::default(), token).expect("the op fits");
    }
    tab.flush(key, 0);
    tab
}

#[test]
fn spoiled_frames_of_a_hub_leave_a_tab_that_can_join_the_next() {
    for codec in codecs() {
        let mut rng = random(codec.name());
        let recorded = of_hubs();
        let mut tab = busy_tab(&codec);
        for sent in 0..FRAMES {
            if sent % 20 == 0 {
                tab = busy_tab(&codec);
            }
            if let Some(frame) = spoiled(&recorded, &*codec, &mut rng) {
                tab.receive(frame, 1);
            }
            // Frames make a tab begin another session now and then, but never one after the other.
            for _ in 0..100 {
                if tab.poll_event(1).is_none() && tab.poll_transmit().is_none() {
                    break;
                }
            }
            tab.wake(1);
        }
        let mut stage = Stage::new(1);
        let peer = stage.hub.connect(settings_with("storm", &codec).guarantees);
        tab.attach(2);
        tab.wake(2);
        while let Some(frame) = tab.poll_transmit() {
            stage.hub.receive(peer, frame, 2);
        }
        stage.hub.wake(2);
        while let Some((to, frame)) = stage.hub.poll_transmit() {
            if to == peer {
                tab.receive(frame, 2);
            }
        }
        assert!(tab.is_joined());
    }
}
