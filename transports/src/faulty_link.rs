use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a [`FaultyLink`] does to what it carries. The default is nothing: all arrives at once, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    /// The probability, from 0 to 1, that an item never arrives.
    pub loss: f64,
    /// The probability, from 0 to 1, that an item arrives twice.
    pub duplication: f64,
    /// The probability, from 0 to 1, that an item is held back so that later ones may overtake it.
    pub reordering: f64,
    /// How long an item travels, in milliseconds, drawn evenly from this range. An item that is not
    /// held back waits for those sent before it.
    pub delay: RangeInclusive<u64>,
}

impl Default for Faults {
    fn default() -> Self {
        Faults { loss: 0.0, duplication: 0.0, reordering: 0.0, delay: 0..=0 }
    }
}

/// One direction of a simulated network: what is sent comes out later, or twice, or never.
///
/// It has no clock: the caller says what time it is, in milliseconds that never go back. The same
/// seed, faults and calls give the same result on every machine.
///
/// ```
/// use tabmux_transports::{Faults, FaultyLink};
///
/// let mut link = FaultyLink::new(7, Faults { delay: 20..=20, ..Faults::default() });
/// link.send(100, "hello");
/// assert_eq!(link.next_arrival(), Some(120));
/// assert!(link.receive(119).is_empty());
/// assert_eq!(link.receive(120), ["hello"]);
/// ```
#[derive(Debug)]
pub struct FaultyLink<T> {
    faults: Faults,
    random: ChaCha8Rng,
    /// By time of arrival, then by number.
    travelling: BTreeMap<(u64, u64), T>,
    sent: u64,
    /// When the last item that was not held back arrives; the next one comes no earlier.
    latest: u64,
}

impl<T: Clone> FaultyLink<T> {
    /// An empty link.
    ///
    /// # Panics
    ///
    /// When a probability is not between 0 and 1, or the range of delays is empty.
    pub fn new(seed: u64, faults: Faults) -> Self {
        for (fault, probability) in [
            ("loss", faults.loss),
            ("duplication", faults.duplication),
            ("reordering", faults.reordering),
        ] {
            assert!(
                (0.0..=1.0).contains(&probability),
                "the probability of {fault} must be between 0 and 1, not {probability}"
            );
        }
        assert!(!faults.delay.is_empty(), "the range of delays {:?} is empty", faults.delay);
        FaultyLink {
            faults,
            random: ChaCha8Rng::seed_from_u64(seed),
            travelling: BTreeMap::new(),
            sent: 0,
            latest: 0,
        }
    }

    /// Hands an item to the link.
    pub fn send(&mut self, now: u64, item: T) {
        if self.random.random_bool(self.faults.loss) {
            return;
        }
        if self.random.random_bool(self.faults.duplication) {
            self.carry(now, item.clone());
        }
        self.carry(now, item);
    }

    fn carry(&mut self, now: u64, item: T) {
        let delay = self.random.random_range(self.faults.delay.clone());
        let mut arrival = self.latest.max(now + delay);
        if self.random.random_bool(self.faults.reordering) {
            let longest = (*self.faults.delay.end()).max(1);
            arrival += self.random.random_range(1..=longest);
        } else {
            self.latest = arrival;
        }
        self.travelling.insert((arrival, self.sent), item);
        self.sent += 1;
    }

    /// Takes what has arrived by now, in the order of arrival.
    pub fn receive(&mut self, now: u64) -> Vec<T> {
        let later = self.travelling.split_off(&(now + 1, 0));
        std::mem::replace(&mut self.travelling, later).into_values().collect()
    }

    /// When the next item arrives, if one is on its way.
    pub fn next_arrival(&self) -> Option<u64> {
        self.travelling.first_key_value().map(|((arrival, _), _)| *arrival)
    }
}
