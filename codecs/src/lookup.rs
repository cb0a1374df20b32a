use std::rc::Rc;

use tabmux_transports::FrameKind;

use crate::{Cbor, Codec, Json, Limits, StructuredClone};

/// The codec of that name: `structured-clone`, `json` or `cbor`. `None` for any other name.
pub fn by_name(name: &str, limits: Limits) -> Option<Rc<dyn Codec>> {
    let kind = match name {
        StructuredClone::NAME => FrameKind::Object,
        Json::NAME => FrameKind::Text,
        Cbor::NAME => FrameKind::Bytes,
        _ => return None,
    };
    Some(by_frame_kind(kind, limits))
}

/// The codec that writes frames of that kind. A hub answers a tab with the codec of the first frame
/// it got from it.
pub fn by_frame_kind(kind: FrameKind, limits: Limits) -> Rc<dyn Codec> {
    match kind {
        FrameKind::Object => Rc::new(StructuredClone::new(limits)),
        FrameKind::Text => Rc::new(Json::new(limits)),
        FrameKind::Bytes => Rc::new(Cbor::new(limits)),
    }
}
