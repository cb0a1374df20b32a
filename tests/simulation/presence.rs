//! A model of what a client does about presence: `js/src/tab/presence`, which does as ShareDB's
//! `lib/client/presence`. Tabs have one each, and so has the client beside the hub.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The presence channels of a client.
#[derive(Default)]
pub struct Presences {
    owner: String,
    can_send: bool,
    last_seq: u64,
    last_id: u64,
    channels: BTreeMap<String, Channel>,
    out: Vec<Value>,
}

#[derive(Default)]
struct Channel {
    wants: bool,
    subscribed: bool,
    /// It is forgotten once what it owns is taken back.
    ending: bool,
    /// The subscriptions without an answer, and whether the channel's end waits for it.
    asked: BTreeMap<u64, bool>,
    /// The owner's presences, by id: one that it shows, and those that are being taken back.
    locals: BTreeMap<String, Local>,
    remotes: BTreeMap<String, Remote>,
}

/// A presence of the owner.
#[derive(Default)]
struct Local {
    version: u64,
    value: Value,
    pending: Vec<Value>,
    /// The messages that have no answer yet, and whether the presence is forgotten after it.
    owed: BTreeMap<u64, bool>,
}

/// A presence of somebody else.
#[derive(Clone, Debug, PartialEq)]
pub struct Remote {
    pub version: u64,
    pub value: Value,
    /// The owner did not listen for a while since. As in ShareDB, one that was taken back then stays.
    pub outdated: bool,
}

impl Presences {
    pub fn new(owner: &str) -> Self {
        Presences { owner: owner.to_owned(), ..Presences::default() }
    }

    /// The next message to send.
    pub fn poll(&mut self) -> Option<Value> {
        (!self.out.is_empty()).then(|| self.out.remove(0))
    }

    pub fn subscribe(&mut self, channel: &str) {
        self.channels.entry(channel.to_owned()).or_default().ending = false;
        self.ask(channel, true, false);
    }

    /// Sets the owner's presence on the channel; who does that listens there as well.
    pub fn set(&mut self, channel: &str, value: Value) {
        self.subscribe(channel);
        let entry = self.channels.entry(channel.to_owned()).or_default();
        let shown = entry.shown().map(|(id, _)| id.to_owned());
        let id = shown.unwrap_or_else(|| {
            self.last_id += 1;
            format!("{}/{}", self.owner, self.last_id)
        });
        entry.locals.entry(id.clone()).or_default();
        self.submit(channel, &id, value, false);
    }

    /// Unsubscribes, and then takes back the presence.
    pub fn end(&mut self, channel: &str) {
        let Some(entry) = self.channels.get_mut(channel) else { return };
        entry.ending = true;
        self.ask(channel, false, true);
    }

    pub fn is_pending(&self) -> bool {
        let owed = |local: &Local| !local.owed.is_empty() || !local.pending.is_empty();
        self.channels.values().any(|channel| {
            let unsure = channel.wants != channel.subscribed || !channel.asked.is_empty();
            unsure || channel.locals.values().any(owed)
        })
    }

    /// What the owner shows on the channel.
    pub fn shown(&self, channel: &str) -> Option<(&str, &Value)> {
        self.channels.get(channel)?.shown()
    }

    /// What the owner knows of the others; `None` if it does not listen.
    pub fn known(&self, channel: &str) -> Option<&BTreeMap<String, Remote>> {
        let channel = self.channels.get(channel).filter(|channel| channel.subscribed)?;
        Some(&channel.remotes)
    }

    fn ask(&mut self, channel: &str, want: bool, end: bool) {
        let entry = self.channels.entry(channel.to_owned()).or_default();
        if want == entry.wants {
            if !end {
                return;
            }
            if want == entry.subscribed {
                return self.take_back(channel);
            }
            if let Some(mut last) = entry.asked.last_entry() {
                *last.get_mut() = true;
                return;
            }
        }
        entry.wants = want;
        self.last_seq += 1;
        entry.asked.insert(self.last_seq, end);
        if self.can_send {
            let action = if want { "ps" } else { "pu" };
            self.out.push(json!({ "a": action, "ch": channel, "seq": self.last_seq }));
        }
    }

    /// The end of `end`.
    fn take_back(&mut self, channel: &str) {
        let Some(entry) = self.channels.get_mut(channel) else { return };
        if entry.ending {
            entry.remotes.clear();
        }
        let ids: Vec<String> = entry.locals.keys().cloned().collect();
        if ids.is_empty() && entry.ending {
            self.channels.remove(channel);
        }
        for id in ids {
            self.submit(channel, &id, Value::Null, true);
        }
    }

    fn submit(&mut self, channel: &str, id: &str, value: Value, last: bool) {
        if let Some(local) = self.local(channel, id) {
            local.value = value;
            self.send(channel, id, last);
        }
    }

    fn local(&mut self, channel: &str, id: &str) -> Option<&mut Local> {
        self.channels.get_mut(channel)?.locals.get_mut(id)
    }

