use std::rc::Rc;

use tabmux_codecs::{Codec, Codecs, Limits};

pub fn all_codecs(limits: Limits) -> Vec<Rc<dyn Codec>> {
    ["structured-clone", "json", "cbor"].map(|name| by_name(name, limits)).into()
}

pub fn by_name(name: &str, limits: Limits) -> Rc<dyn Codec> {
    Rc::clone(Codecs::built_in(limits).by_name(name).expect("a codec of that name"))
}
