use crate::error::{Error, codes};
use crate::platform::Payload;
use crate::wire::{from_value, wire};

struct Head {
    a: String,
    ch: Option<Payload>,
}

wire!(open Head { a, ch });

/// Whether a tab may send this message of ShareDB's protocol: to the server all tabs of a hub are one
/// client, so what ends or replaces something of the client's would be felt by the others.
///
/// # Errors
/// It is no message, or one that is the hub's alone to send.
pub(crate) fn check_by_hand(message: &Payload) -> Result<(), Error> {
    let bad = |reason: String| Error::new(codes::MESSAGE_BADLY_FORMED, reason);
    let head: Head = from_value(message.0.clone())
        .map_err(|reason| bad(format!("a message for the server needs an action `a`: {reason}")))?;
    let instead = match head.a.as_str() {
        "hs" | "init" => "the hub shakes hands",
        "s" | "u" | "bs" | "bu" => "use `subscribe` and `unsubscribe` of the document",
        "qs" | "qu" => "use `createSubscribeQuery`, and `destroy` of the query",
        "p" | "ps" | "pu" | "pr" if head.ch.as_ref().and_then(Payload::as_text).is_none() => {
            return Err(bad(format!("a message `{}` needs a channel `ch`, a string", head.a)));
        }
        _ => return Ok(()),
    };
    let reason = format!(
        "a message `{}` would change what siblings of this tab are sent: {instead}",
        head.a
    );
    Err(Error::new(codes::MESSAGE_REFUSED, reason))
}
