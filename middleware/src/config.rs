use crate::{ConfigError, Millis};

/// The longest time and the highest count an option takes: no browser's timer runs longer.
const MOST: u64 = i32::MAX as u64;

/// One layer and its options, all of them whole numbers.
///
/// Made of a [`LayerSpec`]; options that are not there have their default.
///
/// ```
/// use tabmux_middleware::{LayerConfig, LayerSpec, OptionValue};
///
/// let options = vec![("after".to_owned(), OptionValue::Whole(500))];
/// let spec = LayerSpec::Named { name: "timeouts".to_owned(), options };
/// assert_eq!(LayerConfig::try_from(spec), Ok(LayerConfig::Timeouts { after: 500 }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// A layer of one's own, by its name among the [`Layers`](crate::Layers) of each end. The other end
    /// leaves it out if it has none of that name.
    Own(String),
}

impl LayerConfig {
    /// `batching` with its default: 1000 messages.
    pub const BATCHING: LayerConfig = LayerConfig::Batching { max_messages: 1000 };
    /// `coalescing` with its default: a window of 256 messages.
    pub const COALESCING: LayerConfig = LayerConfig::Coalescing { window: 256 };
    /// `timeouts` with its default: 30 seconds.
    pub const TIMEOUTS: LayerConfig = LayerConfig::Timeouts { after: Self::TIMEOUT };
    /// `ordering` with its default: [`MAX_HELD`](LayerConfig::MAX_HELD) packets.
    pub const ORDERING: LayerConfig = LayerConfig::Ordering { max_held: Self::MAX_HELD };
    /// The packets that `ordering` holds at most, if nothing else is said.
    pub const MAX_HELD: u64 = 10_000;
    /// The milliseconds that `timeouts` gives a request, if nothing else is said.
    pub const TIMEOUT: Millis = 30_000;
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
    pub fn name(&self) -> &str {
        match self {
            LayerConfig::Batching { .. } => "batching",
            LayerConfig::Coalescing { .. } => "coalescing",
            LayerConfig::Timeouts { .. } => "timeouts",
            LayerConfig::Ordering { .. } => "ordering",
            LayerConfig::Retries { .. } => "retries",
            LayerConfig::Tracing => "tracing",
            LayerConfig::Own(name) => name,
        }
    }

    /// Its options by name, as a [`LayerSpec`] has them.
    pub fn options(&self) -> Vec<(&'static str, u64)> {
        self.clone().places().into_iter().map(|(option, value)| (option, *value)).collect()
    }

    /// Refuses values out of range.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        for (option, value) in self.options() {
            let least = if option == "ackDelay" { 0 } else { 1 };
            if !(least..=MOST).contains(&value) {
                let allowed = format!("a whole number from {least} to {MOST}");
                return Err(self.invalid(option, value.to_string(), allowed));
            }
        }
        if let LayerConfig::Own(name) = self
            && Self::ALL.iter().any(|layer| layer.name() == name)
        {
            return Err(ConfigError::Taken { layer: name.clone() });
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

    fn places(&mut self) -> Vec<(&'static str, &mut u64)> {
        match self {
            LayerConfig::Batching { max_messages } => vec![("maxMessages", max_messages)],
            LayerConfig::Coalescing { window } => vec![("window", window)],
            LayerConfig::Timeouts { after } => vec![("after", after)],
            LayerConfig::Ordering { max_held } => vec![("maxHeld", max_held)],
            LayerConfig::Retries { initial, max, ack_delay } => {
                vec![("initial", initial), ("max", max), ("ackDelay", ack_delay)]
            }
            LayerConfig::Tracing | LayerConfig::Own(_) => vec![],
        }
    }

    fn set(&mut self, option: String, value: OptionValue) -> Result<(), ConfigError> {
        let layer = self.clone();
        let mut options = self.places();
        let Some((option, place)) = options.iter_mut().find(|(name, _)| *name == option) else {
            let known = list(options.iter().map(|(name, _)| *name));
            let layer = layer.name().to_owned();
            return Err(ConfigError::UnknownOption { layer, option, known });
        };
        match value {
            OptionValue::Whole(whole) if whole <= MOST => **place = whole,
            OptionValue::Whole(whole) => return Err(layer.not_whole(option, whole.to_string())),
            OptionValue::Other(shown) => return Err(layer.not_whole(option, shown)),
        }
        Ok(())
    }

    fn not_whole(&self, option: &'static str, value: String) -> ConfigError {
        self.invalid(option, value, format!("a whole number, at most {MOST}"))
    }

    fn invalid(&self, option: &'static str, value: String, allowed: String) -> ConfigError {
        ConfigError::InvalidValue { layer: self.name().to_owned(), option, value, allowed }
    }
}

/// A layer as the user wrote it, not checked yet.
///
/// ```
/// use tabmux_middleware::{LayerConfig, LayerSpec, OptionValue};
///
/// let options = vec![("windw".to_owned(), OptionValue::Whole(8))];
/// let spec = LayerSpec::Named { name: "coalescing".to_owned(), options };
/// let error = LayerConfig::try_from(spec).unwrap_err();
/// assert_eq!(error.code(), "ERR_TABMUX_LAYER_OPTION_UNKNOWN");
/// ```
#[derive(Clone, Debug)]
pub enum LayerSpec {
    /// It has a name, and options by their names.
    Named {
        /// The name.
        name: String,
        /// The options that were given.
        options: Vec<(String, OptionValue)>,
    },
    /// A layer of one's own, of this name.
    Own(String),
    /// It is something else.
    Other,
}

/// What the user wrote for an option.
#[derive(Clone, Debug)]
pub enum OptionValue {
    /// A whole number, not negative.
    Whole(u64),
    /// Anything else, as the user is to be shown it.
    Other(String),
}

impl TryFrom<LayerSpec> for LayerConfig {
    type Error = ConfigError;

    fn try_from(spec: LayerSpec) -> Result<Self, ConfigError> {
        let known = || known([].into_iter());
        let (name, options) = match spec {
            LayerSpec::Named { name, options } => (name, options),
            LayerSpec::Own(name) => return Ok(LayerConfig::Own(name)),
            LayerSpec::Other => return Err(ConfigError::NotALayer { known: known() }),
        };
        let Some(mut config) = LayerConfig::ALL.into_iter().find(|layer| layer.name() == name)
        else {
            return Err(ConfigError::UnknownLayer { name, known: known() });
        };
        for (option, value) in options {
            config.set(option, value)?;
        }
        config.check()?;
        Ok(config)
    }
}

/// The names of the built-in layers, and these.
pub(crate) fn known<'a>(own: impl Iterator<Item = &'a str>) -> String {
    list(LayerConfig::ALL.iter().map(LayerConfig::name).chain(own))
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
