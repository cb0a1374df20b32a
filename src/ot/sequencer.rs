use std::collections::VecDeque;

use super::{Op, TypeHandle, Types, transform_sent};
use crate::Error;
use crate::protocol::{Change, Rev};
use crate::wire::wire;

/// Which op of which tab a change was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The tab's id.
    pub tab: String,
    /// The op's number among the tab's.
    pub op_id: u64,
}

wire!(Origin { tab, op_id });

/// One change in the hub's order.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The change.
    pub change: Change,
    /// The tab's op it was, if it came from a tab of this hub.
    pub origin: Option<Origin>,
}

wire!(Entry { change, origin });

/// The hub's order of the changes of one document, kept as far back as some tab may need it.
#[derive(Debug, Default)]
pub struct Sequencer {
    rev: Rev,
    log: VecDeque<Entry>,
}

impl Sequencer {
    /// An order whose changes before `rev` are not kept.
    pub fn starting_at(rev: Rev) -> Self {
        Sequencer { rev, log: VecDeque::new() }
    }

    /// An order that goes on where another ended: its last changes up to `rev`, oldest first.
    pub fn resume(rev: Rev, log: Vec<Entry>) -> Self {
        Sequencer { rev, log: log.into() }
    }

    /// The changes that are kept, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.log.iter().cloned().collect()
    }

    /// The revision of the newest change.
    pub fn rev(&self) -> Rev {
        self.rev
    }

    /// How many changes are kept.
    pub fn kept(&self) -> usize {
        self.log.len()
    }

    /// The changes after `rev`, oldest first; `None` if some of them are no longer kept.
    pub fn since(&self, rev: Rev) -> Option<impl Iterator<Item = &Entry>> {
        let missing = self.rev.checked_sub(rev)?;
        let skip = (self.log.len() as u64).checked_sub(missing)?;
        Some(self.log.iter().skip(skip as usize))
    }

    /// Brings ops made at `base` to the present revision. Returns how many of them still have
    /// their ground, and why the next one has not.
    pub fn transform<'a>(
        &self,
        base: Rev,
        ops: impl Iterator<Item = &'a mut Op>,
        mut ty: Option<TypeHandle>,
        types: &dyn Types,
    ) -> (usize, Option<Error>) {
        let Some(since) = self.since(base) else {
            return (0, Some(state_lost()));
        };
        let mut placed: Vec<Op> = since.map(|entry| entry.change.op.clone()).collect();
        let mut done = 0;
        for op in ops {
            for other in &mut placed {
                if let Err(error) = transform_sent(op, other, ty.as_ref()) {
                    return (done, Some(error));
                }
            }
            match op {
                Op::Create(create) => ty = types.get(&create.type_name),
                Op::Del => ty = None,
                Op::Edit(_) | Op::NoOp => {}
            }
            done += 1;
        }
        (done, None)
    }

    /// Gives a change the next revision.
    pub fn push(&mut self, entry: Entry) -> Rev {
        self.rev += 1;
        self.log.push_back(entry);
        self.rev
    }

    /// The document was replaced as a whole: no op made before this revision can be transformed.
    pub fn reset(&mut self) -> Rev {
        self.rev += 1;
        self.log.clear();
        self.rev
    }

    /// Forgets the changes up to `rev`, which every tab has.
    pub fn trim(&mut self, rev: Rev) {
        let keep = self.rev.saturating_sub(rev).min(self.log.len() as u64);
        self.log.drain(..self.log.len() - keep as usize);
    }
}

/// Why an op that was made before the document was loaded anew has no place.
pub(crate) fn state_lost() -> Error {
    Error::new(
        crate::codes::PENDING_OP_REMOVED,
        "Discarding an op made on a state that was loaded anew",
    )
}
