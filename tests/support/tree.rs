use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tabmux::ot::{OtType, Side};
use tabmux::{Error, Payload};

use super::{TestType, Text, refused};

/// A tree of objects, lists, numbers and texts. An op is a list of edits, each at a path.
pub struct Tree;

impl Tree {
    pub const URI: &'static str = "test:tree";
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Edit {
    path: Vec<Step>,
    #[serde(flatten)]
    action: Action,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Step {
    Index(usize),
    Key(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    /// Adds to the number there.
    Add(i64),
    /// Sets the key.
    Put(Value),
    /// Removes the key.
    Remove(bool),
    /// Inserts into the list, at that index.
    Insert(Value),
    /// Deletes that item of the list.
    Delete(bool),
    /// Edits the text there.
    Text(Value),
}

impl OtType for Tree {
    fn uri(&self) -> String {
        Self::URI.to_owned()
    }

    fn apply(&self, data: Payload, op: &Payload) -> Result<Payload, Error> {
        let mut data = data.0;
        for edit in parse(&op.0)? {
            edit.apply(&mut data).ok_or_else(|| refused(format!("{edit:?} on {data}")))?;
        }
        Ok(Payload(data))
    }

    fn transform(&self, op: &Payload, other: &Payload, side: Side) -> Result<Payload, Error> {
        let (left, right) = match side {
            Side::Left => self.transform_pair(op, other)?,
            Side::Right => self.transform_pair(other, op)?,
        };
        Ok(if side == Side::Left { left } else { right })
    }

    fn transform_pair(&self, left: &Payload, right: &Payload) -> Result<(Payload, Payload), Error> {
        let mut left = parse(&left.0)?;
        let mut right_after = Vec::new();
        for right in parse(&right.0)? {
            let mut right = Some(right);
            let mut left_after = Vec::new();
            for edit in left {
                let (edit, other) = match right.take() {
                    Some(other) => (
                        edit.clone().transform(&other, Side::Left)?,
                        other.transform(&edit, Side::Right)?,
                    ),
                    None => (Some(edit), None),
                };
                left_after.extend(edit);
                right = other;
            }
            left = left_after;
            right_after.extend(right);
        }
        Ok((format(&left), format(&right_after)))
    }

    fn compose(&self, first: &Payload, second: &Payload) -> Option<Result<Payload, Error>> {
        let both = || Ok(format(&[parse(&first.0)?, parse(&second.0)?].concat()));
        Some(both())
    }
}

impl TestType for Tree {
    fn create(&self, marker: char) -> Value {
        json!({"log": [marker], "n": 0, "o": {}, "l": [], "t": "text"})
    }

    /// Inserts the marker into the list `log`, of which nothing is ever deleted, and does more
    /// elsewhere.
    fn edit(&self, data: &Value, marker: char, rng: &mut ChaCha8Rng) -> Value {
        let mut data = data.clone();
        let at = rng.random_range(0..=data["log"].as_array().map_or(0, Vec::len));
        let mut edits = vec![edit_at(["log".into(), at.into()], Action::Insert(json!(marker)))];
        for _ in 0..rng.random_range(0..4) {
            let edit = random_edit(&data, rng);
            edit.apply(&mut data).expect("a random edit fits");
            edits.push(edit);
        }
        format(&edits).0
    }

    fn pieces(&self, op: &Value) -> Vec<Value> {
        op.as_array().into_iter().flatten().map(|edit| json!([edit])).collect()
    }
}

fn parse(op: &Value) -> Result<Vec<Edit>, Error> {
    Vec::deserialize(op).map_err(|error| refused(format!("{op}: {error}")))
}

fn format(edits: &[Edit]) -> Payload {
    Payload(json!(edits))
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Step::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Step::Index(index)
    }
}

fn edit_at<const N: usize>(path: [Step; N], action: Action) -> Edit {
    Edit { path: path.to_vec(), action }
}

fn random_edit(data: &Value, rng: &mut ChaCha8Rng) -> Edit {
    let key = || Step::from("o");
    let name: Step = ["a", "b", "c"][rng.random_range(0..3)].into();
    let held = match &name {
        Step::Key(name) => &data["o"][name],
        Step::Index(_) => &Value::Null,
    };
    let list = data["l"].as_array().map_or(0, Vec::len);
    let item = rng.random_range(0..list.max(1));
    match rng.random_range(0..9) {
        0 if held.is_number() => edit_at([key(), name], Action::Add(5)),
        1 if held.is_object() => edit_at([key(), name, "n".into()], Action::Add(7)),
        2 if !held.is_null() => edit_at([key(), name], Action::Remove(true)),
        3 => edit_at([key(), name], Action::Put(json!(rng.random_range(0..100)))),
        4 => edit_at([key(), name], Action::Put(json!({"n": rng.random_range(0..100)}))),
        5 if list > 0 => edit_at(["l".into(), item.into()], Action::Delete(true)),
        6 if list > 0 => {
            let text = data["l"][item]["t"].as_str().unwrap_or_default();
            let op = Text::edit_of(text, &Text::letters(rng), rng);
            edit_at(["l".into(), item.into(), "t".into()], Action::Text(op))
        }
        7 => {
            let new = json!({"t": Text::letters(rng)});
            edit_at(["l".into(), rng.random_range(0..=list).into()], Action::Insert(new))
        }
        8 => {
            let text = data["t"].as_str().unwrap_or_default();
            let op = Text::edit_of(text, &Text::letters(rng), rng);
            edit_at(["t".into()], Action::Text(op))
        }
        _ => edit_at(["n".into()], Action::Add(rng.random_range(-9..=9))),
    }
}

impl Edit {
    fn apply(&self, data: &mut Value) -> Option<()> {
        let (last, parents) = self.path.split_last()?;
        let mut place = data;
        for step in parents {
            place = match step {
                Step::Key(key) => place.get_mut(key)?,
                Step::Index(index) => place.get_mut(index)?,
            };
        }
        match (&self.action, last) {
            (Action::Put(value), Step::Key(key)) => {
                place.as_object_mut()?.insert(key.clone(), value.clone());
            }
            (Action::Remove(_), Step::Key(key)) => {
                place.as_object_mut()?.remove(key)?;
            }
            (Action::Insert(value), Step::Index(index)) => {
                let list = place.as_array_mut().filter(|list| *index <= list.len())?;
                list.insert(*index, value.clone());
            }
            (Action::Delete(_), Step::Index(index)) => {
                place.as_array_mut().filter(|list| *index < list.len())?.remove(*index);
            }
            (Action::Add(more), Step::Key(key)) => {
                let number = place.get_mut(key)?;
                *number = json!(number.as_i64()? + more);
            }
            (Action::Text(op), Step::Key(key)) => {
                let text = place.get_mut(key)?;
                *text = json!(Text::apply_to(text.as_str()?, op).ok()?);
            }
            _ => return None,
        }
        Some(())
    }

    /// This edit as it is after `other`; `None` if nothing remains of it.
    fn transform(mut self, other: &Edit, side: Side) -> Result<Option<Edit>, Error> {
        let depth = other.path.len() - 1;
        let meet = self.path.len() > depth && self.path[..depth] == other.path[..depth];
        if !meet {
            return Ok(Some(self));
        }
        let same_place = self.path.len() == other.path.len();
        let inserts = same_place && matches!(self.action, Action::Insert(_));
        match (&other.action, &mut self.path[depth], &other.path[depth]) {
            (Action::Insert(_), Step::Index(own), Step::Index(index)) => {
                let shifts = *own > *index || (*own == *index && !(inserts && side == Side::Left));
                *own += usize::from(shifts);
            }
            (Action::Delete(_), Step::Index(own), Step::Index(index)) => {
                if own == index && !inserts {
                    return Ok(None);
                }
                *own -= usize::from(*own > *index);
            }
            (Action::Put(_), own, place) if own == place => {
                let wins = matches!(self.action, Action::Put(_)) && side == Side::Left;
                return Ok((same_place && wins).then_some(self));
            }
            (Action::Remove(_), own, place) if own == place => {
                let puts = matches!(self.action, Action::Put(_));
                return Ok((same_place && puts).then_some(self));
            }
            (Action::Text(theirs), own, place) if own == place => {
                if let Action::Text(ours) = &mut self.action {
                    *ours = Text::transform_op(ours, theirs, side)?;
                }
            }
            _ => {}
        }
        Ok(Some(self))
    }
}
