use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};
use tabmux::ot::{OtType, Side};
use tabmux::{Error, Payload};

use super::{TestType, refused};

/// Counts by name; an op adds to some of them. Its ops commute and can be undone, but not composed.
pub struct Tally;

impl Tally {
    pub const URI: &'static str = "test:tally";
}

impl OtType for Tally {
    fn uri(&self) -> String {
        Self::URI.to_owned()
    }

    fn apply(&self, data: Payload, op: &Payload) -> Result<Payload, Error> {
        let Value::Object(mut counts) = data.0 else { return Err(refused("no object of counts")) };
        for (name, more) in op.0.as_object().ok_or_else(|| refused(&op.0))? {
            let count = counts.entry(name.clone()).or_insert(json!(0));
            *count = json!(count.as_i64().unwrap_or(0) + more.as_i64().unwrap_or(0));
        }
        counts.retain(|_, count| count.as_i64() != Some(0));
        Ok(Payload(Value::Object(counts)))
    }

    fn transform(&self, op: &Payload, _other: &Payload, _side: Side) -> Result<Payload, Error> {
        Ok(op.clone())
    }
}

impl TestType for Tally {
    fn create(&self, marker: char) -> Value {
        json!({ marker.to_string(): 1 })
    }

    fn edit(&self, _data: &Value, marker: char, rng: &mut ChaCha8Rng) -> Value {
        let name = ["red", "green", "blue"][rng.random_range(0..3)];
        json!({ marker.to_string(): 1, name: rng.random_range(-3..=3) })
    }

    fn invert(&self, op: &Value) -> Option<Value> {
        let counts = op.as_object()?.iter();
        let undone: Map<String, Value> =
            counts.map(|(name, more)| (name.clone(), json!(-more.as_i64().unwrap_or(0)))).collect();
        Some(Value::Object(undone))
    }
}
