//! How much is kept of what had to be set aside; the same for every store.

/// How many bytes of it are kept, the newest.
const ROOM: u64 = 16 * 1024 * 1024;

/// How many of the records with these sizes, oldest first, have to go so that there is room for the
/// others.
pub(super) fn surplus(sizes: &[u64]) -> usize {
    let mut left = ROOM;
    let fits = |size: &&u64| left.checked_sub(**size).map(|rest| left = rest).is_some();
    sizes.len() - sizes.iter().rev().take_while(fits).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stay_for_which_there_is_room() {
        for (sizes, expected) in [
            (&[][..], 0),
            (&[ROOM], 0),
            (&[1, ROOM], 1),
            (&[ROOM, 1, 1], 1),
            (&[1, ROOM / 2, ROOM / 2], 1),
            (&[1, ROOM + 1], 2),
        ] {
            assert_eq!(surplus(sizes), expected, "{sizes:?}");
        }
    }
}
