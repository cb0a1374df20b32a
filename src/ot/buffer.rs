use super::op_slot::Answered;
use super::{Op, OpSlot, SubmitOptions, Token, TypeHandle, transform_pair};
use crate::error::Error;

/// Which ops [`Replica::take_batch`](super::Replica::take_batch) takes.
#[derive(Clone, Copy, PartialEq)]
pub enum Take {
    /// All that wait.
    All,
    /// The oldest, if the server has answered for all before it.
    OneByOne,
    /// Those that [`Replica::number_unsent`](super::Replica::number_unsent) has numbered.
    Numbered,
}

/// The ops of a tab that are not sent, oldest first.
#[derive(Default)]
pub(super) struct Buffer {
    slots: Vec<OpSlot>,
    /// Those submitted while a change is applied piece by piece, by serial.
    applying: Option<Vec<u64>>,
    last_serial: u64,
}

impl Buffer {
    pub fn iter(&self) -> impl Iterator<Item = &OpSlot> {
        self.slots.iter()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut OpSlot> {
        self.slots.iter_mut()
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Takes an op for a document of this type.
    pub fn submit(
        &mut self,
        op: Op,
        ty: Option<TypeHandle>,
        options: SubmitOptions,
        token: Token,
    ) -> Result<(), Error> {
        self.last_serial += 1;
        let slot = OpSlot::new(op, ty, options, token, self.last_serial);
        let Some(stack) = &mut self.applying else { return self.push(slot) };
        stack.push(slot.serial());
        self.slots.push(slot);
        Ok(())
    }

    /// Puts a slot at the end, composed into the last one where ShareDB would.
    fn push(&mut self, slot: OpSlot) -> Result<(), Error> {
        let rest = match self.slots.last_mut().filter(|last| last.op_id == 0) {
            Some(last) => last.compose(slot)?,
            None => Some(slot),
        };
        self.slots.extend(rest);
        Ok(())
    }

    /// Begins to apply a change piece by piece, while listeners may submit ops in between.
    /// Returns the position to pass to the other two calls.
    pub fn begin_apply(&mut self) -> usize {
        self.applying.get_or_insert_default().len()
    }

    /// Transforms the next piece against the ops that were submitted since `begin_apply`.
    ///
    /// # Errors
    /// As [`transform_pair`].
    pub fn transform_piece(&mut self, since: usize, mut piece: Op) -> Result<Op, Error> {
        let stack = self.applying.as_deref().unwrap_or_default();
        for serial in stack.iter().skip(since) {
            if let Some(slot) = self.slots.iter_mut().find(|slot| slot.serial() == *serial) {
                transform_pair(&mut slot.op, &mut piece, slot.ty.as_ref())?;
            }
        }
        Ok(piece)
    }

    /// Ends what `begin_apply` began: the ops submitted meanwhile are composed as usual.
    ///
    /// # Errors
    /// The type refuses to compose.
    pub fn end_apply(&mut self, since: usize) -> Result<(), Error> {
        let Some(stack) = &mut self.applying else { return Ok(()) };
        if since > 0 {
            stack.truncate(since);
            return Ok(());
        }
        let first = self.applying.take().and_then(|stack| stack.first().copied());
        let Some(at) = self.slots.iter().position(|slot| Some(slot.serial()) == first) else {
            return Ok(());
        };
        for slot in self.slots.split_off(at) {
            self.push(slot)?;
        }
        Ok(())
    }

    /// Takes ops out, to be sent. `next_op_id` counts the tab's ops.
    pub fn take(&mut self, which: Take, next_op_id: &mut u64) -> Vec<OpSlot> {
        let count = match which {
            Take::All => self.slots.len(),
            Take::OneByOne => self.slots.len().min(1),
            Take::Numbered => self.slots.iter().take_while(|slot| slot.op_id != 0).count(),
        };
        let rest = self.slots.split_off(count);
        let mut taken = std::mem::replace(&mut self.slots, rest);
        taken.iter_mut().for_each(|slot| slot.number(next_op_id));
        taken
    }

    /// Numbers all: those submitted from now on are not composed into them.
    pub fn number(&mut self, next_op_id: &mut u64) {
        self.slots.iter_mut().for_each(|slot| slot.number(next_op_id));
    }

    /// Whether one has its number.
    pub fn has_numbered(&self) -> bool {
        self.slots.first().is_some_and(|slot| slot.op_id != 0)
    }

    /// Drops all, and returns the submits they stood for.
    pub fn clear(&mut self) -> Answered {
        self.applying = None;
        std::mem::take(&mut self.slots).into_iter().map(|slot| slot.tokens).collect()
    }
}
