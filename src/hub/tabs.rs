//! The tabs that the hub knows of: each once, wherever it is.

use tabmux_middleware::{Millis, SortedSet};

use super::caps::Usage;
use super::peers::PeerId;
use super::settings::GRACE;
use crate::error::Error;
use crate::protocol::{StoreEvent, TabInfo, ToHub, ToTab};

/// How many that have gone offline are remembered: of one that never comes back the hub may not hear when
/// it has ended.
const OFFLINE_KEPT: usize = 100;

/// How long the last messages of a tab may be on their way when its end is known.
const LAST_MESSAGES: Millis = 200;

/// A tab that was let in.
pub(super) struct Session {
    peer: PeerId,
    since: Millis,
    /// It has not said yet what it holds from before.
    is_resuming: bool,
    /// It has gone offline: only its ops are still to be taken.
    is_leaving: bool,
    /// What happened to the store since it left its last session.
    missed: Vec<StoreEvent>,
    usage: Usage,
    /// Its requests that pass on an unload journal, and whose answer waits until that is written.
    passing_on: SortedSet<u64>,
}

impl Session {
    pub fn peer(&self) -> PeerId {
        self.peer
    }

    /// It asks for this.
    ///
    /// # Errors
    /// It has too much already.
    pub fn ask(&mut self, message: &ToHub) -> Result<(), Error> {
        self.usage.ask(message)
    }

    /// It is told this.
    pub fn tell(&mut self, message: &ToTab) {
        self.usage.tell(message);
    }

    /// It can't be told of this in this session.
    pub fn miss(&mut self, event: StoreEvent) {
        self.missed.push(event);
    }

    /// The request passes on an unload journal.
    pub fn pass_on(&mut self, request: u64) {
        self.passing_on.insert(request);
    }

    /// The request is answered. Returns whether it passed on an unload journal.
    pub fn end_passing_on(&mut self, request: u64) -> bool {
        self.passing_on.remove(&request)
    }

    /// It says what it holds from before. Returns whether it was to say that.
    pub fn end_resuming(&mut self) -> bool {
        std::mem::take(&mut self.is_resuming)
    }
}

enum Place {
    /// It was let in.
    Here(Session),
    /// It has gone offline of its own accord, and may come back.
    Offline,
    /// It was a tab of an earlier hub, and may come back.
    Expected,
}

struct Tab {
    id: String,
    place: Place,
    /// When it is given up.
    ends_at: Option<Millis>,
}

impl Tab {
    fn session(&self) -> Option<&Session> {
        match &self.place {
            Place::Here(session) => Some(session),
            Place::Offline | Place::Expected => None,
        }
    }
}

/// A tab that is no longer among those of the hub.
pub(super) enum Removed {
    /// It was let in on this transport, and was not told of this.
    Here(PeerId, Vec<StoreEvent>),
    Elsewhere,
}

impl Removed {
    fn of(place: Place) -> Self {
        match place {
            Place::Here(session) => Removed::Here(session.peer, session.missed),
            Place::Offline | Place::Expected => Removed::Elsewhere,
        }
    }
}

/// All tabs of the hub, in the order in which they came to where they are.
#[derive(Default)]
pub(super) struct Tabs {
    tabs: Vec<Tab>,
    /// When the next of them is given up.
    next_end: Option<Millis>,
}

impl Tabs {
    fn at(&self, tab: &str) -> Option<usize> {
        self.tabs.iter().position(|it| it.id == tab)
    }

    // Those that were let in

    fn sessions(&self) -> impl Iterator<Item = (&String, &Session)> {
        self.tabs.iter().filter_map(|it| it.session().map(|session| (&it.id, session)))
    }

    pub fn has_any(&self) -> bool {
        self.sessions().next().is_some()
    }

    /// Whether there is one that is not about to be given up.
    pub fn has_living(&self) -> bool {
        self.tabs.iter().any(|it| it.session().is_some() && it.ends_at.is_none())
    }

    pub fn ids(&self) -> impl Iterator<Item = &String> {
        self.sessions().map(|(tab, _)| tab)
    }

    /// What the tabs are told of one another: those that are leaving are gone.
    pub fn infos(&self) -> Vec<TabInfo> {
        let here = self.sessions().filter(|(_, session)| !session.is_leaving);
        here.map(|(id, session)| TabInfo { id: id.clone(), since: session.since }).collect()
    }

    pub fn session(&self, tab: &str) -> Option<&Session> {
        self.tabs.get(self.at(tab)?)?.session()
    }

    pub fn session_mut(&mut self, tab: &str) -> Option<&mut Session> {
        let at = self.at(tab)?;
        match &mut self.tabs[at].place {
            Place::Here(session) => Some(session),
            Place::Offline | Place::Expected => None,
        }
    }

