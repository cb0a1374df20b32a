use crate::hub::journal::{Journal, Lost};
use crate::protocol::DocId;

/// Ops that could not be kept, of which no tab has said yet that it has heard.
struct Unheard {
    lost: Lost,
    /// No other of this hub has it.
    number: u64,
    /// The tabs that there are were told.
    is_told: bool,
}

/// The ops of a document that could not be kept, until a tab has heard of it.
#[derive(Default)]
pub(in crate::hub::document) struct LostOps(Vec<Unheard>);

impl LostOps {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn all(&self) -> Vec<Lost> {
        self.0.iter().map(|it| it.lost.clone()).collect()
    }

    /// No other ops of this hub have this number.
    pub fn add(&mut self, lost: Lost, number: u64) {
        self.0.push(Unheard { lost, number, is_told: false });
    }

    /// There are tabs to be told.
    pub fn tell(&mut self, doc: &DocId, journal: &mut Journal) {
        for it in self.0.iter_mut().filter(|it| !it.is_told) {
            it.is_told = true;
            journal.tell_lost(doc, &it.lost, Some(it.number));
        }
    }

    /// A tab that was told may not have heard of it.
    pub fn forget_that_told(&mut self) {
        self.0.iter_mut().for_each(|it| it.is_told = false);
    }

    /// A tab has heard of it. Returns whether there was such a thing.
    pub fn heard(&mut self, number: u64) -> bool {
        let count = self.0.len();
        self.0.retain(|it| it.number != number);
        self.0.len() < count
    }
}
