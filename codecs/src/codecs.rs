use std::rc::Rc;

use tabmux_transports::FrameKind;

use crate::{Cbor, Codec, Json, Limits, StructuredClone};

/// The codecs that one end knows: none by [`Codecs::default`], the built-in ones by [`Codecs::built_in`].
#[derive(Clone, Default)]
pub struct Codecs(Vec<Rc<dyn Codec>>);

impl Codecs {
    /// `structured-clone`, `json` and `cbor`.
    pub fn built_in(limits: Limits) -> Self {
        Codecs(vec![
            Rc::new(StructuredClone::new(limits)),
            Rc::new(Json::new(limits)),
            Rc::new(Cbor::new(limits)),
        ])
    }

    /// Adds a codec, which is tried before those that are there. One whose name is taken is left out.
    pub fn add(&mut self, codec: Rc<dyn Codec>) {
        if self.by_name(codec.name()).is_none() {
            self.0.insert(0, codec);
        }
    }

    /// The codec of that name.
    pub fn by_name(&self, name: &str) -> Option<&Rc<dyn Codec>> {
        self.0.iter().find(|codec| codec.name() == name)
    }

    /// The codecs that read frames of that kind, in the order in which they are to be tried. A hub answers
    /// a tab with the one that reads the first frame it got from it.
    pub fn by_frame_kind(&self, kind: FrameKind) -> impl Iterator<Item = &Rc<dyn Codec>> {
        self.0.iter().filter(move |codec| codec.frame_kind() == kind)
    }
}

impl std::fmt::Debug for Codecs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|codec| codec.name())).finish()
    }
}