    /// The tab begins a session.
    pub fn let_in(&mut self, tab: &str, peer: PeerId, is_resuming: bool, now: Millis) {
        self.give_up(tab, None);
        let since = self.session(tab).map(|before| before.since);
        let session = Session {
            peer,
            since: since.unwrap_or(now),
            is_resuming,
            is_leaving: false,
            missed: Vec::new(),
            usage: Usage::default(),
            passing_on: SortedSet::default(),
        };
        match self.session_mut(tab) {
            Some(before) => *before = session,
            None => self.put(tab, Place::Here(session)),
        }
    }

    /// The tab comes to this place.
    fn put(&mut self, tab: &str, place: Place) {
        self.tabs.retain(|it| it.id != tab);
        self.tabs.push(Tab { id: tab.to_owned(), place, ends_at: None });
    }

    /// What happened to the store since the tab left its last session; it is told now.
    pub fn take_missed(&mut self, tab: &str) -> Vec<StoreEvent> {
        let session = self.session_mut(tab);
        session.map(|session| std::mem::take(&mut session.missed)).unwrap_or_default()
    }

    // Those that leave

    /// The tab has gone offline: it is about to leave.
    pub fn leave(&mut self, tab: &str) {
        if let Some(session) = self.session_mut(tab) {
            session.is_leaving = true;
        }
    }

    pub fn is_leaving(&self, tab: &str) -> bool {
        self.session(tab).is_some_and(|session| session.is_leaving)
    }

    pub fn all_are_leaving(&self) -> bool {
        self.sessions().all(|(_, session)| session.is_leaving)
    }

    pub fn is_offline(&self, tab: &str) -> bool {
        self.at(tab).is_some_and(|at| matches!(self.tabs[at].place, Place::Offline))
    }

    /// The tab has left, and may come back.
    pub fn go_offline(&mut self, tab: &str) -> Option<Removed> {
        let mut tab = self.tabs.remove(self.at(tab)?);
        let before = std::mem::replace(&mut tab.place, Place::Offline);
        self.tabs.push(tab);
        Some(Removed::of(before))
    }

    /// If too many are offline now, the one that has been so longest is forgotten.
    pub fn forget_longest_offline(&mut self) -> Option<String> {
        let mut offline = self.tabs.iter().filter(|it| matches!(it.place, Place::Offline));
        let longest = offline.next().map(|it| it.id.clone());
        let longest = longest.filter(|_| offline.count() >= OFFLINE_KEPT)?;
        self.remove(&longest);
        Some(longest)
    }

    /// The tab is gone.
    pub fn remove(&mut self, tab: &str) -> Option<Removed> {
        self.give_up(tab, None);
        Some(Removed::of(self.tabs.remove(self.at(tab)?).place))
    }

    // Those of an earlier hub

    /// Whether the tab may come back with what it held of documents of an earlier hub, and whether that
    /// was not known.
    pub fn expect(&mut self, tab: &str) -> (bool, bool) {
        match self.at(tab).map(|at| &self.tabs[at].place) {
            Some(Place::Here(session)) => (session.is_resuming, false),
            Some(Place::Offline | Place::Expected) => (true, false),
            None => {
                self.put(tab, Place::Expected);
                (true, true)
            }
        }
    }

    /// Whether a tab is yet to come back, or to tell what it has open.
    pub fn awaits_any(&self) -> bool {
        self.tabs.iter().any(|it| match &it.place {
            Place::Here(session) => session.is_resuming,
            Place::Offline => false,
            Place::Expected => true,
        })
    }

    // Those that are given up

    /// The tab is known to have ended.
    pub fn end(&mut self, tab: &str, now: Millis) {
        self.give_up(tab, Some(now + LAST_MESSAGES));
    }

    /// Nobody can tell when this tab of an earlier hub ends.
    pub fn cannot_watch(&mut self, tab: &str, now: Millis) {
        self.give_up(tab, Some(now + GRACE));
    }

    fn give_up(&mut self, tab: &str, at: Option<Millis>) {
        if let Some(place) = self.at(tab) {
            self.tabs[place].ends_at = at;
            self.next_end = self.tabs.iter().filter_map(|it| it.ends_at).min();
        }
    }

    /// When the next tab is given up.
    pub fn deadline(&self) -> Option<Millis> {
        self.next_end
    }

    /// Those that are given up now.
    pub fn take_ended(&mut self, now: Millis) -> Vec<String> {
        let mut ended = Vec::new();
        if self.next_end.is_some_and(|at| at <= now) {
            let due = self.tabs.iter_mut().filter(|it| it.ends_at.is_some_and(|at| at <= now));
            for tab in due {
                tab.ends_at = None;
                ended.push(tab.id.clone());
            }
            self.next_end = self.tabs.iter().filter_map(|it| it.ends_at).min();
        }
        ended
    }
}
