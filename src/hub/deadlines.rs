use std::collections::{BTreeMap, BTreeSet};

use tabmux_middleware::Millis;

/// When each of many is to be woken. What it costs to find the next does not grow with how many wait.
pub(super) struct Deadlines<K> {
    by_key: BTreeMap<K, Millis>,
    by_time: BTreeSet<(Millis, K)>,
}

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Deadlines { by_key: BTreeMap::new(), by_time: BTreeSet::new() }
    }
}

impl<K: Clone + Ord> Deadlines<K> {
    /// Replaces the deadline that this one had, if any.
    pub fn set(&mut self, key: &K, deadline: Option<Millis>) {
        let before = self.by_key.get(key).copied();
        if before == deadline {
            return;
        }
        if let Some(before) = before {
            self.by_time.remove(&(before, key.clone()));
        }
        match deadline {
            Some(at) => {
                self.by_key.insert(key.clone(), at);
                self.by_time.insert((at, key.clone()));
            }
            None => drop(self.by_key.remove(key)),
        }
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Millis> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Those whose deadline has come, the earliest first. They keep it until they are given another.
    pub fn due(&self, now: Millis) -> Vec<K> {
        let due = self.by_time.iter().take_while(|(at, _)| *at <= now);
        due.map(|(_, key)| key.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Deadlines;

    #[test]
    fn the_earliest_deadline_comes_first() {
        let mut deadlines = Deadlines::default();
        assert_eq!(deadlines.next(), None);
        deadlines.set(&"a", Some(30));
        deadlines.set(&"b", Some(10));
        deadlines.set(&"c", Some(20));
        assert_eq!(deadlines.next(), Some(10));
        assert_eq!(deadlines.due(9), Vec::<&str>::new());
        assert_eq!(deadlines.due(20), ["b", "c"]);
    }

    #[test]
    fn a_deadline_replaces_the_one_before() {
        let mut deadlines = Deadlines::default();
        deadlines.set(&"a", Some(10));
        deadlines.set(&"a", Some(30));
        assert_eq!((deadlines.next(), deadlines.due(20)), (Some(30), vec![]));
        deadlines.set(&"a", Some(5));
        assert_eq!((deadlines.next(), deadlines.due(20)), (Some(5), vec!["a"]));
        deadlines.set(&"a", None);
        assert_eq!((deadlines.next(), deadlines.due(20)), (None, vec![]));
    }

    #[test]
    fn who_is_due_stays_so_until_it_has_another_deadline() {
        let mut deadlines = Deadlines::default();
        deadlines.set(&"a", Some(10));
        deadlines.set(&"b", Some(10));
        assert_eq!(deadlines.due(10), ["a", "b"]);
        deadlines.set(&"a", None);
        assert_eq!(deadlines.due(10), ["b"]);
    }
}
