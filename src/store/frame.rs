//! The bytes of a record:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | the format, 1 |
//! | 4 | CRC-32C of all other bytes, little endian |
//! | 8 | a log entry's own number; of a checkpoint, the number of the first entry after it |
//! | rest | what the caller wrote |

use super::Flaw;

const FORMAT: u8 = 1;
const SUM: usize = 1;
const NUMBER: usize = 5;
const PAYLOAD: usize = 13;

/// The size of a record with this payload.
pub(super) fn size(payload: &[u8]) -> u64 {
    (PAYLOAD + payload.len()) as u64
}

pub(super) fn wrap(number: u64, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PAYLOAD + payload.len());
    bytes.push(FORMAT);
    bytes.extend([0; NUMBER - SUM]);
    bytes.extend(number.to_le_bytes());
    bytes.extend(payload);
    let sum = checksum(&bytes);
    bytes[SUM..NUMBER].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// The number and what the caller wrote.
pub(super) fn unwrap(bytes: &[u8]) -> Result<(u64, &[u8]), Flaw> {
    let (head, payload) = bytes.split_first_chunk::<PAYLOAD>().ok_or(Flaw::Corrupt)?;
    let [format, s0, s1, s2, s3, number @ ..] = *head;
    if format != FORMAT {
        return Err(Flaw::Format(format));
    }
    if u32::from_le_bytes([s0, s1, s2, s3]) != checksum(bytes) {
        return Err(Flaw::Corrupt);
    }
    Ok((u64::from_le_bytes(number), payload))
}

fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes[..SUM]), &bytes[NUMBER..])
}
