use tabmux_transports::Guarantees;

use crate::{ConfigError, LayerConfig};

/// Upper layer, lower layer, and why not the other way round.
const ABOVE: [(&str, &str, &str); 6] = [
    ("timeouts", "coalescing", "the replies it makes must not count as taken from the other end"),
    ("timeouts", "ordering", "the replies it makes have no number, so they would be dropped"),
    ("coalescing", "batching", "messages are merged one by one, before they are a batch"),
    ("coalescing", "ordering", "it would merge messages of packets that are numbered"),
    ("batching", "ordering", "it would merge packets that are numbered"),
    ("ordering", "retries", "packets are resent, and told apart, by their numbers"),
];

/// The layers for a transport nobody configured, top first.
///
/// Over one that is reliable and ordered these are `timeouts`, `coalescing` and `batching`; over
/// any other, `ordering` and `retries` stand below those.
pub fn defaults(guarantees: &Guarantees) -> Vec<LayerConfig> {
    let mut layers = vec![LayerConfig::TIMEOUTS, LayerConfig::COALESCING, LayerConfig::BATCHING];
    if !(guarantees.reliable && guarantees.ordered) {
        layers.extend([LayerConfig::ORDERING, LayerConfig::RETRIES]);
    }
    layers
}

/// The layers the other end needs to match these: the same, without `timeouts` and `tracing`, which
/// say nothing to the other end. `ordering` holds `most_held` packets at most, which the other end
/// does not notice but by resends.
pub fn counterpart(layers: &[LayerConfig], most_held: u64) -> Vec<LayerConfig> {
    let own = |layer: &&LayerConfig| {
        !matches!(layer, LayerConfig::Timeouts { .. } | LayerConfig::Tracing)
    };
    let clamped = |layer: &LayerConfig| match *layer {
        LayerConfig::Ordering { max_held } => {
            LayerConfig::Ordering { max_held: max_held.min(most_held) }
        }
        ref layer => layer.clone(),
    };
    layers.iter().filter(own).map(clamped).collect()
}

/// Refuses values out of range, and layers that do not fit each other or the transport.
pub(crate) fn check(layers: &[LayerConfig], guarantees: &Guarantees) -> Result<(), ConfigError> {
    for (index, layer) in layers.iter().enumerate() {
        layer.check()?;
        if layers[..index].iter().any(|earlier| earlier.name() == layer.name()) {
            return Err(ConfigError::Repeated { layer: layer.name().to_owned() });
        }
    }
    let place = |name: &str| layers.iter().position(|layer| layer.name() == name);
    let missing = |layer, needed_by, reason| Err(ConfigError::Missing { layer, needed_by, reason });
    if place("retries").is_some() && place("ordering").is_none() {
        return missing("ordering", "the layer `retries`", "packets are resent by their numbers");
    }
    if !guarantees.reliable && place("retries").is_none() {
        return if place("ordering").is_some() {
            missing(
                "retries",
                "`ordering` over an unreliable transport",
                "it would wait for ever for a frame that was lost",
            )
        } else {
            missing("retries", "an unreliable transport", "a frame that is lost must be resent")
        };
    }
    if !guarantees.ordered && place("ordering").is_none() {
        return missing(
            "ordering",
            "an unordered transport",
            "frames that overtake each other must be put back in order",
        );
    }
    for (upper, lower, reason) in ABOVE {
        if place(lower).is_some_and(|lower| place(upper).is_some_and(|upper| lower < upper)) {
            return Err(misplaced(upper, lower, reason));
        }
    }
    for (at, own) in layers.iter().enumerate().filter(|(_, it)| matches!(it, LayerConfig::Own(_))) {
        if let Some(lower) = place("timeouts").filter(|lower| at < *lower) {
            return Err(misplaced(layers[lower].name(), own.name(), "it must see the requests"));
        }
        if let Some(upper) = place("ordering").filter(|upper| *upper < at) {
            let reason = "it would change packets that are numbered";
            return Err(misplaced(own.name(), layers[upper].name(), reason));
        }
    }
    Ok(())
}

fn misplaced(upper: &str, lower: &str, reason: &'static str) -> ConfigError {
    ConfigError::Misplaced { upper: upper.to_owned(), lower: lower.to_owned(), reason }
}
