use super::{Create, Op, TypeHandle};
use crate::error::Error;
use crate::platform::Payload;
use crate::protocol::SubmittedOp;

/// Stands for one call of `submitOp`, `create` or `del`, whose callback is owed an answer.
pub type Token = u64;

/// Submits whose answer has come, those of each op together: the op is one to the server.
pub type Answered = Vec<Vec<Token>>;

/// How an op is submitted.
#[derive(Clone, Debug, Default)]
pub struct SubmitOptions {
    /// The source of the op, to be sent to the server where `submit_source` is set.
    pub source: Option<Payload>,
    /// ShareDB's `doc.submitSource`: send the source, and compose only ops of equal source.
    pub submit_source: bool,
    /// ShareDB's `doc.preventCompose`.
    pub prevent_compose: bool,
}

/// An op on its way to the server, composed of one or more submitted ones.
#[derive(Clone)]
pub struct OpSlot {
    /// Its number among all ops of the tab; 0 until it is sent, or written down to be sent.
    pub op_id: u64,
    /// What it does, in terms of the tab's present state.
    pub op: Op,
    /// The type an edit is made for.
    pub ty: Option<TypeHandle>,
    /// Its source.
    pub source: Option<Payload>,
    /// The submits it answers for, oldest first.
    pub tokens: Vec<Token>,
    submit_source: bool,
    compose: bool,
    /// Its number among the submitted ops of its replica, if it is one.
    serial: u64,
}

impl OpSlot {
    /// An op that was submitted for a document of this type.
    pub(super) fn new(
        op: Op,
        ty: Option<TypeHandle>,
        options: SubmitOptions,
        token: Token,
        serial: u64,
    ) -> Self {
        let SubmitOptions { source, submit_source, prevent_compose } = options;
        let (tokens, compose) = (vec![token], !prevent_compose);
        OpSlot { op_id: 0, op, ty, source, tokens, submit_source, compose, serial }
    }

    /// An op as it was sent, which was made for a document of this type.
    pub(super) fn of_sent(sent: SubmittedOp, ty: Option<TypeHandle>) -> Self {
        let SubmittedOp { op_id, op, source, compose } = sent;
        let (submit_source, tokens, serial) = (source.is_some(), Vec::new(), 0);
        OpSlot { op_id, op, ty, source, tokens, submit_source, compose, serial }
    }

    pub(super) fn serial(&self) -> u64 {
        self.serial
    }

    /// Gives it the next number, if it has none.
    pub(super) fn number(&mut self, next_op_id: &mut u64) {
        if self.op_id == 0 {
            self.op_id = *next_op_id;
            *next_op_id += 1;
        }
    }

    /// Makes this op and the next one, where ShareDB would; else gives the next back.
    pub(super) fn compose(&mut self, next: OpSlot) -> Result<Option<OpSlot>, Error> {
        let Some(op) = self.composed_with(&next)? else { return Ok(Some(next)) };
        self.op = op;
        self.tokens.extend(next.tokens);
        Ok(None)
    }

    /// This op and the next as one, where ShareDB would compose them.
    fn composed_with(&self, next: &OpSlot) -> Result<Option<Op>, Error> {
        if !next.compose || (next.submit_source && self.source != next.source) {
            return Ok(None);
        }
        let (Op::Edit(second), Some(ty)) = (&next.op, &next.ty) else { return Ok(None) };
        match &self.op {
            Op::Create(create) => {
                let data = create.data.clone().unwrap_or_else(Payload::undefined);
                let data = Some(ty.apply(data, second)?);
                Ok(Some(Op::Create(Create { data, ..create.clone() })))
            }
            Op::Edit(first) => ty.compose(first, second).transpose().map(|op| op.map(Op::Edit)),
            Op::Del | Op::NoOp => Ok(None),
        }
    }

    /// The op as it is sent.
    pub(super) fn submitted(&self) -> SubmittedOp {
        SubmittedOp {
            op_id: self.op_id,
            op: self.op.clone(),
            source: self.source.clone().filter(|_| self.submit_source),
            compose: self.compose,
        }
    }
}
