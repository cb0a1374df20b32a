use std::collections::{HashMap, VecDeque};
use tabmux_middleware::{Millis, SortedMap, SortedSet};

use super::caps::{MAX_PRESENCES, MAX_REQUESTS, check};
use super::context::Context;
use crate::error::{Error, codes};
use crate::platform::Payload;
use crate::protocol::{ConnectionReceive, ToTab};
use crate::wire::{from_value, to_value, wire};

/// How long the presence of the last tab stays. A hub in a page lets go of the server before that,
/// which then takes the presence back itself.
const PRESENCE_STAYS: Millis = 250;

/// The parts of a message of ShareDB's protocol that tell where it belongs.
struct Head {
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
    fn of(message: &Payload) -> Result<Self, String> {
        let mut head: Head = from_value(message.0.clone())?;
        // Of the others, `null` is a value.
        let Head { c, d, ch, p, pv, src, error, .. } = &mut head;
        for member in [c, d, ch, p, pv, src, error] {
            member.take_if(|it| it.is_null());
        }
        Ok(head)
    }

    /// What is asked by number, such as a query, is answered by number alone.
    fn subject(&self) -> Subject {
        let (c, d) = match self.id {
            Some(_) => (None, None),
            None => (self.c.clone(), self.d.clone()),
        };
        (self.a.clone(), self.id.clone(), c, d)
    }

    /// The presence's version; what is none is for the server to refuse.
    fn version(&self) -> u64 {
        let version = self.pv.as_ref().and_then(|pv| from_value(pv.0.clone()).ok());
        version.unwrap_or_default()
    }

    fn channel(&self) -> Option<String> {
        self.ch.as_ref().and_then(Payload::as_text)
    }
}

/// A presence channel with a tab that listens to it.
#[derive(Default)]
struct Channel {
    members: SortedSet<String>,
    /// The number of the hub's subscription.
    seq: u64,
    /// The server has confirmed it.
    live: bool,
    /// The `ps` messages that wait for it.
    waiting: Vec<(String, Payload)>,
}

/// Presence that a tab has set.
struct LocalPresence {
    version: u64,
    message: Payload,
    /// The tab has taken it back; the server's answer to that is still owed.
    gone: bool,
    /// The hub is to take it back in the name of its tab.
    withdrawn: bool,
}

/// What passes between tabs and the server in ShareDB's own protocol: presence, snapshots at a
/// version or a time, pings, and whatever an application sends by hand.
///
/// All tabs are one client to the server, which tells a client nothing of its own presence: the
/// hub tells the siblings.
#[derive(Default)]
pub(super) struct Relay {
    channels: SortedMap<String, Channel>,
    /// By channel, id and tab: tabs may show the same id.
    presences: SortedMap<(String, String, String), LocalPresence>,
    /// When what was withdrawn is taken back.
    takes_back_at: Option<Millis>,
    /// The snapshot requests under way: whose they are, and the id they had there.
    requests: HashMap<u64, (String, Payload)>,
    last_request: u64,
    /// Counts the hub's own subscriptions: the server lets the newer one win.
    last_seq: u64,
    /// The `ps` messages of tabs that left before the server had answered, after the number of the hub's.
    left: Vec<(u64, String, Payload)>,
    /// The `pu` messages that wait for the server, after the number of the hub's own.
    leaving: Vec<(u64, String, Payload)>,
    pings: VecDeque<String>,
    /// Messages of other kinds whose answer is still to come: what it will look like, and whose it
    /// is.
    others: VecDeque<(Subject, String)>,
}

/// The action, the number, and without one the collection and the document of a message.
type Subject = (String, Option<Payload>, Option<Payload>, Option<Payload>);

type PresenceKey = (String, String, String);

