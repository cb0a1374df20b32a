use std::collections::VecDeque;

use tabmux_middleware::SortedMap;

use super::buffer::{Buffer, Take};
use super::op_slot::{Answered, OpSlot, SubmitOptions, Token};
use super::{Op, TypeHandle, Types, state_lost, transform_pair, transform_sent};
use crate::error::{Error, codes};
use crate::protocol::{Change, Rev, Snapshot, SubmittedOp};

/// What became of a [`Replica::load`].
#[derive(Debug, PartialEq)]
pub enum Loaded {
    /// The replica is at the snapshot; these submits were dropped.
    Taken(Answered),
    /// The replica stays as it is: it is at this state, or was created here meanwhile.
    Kept,
}

/// A tab's copy of one document, without its data: which ops are on their way, and how to bring
/// the hub's changes and one's own into one order.
///
/// The data stays with the caller, who applies what [`Replica::submit`] accepted and what
/// [`Replica::change`] returns, in that order.
///
/// Ops move through three queues: the *buffer* (not sent), the *inflight* batch (sent, without a
/// revision yet) and the ops *awaiting* commit (part of the hub's state, not acknowledged by the
/// server). Only the first two are transformed against the changes of others.
#[derive(Default)]
pub struct Replica {
    rev: Option<Rev>,
    version: Option<u64>,
    ty: Option<TypeHandle>,
    awaiting: VecDeque<OpSlot>,
    inflight: Vec<OpSlot>,
    buffer: Buffer,
    /// The inflight batch was made on a state that is gone; the hub is going to reject it.
    orphaned: bool,
    rolled_back: bool,
    /// The state came from the application: ops wait until the hub has it as well.
    ingested: bool,
}

impl Replica {
    /// The hub's revision this replica is at; `None` if it was never loaded.
    pub fn rev(&self) -> Option<Rev> {
        self.rev
    }

    /// ShareDB's version.
    pub fn version(&self) -> Option<u64> {
        self.version
    }

    /// The document's type; `None` if it does not exist.
    pub fn ty(&self) -> Option<&TypeHandle> {
        self.ty.as_ref()
    }

    /// Whether the replica lost its state and waits to be loaded.
    pub fn is_rolled_back(&self) -> bool {
        self.rolled_back
    }

    /// All ops on their way, oldest first.
    pub fn pending(&self) -> impl Iterator<Item = &OpSlot> {
        self.awaiting.iter().chain(&self.inflight).chain(self.buffer.iter())
    }

    /// How many of them were sent.
    pub fn sent(&self) -> usize {
        self.awaiting.len() + self.inflight.len()
    }

    /// Takes an op that the tab is about to apply.
    ///
    /// # Errors
    /// The type is unknown, or refuses to compose; nothing was taken then.
    pub fn submit(
        &mut self,
        op: Op,
        options: SubmitOptions,
        token: Token,
        types: &dyn Types,
    ) -> Result<(), Error> {
        let ty_after = match &op {
            Op::Create(create) => Some(type_of(types, &create.type_name)?),
            Op::Del => None,
            Op::Edit(_) | Op::NoOp => self.ty.clone(),
        };
        self.buffer.submit(op, self.ty.clone(), options, token)?;
        self.ty = ty_after;
        Ok(())
    }

    /// Begins to apply a change piece by piece, while listeners may submit ops in between.
    /// Returns the position to pass to the other two calls.
    pub fn begin_apply(&mut self) -> usize {
        self.buffer.begin_apply()
    }

    /// Transforms the next piece against the ops that were submitted since `begin_apply`.
    ///
    /// # Errors
    /// As [`transform_pair`].
    pub fn transform_piece(&mut self, since: usize, piece: Op) -> Result<Op, Error> {
        self.buffer.transform_piece(since, piece)
    }