    fn send(&mut self, channel: &str, id: &str, last: bool) {
        let Some(local) = self.local(channel, id) else { return };
        let version = local.version;
        local.version += 1;
        let value = &local.value;
        let message = json!({ "a": "p", "ch": channel, "id": id, "p": value, "pv": version });
        local.pending.push(message);
        local.owed.insert(version, last);
        self.send_pending(channel, id);
    }

    fn send_pending(&mut self, channel: &str, id: &str) {
        if self.can_send
            && let Some(local) = self.local(channel, id)
        {
            let pending = std::mem::take(&mut local.pending);
            self.out.extend(pending);
        }
    }

    // What comes in

    pub fn receive(&mut self, message: &Value) {
        let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
        let (channel, id) = (text("ch"), text("id"));
        let own = id.strip_prefix(&self.owner).is_some_and(|rest| rest.starts_with('/'));
        let Some(entry) = self.channels.get_mut(&channel) else { return };
        match text("a").as_str() {
            "p" if entry.locals.contains_key(&id) => {
                self.answered(&channel, &id, message["pv"].as_u64().unwrap_or_default());
            }
            "p" => {
                let version = message["pv"].as_u64().unwrap_or_default();
                let value = message["p"].clone();
                assert!(!own || value.is_null(), "{} takes itself for another", self.owner);
                match entry.remotes.get(&id) {
                    Some(known) if version < known.version => {}
                    _ if value.is_null() => {
                        entry.remotes.remove(&id);
                    }
                    _ => {
                        let outdated = !entry.subscribed;
                        entry.remotes.insert(id, Remote { version, value, outdated });
                    }
                }
            }
            "ps" | "pu" => {
                entry.subscribed = match message["a"] == "ps" {
                    true => entry.subscribed || entry.wants,
                    false => false,
                };
                if !entry.subscribed {
                    entry.remotes.values_mut().for_each(|remote| remote.outdated = true);
                }
                let ends = entry.asked.remove(&message["seq"].as_u64().unwrap_or_default());
                if ends == Some(true) {
                    self.take_back(&channel);
                }
            }
            "pr" => {
                if let Some(id) = entry.shown().map(|(id, _)| id.to_owned()) {
                    self.send(&channel, &id, false);
                }
            }
            other => panic!("{} is told {other:?}", self.owner),
        }
    }

    fn answered(&mut self, channel: &str, id: &str, version: u64) {
        let Some(entry) = self.channels.get_mut(channel) else { return };
        let owed = entry.locals.get_mut(id).and_then(|local| local.owed.remove(&version));
        if owed == Some(true) {
            entry.locals.remove(id);
            if entry.ending && entry.locals.is_empty() {
                self.channels.remove(channel);
            }
        }
    }

    /// What was on its way to the client may be lost.
    pub fn interrupt(&mut self) {
        self.out.clear();
        for remote in self.channels.values_mut().flat_map(|channel| channel.remotes.values_mut()) {
            remote.outdated = true;
        }
        self.set_can_send(false);
    }

    pub fn set_can_send(&mut self, can_send: bool) {
        if self.can_send == can_send {
            return;
        }
        self.can_send = can_send;
        if !can_send {
            self.interrupt();
        }
        for channel in self.channels.keys().cloned().collect::<Vec<_>>() {
            match can_send {
                true => self.reconnected(&channel),
                false => self.lost(&channel),
            }
        }
    }

    fn lost(&mut self, channel: &str) {
        let Some(entry) = self.channels.get_mut(channel) else { return };
        entry.subscribed = false;
        for id in entry.locals.keys().cloned().collect::<Vec<_>>() {
            let Some(local) = self.local(channel, &id) else { continue };
            let is_pending =
                |version: &u64| local.pending.iter().any(|sent| sent["pv"] == *version);
            let sent: Vec<u64> = local.owed.keys().copied().filter(|pv| !is_pending(pv)).collect();
            let has_to_be_sent = !local.value.is_null() && local.pending.is_empty();
            if !sent.is_empty() || has_to_be_sent {
                let owed: Vec<bool> =
                    sent.iter().filter_map(|version| local.owed.remove(version)).collect();
                let last = owed.contains(&true);
                self.send(channel, &id, last);
            }
        }
    }

    fn reconnected(&mut self, channel: &str) {
        let Some(entry) = self.channels.get_mut(channel) else { return };
        let ends = std::mem::take(&mut entry.asked).into_values().any(|ends| ends);
        if !entry.wants {
            if ends {
                self.take_back(channel);
            }
        } else {
            // As ShareDB does, with a callback: it is wanted already, but nothing is subscribed.
            self.last_seq += 1;
            entry.asked.insert(self.last_seq, ends);
            self.out.push(json!({ "a": "ps", "ch": channel, "seq": self.last_seq }));
        }
        let Some(entry) = self.channels.get(channel) else { return };
        for id in entry.locals.keys().cloned().collect::<Vec<_>>() {
            self.send_pending(channel, &id);
        }
    }
}

impl Channel {
    fn shown(&self) -> Option<(&str, &Value)> {
        let mut shown = self.locals.iter().filter(|(_, local)| !local.value.is_null());
        shown.next().map(|(id, local)| (id.as_str(), &local.value))
    }
}
