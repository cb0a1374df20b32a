use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::{ConfigError, Millis};

/// The longest time and the highest count an option takes: no browser's timer runs longer.
const MOST: u64 = i32::MAX as u64;

/// One layer and its options, all of them whole numbers.
///
/// It is read from a name or from an object; options that are not there have their default.
/// Reading it through serde turns a mistake into serde's error with the message of a
/// [`ConfigError`]; read a [`LayerSpec`] and convert it to get the error itself.
///
/// ```
/// use tabmux_middleware::LayerConfig;
///
/// let layers: Vec<LayerConfig> =
///     serde_json::from_str(r#"["batching", {"layer": "timeouts", "after": 500}]"#)?;
/// assert_eq!(layers, [LayerConfig::BATCHING, LayerConfig::Timeouts { after: 500 }]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "layer", rename_all = "lowercase", rename_all_fields = "camelCase")]
#[serde(try_from = "LayerSpec")]
pub enum LayerConfig {
    /// See [`Batching`](crate::Batching).
    Batching {
        /// A batch this long goes at once. At least 1.
        max_messages: u64,
    },
    /// See [`Coalescing`](crate::Coalescing).
    Coalescing {
        /// How many messages may be under way that the other end has not taken. At least 1.
        window: u64,
    },
    /// See [`Timeouts`](crate::Timeouts).
    Timeouts {
        /// How long a request waits for its answer. At least 1.
        after: Millis,
    },
    /// See [`Ordering`](crate::Ordering).
    Ordering {
        /// How many packets are held back until an earlier one arrives. At least 1.
        max_held: u64,
    },
    /// See [`Retries`](crate::Retries).
    Retries {
        /// The wait before the first resend. At least 1.
        initial: Millis,
        /// The longest wait between resends. At least `initial`.
        max: Millis,
        /// How long an acknowledgement waits for a packet to ride on. Less than `initial`.
        ack_delay: Millis,
    },
    /// See [`Tracing`](crate::Tracing).
    Tracing,
}

impl LayerConfig {
    /// `batching` with its default: 1000 messages.
    pub const BATCHING: LayerConfig = LayerConfig::Batching { max_messages: 1000 };
    /// `coalescing` with its default: a window of 256 messages.
    pub const COALESCING: LayerConfig = LayerConfig::Coalescing { window: 256 };
    /// `timeouts` with its default: 30 seconds.
    pub const TIMEOUTS: LayerConfig = LayerConfig::Timeouts { after: 30_000 };
    /// `ordering` with its default: 10,000 packets.
    pub const ORDERING: LayerConfig = LayerConfig::Ordering { max_held: 10_000 };
    /// `retries` with its defaults: from 200 ms to 5 s, acknowledging after 20 ms.
    pub const RETRIES: LayerConfig =
        LayerConfig::Retries { initial: 200, max: 5_000, ack_delay: 20 };

    const ALL: [LayerConfig; 6] = [
        Self::BATCHING,
        Self::COALESCING,
        Self::TIMEOUTS,
        Self::ORDERING,
        Self::RETRIES,
        Self::Tracing,
    ];

