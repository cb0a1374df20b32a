/// The id of the tab that has this secret, 64 hexadecimal digits. None if it is something else.
///
/// Whoever has the secret can make the id; nobody can find a secret for an id. It is the beginning of
/// the keystream that has the secret for its key.
///
/// ```
/// use tabmux::protocol::tab_id;
///
/// let id = tab_id(&"0f".repeat(32)).unwrap();
/// assert_eq!(id.len(), 32);
/// assert_ne!(tab_id(&"f0".repeat(32)).unwrap(), id);
/// assert_eq!(tab_id("no secret"), None);
/// ```
pub fn tab_id(secret: &str) -> Option<String> {
    if secret.len() != 64 || !is_hex(secret) {
        return None;
    }
    let mut key = [0; 32];
    for (byte, at) in key.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(secret.get(at..at + 2)?, 16).ok()?;
    }
    let [first, second, third, fourth, ..] = keystream(&key);
    // Each two words are a number, whose later half comes first.
    Some(format!("{second:08x}{first:08x}{fourth:08x}{third:08x}"))
}

/// The first block of ChaCha8's keystream, with a counter and a nonce of zero.
fn keystream(key: &[u8; 32]) -> [u32; 16] {
    let mut start = [0; 16];
    start[..4].copy_from_slice(&[0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]);
    for (word, bytes) in start[4..].iter_mut().zip(key.chunks_exact(4)) {
        *word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    let mut state = start;
    for _ in 0..4 {
        for column in 0..4 {
            quarter_round(&mut state, [column, column + 4, column + 8, column + 12]);
        }
        for diagonal in 0..4 {
            let at = |row: usize| 4 * row + (diagonal + row) % 4;
            quarter_round(&mut state, [at(0), at(1), at(2), at(3)]);
        }
    }
    for (word, start) in state.iter_mut().zip(start) {
        *word = word.wrapping_add(start);
    }
    state
}

fn quarter_round(state: &mut [u32; 16], [a, b, c, d]: [usize; 4]) {
    for (to, by, mixed, turn) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
        state[to] = state[to].wrapping_add(state[by]);
        state[mixed] = (state[mixed] ^ state[to]).rotate_left(turn);
    }
}

/// Whether a tab with this secret, if it has one, may have the id. Only ids of 32 hexadecimal digits,
/// as `createConnection` makes them, want a proof: others are as good as the transports they come by.
pub(crate) fn proves(tab: &str, secret: Option<&str>) -> bool {
    let wants_proof = tab.len() == 32 && is_hex(tab);
    !wants_proof || secret.and_then(tab_id).as_deref() == Some(tab)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::tab_id;

    proptest! {
        /// Tabs of other versions prove their ids by what `rand_chacha` makes.
        #[test]
        fn an_id_is_the_beginning_of_the_keystream(key: [u8; 32]) {
            let secret: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
            let mut stream = ChaCha8Rng::from_seed(key);
            let id = format!("{:016x}{:016x}", stream.next_u64(), stream.next_u64());
            prop_assert_eq!(tab_id(&secret), Some(id));
        }
    }
}
