//! A document as it comes back from the store.

use std::collections::VecDeque;

use super::record::{Checkpoint, Failure, KnownTab, LogEntry, PendingOp, Placed, from_bytes};
use crate::error::{Error, codes};
use crate::ot::{Entry, Op, Types, transform_pair};
use crate::platform::Payload;
use crate::protocol::{Change, Snapshot};
use crate::store::StoredDoc;

/// A document's state as its journal has it, for [`Upstream::restore`](crate::hub::Upstream::restore).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Restored {
    /// The state at the last checkpoint, with the data as of then, and the version of now.
    pub snapshot: Snapshot,
    /// What happened since, oldest first, to be applied to that state.
    pub ops: Vec<Op>,
    /// The uncommitted ops, oldest first. The state, with `ops` applied, has them.
    pub pending: Vec<PendingOp>,
}

/// A document with what the hub itself must know of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recalled {
    pub restored: Restored,
    /// Its `snapshot` and `pending` are those of `restored`.
    pub known: Checkpoint,
    /// The uncommitted ops while the records are read…
    pending: VecDeque<PendingOp>,
    /// …and how many of those that the oldest is composed of are committed.
    committed: usize,
    /// The number of the next log entry.
    pub next: u64,
    /// The size of the log since the checkpoint.
    pub entries: u64,
    pub log_size: u64,
    pub checkpoint_size: u64,
}

/// A document as its records have it; `None` if there is no checkpoint, and so no state.
///
/// # Errors
/// `ERR_DOC_TYPE_NOT_RECOGNIZED`, or why the records make no sense together.
pub fn read_stored(stored: &StoredDoc, types: &dyn Types) -> Result<Option<Restored>, Error> {
    Ok(recall(stored, types)?.map(|recalled| recalled.restored))
}

/// Reads a document's records; `None` if there is no checkpoint, and so no state.
///
/// # Errors
/// `ERR_DOC_TYPE_NOT_RECOGNIZED`, or why the records make no sense together.
pub(crate) fn recall(stored: &StoredDoc, types: &dyn Types) -> Result<Option<Recalled>, Error> {
    let Some(bytes) = &stored.checkpoint else { return Ok(None) };
    let mut known: Checkpoint = from_bytes(bytes).map_err(nonsense)?;
    check_type(known.snapshot.type_name.as_deref(), types)?;
    for op in &known.pending {
        check_type(op.type_name.as_deref(), types)?;
    }
    let mut recalled = Recalled {
        pending: std::mem::take(&mut known.pending).into(),
        known,
        next: stored.next,
        entries: stored.log.len() as u64,
        log_size: stored.log.iter().map(|record| record.len() as u64).sum(),
        checkpoint_size: bytes.len() as u64,
        ..Recalled::default()
    };
    for bytes in &stored.log {
        recalled.take(from_bytes(bytes).map_err(nonsense)?, types)?;
    }
    let Recalled { restored, known, pending, committed, .. } = &mut recalled;
    restored.snapshot = std::mem::take(&mut known.snapshot);
    if let Some(oldest) = pending.front_mut() {
        oldest.origins.drain(..*committed);
    }
    restored.pending = std::mem::take(pending).into();
    Ok(Some(recalled))
}

fn nonsense(reason: impl Into<String>) -> Error {
    Error::new(codes::STORE_DAMAGED, reason.into())
}

fn check_type(name: Option<&str>, types: &dyn Types) -> Result<(), Error> {
    match name {
        Some(name) if types.get(name).is_none() => {
            let message = format!("Missing type {name}: register it in the hub");
            Err(Error::new(codes::TYPE_NOT_RECOGNIZED, message))
        }
        _ => Ok(()),
    }
}

impl Recalled {
    fn take(&mut self, record: LogEntry, types: &dyn Types) -> Result<(), Error> {
        match record {
            LogEntry::Placed(placed) => {
                check_type(placed.type_name.as_deref(), types)?;
                self.placed(placed, types)?;
            }
            LogEntry::Changed { change, mut raw } => {
                for own in &mut self.pending {
                    let ty = own.type_name.as_deref().and_then(|name| types.get(name));
                    transform_pair(&mut own.op, &mut raw, ty.as_ref())?;
                }
                self.push(Entry { change, origin: None });
            }
            LogEntry::Refused { tab, op_ids, error } => {
                let tab = self.known.tabs.get_or_insert_with(tab, Default::default);
                for op_id in op_ids {
                    tab.last_op_id = tab.last_op_id.max(op_id);
                    tab.failures.push(Failure { op_id, error: error.clone(), placed: false });
                }
            }
            LogEntry::Sending(sent) => {
                let oldest = self.pending.front_mut();
                oldest.ok_or_else(|| nonsense("nothing was to be sent"))?.sent.get_or_insert(sent);
            }
            LogEntry::Committed { origin, version } => {
                if let Some(oldest) = self.pending.front_mut() {
                    let waiting = &oldest.origins[self.committed..];
                    match waiting.iter().position(|other| *other == origin) {
                        Some(0) => self.committed += 1,
                        Some(at) => drop(oldest.origins.remove(self.committed + at)),
                        None => {}
                    }
                    if self.committed == oldest.origins.len() {
                        self.pending.pop_front();
                        self.committed = 0;
                    }
                }
                self.known.snapshot.version = version;
            }
        }
        Ok(())
    }

    fn placed(&mut self, placed: Placed, types: &dyn Types) -> Result<(), Error> {
        let Placed { op, origin, source, version, composed, type_name, unloaded } = placed;
        let tab: &mut KnownTab =
            self.known.tabs.get_or_insert_with(origin.tab.clone(), Default::default);
        tab.last_op_id = tab.last_op_id.max(origin.op_id);
        if unloaded {
            tab.created_at = Some(self.known.rev);
        }
        if composed {
            let ty = type_name.and_then(|name| types.get(&name));
            if let (Some(last), Some(ty), Op::Edit(op)) = (self.pending.back_mut(), ty, &op) {
                match &mut last.op {
                    Op::Create(create) => {
                        let data = create.data.take().unwrap_or_else(Payload::undefined);
                        create.data = Some(ty.apply(data, op)?);
                    }
                    Op::Edit(first) => {
                        if let Some(both) = ty.compose(first, op) {
                            *first = both?;
                        }
                    }
                    Op::Del | Op::NoOp => {}
                }
                last.origins.push(origin.clone());
            }
        } else if op != Op::NoOp {
            let (op, origins) = (op.clone(), vec![origin.clone()]);
            self.pending.push_back(PendingOp { op, type_name, source, origins, sent: None });
        }
        let change = Change { op, version, src: Some(origin.tab.clone()) };
        self.push(Entry { change, origin: Some(origin) });
        Ok(())
    }

    fn push(&mut self, entry: Entry) {
        self.known.snapshot.version = entry.change.version;
        self.restored.ops.push(entry.change.op.clone());
        self.known.rev += 1;
        self.known.history.push(entry);
    }
}
