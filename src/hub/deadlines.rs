use tabmux_middleware::{Millis, SortedSet};

/// When each of many is to be woken. What it costs to find the next does not grow with how many wait; the others
/// are moved in one piece when one of them changes.
pub(super) struct Deadlines<K>(SortedSet<(Millis, K)>);

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Deadlines(SortedSet::default())
    }
}

impl<K: Clone + Ord> Deadlines<K> {
    /// Replaces the deadline that this one had `before`, if any.
    pub fn set(&mut self, key: &K, before: Option<Millis>, deadline: Option<Millis>) {
        if before == deadline {
            return;
        }
        if let Some(before) = before {
            self.0.remove(&(before, key.clone()));
        }
        if let Some(at) = deadline {
            self.0.insert((at, key.clone()));
        }
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Millis> {
        self.0.first().map(|(at, _)| *at)
    }

    /// Those whose deadline has come, the earliest first. They keep it until they are given another.
    pub fn due(&self, now: Millis) -> Vec<K> {
        let due = self.0.iter().take_while(|(at, _)| *at <= now);
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
        deadlines.set(&"a", None, Some(30));
        deadlines.set(&"b", None, Some(10));
        deadlines.set(&"c", None, Some(20));
        assert_eq!(deadlines.next(), Some(10));
        assert_eq!(deadlines.due(9), Vec::<&str>::new());
        assert_eq!(deadlines.due(20), ["b", "c"]);
    }

    #[test]
    fn a_deadline_replaces_the_one_before() {
        let mut deadlines = Deadlines::default();
        deadlines.set(&"a", None, Some(10));
        deadlines.set(&"a", Some(10), Some(30));
        assert_eq!((deadlines.next(), deadlines.due(20)), (Some(30), vec![]));
        deadlines.set(&"a", Some(30), Some(5));
        assert_eq!((deadlines.next(), deadlines.due(20)), (Some(5), vec!["a"]));
        deadlines.set(&"a", Some(5), None);
        assert_eq!((deadlines.next(), deadlines.due(20)), (None, vec![]));
    }

    #[test]
    fn who_is_due_stays_so_until_it_has_another_deadline() {
        let mut deadlines = Deadlines::default();
        deadlines.set(&"a", None, Some(10));
        deadlines.set(&"b", None, Some(10));
        assert_eq!(deadlines.due(10), ["a", "b"]);
        deadlines.set(&"a", Some(10), None);
        assert_eq!(deadlines.due(10), ["b"]);
    }
}
