//! The tab's replica and the hub's sequencer, each alone.

#[allow(dead_code)] // Each test program uses a part of it.
mod support;

use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use support::{Registry, Text, markers};
use tabmux::Payload;
use tabmux::ot::{Op, Replica, SubmitOptions, Take};
use tabmux::protocol::Snapshot;

#[test]
fn the_types_of_the_tests_have_tp1() {
    for name in Registry::ALL {
        let ty = Registry::find(name).unwrap();
        for seed in 0..3000 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut data = ty.create('\u{10000}');
            for marker in ['\u{10001}', '\u{10002}', '\u{10003}'] {
                let op = Payload(ty.edit(&data, marker, &mut rng));
                data = ty.apply(Payload(data), &op).unwrap().0;
            }
            let mut op = |marker: char| {
                let mut op = Payload(ty.edit(&data, marker, &mut rng));
                if rng.random_bool(0.5) {
                    let next = ty.apply(Payload(data.clone()), &op).unwrap();
                    let next = Payload(ty.edit(&next.0, marker, &mut rng));
                    op = ty.compose(&op, &next).map_or(op, Result::unwrap);
                }
                op
            };
            let (left, right) = (op('\u{10004}'), op('\u{10005}'));
            let (left_after, right_after) = ty.transform_pair(&left, &right).unwrap();
            let data = Payload(data);
            let one = ty.apply(ty.apply(data.clone(), &left).unwrap(), &right_after).unwrap();
            let other = ty.apply(ty.apply(data, &right).unwrap(), &left_after).unwrap();
            assert_eq!(one, other, "{name}, seed {seed}: {left:?} and {right:?}");
            assert!(markers(&one.0).contains(&'\u{10004}'), "{name}, seed {seed}");
        }
    }
}

/// How long a replica takes to hear of each of so many ops that it is committed.
fn commits(count: u64) -> Duration {
    let snapshot = Snapshot {
        version: Some(1),
        type_name: Some(Text::URI.to_owned()),
        data: Some(Payload("".into())),
    };
    let (mut replica, mut next_op_id) = (Replica::default(), 1);
    replica.load(1, &snapshot, &Registry).unwrap();
    for op_id in 1..=count {
        let op = Op::Edit(Payload(serde_json::json!(["o"])));
        replica.submit(op, SubmitOptions::default(), op_id, &Registry).unwrap();
        replica.take_batch(Take::All, &mut next_op_id).unwrap();
        replica.sequenced(1 + op_id, op_id).unwrap();
    }
    let start = Instant::now();
    for op_id in 1..=count {
        assert_eq!(replica.committed(&[op_id], Some(1 + op_id)).0, [[op_id]]);
    }
    start.elapsed()
}

#[test]
fn an_op_is_not_committed_the_slower_the_more_wait_after_it() {
    let [few, many] =
        [1000, 4000].map(|count| (0..20).map(|_| commits(count)).min().unwrap_or_default());
    assert!(many < few * 10, "{many:?}, and {few:?} for a quarter of them");
}

#[test]
fn what_is_committed_gives_a_replica_without_a_state_no_version() {
    let mut replica = Replica::default();
    replica.committed(&[], Some(2));
    assert_eq!(replica.version(), None);
    let snapshot = Snapshot { version: Some(2), type_name: None, data: None };
    replica.load(1, &snapshot, &Registry).unwrap();
    replica.committed(&[], Some(3));
    assert_eq!(replica.version(), Some(3));
}
