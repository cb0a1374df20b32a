use crate::hub::context::Waiter;

/// The requests of tabs that wait for the server.
#[derive(Default)]
pub(in crate::hub::document) struct Reads {
    fetches: Vec<Waiter>,
    subscribes: Vec<Waiter>,
}

impl Reads {
    /// Returns whether no other fetch is under way.
    pub fn add_fetch(&mut self, waiter: Waiter) -> bool {
        self.fetches.push(waiter);
        self.fetches.len() == 1
    }

    pub fn add_subscribe(&mut self, waiter: Waiter) {
        self.subscribes.push(waiter);
    }

    /// Those that waited for a fetch, which has ended.
    pub fn end_fetches(&mut self) -> Vec<Waiter> {
        std::mem::take(&mut self.fetches)
    }

    /// Those that waited for the subscription, which has its answer.
    pub fn end_subscribes(&mut self) -> Vec<Waiter> {
        std::mem::take(&mut self.subscribes)
    }

    /// Whether a tab waits for a fetch.
    pub fn has_fetches(&self) -> bool {
        !self.fetches.is_empty()
    }

    /// Whether a tab waits to be subscribed.
    pub fn has_subscribes(&self) -> bool {
        !self.subscribes.is_empty()
    }

    /// The tabs that wait.
    pub fn tabs(&self) -> impl Iterator<Item = &str> {
        self.fetches.iter().chain(&self.subscribes).map(|waiter| &*waiter.tab)
    }

    /// The tab no longer waits. Returns its fetches.
    pub fn forget(&mut self, tab: &str) -> Vec<Waiter> {
        self.subscribes.retain(|waiter| waiter.tab != tab);
        self.fetches.extract_if(.., |waiter| waiter.tab == tab).collect()
    }
}
