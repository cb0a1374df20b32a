use tabmux_middleware::SortedSet;

/// The queries of one tab that have the document among their results.
#[derive(Default)]
pub(super) struct Results {
    /// Those that are subscribed.
    queries: SortedSet<u64>,
    /// Those of them that are to be forgotten after the linger.
    departing: SortedSet<u64>,
    /// The number of the last message that told the tab that a query has found the document…
    found: u64,
    /// …and of the last such message when the tab was sent the state.
    loaded: u64,
}

impl Results {
    /// Whether no subscribed query has the document.
    pub fn is_empty(&self) -> bool {
        self.queries.is_empty()
    }

    /// Whether some query is to be forgotten after the linger.
    pub fn is_departing(&self) -> bool {
        !self.departing.is_empty()
    }

    /// The tab was told with this number that a query has found the document; `keep`: for as long as the
    /// query lives.
    pub fn join(&mut self, query: u64, number: u64, keep: bool) {
        self.found = number;
        if keep {
            self.queries.insert(query);
            self.departing.remove(&query);
        }
    }

    /// The query finds the document no longer, and is forgotten after the linger. Returns whether it had
    /// it.
    pub fn leave(&mut self, query: u64) -> bool {
        let had = self.queries.contains(&query);
        if had {
            self.departing.insert(query);
        }
        had
    }

    /// The linger is over.
    pub fn forget_departing(&mut self) {
        for query in std::mem::take(&mut self.departing) {
            self.queries.remove(&query);
        }
    }

    /// These queries have ended. Returns whether one of them had the document.
    pub fn end(&mut self, has_ended: impl Fn(u64) -> bool) -> bool {
        let before = self.queries.len();
        self.queries.retain(|query| !has_ended(*query));
        self.departing.retain(|query| !has_ended(*query));
        self.queries.len() < before
    }

    /// All queries of the tab have ended.
    pub fn clear(&mut self) {
        self.queries.clear();
        self.departing.clear();
    }

    /// The messages that told the tab are of a session that has ended.
    pub fn forget_messages(&mut self) {
        (self.found, self.loaded) = (0, 0);
    }

    /// The tab is sent the state.
    pub fn load(&mut self) {
        self.loaded = self.found;
    }

    /// Whether the tab, which has heard of this message, has not heard of the last.
    pub fn has_news_after(&self, heard: u64) -> bool {
        self.found > heard
    }

    /// Whether the tab was sent the state since that message.
    pub fn was_loaded_after(&self, heard: u64) -> bool {
        self.loaded > heard
    }
}
