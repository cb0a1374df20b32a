/// Why a stack can't be built as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No layer has this name.
    #[error("unknown layer `{name}`; the layers are {known}")]
    UnknownLayer {
        /// The name as given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// An entry of the list is neither a name nor an object that holds one.
    #[error(
        "a layer is a name, or an object with a name in `layer` and options beside it; \
         the layers are {known}"
    )]
    NotALayer {
        /// The names there are.
        known: String,
    },
    /// The layer has no such option.
    #[error("unknown option `{option}` of the layer `{layer}`; its options are {known}")]
    UnknownOption {
        /// The layer's name.
        layer: String,
        /// The option as given.
        option: String,
        /// The options there are.
        known: String,
    },
    /// An option's value is not one it can take.
    #[error("option `{option}` of the layer `{layer}` is {value}; it must be {allowed}")]
    InvalidValue {
        /// The layer's name.
        layer: String,
        /// The option's name.
        option: &'static str,
        /// The value as given.
        value: String,
        /// What it must be.
        allowed: String,
    },
    /// The same layer is there twice.
    #[error("the layer `{layer}` is there twice; name it once")]
    Repeated {
        /// The layer's name.
        layer: String,
    },
    /// A layer of one's own has the name of a built-in one.
    #[error(
        "a layer of your own can't be called `{layer}`, as one of tabmux is; choose another name"
    )]
    Taken {
        /// The layer's name.
        layer: String,
    },
    /// Two layers are in the wrong order.
    #[error("the layer `{lower}` must come after `{upper}`: {reason}")]
    Misplaced {
        /// The layer that must be nearer to the application, earlier in the list.
        upper: String,
        /// The layer that must be nearer to the transport, later in the list.
        lower: String,
        /// Why.
        reason: &'static str,
    },
    /// A layer is not there without which another layer, or the transport, can't be used.
    #[error("{needed_by} needs the layer `{layer}`: {reason}")]
    Missing {
        /// The layer to add.
        layer: &'static str,
        /// What needs it.
        needed_by: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// There is a `tracing` layer and nothing to trace to.
    #[error("the layer `tracing` needs a callback to trace to; give one or leave the layer out")]
    NoTracer,
}

impl ConfigError {
    /// A code that stays the same from version to version.
    pub fn code(&self) -> &'static str {
        match self {
            ConfigError::UnknownLayer { .. } => "ERR_TABMUX_LAYER_UNKNOWN",
            ConfigError::NotALayer { .. } => "ERR_TABMUX_LAYER_INVALID",
            ConfigError::UnknownOption { .. } => "ERR_TABMUX_LAYER_OPTION_UNKNOWN",
            ConfigError::InvalidValue { .. } => "ERR_TABMUX_LAYER_OPTION_INVALID",
            ConfigError::Taken { .. } => "ERR_TABMUX_LAYER_INVALID",
            ConfigError::Repeated { .. } => "ERR_TABMUX_LAYER_REPEATED",
            ConfigError::Misplaced { .. } => "ERR_TABMUX_LAYER_MISPLACED",
            ConfigError::Missing { .. } => "ERR_TABMUX_LAYER_MISSING",
            ConfigError::NoTracer => "ERR_TABMUX_LAYER_NO_TRACER",
        }
    }
}
