//! What a simulated link does to what it carries.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::HashSet;

use tabmux_transports::{Faults, FaultyLink};

const COUNT: u64 = 10_000;

/// Sends the numbers up to `COUNT` a millisecond apart and says what came out, with when.
fn run(seed: u64, faults: Faults) -> Vec<(u64, u64)> {
    let mut link = FaultyLink::new(seed, faults);
    let mut arrived = Vec::new();
    for number in 0..COUNT {
        link.send(number, number);
        arrived.extend(link.receive(number).into_iter().map(|item| (number, item)));
    }
    while let Some(now) = link.next_arrival() {
        arrived.extend(link.receive(now).into_iter().map(|item| (now, item)));
    }
    arrived
}

fn numbers(arrived: &[(u64, u64)]) -> Vec<u64> {
    arrived.iter().map(|(_, number)| *number).collect()
}

/// How many arrive right after a higher number.
fn overtaken(arrived: &[(u64, u64)]) -> usize {
    arrived.windows(2).filter(|two| two[0].1 > two[1].1).count()
}

#[test]
fn without_faults_all_arrives_at_once_and_in_order() {
    let arrived = run(1, Faults::default());
    assert_eq!(arrived, (0..COUNT).map(|number| (number, number)).collect::<Vec<_>>());
}

#[test]
fn loss_drops_about_as_many_as_asked_and_nothing_else() {
    let arrived = run(2, Faults { loss: 0.2, ..Faults::default() });
    assert!((7_700..8_300).contains(&arrived.len()), "{} arrived", arrived.len());
    assert_eq!(overtaken(&arrived), 0);
    assert_eq!(arrived.iter().collect::<HashSet<_>>().len(), arrived.len());
}

#[test]
fn certain_loss_drops_all() {
    assert!(run(3, Faults { loss: 1.0, ..Faults::default() }).is_empty());
}

#[test]
fn duplication_doubles_about_as_many_as_asked_and_loses_none() {
    let arrived = run(4, Faults { duplication: 0.3, ..Faults::default() });
    assert!((12_700..13_300).contains(&arrived.len()), "{} arrived", arrived.len());
    let mut once = numbers(&arrived);
    once.dedup();
    assert_eq!(once, (0..COUNT).collect::<Vec<_>>());
}

#[test]
fn reordering_lets_later_items_overtake_and_loses_none() {
    let arrived = run(5, Faults { reordering: 0.1, delay: 0..=10, ..Faults::default() });
    assert!((300..2_000).contains(&overtaken(&arrived)), "{} overtaken", overtaken(&arrived));
    let mut sorted = numbers(&arrived);
    sorted.sort_unstable();
    assert_eq!(sorted, (0..COUNT).collect::<Vec<_>>());
}

#[test]
fn reordering_needs_no_delay() {
    let mut link = FaultyLink::new(6, Faults { reordering: 0.5, ..Faults::default() });
    for number in 0..100 {
        link.send(0, number);
    }
    let first = link.receive(0);
    let second = link.receive(1);
    assert!(!first.is_empty() && !second.is_empty());
    assert_eq!(first.len() + second.len(), 100);
}

#[test]
fn items_travel_as_long_as_asked_and_stay_in_order() {
    let arrived = run(7, Faults { delay: 20..=40, ..Faults::default() });
    let delays: HashSet<u64> = arrived.iter().map(|(now, number)| now - number).collect();
    assert!(delays.iter().all(|delay| (20..=40).contains(delay)), "{delays:?}");
    assert!(delays.len() > 10, "{delays:?}");
    assert_eq!(numbers(&arrived), (0..COUNT).collect::<Vec<_>>());
}

#[test]
fn the_seed_decides_everything() {
    let faults = Faults { loss: 0.1, duplication: 0.1, reordering: 0.1, delay: 1..=50 };
    assert_eq!(run(8, faults.clone()), run(8, faults.clone()));
    assert_ne!(run(8, faults.clone()), run(9, faults));
}

#[test]
#[should_panic(expected = "the probability of loss must be between 0 and 1, not 1.5")]
fn a_probability_above_one_is_refused() {
    FaultyLink::<()>::new(0, Faults { loss: 1.5, ..Faults::default() });
}
