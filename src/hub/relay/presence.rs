//! Presence: who shows what on which channel, and who listens.
//!
//! All tabs are one client to the server, which tells a client nothing of its own presence: the hub
//! tells the siblings.

use tabmux_middleware::{Millis, SortedMap, SortedSet};

use super::head::{Head, from, tell};
use crate::error::Error;
use crate::hub::caps::{MAX_PRESENCES, check};
use crate::hub::context::Context;
use crate::platform::Payload;
use crate::wire::{to_value, wire};

/// How long the presence of the last tab stays. A hub in a page lets go of the server before that,
/// which then takes the presence back itself.
const PRESENCE_STAYS: Millis = 250;

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

type PresenceKey = (String, String, String);

/// The presence of all tabs.
#[derive(Default)]
pub(super) struct Presence {
    channels: SortedMap<String, Channel>,
    /// By channel, id and tab: tabs may show the same id.
    presences: SortedMap<PresenceKey, LocalPresence>,
    /// When what was withdrawn is taken back.
    takes_back_at: Option<Millis>,
    /// Counts the hub's own subscriptions: the server lets the newer one win.
    last_seq: u64,
    /// The `ps` messages of tabs that left before the server had answered, after the number of the hub's.
    left: Vec<(u64, String, Payload)>,
    /// The `pu` messages that wait for the server, after the number of the hub's own.
    leaving: Vec<(u64, String, Payload)>,
}

impl Presence {
    /// Whether there is room for more of this tab.
    ///
    /// # Errors
    /// It has too much already.
    pub fn check_room(&self, tab: &str) -> Result<(), Error> {
        if self.presences.len() + self.channels.len() < MAX_PRESENCES {
            return Ok(());
        }
        let shown = self.presences.keys().filter(|(_, _, other)| other == tab).count();
        let heard = self.channels.values().filter(|it| it.members.contains(tab)).count();
        check("presences and channels of them", shown + heard, MAX_PRESENCES)
    }

    /// Takes a tab's message about presence. Returns whether it is one.
    pub fn take_from_tab(
        &mut self,
        tab: &str,
        head: &Head,
        message: &Payload,
        cx: &mut Context<'_>,
    ) -> bool {
        let Some(channel) = &head.channel() else { return false };
        match head.action() {
            "p" => self.set_presence(tab, channel, head, message, cx),
            "ps" => self.subscribe(tab, channel, message, cx),
            "pu" => self.unsubscribe(tab, channel, message, cx),
            "pr" => self.request(tab, channel, message, cx),
            _ => return false,
        }
        true
    }

    /// Takes a message of the server about presence. Returns whether it is one.
    pub fn take_from_server(
        &mut self,
        head: &Head,
        message: &Payload,
        cx: &mut Context<'_>,
    ) -> bool {
        let Some(channel) = &head.channel() else { return false };
        match head.action() {
            "p" => self.shown(channel, head, message, cx),
            "ps" => self.subscribed(channel, head, message, cx),
            "pu" => {
                self.unsubscribed(head, message, cx);
                self.show_again(channel, cx);
            }
            "pr" => self.tell_owners(channel, None, message, cx),
            _ => return false,
        }
        true
    }

    /// The server tells of a presence: another client's, or its answer for one of the hub's.
    fn shown(&mut self, channel: &str, head: &Head, message: &Payload, cx: &mut Context<'_>) {
        let id = head.id();
        let first = (channel.to_owned(), id.clone(), String::new());
        let is_it = |key: &PresenceKey| key.0 == channel && key.1 == id;
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

    /// The connection to the server is lost. The members of a channel stay, to be told of siblings
    /// that leave.
    pub fn disconnected(&mut self) {
        for channel in self.channels.values_mut() {
            channel.live = false;
            channel.waiting.clear();
        }
        self.forget_requests();
    }

    /// The connection to the server is there. Tabs ask for all presence again.
    pub fn connected(&mut self) {
        self.channels.clear();
    }

    /// What was asked has reached nobody.
    pub fn forget_requests(&mut self) {
        self.left.clear();
        self.leaving.clear();
    }

    /// The tab is gone: takes back what it shows.
    pub fn take_back_of(&mut self, tab: &str, cx: &mut Context<'_>) {
        self.withdraw(tab);
        self.take_back(cx);
    }

    /// The last tab has gone offline, and may be back at once.
    pub fn withdraw_soon(&mut self, tab: &str, now: Millis) {
        self.withdraw(tab);
        self.takes_back_at.get_or_insert(now + PRESENCE_STAYS);
    }

    /// When [`Presence::wake`] wants to be called.
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

    /// The tab begins a new session: it asks again for all that it still wants.
    pub fn suspend(&mut self, tab: &str, cx: &mut Context<'_>) {
        for channel in self.channels.keys().cloned().collect::<Vec<_>>() {
            self.leave(tab, &channel, cx);
        }
        self.left.retain(|(_, other, _)| other != tab);
        self.leaving.retain(|(_, other, _)| other != tab);
    }

    fn set_presence(
        &mut self,
        tab: &str,
        channel: &str,
        head: &Head,
        message: &Payload,
        cx: &mut Context<'_>,
    ) {
        let id = head.id();
        let own = LocalPresence {
            version: head.version(),
            message: message.clone(),
            gone: !head.shows(),
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
        let is_answer = |seq: u64| head.has_seq(seq);
        for (_, tab, asked) in self.left.extract_if(.., |(seq, ..)| is_answer(*seq)) {
            tell(&tab, &numbered(message, &asked), cx);
        }
        let entry = self.channels.get_mut(channel).filter(|entry| is_answer(entry.seq));
        let Some(entry) = entry else { return };
        entry.live = !head.is_error();
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
        let is_answer = |(seq, ..): &(u64, String, Payload)| head.has_seq(*seq);
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

/// The server's answer with the number that the tab gave its request.
fn numbered(answer: &Payload, asked: &Payload) -> Payload {
    let seq = Head::of(asked).ok().and_then(Head::into_seq);
    answer.with_member("seq", seq.unwrap_or_else(Payload::undefined))
}
