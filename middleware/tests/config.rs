//! What is read as a configuration, and which combinations are refused.

mod support;

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;
use support::{Log, Note, transport};
use tabmux_middleware::{
    Batching, ConfigError, Environment, LayerConfig, LayerSpec, Layers, OptionValue, Stack,
    counterpart, defaults,
};

use LayerConfig as L;

fn read(json: &str) -> Result<LayerConfig, ConfigError> {
    LayerConfig::try_from(match serde_json::from_str(json).expect("JSON") {
        Value::String(name) => LayerSpec::Named { name, options: Vec::new() },
        Value::Object(mut options) => match options.remove("layer") {
            Some(Value::String(name)) => LayerSpec::Named { name, options: given(options) },
            _ => LayerSpec::Other,
        },
        _ => LayerSpec::Other,
    })
}

fn given(options: serde_json::Map<String, Value>) -> Vec<(String, OptionValue)> {
    let value = |value: Value| match value.as_u64() {
        Some(number) => OptionValue::Whole(number),
        None => OptionValue::Other(value.to_string()),
    };
    let given = options.into_iter().filter(|(_, it)| !it.is_null());
    given.map(|(option, it)| (option, value(it))).collect()
}

/// The message of the error that this configuration is.
#[track_caller]
fn refused(json: &str, code: &str) -> String {
    let error = read(json).expect_err(json);
    assert_eq!(error.code(), code);
    error.to_string()
}

