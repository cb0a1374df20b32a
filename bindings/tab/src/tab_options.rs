use std::rc::Rc;

use tabmux_codecs::{Codec, Codecs, Json, StructuredClone};
use tabmux_middleware::{LayerConfig, defaults};
use tabmux_transports::Guarantees;
use wasm_bindgen::prelude::*;

use tabmux::protocol::layer_spec;
use tabmux::{Error, Payload, codes, wire};
use tabmux_bindings::codecs::JsCodec;
use tabmux_bindings::errors::to_js;

/// What a tab's core is made with.
pub(super) struct CoreSettings {
    pub id: String,
    pub secret: String,
    pub identity: String,
    pub codec: Payload,
}

wire!(open CoreSettings { id, secret, identity, codec });

/// The codec of this name, or that is written in JavaScript, if the transport can carry what it makes.
pub(super) fn find_codec(
    codec: Payload,
    transport: &str,
    guarantees: &Guarantees,
) -> Result<Rc<dyn Codec>, JsValue> {
    let codec: Rc<dyn Codec> = match codec.0.as_string() {
        None => Rc::new(JsCodec::new(codec.0.unchecked_into())),
        Some(name) => {
            let mut codecs = Codecs::default();
            codecs.add(Rc::new(StructuredClone::default()));
            codecs.add(Rc::new(Json::default()));
            let unknown = || {
                let message = format!(
                    "unknown codec \"{name}\": the codecs are structured-clone, json and cbor"
                );
                to_js(&Error::new(codes::UNKNOWN_CODEC, message))
            };
            Rc::clone(codecs.by_name(&name).ok_or_else(unknown)?)
        }
    };
    if !guarantees.carries.contains(&codec.frame_kind()) {
        let message = format!(
            "the codec {} makes {}, which the transport {transport} can't carry: choose \
             another codec",
            codec.name(),
            codec.frame_kind()
        );
        return Err(to_js(&Error::new(codes::CODEC_MISMATCH, message)));
    }
    Ok(codec)
}

/// The layers as the application gave them; without, those the transport needs.
pub(super) fn read_layers(
    layers: JsValue,
    guarantees: &Guarantees,
    trace: bool,
) -> Result<Vec<LayerConfig>, JsValue> {
    if layers.is_undefined() {
        let mut layers = defaults(guarantees);
        if trace {
            layers.insert(0, LayerConfig::Tracing);
        }
        return Ok(layers);
    }
    let Ok(layers) = layers.dyn_into::<js_sys::Array>() else {
        let message = "middleware must be a list of layers";
        return Err(to_js(&Error::new(codes::LAYERS, message)));
    };
    layers.iter().map(|it| LayerConfig::try_from(layer_spec(it)).map_err(config_error)).collect()
}

pub(super) fn config_error(error: tabmux_middleware::ConfigError) -> JsValue {
    to_js(&Error::new(error.code(), error.to_string()))
}
