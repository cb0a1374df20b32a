use tabmux_codecs::Value;
use tabmux_middleware::{Layers, Message, Millis, Reply, Request};

use super::names::{Named, SHAPE};
use super::{Callback, ToHub, ToTab};
use crate::error::{Error, codes};
use crate::platform::Payload;
use crate::wire::{Member, Place, Wire, from_entries, from_value, to_value};

/// A message as layers have it.
#[derive(Clone, Debug, PartialEq)]
pub enum Layered<M> {
    /// As this end said it.
    Plain(M),
    /// As it has come from the other end, with what it was read from.
    Arrived(M, Payload),
    /// As a layer of the application has passed it on: it may be anything.
    Passed(Payload),
}

/// A tab's layers of the application.
pub type TabLayers = Layers<Layered<ToHub>, Layered<ToTab>>;

/// A hub's layers of the application.
pub type HubLayers = Layers<Layered<ToTab>, Layered<ToHub>>;

impl<M: Wire> Layered<M> {
    /// What a layer of the application gets to see of a message to the other end: `{type, body}`, or what the
    /// last one passed on.
    pub fn sent(&self) -> Value {
        match self {
            Layered::Plain(message) => to_value(message),
            Layered::Arrived(_, value) | Layered::Passed(value) => value.0.clone(),
        }
    }

    /// As [`Layered::sent`], of a message from the other end. Those are never written anew: an end does without
    /// the code for what only the other end says.
    pub fn arrived(&self) -> Value {
        match self {
            Layered::Plain(_) => Payload::null().0,
            Layered::Arrived(_, value) | Layered::Passed(value) => value.0.clone(),
        }
    }

    /// The message, at the end of all layers.
    ///
    /// # Errors
    /// What was passed on is no message.
    pub fn message(self) -> Result<M, String> {
        match self {
            Layered::Plain(message) | Layered::Arrived(message, _) => Ok(message),
            Layered::Passed(message) => from_value(message.0),
        }
    }
}

/// On the wire, what was passed on is the body of a message of this type.
const TYPE: &str = "layered";

impl<M: Named> Wire for Layered<M> {
    fn write(&self, to: Place<'_>) {
        match self {
            Layered::Plain(message) | Layered::Arrived(message, _) => message.write(to),
            Layered::Passed(message) => {
                let mut target = to.object(&SHAPE);
                target.at(0).text(TYPE);
                message.write(target.at(1));
            }
        }
    }

    fn read(from: Member<'_>) -> Self {
        let members = from.members(&SHAPE);
        let name = String::read(members.at(0));
        if name == TYPE {
            Layered::Passed(Payload::read(members.at(1)))
        } else {
            Layered::Arrived(M::read_named(&name, &members), Payload(from.value()))
        }
    }
}

impl<M: Message> Message for Layered<M> {
    fn merge(&mut self, next: Self) -> Result<(), Self> {
        match (self, next) {
            (Layered::Plain(last), Layered::Plain(next)) => {
                last.merge(next).map_err(Layered::Plain)
            }
            (_, next) => Err(next),
        }
    }

    fn overtakes(&self, earlier: &Self) -> bool {
        matches!((self, earlier), (Layered::Plain(own), Layered::Plain(other)) if own.overtakes(other))
    }
}

/// Requests are made above all layers of the application.
impl Request for Layered<ToHub> {
    fn request(&self) -> Option<u64> {
        match self {
            Layered::Plain(message) | Layered::Arrived(message, _) => message.request(),
            Layered::Passed(_) => None,
        }
    }

    fn extra_time(&self) -> Millis {
        match self {
            Layered::Plain(message) | Layered::Arrived(message, _) => message.extra_time(),
            Layered::Passed(_) => 0,
        }
    }
}

impl Reply for Layered<ToTab> {
    fn answers(&self) -> Option<u64> {
        match self {
            Layered::Plain(message) | Layered::Arrived(message, _) => message.answers(),
            Layered::Passed(message) => from_value::<ToTab>(message.0.clone()).ok()?.answers(),
        }
    }

    fn timed_out(request: u64, after: Millis) -> Self {
        let message = format!("no answer from the hub within {after} ms");
        let error = Some(Error::new(codes::TIMEOUT, message));
        let callback = Callback { request, error };
        let entries =
            [("type", Payload::from("callback".to_owned()).0), ("body", to_value(&callback))];
        let entries = entries.map(|(name, value)| (name.to_owned(), value));
        Layered::Arrived(ToTab::Callback(callback), Payload(from_entries(entries.into())))
    }
}