    /// Ends what `begin_apply` began: the ops submitted meanwhile are composed as usual.
    ///
    /// # Errors
    /// The type refuses to compose.
    pub fn end_apply(&mut self, since: usize) -> Result<(), Error> {
        self.buffer.end_apply(since)
    }

    /// Ops of the buffer as one batch to send, if nothing is inflight. `next_op_id` counts the tab's
    /// ops.
    pub fn take_batch(
        &mut self,
        which: Take,
        next_op_id: &mut u64,
    ) -> Option<(Option<Rev>, Vec<SubmittedOp>)> {
        let must_wait = !self.inflight.is_empty()
            || self.rolled_back
            || self.ingested
            || (which == Take::OneByOne && !self.awaiting.is_empty());
        if must_wait {
            return None;
        }
        self.inflight = self.buffer.take(which, next_op_id);
        if self.inflight.is_empty() {
            return None;
        }
        Some((self.rev, self.inflight.iter().map(OpSlot::submitted).collect()))
    }

    /// A replica without data that has only ops, which were made at `rev` of a document of this type.
    pub fn of_ops(
        rev: Rev,
        ops: Vec<SubmittedOp>,
        mut ty: Option<TypeHandle>,
        types: &dyn Types,
    ) -> Self {
        let inflight = ops.into_iter().map(|sent| {
            let made_for = ty.clone();
            match &sent.op {
                Op::Create(create) => ty = types.get(&create.type_name),
                Op::Del => ty = None,
                Op::Edit(_) | Op::NoOp => {}
            }
            OpSlot::of_sent(sent, made_for)
        });
        Replica { rev: Some(rev), inflight: inflight.collect(), ..Replica::default() }
    }

    /// The ops that have no revision as far as is known here, as of the present one; `unsent`: and
    /// those that were not sent yet. Their numbers stay as they are now.
    pub fn unsequenced(&mut self, unsent: bool, next_op_id: &mut u64) -> Vec<SubmittedOp> {
        if self.rolled_back || self.ingested || self.orphaned {
            return Vec::new();
        }
        if unsent {
            self.buffer.number(next_op_id);
        }
        let unsent = self.buffer.iter().filter(|_| unsent);
        self.inflight.iter().chain(unsent).map(OpSlot::submitted).collect()
    }

    /// Numbers the ops of the buffer: those submitted from now on are not composed into them.
    pub fn number_unsent(&mut self, next_op_id: &mut u64) {
        self.buffer.number(next_op_id);
    }

    /// Whether an op that has its number is without a revision.
    pub fn has_numbered(&self) -> bool {
        !self.inflight.is_empty() || self.buffer.has_numbered()
    }