#[test]
fn a_layer_is_a_name_or_an_object_with_options() {
    assert_eq!(read(r#""batching""#), Ok(L::BATCHING));
    assert_eq!(read(r#""coalescing""#), Ok(L::COALESCING));
    assert_eq!(read(r#""timeouts""#), Ok(L::TIMEOUTS));
    assert_eq!(read(r#""ordering""#), Ok(L::ORDERING));
    assert_eq!(read(r#""retries""#), Ok(L::RETRIES));
    assert_eq!(read(r#"{"layer": "tracing"}"#), Ok(L::Tracing));
    assert_eq!(
        read(r#"{"layer": "retries", "initial": 100, "max": null}"#),
        Ok(L::Retries { initial: 100, max: 5_000, ack_delay: 20 })
    );
    assert_eq!(
        read(r#"{"layer": "batching", "maxMessages": 5}"#),
        Ok(L::Batching { max_messages: 5 })
    );
}

#[test]
fn what_is_written_reads_the_same() {
    let all = [L::BATCHING, L::COALESCING, L::TIMEOUTS, L::ORDERING, L::RETRIES, L::Tracing];
    for layer in all {
        let options = layer.options().into_iter();
        let options = options.map(|(name, it)| (name.to_owned(), OptionValue::Whole(it)));
        let spec = LayerSpec::Named { name: layer.name().to_owned(), options: options.collect() };
        assert_eq!(LayerConfig::try_from(spec), Ok(layer));
    }
}

#[test]
fn unknown_layers_are_refused_with_the_list_of_the_known() {
    let message = refused(r#""retry""#, "ERR_TABMUX_LAYER_UNKNOWN");
    assert_eq!(
        message,
        "unknown layer `retry`; the layers are `batching`, `coalescing`, `timeouts`, `ordering`, \
         `retries`, `tracing`"
    );
    refused(r#"{"layer": "Batching"}"#, "ERR_TABMUX_LAYER_UNKNOWN");
}

#[test]
fn unknown_options_are_refused_with_the_list_of_the_known() {
    assert_eq!(
        refused(r#"{"layer": "retries", "maximum": 1}"#, "ERR_TABMUX_LAYER_OPTION_UNKNOWN"),
        "unknown option `maximum` of the layer `retries`; its options are `initial`, `max`, \
         `ackDelay`"
    );
    assert_eq!(
        refused(r#"{"layer": "tracing", "window": 1}"#, "ERR_TABMUX_LAYER_OPTION_UNKNOWN"),
        "unknown option `window` of the layer `tracing`; its options are none"
    );
}

#[test]
fn what_is_no_layer_is_refused() {
    for json in ["5", "null", "[]", "{}", r#"{"layer": 5}"#, r#"{"layer": null}"#, "[[1]]"] {
        refused(json, "ERR_TABMUX_LAYER_INVALID");
    }
}

#[test]
fn values_out_of_range_are_refused() {
    for (layer, option) in [
        ("batching", "maxMessages"),
        ("coalescing", "window"),
        ("timeouts", "after"),
        ("ordering", "maxHeld"),
        ("retries", "initial"),
        ("retries", "max"),
    ] {
        for value in ["0", "-1", "1.5", "1e300", "2147483648", r#""7""#, "[7]", "true"] {
            let json = format!(r#"{{"layer": "{layer}", "{option}": {value}}}"#);
            let message = refused(&json, "ERR_TABMUX_LAYER_OPTION_INVALID");
            let start = format!("option `{option}` of the layer `{layer}` is ");
            assert!(message.starts_with(&start), "{message}");
        }
    }
    assert_eq!(
        refused(r#"{"layer": "coalescing", "window": 0}"#, "ERR_TABMUX_LAYER_OPTION_INVALID"),
        "option `window` of the layer `coalescing` is 0; it must be a whole number from 1 to \
         2147483647"
    );
}

#[test]
fn the_options_of_retries_must_fit_each_other() {
    assert_eq!(
        refused(r#"{"layer": "retries", "initial": 6000}"#, "ERR_TABMUX_LAYER_OPTION_INVALID"),
        "option `max` of the layer `retries` is 5000; it must be at least `initial`, 6000"
    );
    assert!(
        refused(r#"{"layer": "retries", "initial": 20}"#, "ERR_TABMUX_LAYER_OPTION_INVALID")
            .starts_with("option `ackDelay` of the layer `retries` is 20; it must be less than")
    );
    assert!(read(r#"{"layer": "retries", "initial": 20, "ackDelay": 0}"#).is_ok());
}

/// Builds a stack over a transport; the tracer is there in case it is needed.
fn build(layers: &[LayerConfig], ordered: bool, reliable: bool) -> Result<(), ConfigError> {
    let environment =
        Environment::<Note> { tracer: Some(Box::new(Log::default())), ..Environment::new(1) };
    Stack::build(layers, &transport(ordered, reliable), environment).map(drop)
}

#[test]
fn the_defaults_and_their_counterparts_fit_every_transport() {
    for (ordered, reliable) in [(true, true), (true, false), (false, true), (false, false)] {
        let layers = defaults(&transport(ordered, reliable));
        assert_eq!(build(&layers, ordered, reliable), Ok(()));
        assert_eq!(build(&counterpart(&layers, u64::MAX), ordered, reliable), Ok(()));
    }
    let reliable: Vec<_> = defaults(&transport(true, true));
    assert_eq!(reliable, [L::TIMEOUTS, L::COALESCING, L::BATCHING]);
    let lossy: Vec<_> = defaults(&transport(true, false));
    assert_eq!(lossy, [L::TIMEOUTS, L::COALESCING, L::BATCHING, L::ORDERING, L::RETRIES]);
}

#[test]
fn the_counterpart_leaves_out_what_says_nothing_to_the_other_end() {
    let window = L::Coalescing { window: 7 };
    assert_eq!(
        counterpart(
            &[L::Tracing, L::TIMEOUTS, window.clone(), L::BATCHING, L::ORDERING, L::RETRIES],
            u64::MAX
        ),
        [window, L::BATCHING, L::ORDERING, L::RETRIES]
    );
}

#[test]
fn the_counterpart_holds_no_more_than_its_end_allows() {
    let theirs = L::Ordering { max_held: 1_000_000 };
    assert_eq!(counterpart(&[theirs], 50), [L::Ordering { max_held: 50 }]);
    assert_eq!(counterpart(&[L::Ordering { max_held: 7 }], 50), [L::Ordering { max_held: 7 }]);
}

#[test]
fn a_layer_that_is_there_twice_is_refused() {
    let layers = [L::BATCHING, L::Batching { max_messages: 5 }];
    assert_eq!(
        build(&layers, true, true),
        Err(ConfigError::Repeated { layer: "batching".to_owned() })
    );
}

#[test]
fn values_out_of_range_are_refused_when_building_too() {
    let error = build(&[L::Coalescing { window: 0 }], true, true).unwrap_err();
    assert_eq!(error.code(), "ERR_TABMUX_LAYER_OPTION_INVALID");
}

#[track_caller]
fn missing(layers: &[LayerConfig], ordered: bool, reliable: bool) -> (&'static str, &'static str) {
    match build(layers, ordered, reliable) {
        Err(ConfigError::Missing { layer, needed_by, .. }) => (layer, needed_by),
        other => panic!("{other:?} for {layers:?}"),
    }
}

#[test]
fn a_stack_that_lacks_a_layer_is_refused() {
    assert_eq!(missing(&[L::RETRIES], true, true), ("ordering", "the layer `retries`"));
    assert_eq!(missing(&[], true, false), ("retries", "an unreliable transport"));
    assert_eq!(
        missing(&[L::ORDERING], true, false),
        ("retries", "`ordering` over an unreliable transport")
    );
    assert_eq!(missing(&[L::BATCHING], false, true), ("ordering", "an unordered transport"));
    assert_eq!(build(&[L::ORDERING], false, true), Ok(()));
    assert_eq!(build(&[], true, true), Ok(()));
}

#[test]
fn layers_in_the_wrong_order_are_refused() {
    let numbered = [L::ORDERING, L::RETRIES];
    let wrong = [
        (vec![L::RETRIES, L::ORDERING], ("ordering", "retries")),
        (vec![L::BATCHING, L::COALESCING], ("coalescing", "batching")),
        (vec![L::COALESCING, L::TIMEOUTS], ("timeouts", "coalescing")),
    ];
    let below =
        [(L::BATCHING, "batching"), (L::COALESCING, "coalescing"), (L::TIMEOUTS, "timeouts")]
            .into_iter()
            .flat_map(|(layer, name)| {
                [1, 2].map(|place| {
                    let mut layers = numbered.to_vec();
                    layers.insert(place, layer.clone());
                    (layers, (name, "ordering"))
                })
            });
    for (layers, (upper, lower)) in wrong.into_iter().chain(below) {
        let error = build(&layers, true, true).expect_err(&format!("{layers:?}"));
        assert!(
            matches!(&error, ConfigError::Misplaced { upper: u, lower: l, .. } if u == upper && l == lower),
            "{error:?} for {layers:?}"
        );
        assert!(error.to_string().contains(&format!("`{lower}` must come after `{upper}`: ")));
    }
}

#[test]
fn tracing_fits_anywhere_and_timeouts_below_batching() {
    let layers = defaults(&transport(false, false));
    for place in 0..=layers.len() {
        let mut layers = layers.clone();
        layers.insert(place, L::Tracing);
        assert_eq!(build(&layers, false, false), Ok(()), "{layers:?}");
    }
    let layers = [L::BATCHING, L::TIMEOUTS, L::ORDERING, L::RETRIES];
    assert_eq!(build(&layers, false, false), Ok(()));
}

/// What builds a stack with the layer `own`.
fn with_own_layer() -> Environment<Note> {
    let mut layers = Layers::default();
    layers.add("own", Rc::new(|_| Box::new(Batching::new(9))));
    Environment { layers, ..Environment::new(1) }
}

#[test]
fn a_layer_of_ones_own_stands_below_timeouts_and_above_ordering() {
    let own = || L::Own("own".to_owned());
    let build = |layers: &[LayerConfig]| {
        Stack::build(layers, &transport(true, true), with_own_layer()).map(drop)
    };
    assert_eq!(build(&[L::TIMEOUTS, own(), L::COALESCING, L::BATCHING, L::ORDERING]), Ok(()));
    assert_eq!(build(&[L::BATCHING, own()]), Ok(()));
    for (layers, upper, lower) in
        [([own(), L::TIMEOUTS], "timeouts", "own"), ([L::ORDERING, own()], "own", "ordering")]
    {
        let error = build(&layers).unwrap_err();
        assert_eq!(error.code(), "ERR_TABMUX_LAYER_MISPLACED");
        assert!(error.to_string().contains(&format!("`{lower}` must come after `{upper}`: ")));
    }
    let twice = build(&[own(), own()]).unwrap_err();
    assert_eq!(twice, ConfigError::Repeated { layer: "own".to_owned() });
}

#[test]
fn a_layer_of_ones_own_that_is_not_there_is_unknown_at_one_end_and_left_out_at_the_other() {
    let layers = [L::TIMEOUTS, L::Own("other".to_owned()), L::Own("own".to_owned())];
    let error =
        Stack::build(&layers, &transport(true, true), with_own_layer()).map(drop).unwrap_err();
    assert_eq!(error.code(), "ERR_TABMUX_LAYER_UNKNOWN");
    assert!(error.to_string().starts_with("unknown layer `other`; the layers are "));
    assert!(error.to_string().ends_with("`tracing`, `own`"));
    let stack = Stack::counterpart(&layers, 9, &transport(true, true), with_own_layer()).unwrap();
    assert_eq!(format!("{stack:?}"), r#"["batching"]"#);
}

#[test]
fn a_layer_of_ones_own_can_not_take_the_place_of_a_built_in_one() {
    let layers = [L::Own("ordering".to_owned()), L::RETRIES];
    let error = build(&layers, true, false).unwrap_err();
    assert_eq!(error, ConfigError::Taken { layer: "ordering".to_owned() });
    assert_eq!(error.code(), "ERR_TABMUX_LAYER_INVALID");
    let lossy = transport(true, false);
    let counterpart = Stack::<Note>::counterpart(&layers, 9, &lossy, Environment::new(1));
    assert_eq!(counterpart.unwrap_err(), error);
}

#[test]
fn a_layer_is_told_for_which_link_it_is_made() {
    let links = Rc::<RefCell<Vec<u64>>>::default();
    let told = Rc::clone(&links);
    let mut layers = Layers::default();
    layers.add(
        "own",
        Rc::new(move |link| {
            told.borrow_mut().push(link);
            Box::new(Batching::new(9))
        }),
    );
    for link in [3, 5] {
        let environment =
            Environment::<Note> { layers: layers.clone(), link, ..Environment::new(1) };
        Stack::build(&[L::Own("own".to_owned())], &transport(true, true), environment).unwrap();
    }
    assert_eq!(*links.borrow(), [3, 5]);
}
