use std::rc::Rc;

use tabmux_codecs::{Codec, Limits, by_name};

pub fn all_codecs(limits: Limits) -> Vec<Rc<dyn Codec>> {
    ["structured-clone", "json", "cbor"]
        .into_iter()
        .map(|name| by_name(name, limits).expect("a codec of that name"))
        .collect()
}