impl Relay {
    /// Takes a tab's message for the server, to which the hub is known as `own`.
    ///
    /// # Errors
    /// The tab has asked too much.
    pub fn take_from_tab(
        &mut self,
        tab: &str,
        message: &Payload,
        own: Option<&str>,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        let head =
            Head::of(message).map_err(|reason| Error::new(codes::MESSAGE_BADLY_FORMED, reason))?;
        self.check_room(tab)?;
        match (head.a.as_str(), &head.channel()) {
            ("p", Some(channel)) => self.set_presence(tab, channel, &head, message, cx),
            ("ps", Some(channel)) => self.subscribe(tab, channel, message, cx),
            ("pu", Some(channel)) => self.unsubscribe(tab, channel, message, cx),
            ("pr", Some(channel)) => self.request(tab, channel, message, cx),
            ("nf" | "nt" | "qf", _) => {
                self.last_request += 1;
                let number = self.last_request;
                let id = head.id.unwrap_or_else(Payload::undefined);
                self.requests.insert(number, (tab.to_owned(), id));
                // The server wants a number for a query.
                let is_query = head.a == "qf";
                let id = if is_query { (FIRST_QUERY + number).into() } else { request_id(number) };
                cx.upstream.send(&message.with_member("id", id));
            }
            // Under the hub's name, an op of a sibling with the same number would count as this one.
            ("op", _) if head.src.as_ref().is_none_or(|src| src.as_text().as_deref() == own) => {
                self.others.push_back((head.subject(), tab.to_owned()));
                cx.upstream.send(&from(tab, message));
            }
            ("pp", _) => {
                self.pings.push_back(tab.to_owned());
                cx.upstream.send(message);
            }
            _ => {
                self.others.push_back((head.subject(), tab.to_owned()));
                cx.upstream.send(message);
            }
        }
        Ok(())
    }

    fn check_room(&self, tab: &str) -> Result<(), Error> {
        let waiting = [self.requests.len(), self.pings.len(), self.others.len()];
        if waiting.into_iter().sum::<usize>() >= MAX_REQUESTS {
            let requests = self.requests.values().filter(|(other, _)| other == tab).count();
            let pings = self.pings.iter().filter(|other| *other == tab).count();
            let others = self.others.iter().filter(|(_, other)| other == tab).count();
            check("messages without an answer", requests + pings + others, MAX_REQUESTS)?;
        }
        if self.presences.len() + self.channels.len() >= MAX_PRESENCES {
            let shown = self.presences.keys().filter(|(_, _, other)| other == tab).count();
            let heard = self.channels.values().filter(|it| it.members.contains(tab)).count();
            check("presences and channels of them", shown + heard, MAX_PRESENCES)?;
        }
        Ok(())
    }

    /// Takes a message of the server.
    pub fn take_from_server(&mut self, message: &Payload, cx: &mut Context<'_>) {
        let Ok(head) = Head::of(message) else { return };
        match (head.a.as_str(), &head.channel()) {
            ("p", Some(channel)) => {
                let id = head.id.as_ref().and_then(Payload::as_text).unwrap_or_default();
                let first = (channel.clone(), id.clone(), String::new());
                let is_it = |key: &PresenceKey| key.0 == *channel && key.1 == id;
                let keys = self.presences.from_key(&first).map(|(key, _)| key);
                let keys: Vec<PresenceKey> = keys.take_while(|key| is_it(key)).cloned().collect();
                if keys.is_empty() {
                    self.tell_members(channel, None, message, cx);
                }
                for key in keys {
                    tell(&key.2, message, cx);
                    // The server has answered for the last that was heard of it.
                    let version = head.version();
                    if self.presences.get(&key).is_some_and(|it| it.gone && it.version == version) {
                        self.presences.remove(&key);
                    }
                }
            }
            ("ps", Some(channel)) => self.subscribed(channel, &head, message, cx),
            ("pu", Some(channel)) => {
                self.unsubscribed(&head, message, cx);
                self.show_again(channel, cx);
            }
            ("pr", Some(channel)) => self.tell_owners(channel, None, message, cx),
            ("nf" | "nt" | "qf", _) => {
                let number = head.id.as_ref().and_then(request_number);
                if let Some((tab, id)) = number.and_then(|id: u64| self.requests.remove(&id)) {
                    tell(&tab, &message.with_member("id", id), cx);
                }
            }
            ("pp", _) => {
                if let Some(tab) = self.pings.pop_front() {
                    tell(&tab, message, cx);
                }
            }
            _ => {
                let subject = head.subject();
                let at = self.others.iter().position(|(asked, _)| *asked == subject);
                if let Some((_, tab)) = at.and_then(|at| self.others.remove(at)) {
                    tell(&tab, message, cx);
                }
            }
        }
    }

    /// The connection to the server is lost. The members of a channel stay, to be told of siblings
    /// that leave.
    pub fn disconnected(&mut self) {
        for channel in self.channels.values_mut() {
            channel.live = false;
            channel.waiting.clear();
        }
        self.forget_requests();
    }

    /// The connection to the server is being made: what was asked while there was none has reached
    /// nobody, what is asked from now on will.
    pub fn connecting(&mut self) {
        self.forget_requests();
    }

    /// The connection to the server is there. Tabs ask for all presence again.
    pub fn connected(&mut self) {
        self.channels.clear();
    }

    fn forget_requests(&mut self) {
        self.left.clear();
        self.leaving.clear();
        self.requests.clear();
        self.pings.clear();
        self.others.clear();
    }

