//! The configuration of layers as frames and applications have it.

use tabmux_codecs::Value;
use tabmux_middleware::{LayerConfig, LayerSpec, OptionValue};

use crate::platform::Payload;
use crate::wire::{Member, Place, Wire, from_entries, from_value};

/// A layer as the application wrote it: a name, or an object with the name in `layer` and options beside
/// it; one of the application's own has its name in `name`. An option that is `undefined` or `null` was not
/// given.
pub fn layer_spec(value: Value) -> LayerSpec {
    from_value::<Spec>(value).map_or(LayerSpec::Other, |spec| spec.0)
}

struct Spec(LayerSpec);

impl Wire for Spec {
    fn write(&self, _to: Place<'_>) {}

    fn read(from: Member<'_>) -> Self {
        if let Some(name) = from.as_text() {
            return Spec(LayerSpec::Named { name, options: Vec::new() });
        }
        let (mut name, mut own, mut options) = (None, None, Vec::new());
        for (option, value) in from.entries() {
            let value = Payload(value);
            if option == "layer" {
                name = value.as_text();
            } else if option == "name" {
                own = value.as_text();
            } else if !value.is_null() {
                options.push((option, option_value(&value)));
            }
        }
        Spec(match name {
            Some(name) => LayerSpec::Named { name, options },
            None => own.map_or(LayerSpec::Other, LayerSpec::Own),
        })
    }
}

fn option_value(value: &Payload) -> OptionValue {
    match from_value(value.0.clone()) {
        Ok(whole) => OptionValue::Whole(whole),
        Err(_) => OptionValue::Other(value.shown()),
    }
}

impl Wire for LayerConfig {
    fn write(&self, to: Place<'_>) {
        let member = if matches!(self, LayerConfig::Own(_)) { "name" } else { "layer" };
        let name = (member.to_owned(), Payload::from(self.name().to_owned()).0);
        let options = self.options().into_iter();
        let options = options.map(|(option, value)| (option.to_owned(), Payload::from(value).0));
        to.value(&from_entries([name].into_iter().chain(options).collect()));
    }

    fn read(from: Member<'_>) -> Self {
        LayerConfig::try_from(layer_spec(from.value())).unwrap_or_else(|error| {
            from.note(&error.to_string());
            LayerConfig::Tracing
        })
    }
}
