use crate::platform::Payload;
use crate::wire::{Member, Place, Shape, Ts, Wire};

/// An error as ShareDB's users know it: a stable `code` and a message.
///
/// ShareDB's own errors keep the code and message they had; errors of tabmux have a code of
/// [`codes`].
///
/// ```
/// use tabmux::{Error, codes};
///
/// let error = Error::new(codes::TIMEOUT, "no answer from the hub within 30000 ms");
/// assert_eq!(error.code_text(), Some("ERR_TABMUX_TIMEOUT".to_owned()));
/// assert_eq!(error.to_string(), "no answer from the hub within 30000 ms");
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The code, nearly always a string; a server's own middleware may use anything.
    pub code: Option<Payload>,
    /// What went wrong, naming the value at fault, and what to do.
    pub message: String,
    /// The value that JavaScript code threw, where this error stands for one in the same thread.
    pub thrown: Option<Payload>,
}

static SHAPE: Shape = Shape::new(&["code", "message"], true);

impl Wire for Error {
    const TS: Ts = Ts::Plain("{code?: unknown; message: string}");

    fn write(&self, to: Place<'_>) {
        let mut target = to.object(&SHAPE);
        self.code.write(target.at(0));
        self.message.write(target.at(1));
    }

    fn read(from: Member<'_>) -> Self {
        let members = from.members(&SHAPE);
        let (code, message) = (Wire::read(members.at(0)), Wire::read(members.at(1)));
        Error { code, message, thrown: None }
    }
}

impl Error {
    /// An error with one of the stable codes.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Error { code: Some(code.to_owned().into()), message: message.into(), thrown: None }
    }

    /// The code, if it is a string.
    pub fn code_text(&self) -> Option<String> {
        self.code.as_ref().and_then(Payload::as_text)
    }
}

/// The codes of errors: tabmux's own, and those of ShareDB that the core raises itself.
pub mod codes {
    /// The hub speaks another version of the protocol.
    pub const PROTOCOL_VERSION: &str = "ERR_TABMUX_PROTOCOL_VERSION";
    /// The hub belongs to another identity.
    pub const IDENTITY: &str = "ERR_TABMUX_IDENTITY";
    /// The hub that held the state of this tab is gone.
    pub const HUB_LOST: &str = "ERR_TABMUX_HUB_LOST";
    /// A request was not answered in time.
    pub const TIMEOUT: &str = "ERR_TABMUX_TIMEOUT";
    /// A frame or message was not what the protocol allows; it was dropped.
    pub const BAD_FRAME: &str = "ERR_TABMUX_BAD_FRAME";
    /// A tab has not proven that its id is its own, or is not the first on its transport.
    pub const TAB_ID: &str = "ERR_TABMUX_TAB_ID";
    /// A tab has as much of something as the hub holds for one.
    pub const TOO_MUCH: &str = "ERR_TABMUX_TOO_MUCH";
    /// A message of ShareDB's protocol that is the hub's alone to send.
    pub const MESSAGE_REFUSED: &str = "ERR_TABMUX_MESSAGE_REFUSED";
    /// ShareDB: a message is not as it must be.
    pub const MESSAGE_BADLY_FORMED: &str = "ERR_MESSAGE_BADLY_FORMED";
    /// The connection was closed by this tab.
    pub const CLOSED: &str = "ERR_TABMUX_CLOSED";
    /// The codec can't carry a value.
    pub const UNCARRIABLE: &str = "ERR_TABMUX_UNCARRIABLE";
    /// The layers do not fit each other or the transport.
    pub const LAYERS: &str = "ERR_TABMUX_LAYERS";
    /// The hub can't start.
    pub const HUB_START: &str = "ERR_TABMUX_HUB_START";
    /// No codec has this name.
    pub const UNKNOWN_CODEC: &str = "ERR_TABMUX_CODEC_UNKNOWN";
    /// A transport failed.
    pub const TRANSPORT: &str = "ERR_TABMUX_TRANSPORT";
    /// The codec does not fit the transport.
    pub const CODEC_MISMATCH: &str = "ERR_TABMUX_CODEC_MISMATCH";
    /// What the store had of a document can't be read.
    pub const STORE_DAMAGED: &str = "ERR_TABMUX_STORE_DAMAGED";
    /// The hub has no store, or no longer.
    pub const STORE_OFF: &str = "ERR_TABMUX_STORE_OFF";
    /// The store has ops that the server does not have.
    pub const STORE_PENDING: &str = "ERR_TABMUX_STORE_PENDING";
    /// The store does not keep such documents.
    pub const STORE_EXCLUDED: &str = "ERR_TABMUX_STORE_EXCLUDED";
    /// The server can't be reached, and the store can't answer for it.
    pub const OFFLINE: &str = "ERR_TABMUX_OFFLINE";
    /// ShareDB: the document was deleted while an op on it was pending.
    pub const DOC_WAS_DELETED: &str = "ERR_DOC_WAS_DELETED";
    /// ShareDB: the document exists already.
    pub const DOC_ALREADY_CREATED: &str = "ERR_DOC_ALREADY_CREATED";
    /// ShareDB: the document has not been created.
    pub const DOC_DOES_NOT_EXIST: &str = "ERR_DOC_DOES_NOT_EXIST";
    /// As in ShareDB.
    pub const DOC_IN_HARD_ROLLBACK: &str = "ERR_DOC_IN_HARD_ROLLBACK";
    /// ShareDB: the server does not show the document, and the client is to keep quiet about it.
    pub const READ_SILENTLY_REJECTED: &str = "ERR_SNAPSHOT_READ_SILENT_REJECTION";
    /// ShareDB: the OT type is not registered here.
    pub const TYPE_NOT_RECOGNIZED: &str = "ERR_DOC_TYPE_NOT_RECOGNIZED";
    /// ShareDB: an op can't be applied.
    pub const OP_NOT_APPLIED: &str = "ERR_OT_OP_NOT_APPLIED";
    /// ShareDB: an op was dropped because the document had to be loaded anew.
    pub const PENDING_OP_REMOVED: &str = "ERR_PENDING_OP_REMOVED_BY_OP_SUBMIT_REJECTED";
    /// Another hub has opened the store since, or it was cleared.
    pub const STORE_FENCED: &str = "ERR_TABMUX_STORE_FENCED";
    /// The store was made by newer code.
    pub const STORE_NEWER_SCHEMA: &str = "ERR_TABMUX_STORE_NEWER_SCHEMA";
    /// There is no room for the store.
    pub const STORE_QUOTA: &str = "ERR_TABMUX_STORE_QUOTA";
    /// A tab with older code holds the store.
    pub const STORE_BLOCKED: &str = "ERR_TABMUX_STORE_BLOCKED";
    /// The store is not open, or no longer.
    pub const STORE_CLOSED: &str = "ERR_TABMUX_STORE_CLOSED";
    /// The browser has no storage here that works.
    pub const STORE_UNAVAILABLE: &str = "ERR_TABMUX_STORE_UNAVAILABLE";
    /// The store refused anything else.
    pub const STORE_FAILED: &str = "ERR_TABMUX_STORE_FAILED";
    /// The store does not fit the key, or the lack of one.
    pub const STORE_KEY: &str = "ERR_TABMUX_STORE_KEY";
}
