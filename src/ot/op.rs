use super::TypeHandle;
use crate::error::{Error, codes};
use crate::platform::Payload;
use crate::wire::{Member, Place, Shape, Ts, Wire, wire};

/// What an op does to a document. On the wire it looks as in ShareDB: `{op}`, `{create}`,
/// `{del: true}`, or `{}` for an op that does nothing.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
pub struct Create {
    /// The name or URI of its OT type.
    pub type_name: String,
    /// What the type makes the data of.
    pub data: Option<Payload>,
    /// Whether `data` is the finished data, as a snapshot has it, and not the type's input.
    pub snapshot: bool,
}

wire!(Create { type_name as "type", data, snapshot or false });

static SHAPE: Shape = Shape::new(&["op", "create", "del"], false);

impl Wire for Op {
    const TS: Ts = Ts::Alias {
        name: "Op",
        of: "{op?: unknown; create?: Create | undefined; del?: true | undefined}",
    };

    fn write(&self, to: Place<'_>) {
        let mut target = to.object(&SHAPE);
        match self {
            Op::Edit(op) => op.write(target.at(0)),
            Op::Create(create) => create.write(target.at(1)),
            Op::Del => target.at(2).boolean(true),
            Op::NoOp => {}
        }
    }

    fn read(from: Member<'_>) -> Self {
        let members = from.members(&SHAPE);
        let (op, create) = (Wire::read(members.at(0)), Wire::read(members.at(1)));
        match (op, create, Option::read(members.at(2)).unwrap_or(false)) {
            (Some(op), None, false) => Op::Edit(op),
            (None, Some(create), false) => Op::Create(create),
            (None, None, true) => Op::Del,
            (None, None, false) => Op::NoOp,
            _ => {
                from.must_be("an op, which has at most one of `op`, `create` and `del`");
                Op::NoOp
            }
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
        (_, Op::Create(_)) | (Op::Create(_), Op::Edit(_)) => return Err(already_created()),
        (Op::Edit(left), Op::Edit(right)) => {
            let ty = ty.ok_or_else(|| {
                Error::new(codes::DOC_DOES_NOT_EXIST, "Document has not been created")
            })?;
            (*left, *right) = ty.transform_pair(left, right)?;
        }
    }
    Ok(())
}

/// Why a creation has no place where others have created the document.
pub(crate) fn already_created() -> Error {
    Error::new(codes::DOC_ALREADY_CREATED, "Document already created")
}
