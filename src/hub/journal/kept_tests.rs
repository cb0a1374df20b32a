//! What an earlier version has written is read as it was meant: a line of `kept.txt` for each of these.

use serde_json::json;

use super::Departed;
use super::record::*;
use crate::ot::{Create, Entry, Op, Origin};
use crate::protocol::{Change, Snapshot};
use crate::{Error, Payload};

const KEPT: &str = include_str!("kept.txt");

fn kept() -> Vec<Vec<u8>> {
    let byte = |hex: &[u8]| u8::from_str_radix(std::str::from_utf8(hex).unwrap(), 16).unwrap();
    KEPT.lines().map(|line| line.as_bytes().chunks(2).map(byte).collect()).collect()
}

fn origin(op_id: u64) -> Origin {
    Origin { tab: "tab".to_owned(), op_id }
}

fn payload(value: serde_json::Value) -> Payload {
    Payload(value)
}

fn edit() -> Op {
    Op::Edit(payload(json!([{"p": ["n"], "na": 1}])))
}

fn placed() -> Placed {
    Placed {
        op: edit(),
        origin: origin(1),
        source: Some(payload(json!(null))),
        version: None,
        composed: true,
        type_name: Some("text".to_owned()),
        unloaded: false,
    }
}

fn change() -> Change {
    Change { op: Op::Del, version: Some(7), src: Some("other".to_owned()) }
}

fn pending() -> PendingOp {
    let create =
        Create { type_name: "text".to_owned(), data: Some(payload(json!("oh"))), snapshot: true };
    PendingOp {
        op: Op::Create(create),
        type_name: None,
        source: Some(payload(json!({"by": "me"}))),
        origins: vec![origin(2), origin(3)],
        sent: Some(Sent { src: "me".to_owned(), seq: 4 }),
    }
}

fn records() -> Vec<LogEntry> {
    let error = Error::new("ERR_SOME", "some reason");
    vec![
        LogEntry::Placed(placed()),
        LogEntry::Placed(Placed { source: None, type_name: None, version: Some(1), ..placed() }),
        LogEntry::Changed { change: change(), raw: Op::NoOp },
        LogEntry::Changed { change: Change { version: None, src: None, ..change() }, raw: edit() },
        LogEntry::Refused { tab: "tab".to_owned(), op_ids: vec![1, 2], error },
        LogEntry::Sending(Sent { src: "me".to_owned(), seq: 4 }),
        LogEntry::Committed { origin: origin(1), version: Some(3) },
        LogEntry::Committed { origin: origin(1), version: None },
    ]
}

fn checkpoint() -> Checkpoint {
    let error = Error { code: None, message: "some reason".to_owned(), thrown: None };
    let failure = Failure { op_id: 5, error: error.clone(), placed: true };
    let known = KnownTab { last_op_id: 6, created_at: Some(1), failures: vec![failure] };
    let mut departed = Departed::default();
    departed.add("gone", KnownTab::default(), 2);
    let text = |data| Snapshot { version: Some(1), type_name: Some("text".to_owned()), data };
    Checkpoint {
        snapshot: text(Some(payload(json!(null)))),
        pending: vec![pending()],
        rev: 9,
        history: vec![
            Entry { change: change(), origin: Some(origin(1)) },
            Entry { change: change(), origin: None },
        ],
        tabs: [("tab".to_owned(), known), ("other".to_owned(), KnownTab::default())]
            .into_iter()
            .collect(),
        departed,
        lost: vec![Lost { ops: vec![pending()], error }],
    }
}

#[test]
fn records_of_an_earlier_version_are_read() {
    let kept = kept();
    let records = records();
    assert_eq!(kept.len(), records.len() + 2);
    for (bytes, record) in kept.iter().zip(&records) {
        assert_eq!(from_bytes::<LogEntry>(bytes).as_ref(), Ok(record));
    }
}

#[test]
fn checkpoints_of_an_earlier_version_are_read() {
    let [.., full, empty] = &kept()[..] else { panic!("two lines are checkpoints") };
    assert_eq!(from_bytes(full), Ok(checkpoint()));
    assert_eq!(from_bytes(empty), Ok(Checkpoint::default()));
}

#[test]
fn what_is_written_is_read_as_it_was() {
    for record in records() {
        assert_eq!(from_bytes(&to_bytes(&record).unwrap()), Ok(record));
    }
    for checkpoint in [checkpoint(), Checkpoint::default()] {
        assert_eq!(from_bytes(&to_bytes(&checkpoint).unwrap()), Ok(checkpoint));
    }
}
