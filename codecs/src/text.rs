use crate::{CodecError, Limits};

/// Checks the length and the nesting of a JSON text, in one pass and without recursion.
///
/// It need not be well-formed: up to its first fault this counts as any parser would, and no parser
/// goes beyond.
pub(crate) fn check(codec: &'static str, text: &str, limits: &Limits) -> Result<(), CodecError> {
    if text.len() > limits.max_size {
        return Err(CodecError::too_long(codec, text.len(), limits));
    }
    let mut depth = 0usize;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => _ = bytes.next(),
                        _ => {}
                    }
                }
            }
            b'[' | b'{' if depth == limits.max_depth => {
                return Err(CodecError::too_deep(codec, limits));
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}
