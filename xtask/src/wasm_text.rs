//! A WebAssembly module as text, to be part of a script.
//!
//! Base64 makes it a third larger even when the script is compressed, because its characters do not
//! stand for whole bytes. Here they do: one character for each of the 87 most frequent bytes, two for
//! each other. That costs 3 % after compression. All are plain ASCII, which no bundler or server writes
//! in another way, and which need no escape in a string.

/// Most of printable ASCII, without what ends or begins something in JavaScript or HTML: ``" $ ' < \ ` ``.
const CHARACTERS: &[u8; 89] =
    b" !#%&()*+,-./0123456789:;=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~";

/// So many characters stand for a byte alone; the others are the first of two.
const SINGLE: usize = 87;

/// The characters, the bytes by rank in hexadecimal, and the module. `js/src/shared/wasm-text.ts` reads it.
pub fn write(module: &[u8]) -> String {
    let mut count = [0_usize; 256];
    for byte in module {
        count[usize::from(*byte)] += 1;
    }
    let mut bytes: Vec<u8> = (0..=u8::MAX).collect();
    bytes.sort_by_key(|byte| std::cmp::Reverse(count[usize::from(*byte)]));

    let mut text = String::from_utf8_lossy(CHARACTERS).into_owned();
    let mut codes = vec![String::new(); 256];
    for (rank, byte) in bytes.iter().enumerate() {
        text += &format!("{byte:02x}");
        codes[usize::from(*byte)] = code(rank);
    }
    text.extend(module.iter().map(|byte| codes[usize::from(*byte)].as_str()));
    text
}

fn code(rank: usize) -> String {
    let character = |at: usize| char::from(CHARACTERS[at]);
    match rank.checked_sub(SINGLE) {
        None => character(rank).into(),
        Some(rest) => {
            let first = character(SINGLE + rest / CHARACTERS.len());
            [first, character(rest % CHARACTERS.len())].iter().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_code_of_its_own_that_begins_no_other() {
        let codes: Vec<_> = (0..256).map(code).collect();
        for (at, code) in codes.iter().enumerate() {
            let clash = codes
                .iter()
                .enumerate()
                .find(|(it, other)| *it != at && other.starts_with(code.as_str()));
            assert_eq!(clash, None, "the code of rank {at}");
        }
    }

    #[test]
    fn nothing_in_it_needs_an_escape() {
        let text = write(&(0..=u8::MAX).collect::<Vec<_>>());
        assert!(text.bytes().all(|it| (b' '..=b'~').contains(&it) && !b"\"$'<\\`".contains(&it)));
    }
}