    /// A tab is gone, and its presence with it.
    pub fn release_all(&mut self, tab: &str, cx: &mut Context<'_>) {
        self.withdraw(tab);
        self.take_back(cx);
        self.suspend(tab, cx);
    }

    /// The last tab has gone offline, and may be back at once.
    pub fn withdraw_soon(&mut self, tab: &str, now: Millis) {
        self.withdraw(tab);
        self.takes_back_at.get_or_insert(now + PRESENCE_STAYS);
    }

    /// When [`Relay::wake`] wants to be called.
    pub fn deadline(&self) -> Option<Millis> {
        self.takes_back_at
    }

    pub fn wake(&mut self, cx: &mut Context<'_>) {
        if self.takes_back_at.take_if(|at| *at <= cx.now).is_some() {
            self.take_back(cx);
        }
    }

    /// A tab's presence is to be taken back.
    fn withdraw(&mut self, tab: &str) {
        for ((_, _, other), own) in self.presences.iter_mut() {
            if other == tab {
                (own.gone, own.withdrawn) = (true, true);
            }
        }
    }

    /// Takes back what was withdrawn, and not sent again since.
    fn take_back(&mut self, cx: &mut Context<'_>) {
        let presences = std::mem::take(&mut self.presences);
        let (withdrawn, shown) = presences.into_iter().partition(|(_, own)| own.withdrawn);
        self.presences = shown;
        let withdrawn: SortedMap<_, _> = withdrawn;
        for ((channel, _, tab), own) in withdrawn {
            let message = own.message.with_member("p", Payload::null());
            let message = message.with_member("pv", own.version.saturating_add(1).into());
            cx.upstream.send(&message);
            self.tell_members(&channel, Some(&tab), &from(&tab, &message), cx);
        }
    }

    /// The tab begins a new session: to it, that is a new connection, on which it asks again for all
    /// that it still wants.
    pub fn suspend(&mut self, tab: &str, cx: &mut Context<'_>) {
        for channel in self.channels.keys().cloned().collect::<Vec<_>>() {
            self.leave(tab, &channel, cx);
        }
        self.left.retain(|(_, other, _)| other != tab);
        self.leaving.retain(|(_, other, _)| other != tab);
        self.requests.retain(|_, (other, _)| other != tab);
        self.others.retain(|(_, other)| other != tab);
    }

    fn set_presence(
        &mut self,
        tab: &str,
        channel: &str,
        head: &Head,
        message: &Payload,
        cx: &mut Context<'_>,
    ) {
        let id = head.id.as_ref().and_then(Payload::as_text).unwrap_or_default();
        let own = LocalPresence {
            version: head.version(),
            message: message.clone(),
            gone: head.p.is_none(),
            withdrawn: false,
        };
        self.presences.insert((channel.to_owned(), id, tab.to_owned()), own);
        cx.upstream.send(message);
        self.tell_members(channel, Some(tab), &from(tab, message), cx);
    }

    fn subscribe(&mut self, tab: &str, channel: &str, message: &Payload, cx: &mut Context<'_>) {
        let entry = self.channels.get_or_insert_with(channel.to_owned(), Default::default);
        entry.members.insert(tab.to_owned());
        if !entry.live {
            entry.waiting.push((tab.to_owned(), message.clone()));
            if entry.waiting.len() == 1 {
                self.last_seq += 1;
                entry.seq = self.last_seq;
                cx.upstream.send(&message.with_member("seq", self.last_seq.into()));
            }
            return;
        }
        tell(tab, message, cx);
        let request = message.with_member("a", Payload::from("pr".to_owned()));
        self.request(tab, channel, &request, cx);
    }

    /// Asks all who have presence on the channel to say it again.
    fn request(&self, tab: &str, channel: &str, message: &Payload, cx: &mut Context<'_>) {
        cx.upstream.send(message);
        self.tell_owners(channel, Some(tab), message, cx);
    }

    fn subscribed(&mut self, channel: &str, head: &Head, message: &Payload, cx: &mut Context<'_>) {
        let is_answer = |seq: u64| head.seq == Some(seq.into());
        for (_, tab, asked) in self.left.extract_if(.., |(seq, ..)| is_answer(*seq)) {
            tell(&tab, &numbered(message, &asked), cx);
        }
        let entry = self.channels.get_mut(channel).filter(|entry| is_answer(entry.seq));
        let Some(entry) = entry else { return };
        entry.live = head.error.is_none();
        let waiting = std::mem::take(&mut entry.waiting);
        if !entry.live {
            self.channels.remove(channel);
        }
        for (tab, asked) in &waiting {
            tell(tab, &numbered(message, asked), cx);
            let request = asked.with_member("a", Payload::from("pr".to_owned()));
            self.tell_owners(channel, Some(tab), &request, cx);
        }
    }

