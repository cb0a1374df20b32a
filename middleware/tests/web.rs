//! The configuration as JavaScript passes it.
#![cfg(target_arch = "wasm32")]

use tabmux_middleware::{LayerConfig, LayerSpec};
use wasm_bindgen_test::wasm_bindgen_test;

fn read(javascript: &str) -> Result<Vec<LayerConfig>, String> {
    let value = js_sys::eval(javascript).expect("the expression has a value");
    serde_wasm_bindgen::from_value(value).map_err(|error| error.to_string())
}

#[wasm_bindgen_test]
fn layers_are_read_from_names_and_objects() {
    assert_eq!(
        read("['batching', {layer: 'retries', initial: 100, max: undefined}]"),
        Ok(vec![
            LayerConfig::BATCHING,
            LayerConfig::Retries { initial: 100, max: 5_000, ack_delay: 20 }
        ])
    );
}

#[wasm_bindgen_test]
fn what_is_written_reads_the_same() {
    let layers = vec![LayerConfig::RETRIES, LayerConfig::Tracing];
    let value = serde_wasm_bindgen::to_value(&layers).unwrap();
    assert_eq!(
        js_sys::JSON::stringify(&value).unwrap(),
        concat!(
            r#"[{"layer":"retries","initial":200,"max":5000,"ackDelay":20},"#,
            r#"{"layer":"tracing"}]"#
        )
    );
    assert_eq!(serde_wasm_bindgen::from_value::<Vec<LayerConfig>>(value).unwrap(), layers);
}

#[wasm_bindgen_test]
fn mistakes_are_named() {
    for (javascript, named) in [
        ("['retry']", "unknown layer `retry`"),
        ("[{layer: 'batching', max: 1}]", "unknown option `max` of the layer `batching`"),
        ("[{layer: 'batching', maxMessages: 1.5}]", "is 1.5; it must be a whole number"),
        ("[{layer: 'batching', maxMessages: '5'}]", "is \"5\"; it must be a whole number"),
        ("[{layer: 'batching', maxMessages: {}}]", "is not a number; it must be a whole number"),
        ("[7]", "a layer is a name, or an object"),
        ("[{}]", "a layer is a name, or an object"),
    ] {
        let error = read(javascript).expect_err(javascript);
        assert!(error.contains(named), "{error}");
    }
}

#[wasm_bindgen_test]
fn any_value_is_a_spec() {
    let spec: LayerSpec = serde_wasm_bindgen::from_value(js_sys::Array::new().into()).unwrap();
    assert_eq!(LayerConfig::try_from(spec).unwrap_err().code(), "ERR_TABMUX_LAYER_INVALID");
}
