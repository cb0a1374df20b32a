use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

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
    let mut stream = ChaCha8Rng::from_seed(key);
    Some(format!("{:016x}{:016x}", stream.random::<u64>(), stream.random::<u64>()))
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
