//! The tab's replica and the hub's sequencer, each alone.

#[allow(dead_code)] // Each test program uses a part of it.
mod support;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use support::{Registry, markers};
use tabmux::Payload;

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
