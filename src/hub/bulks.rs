use tabmux_middleware::SortedMap;

use super::context::{Context, Waiter};
use super::document::is_silent;
use crate::error::Error;

/// A `connection.getBulk` that is not answered yet.
struct Bulk {
    waiting: usize,
    error: Option<Error>,
}

/// The requests of tabs for many documents at once, by their tab and number.
#[derive(Default)]
pub(super) struct Bulks(SortedMap<(String, u64), Bulk>);

impl Bulks {
    /// A request for so many documents has come.
    pub fn begin(&mut self, waiter: &Waiter, waiting: usize) {
        let key = (waiter.tab.clone(), waiter.request);
        self.0.insert(key, Bulk { waiting, error: None });
    }

    /// One fetch has ended: the request it belongs to may have, too.
    pub fn answer(&mut self, waiter: &Waiter, error: &Option<Error>, cx: &mut Context<'_>) {
        let key = (waiter.tab.clone(), waiter.request);
        let Some(bulk) = self.0.get_mut(&key) else {
            return cx.callback(waiter, error.clone());
        };
        bulk.waiting -= 1;
        bulk.error = bulk.error.take().or_else(|| error.clone().filter(|it| !is_silent(it)));
        if bulk.waiting == 0 {
            let error = self.0.remove(&key).and_then(|bulk| bulk.error);
            cx.callback(waiter, error);
        }
    }

    /// The tab no longer waits for any.
    pub fn forget(&mut self, tab: &str) {
        self.0.retain(|(other, _), _| other != tab);
    }
}