    /// Whether ops wait to be sent.
    pub fn has_unsent(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Whether the first of them creates the document.
    pub fn creates_unsent(&self) -> bool {
        let is_first = self.awaiting.is_empty() && self.inflight.is_empty();
        is_first && self.buffer.iter().next().is_some_and(|slot| matches!(slot.op, Op::Create(_)))
    }

    /// Whether there is state that a hub gave, or an op that a hub owes an answer for.
    pub fn needs_hub(&self) -> bool {
        self.rev.is_some() || !self.awaiting.is_empty() || !self.inflight.is_empty()
    }

    /// The inflight batch once more, as of the present revision, for a hub that may not have had
    /// it.
    pub fn inflight_batch(&self) -> Vec<SubmittedOp> {
        self.inflight.iter().filter(|_| !self.orphaned).map(OpSlot::submitted).collect()
    }

    /// The ops that are owed an answer and can't be sent again, by number: they await their
    /// commit, or were made on a state that is gone.
    pub fn awaiting(&self) -> Vec<u64> {
        let orphans = self.inflight.iter().filter(|_| self.orphaned);
        self.awaiting.iter().chain(orphans).map(|slot| slot.op_id).collect()
    }

    /// Whether no op is without a revision.
    pub fn is_sequenced(&self) -> bool {
        self.inflight.is_empty() && self.buffer.is_empty()
    }

    /// Takes a change by others: advances to `rev`, the revision after it, and returns it in terms of the tab's
    /// present state, for the caller to apply.
    ///
    /// # Errors
    /// An op of the tab has lost its ground; the caller must [`Replica::roll_back`].
    pub fn change(&mut self, rev: Rev, change: Change, types: &dyn Types) -> Result<Op, Error> {
        let mut op = change.op;
        let ty_after = match &op {
            Op::Create(create) => Some(Some(type_of(types, &create.type_name)?)),
            Op::Del => Some(None),
            Op::Edit(_) | Op::NoOp => None,
        };
        let inflight = if self.orphaned { &mut [][..] } else { &mut self.inflight[..] };
        for slot in inflight {
            transform_sent(&mut slot.op, &mut op, slot.ty.as_ref())?;
        }
        for (at, slot) in self.buffer.iter_mut().enumerate() {
            // A client would have sent the first op as of the ingested state.
            let transform = if self.ingested && at == 0 { transform_sent } else { transform_pair };
            transform(&mut slot.op, &mut op, slot.ty.as_ref())?;
        }
        self.rev = Some(rev);
        self.version = change.version;
        if let Some(ty) = ty_after
            && op != Op::NoOp
        {
            self.ty = ty;
        }
        Ok(op)
    }

    /// The inflight ops up to `op_id` have their place; `rev` is the revision after the last.
    ///
    /// # Errors
    /// They were given up here, so that this state lacks them; the caller must
    /// [`Replica::roll_back`].
    pub fn sequenced(&mut self, rev: Rev, op_id: u64) -> Result<(), Error> {
        let done = self.inflight.iter().take_while(|slot| slot.op_id <= op_id).count();
        let rest = self.inflight.split_off(done);
        self.awaiting.extend(std::mem::replace(&mut self.inflight, rest));
        if self.rolled_back {
            return Ok(());
        }
        if self.orphaned && done > 0 {
            return Err(state_lost());
        }
        self.rev = Some(rev);
        Ok(())
    }

    /// The server has answered for these ops. Returns the submits they stood for, and whether the
    /// replica never heard of the place of one that its state contains, so that it must be rolled
    /// back.
    pub fn committed(&mut self, op_ids: &[u64], version: Option<u64>) -> (Answered, bool) {
        // Without a state it is about one from before the document was closed or rolled back.
        if self.rev.is_some() {
            self.version = version;
        }
        let mut answered = Vec::new();
        let mut left = SortedMap::default();
        for op_id in op_ids {
            left.insert(*op_id, ());
        }
        // Almost always these are the oldest, and a look at all of many would take long.
        while let Some(oldest) = self.awaiting.front()
            && left.remove(&oldest.op_id).is_some()
        {
            answered.extend(self.awaiting.pop_front().map(|slot| slot.tokens));
        }
        if left.is_empty() {
            return (answered, false);
        }
        self.awaiting.retain_mut(|slot| {
            let is_answered = left.remove(&slot.op_id).is_some();
            if is_answered {
                answered.push(std::mem::take(&mut slot.tokens));
            }
            !is_answered
        });
        // The document was loaded anew before the tab could hear that the op had its place.
        let rest: Vec<u64> = left.keys().copied().collect();
        let (inflight, contained) = self.rejected(&rest);
        let misplaced = contained && !inflight.is_empty();
        answered.extend(inflight);
        (answered, misplaced)
    }

    /// The hub had no place for these ops. Returns the submits they stood for, and whether the
    /// replica's state still contains them, so that it must be rolled back.
    pub fn rejected(&mut self, op_ids: &[u64]) -> (Answered, bool) {
        let contained = !self.orphaned && !self.rolled_back;
        let mut answered = Vec::new();
        self.inflight.retain_mut(|slot| {
            let rejected = op_ids.contains(&slot.op_id);
            if rejected {
                answered.push(std::mem::take(&mut slot.tokens));
            }
            !rejected
        });
        self.orphaned &= !self.inflight.is_empty();
        (answered, contained)
    }

    /// Gives the state up: nothing remains until the next load. Returns the submits of the
    /// buffer, which are dropped; those of sent ops are answered by the hub.
    pub fn roll_back(&mut self) -> Answered {
        self.rolled_back = true;
        self.ingested = false;
        self.rev = None;
        self.version = None;
        self.ty = None;
        self.orphaned = !self.inflight.is_empty();
        self.buffer.clear()
    }

    /// The load that a replica without state waits for does not come: the document is as one that was
    /// never loaded.
    pub fn forget(&mut self) {
        self.rolled_back &= self.rev.is_some();
    }

    /// The hub that knew this replica is gone, and with it every answer owed. Returns the submits
    /// that will not hear of theirs.
    pub fn abandon(&mut self) -> Answered {
        let awaiting = std::mem::take(&mut self.awaiting);
        let sent = awaiting.into_iter().chain(std::mem::take(&mut self.inflight));
        let mut answered: Answered = sent.map(|slot| slot.tokens).collect();
        answered.extend(self.roll_back());
        answered
    }

    /// Takes a state that the application had by other means. Ops wait until [`Replica::caught_up`] or
    /// [`Replica::load`].
    ///
    /// # Errors
    /// The type is unknown here.
    pub fn ingest(&mut self, snapshot: &Snapshot, types: &dyn Types) -> Result<(), Error> {
        self.ty = snapshot.type_name.as_deref().map(|name| type_of(types, name)).transpose()?;
        self.version = snapshot.version;
        self.ingested = true;
        Ok(())
    }

    /// Whether the state came from the application, and the hub's is still to come.
    pub fn is_ingested(&self) -> bool {
        self.ingested
    }

    /// [`Replica::change`] is going to take what leads from the ingested state to the hub's, at `rev`.
    pub fn catch_up(&mut self, rev: Rev) {
        self.rev = Some(rev);
    }

    /// It has taken all of it.
    pub fn caught_up(&mut self) {
        self.ingested = false;
    }

    /// Takes the hub's state of the document.
    ///
    /// # Errors
    /// The type is unknown here.
    pub fn load(
        &mut self,
        rev: Rev,
        snapshot: &Snapshot,
        types: &dyn Types,
    ) -> Result<Loaded, Error> {
        let ingested = std::mem::take(&mut self.ingested);
        let confirmed = ingested && self.version == snapshot.version;
        if self.rev == Some(rev) && (confirmed || !ingested) {
            self.version = snapshot.version;
            return Ok(Loaded::Kept);
        }
        let first = self.inflight.iter().chain(self.buffer.iter()).next();
        let creates = first.is_some_and(|slot| matches!(slot.op, Op::Create(_)));
        if creates && !self.rolled_back {
            if self.rev.is_none() && !ingested {
                // As in ShareDB, what others do is of no account until the server has the creation.
                return Ok(Loaded::Kept);
            }
            // Before it is sent, a creation fits every state in which the document does not exist.
            if self.inflight.is_empty() && snapshot.type_name.is_none() {
                self.rev = Some(rev);
                return Ok(Loaded::Kept);
            }
        }
        let ty = match &snapshot.type_name {
            Some(name) => Some(type_of(types, name)?),
            None => None,
        };
        self.rolled_back = false;
        self.orphaned = !self.inflight.is_empty();
        self.rev = Some(rev);
        self.version = snapshot.version;
        self.ty = ty;
        Ok(Loaded::Taken(self.buffer.clear()))
    }
}

fn type_of(types: &dyn Types, name: &str) -> Result<TypeHandle, Error> {
    types.get(name).ok_or_else(|| {
        Error::new(
            codes::TYPE_NOT_RECOGNIZED,
            format!("Missing type {name}: register it in the tab and in the hub"),
        )
    })
}
