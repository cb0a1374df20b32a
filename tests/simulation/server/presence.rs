//! Presence, as the server passes it on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Agent, AgentId, Reply, Server};

/// What the server knows of a client's presence.
#[derive(Default)]
pub(super) struct Presences {
    channels: BTreeSet<String>,
    /// The newest message about each presence of the client, by channel and id.
    last: BTreeMap<(String, String), Value>,
}

impl Presences {
    pub fn channels(&self) -> impl Iterator<Item = &String> {
        self.channels.iter()
    }
}

impl Server {
    pub(super) fn take_message(&mut self, from: AgentId, mut message: Value) {
        let Some(agent) = self.agents.get_mut(&from) else { return };
        let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
        let (action, channel, id) = (text("a"), text("ch"), text("id"));
        match action.as_str() {
            "p" => {
                message["src"] = json!(agent.src);
                let last = agent.presences.last.entry((channel, id)).or_default();
                if last["pv"].as_u64() < message["pv"].as_u64() {
                    last.clone_from(&message);
                }
                self.publish_presence(&message);
                self.out.push((from, Reply::Message(message)));
            }
            "ps" => {
                let is_new = agent.presences.channels.insert(channel);
                if is_new {
                    self.request_presence(from, &message);
                }
                self.out.push((from, Reply::Message(message)));
            }
            "pu" => {
                if agent.presences.channels.remove(&channel) {
                    self.take_back(from, &channel);
                }
                self.out.push((from, Reply::Message(message)));
            }
            "pr" => self.request_presence(from, &message),
            other => panic!("no tab sends {other:?}"),
        }
    }

    fn publish_presence(&mut self, message: &Value) {
        self.tell_channel(message, message["src"].as_str().unwrap_or_default());
    }

    fn request_presence(&mut self, from: AgentId, message: &Value) {
        let src = self.agents[&from].src.clone();
        self.tell_channel(&json!({ "a": "pr", "ch": message["ch"] }), &src);
    }

    fn tell_channel(&mut self, message: &Value, but: &str) {
        let channel = message["ch"].as_str().unwrap_or_default();
        for (to, agent) in &self.agents {
            if agent.presences.channels.contains(channel) && agent.src != but {
                self.out.push((*to, Reply::Message(message.clone())));
            }
        }
    }

    /// Who no longer listens to a channel is no longer present there.
    fn take_back(&mut self, from: AgentId, channel: &str) {
        let Some(agent) = self.agents.get_mut(&from) else { return };
        let all = std::mem::take(&mut agent.presences.last);
        let (gone, rest): (BTreeMap<_, _>, _) =
            all.into_iter().partition(|((other, _), _)| other == channel);
        agent.presences.last = rest;
        for mut message in gone.into_values() {
            message["p"] = Value::Null;
            self.publish_presence(&message);
        }
    }

    pub(super) fn end_presences(&mut self, agent: Agent) {
        for ((channel, id), mut message) in agent.presences.last {
            if agent.presences.channels.contains(&channel) {
                message["p"] = Value::Null;
                self.publish_presence(&message);
            } else if !message["p"].is_null() {
                self.ghosts.insert((channel, id));
            }
        }
    }
}
