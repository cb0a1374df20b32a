use super::journal::{Lost, Recalled};

/// What the store had of a document.
pub(super) struct Found {
    pub recalled: Option<Recalled>,
    /// Some records can't be read: none of them is of use.
    pub is_damaged: bool,
    /// What could be rescued of them.
    pub lost: Vec<Lost>,
    /// If not, what the store has is left as it is.
    pub is_kept: bool,
}

impl Default for Found {
    fn default() -> Self {
        Found { recalled: None, is_damaged: false, lost: Vec::new(), is_kept: true }
    }
}
