use serde::Deserialize as _;
use serde_json::Value;

use crate::{CodecError, Limits, text};

/// A copy of the value, as JSON would carry it.
pub(crate) fn copy(
    codec: &'static str,
    value: &Value,
    limits: &Limits,
) -> Result<Value, CodecError> {
    check(codec, value, limits)?;
    Ok(plain(value))
}

/// Whether the value is within the limits; any `serde_json::Value` is one that [`copy`] can make.
pub(crate) fn check(codec: &'static str, value: &Value, limits: &Limits) -> Result<(), CodecError> {
    if deeper_than(limits.max_depth, value) {
        return Err(CodecError::too_deep(codec, limits));
    }
    let size = size(value);
    if size > limits.max_size {
        return Err(CodecError::too_long(codec, size, limits));
    }
    Ok(())
}

/// The value as JSON text within the limits.
pub(crate) fn stringify(
    codec: &'static str,
    value: &Value,
    limits: &Limits,
) -> Result<String, CodecError> {
    if deeper_than(limits.max_depth, value) {
        return Err(CodecError::too_deep(codec, limits));
    }
    let text = plain(value).to_string();
    if text.len() > limits.max_size {
        return Err(CodecError::too_long(codec, text.len(), limits));
    }
    Ok(text)
}

/// The value a JSON text stands for, if the text is within the limits.
pub(crate) fn parse(codec: &'static str, text: &str, limits: &Limits) -> Result<Value, CodecError> {
    text::check(codec, text, limits)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.disable_recursion_limit();
    Value::deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| CodecError::malformed(codec, error.to_string()))
}

/// The float that is nearest to a number of JSON text.
pub(crate) fn float(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

/// The shortest text that reads back equal. It marks a float as one.
pub(crate) fn float_text(float: f64) -> String {
    format!("{float:?}")
}

/// A copy with what JavaScript's JSON would change: -0 becomes 0.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number)
            if number.as_f64().is_some_and(|float| float == 0.0 && float.is_sign_negative()) =>
        {
            Value::from(0)
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) => {
            members.iter().map(|(key, member)| (key.clone(), plain(member))).collect()
        }
        other => other.clone(),
    }
}

fn deeper_than(max_depth: usize, value: &Value) -> bool {
    match value {
        Value::Array(items) => {
            max_depth == 0 || items.iter().any(|item| deeper_than(max_depth - 1, item))
        }
        Value::Object(members) => {
            max_depth == 0 || members.values().any(|member| deeper_than(max_depth - 1, member))
        }
        _ => false,
    }
}

fn size(value: &Value) -> usize {
    8 + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(members) => {
            members.iter().map(|(key, member)| key.len() + size(member)).sum()
        }
        _ => 0,
    }
}
