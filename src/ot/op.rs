use serde::{Deserialize, Serialize};

use super::TypeHandle;
use crate::error::{Error, codes};
use crate::platform::{Payload, present};

/// What an op does to a document. On the wire it looks as in ShareDB: `{op}`, `{create}`,
/// `{del: true}`, or `{}` for an op that does nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawOp", into = "RawOp")]
pub enum Op {
    /// Edits the data, in the terms of the document's OT type.
    Edit(Payload),
    /// Creates the document.
    Create(Create),
    /// Deletes the document.
    Del,
    /// Does nothing: another op has made it superfluous.
    NoOp,
}

/// How a document is created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// The name or URI of its OT type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// What the type makes the data of.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub data: Option<Payload>,
    /// Whether `data` is the finished data, as a snapshot has it, and not the type's input.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub snapshot: bool,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOp {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    op: Option<Payload>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    create: Option<Create>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    del: bool,
}

impl From<Op> for RawOp {
    fn from(op: Op) -> Self {
        match op {
            Op::Edit(op) => RawOp { op: Some(op), ..RawOp::default() },
            Op::Create(create) => RawOp { create: Some(create), ..RawOp::default() },
            Op::Del => RawOp { del: true, ..RawOp::default() },
            Op::NoOp => RawOp::default(),
        }
    }
}

impl TryFrom<RawOp> for Op {
    type Error = &'static str;

    fn try_from(raw: RawOp) -> Result<Self, Self::Error> {
        match raw {
            RawOp { op: Some(op), create: None, del: false } => Ok(Op::Edit(op)),
            RawOp { op: None, create: Some(create), del: false } => Ok(Op::Create(create)),
            RawOp { op: None, create: None, del: true } => Ok(Op::Del),
            RawOp { op: None, create: None, del: false } => Ok(Op::NoOp),
            _ => Err("an op has at most one of op, create and del"),
        }
    }
}

/// As [`transform_pair`], for an op that is on its way: like ShareDB's server, it refuses the deletion
/// of a document that others have created anew, which the client has never seen.
///
/// # Errors
/// As [`transform_pair`].
pub fn transform_sent(
    client: &mut Op,
    placed: &mut Op,
    ty: Option<&TypeHandle>,
) -> Result<(), Error> {
    if let (Op::Del, Op::Create(_)) = (&*client, &*placed) {
        return Err(Error::new(codes::DOC_ALREADY_CREATED, "Document was created remotely"));
    }
    transform_pair(client, placed, ty)
}

/// Transforms a client's op and the change that got its place before it against each other.
///
/// The rules for creation and deletion are those of ShareDB's client for an op that it has not sent. `ty` is the type the
/// client's op was made for.
///
/// # Errors
/// The client's op has lost its ground: its document was deleted, or was created by another.
pub fn transform_pair(
    client: &mut Op,
    placed: &mut Op,
    ty: Option<&TypeHandle>,
) -> Result<(), Error> {
    match (&mut *client, &mut *placed) {
        // The client's deletion dominates, so that what the client submitted after it, such as a
        // new creation, keeps its ground.
        (Op::Del, _) => *placed = Op::NoOp,
        (_, Op::NoOp) => {}
        (Op::NoOp, Op::Edit(_)) => {}
        (_, Op::Del) => {
            return Err(Error::new(codes::DOC_WAS_DELETED, "Document was deleted"));
        }
        (_, Op::Create(_)) | (Op::Create(_), Op::Edit(_)) => {
            return Err(Error::new(codes::DOC_ALREADY_CREATED, "Document already created"));
        }
        (Op::Edit(left), Op::Edit(right)) => {
            let ty = ty.ok_or_else(|| {
                Error::new(codes::DOC_DOES_NOT_EXIST, "Document has not been created")
            })?;
            (*left, *right) = ty.transform_pair(left, right)?;
        }
    }
    Ok(())
}