    fn unsubscribe(&mut self, tab: &str, channel: &str, message: &Payload, cx: &mut Context<'_>) {
        if let Some(entry) = self.channels.get_mut(channel) {
            let asked = entry.waiting.extract_if(.., |(other, _)| other == tab);
            self.left.extend(asked.map(|(tab, asked)| (entry.seq, tab, asked)));
        }
        match self.leave(tab, channel, cx) {
            Some(seq) => self.leaving.push((seq, tab.to_owned(), message.clone())),
            None => tell(tab, message, cx),
        }
    }

    /// The server has answered for a `pu` of the hub's own.
    fn unsubscribed(&mut self, head: &Head, message: &Payload, cx: &mut Context<'_>) {
        let is_answer = |(seq, ..): &(u64, String, Payload)| head.seq == Some((*seq).into());
        let Some(at) = self.leaving.iter().position(is_answer) else { return };
        let (_, tab, asked) = self.leaving.remove(at);
        tell(&tab, &numbered(message, &asked), cx);
    }

    /// The server takes back the presence of a client that unsubscribes: but here it was one tab that
    /// listened, and maybe another that shows itself.
    fn show_again(&self, channel: &str, cx: &mut Context<'_>) {
        let shown =
            self.presences.iter().filter(|((other, ..), own)| other == channel && !own.gone);
        for (_, own) in shown {
            cx.upstream.send(&own.message);
        }
    }

    /// Returns the number of the hub's own `pu`, if the tab was the last on the channel.
    fn leave(&mut self, tab: &str, channel: &str, cx: &mut Context<'_>) -> Option<u64> {
        let entry = self.channels.get_mut(channel)?;
        entry.members.remove(tab);
        entry.waiting.retain(|(other, _)| other != tab);
        if !entry.members.is_empty() {
            return None;
        }
        self.channels.remove(channel);
        self.last_seq += 1;
        let (a, ch, seq) = ("pu".to_owned(), channel.to_owned(), self.last_seq);
        cx.upstream.send(&Payload(to_value(&Unsubscribe { a, ch, seq })));
        Some(self.last_seq)
    }

    fn tell_members(
        &self,
        channel: &str,
        but: Option<&str>,
        message: &Payload,
        cx: &mut Context<'_>,
    ) {
        for tab in self.channels.get(channel).into_iter().flat_map(|channel| channel.members.iter())
        {
            if but != Some(tab) {
                tell(tab, message, cx);
            }
        }
    }

    fn tell_owners(
        &self,
        channel: &str,
        but: Option<&str>,
        message: &Payload,
        cx: &mut Context<'_>,
    ) {
        let owners = self.presences.keys().filter(|(other, ..)| other == channel);
        let owners: SortedSet<&String> = owners.map(|(_, _, tab)| tab).collect();
        for tab in owners.into_iter().filter(|tab| but != Some(tab)) {
            tell(tab, message, cx);
        }
    }
}

struct Unsubscribe {
    a: String,
    ch: String,
    seq: u64,
}

wire!(Unsubscribe { a, ch, seq });

/// The hub's own queries never have such numbers.
const FIRST_QUERY: u64 = 1 << 50;
const REQUEST_PREFIX: &str = "tabmux:";

/// An id that no request of the upstream connection itself has: those are numbers.
fn request_id(number: u64) -> Payload {
    Payload::from(format!("{REQUEST_PREFIX}{number}"))
}

/// The inverse of the ids that the relay gives requests.
fn request_number(id: &Payload) -> Option<u64> {
    match id.as_text() {
        Some(text) => text.strip_prefix(REQUEST_PREFIX)?.parse().ok(),
        None => from_value::<u64>(id.0.clone()).ok()?.checked_sub(FIRST_QUERY),
    }
}

/// A tab's presence as its siblings see it: with the tab as its source.
fn from(tab: &str, message: &Payload) -> Payload {
    message.with_member("src", Payload::from(tab.to_owned()))
}

/// The server's answer with the number that the tab gave its request.
fn numbered(answer: &Payload, asked: &Payload) -> Payload {
    let seq = Head::of(asked).ok().and_then(|asked| asked.seq);
    answer.with_member("seq", seq.unwrap_or_else(Payload::undefined))
}

fn tell(tab: &str, message: &Payload, cx: &mut Context<'_>) {
    cx.send(tab, ToTab::ConnectionReceive(ConnectionReceive { message: message.clone() }));
}