    /// The layer's name.
    pub fn name(&self) -> &'static str {
        match self {
            LayerConfig::Batching { .. } => "batching",
            LayerConfig::Coalescing { .. } => "coalescing",
            LayerConfig::Timeouts { .. } => "timeouts",
            LayerConfig::Ordering { .. } => "ordering",
            LayerConfig::Retries { .. } => "retries",
            LayerConfig::Tracing => "tracing",
        }
    }

    /// Refuses values out of range.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let mut copy = *self;
        for (option, value) in copy.options() {
            let least = if option == "ackDelay" { 0 } else { 1 };
            if !(least..=MOST).contains(value) {
                let allowed = format!("a whole number from {least} to {MOST}");
                return Err(self.invalid(option, value.to_string(), allowed));
            }
        }
        if let LayerConfig::Retries { initial, max, ack_delay } = *self {
            if max < initial {
                let allowed = format!("at least `initial`, {initial}");
                return Err(self.invalid("max", max.to_string(), allowed));
            }
            if ack_delay >= initial {
                let allowed =
                    format!("less than `initial`, {initial}, or every packet would be sent twice");
                return Err(self.invalid("ackDelay", ack_delay.to_string(), allowed));
            }
        }
        Ok(())
    }

    fn options(&mut self) -> Vec<(&'static str, &mut u64)> {
        match self {
            LayerConfig::Batching { max_messages } => vec![("maxMessages", max_messages)],
            LayerConfig::Coalescing { window } => vec![("window", window)],
            LayerConfig::Timeouts { after } => vec![("after", after)],
            LayerConfig::Ordering { max_held } => vec![("maxHeld", max_held)],
            LayerConfig::Retries { initial, max, ack_delay } => {
                vec![("initial", initial), ("max", max), ("ackDelay", ack_delay)]
            }
            LayerConfig::Tracing => vec![],
        }
    }

    fn set(&mut self, option: String, value: Value) -> Result<(), ConfigError> {
        let layer = *self;
        let mut options = self.options();
        let Some((option, place)) = options.iter_mut().find(|(name, _)| *name == option) else {
            let known = list(options.iter().map(|(name, _)| *name));
            return Err(ConfigError::UnknownOption { layer: layer.name(), option, known });
        };
        **place = value.whole().ok_or_else(|| {
            let allowed = format!("a whole number, at most {MOST}");
            layer.invalid(option, value.to_string(), allowed)
        })?;
        Ok(())
    }

    fn invalid(&self, option: &'static str, value: String, allowed: String) -> ConfigError {
        ConfigError::InvalidValue { layer: self.name(), option, value, allowed }
    }
}

/// A layer as the user wrote it, not checked yet. Any value can be read as one; whether it means a
/// layer shows when it is converted.
///
/// ```
/// use tabmux_middleware::{LayerConfig, LayerSpec};
///
/// let spec: LayerSpec = serde_json::from_str(r#"{"layer": "coalescing", "windw": 8}"#)?;
/// let error = LayerConfig::try_from(spec).unwrap_err();
/// assert_eq!(error.code(), "ERR_TABMUX_LAYER_OPTION_UNKNOWN");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct LayerSpec(Shape);

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Shape {
    Name(String),
    // An option that is `undefined` or `null` is one that was not given.
    Object(BTreeMap<String, Option<Value>>),
    Other(IgnoredAny),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Value {
    Number(f64),
    Text(String),
    Other(IgnoredAny),
}

impl Value {
    fn whole(&self) -> Option<u64> {
        match self {
            Value::Number(number)
                if number.fract() == 0.0 && (0.0..=MOST as f64).contains(number) =>
            {
                Some(*number as u64)
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Number(number) => write!(f, "{number}"),
            Value::Text(text) => write!(f, "{text:?}"),
            Value::Other(_) => f.write_str("not a number"),
        }
    }
}

impl TryFrom<LayerSpec> for LayerConfig {
    type Error = ConfigError;

    fn try_from(spec: LayerSpec) -> Result<Self, ConfigError> {
        let known = || list(LayerConfig::ALL.iter().map(LayerConfig::name));
        let (name, options) = match spec.0 {
            Shape::Name(name) => (name, BTreeMap::new()),
            Shape::Object(mut options) => match options.remove("layer") {
                Some(Some(Value::Text(name))) => (name, options),
                _ => return Err(ConfigError::NotALayer { known: known() }),
            },
            Shape::Other(_) => return Err(ConfigError::NotALayer { known: known() }),
        };
        let Some(mut config) = LayerConfig::ALL.into_iter().find(|layer| layer.name() == name)
        else {
            return Err(ConfigError::UnknownLayer { name, known: known() });
        };
        for (option, value) in options {
            if let Some(value) = value {
                config.set(option, value)?;
            }
        }
        config.check()?;
        Ok(config)
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
