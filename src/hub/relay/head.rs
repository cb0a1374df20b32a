use crate::hub::context::Context;
use crate::platform::Payload;
use crate::protocol::{ConnectionReceive, ToTab};
use crate::wire::{from_value, wire};

/// The parts of a message of ShareDB's protocol that tell where it belongs.
pub(super) struct Head {
    /// The action: `p` presence, `ps` and `pu` its subscription, `pr` the request to say it
    /// again, `nf` and `nt` a snapshot, `pp` a ping.
    a: String,
    /// The document's collection.
    c: Option<Payload>,
    /// The document.
    d: Option<Payload>,
    /// The presence's channel.
    ch: Option<Payload>,
    /// The presence's or the request's id.
    id: Option<Payload>,
    /// The presence's value; `null` takes it back.
    p: Option<Payload>,
    /// The presence's version.
    pv: Option<Payload>,
    /// Whose op it is.
    src: Option<Payload>,
    /// The subscription's number.
    seq: Option<Payload>,
    error: Option<Payload>,
}

wire!(open Head { a, c, d, ch, id, p, pv, src, seq, error });

impl Head {
    pub fn of(message: &Payload) -> Result<Self, String> {
        let mut head: Head = from_value(message.0.clone())?;
        // Of the others, `null` is a value.
        let Head { c, d, ch, p, pv, src, error, .. } = &mut head;
        for member in [c, d, ch, p, pv, src, error] {
            member.take_if(|it| it.is_null());
        }
        Ok(head)
    }

    /// What it is about.
    pub fn action(&self) -> &str {
        &self.a
    }

    /// The presence's id.
    pub fn id(&self) -> String {
        self.id.as_ref().and_then(Payload::as_text).unwrap_or_default()
    }

    /// The request's id.
    pub fn raw_id(&self) -> Option<&Payload> {
        self.id.as_ref()
    }

    pub fn into_id(self) -> Payload {
        self.id.unwrap_or_else(Payload::undefined)
    }

    pub fn into_seq(self) -> Option<Payload> {
        self.seq
    }

    pub fn has_seq(&self, seq: u64) -> bool {
        self.seq == Some(seq.into())
    }

    /// Whether it sets a presence, and does not take it back.
    pub fn shows(&self) -> bool {
        self.p.is_some()
    }

    pub fn is_error(&self) -> bool {
        self.error.is_some()
    }

    /// Whether its source is this one, or not said.
    pub fn is_from(&self, own: Option<&str>) -> bool {
        self.src.as_ref().is_none_or(|src| src.as_text().as_deref() == own)
    }

    /// What is asked by number, such as a query, is answered by number alone.
    pub fn subject(&self) -> Subject {
        let (c, d) = match self.id {
            Some(_) => (None, None),
            None => (self.c.clone(), self.d.clone()),
        };
        (self.a.clone(), self.id.clone(), c, d)
    }

    /// The presence's version; what is none is for the server to refuse.
    pub fn version(&self) -> u64 {
        let version = self.pv.as_ref().and_then(|pv| from_value(pv.0.clone()).ok());
        version.unwrap_or_default()
    }

    pub fn channel(&self) -> Option<String> {
        self.ch.as_ref().and_then(Payload::as_text)
    }
}

/// The action, the number, and without one the collection and the document of a message.
pub(super) type Subject = (String, Option<Payload>, Option<Payload>, Option<Payload>);

/// A tab's presence as its siblings see it: with the tab as its source.
pub(super) fn from(tab: &str, message: &Payload) -> Payload {
    message.with_member("src", Payload::from(tab.to_owned()))
}

pub(super) fn tell(tab: &str, message: &Payload, cx: &mut Context<'_>) {
    cx.send(tab, ToTab::ConnectionReceive(ConnectionReceive { message: message.clone() }));
}
