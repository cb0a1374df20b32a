use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tabmux::ot::{OtType, Side};
use tabmux::{Error, Payload};

use super::{FIRST_MARKER, TestType, refused};

/// Plain text. An op walks over it from the start: a number keeps so many characters, a string is
/// inserted, `{"d": n}` deletes n characters.
pub struct Text;

impl Text {
    pub const URI: &'static str = "test:text";

    pub fn apply_to(text: &str, op: &Value) -> Result<String, Error> {
        let mut rest = text.chars();
        let mut result = String::new();
        for part in parse(op)? {
            match part {
                Part::Keep(n) => {
                    let before = result.chars().count();
                    result.extend(rest.by_ref().take(n));
                    if result.chars().count() < before + n {
                        return Err(refused(format!("{op} on {text:?}")));
                    }
                }
                Part::Insert(text) => result.push_str(&text),
                Part::Delete(n) => {
                    if rest.by_ref().take(n).count() < n {
                        return Err(refused(format!("{op} on {text:?}")));
                    }
                }
            }
        }
        result.extend(rest);
        Ok(result)
    }

    pub fn transform_op(op: &Value, other: &Value, side: Side) -> Result<Value, Error> {
        let mut op = Reader::new(parse(op)?);
        let mut result = Vec::new();
        for part in parse(other)? {
            match part {
                Part::Keep(n) => op.walk(n, |part| push(&mut result, part)),
                Part::Delete(n) => op.walk(n, |part| {
                    if matches!(part, Part::Insert(_)) {
                        push(&mut result, part);
                    }
                }),
                Part::Insert(text) => {
                    if side == Side::Left
                        && let Some(own) = op.insert()
                    {
                        push(&mut result, own);
                    }
                    push(&mut result, Part::Keep(text.chars().count()));
                }
            }
        }
        op.rest(|part| push(&mut result, part));
        Ok(format(result))
    }

    /// An op that inserts the text somewhere, and may delete some characters that are no markers.
    pub fn edit_of(text: &str, insert: &str, rng: &mut ChaCha8Rng) -> Value {
        let chars: Vec<char> = text.chars().collect();
        let at = rng.random_range(0..=chars.len());
        let mut parts = vec![Part::Keep(at), Part::Insert(insert.to_owned())];
        if rng.random_bool(0.6) {
            let from = rng.random_range(at..=chars.len());
            let most = rng.random_range(1..=4);
            let filler = |c: &&char| u32::from(**c) < FIRST_MARKER;
            let count = chars[from..].iter().take(most).take_while(filler).count();
            parts.extend([Part::Keep(from - at), Part::Delete(count)]);
        }
        let mut op = Vec::new();
        parts.into_iter().for_each(|part| push(&mut op, part));
        format(op)
    }

    /// Letters to insert.
    pub fn letters(rng: &mut ChaCha8Rng) -> String {
        (0..rng.random_range(0..4)).map(|_| rng.random_range('a'..='z')).collect()
    }
}

impl OtType for Text {
    fn uri(&self) -> String {
        Self::URI.to_owned()
    }

    fn apply(&self, data: Payload, op: &Payload) -> Result<Payload, Error> {
        let text = data.as_text().ok_or_else(|| refused(format!("{} is no text", data.0)))?;
        Ok(Text::apply_to(&text, &op.0)?.into())
    }

    fn transform(&self, op: &Payload, other: &Payload, side: Side) -> Result<Payload, Error> {
        Text::transform_op(&op.0, &other.0, side).map(Payload)
    }

    fn compose(&self, first: &Payload, second: &Payload) -> Option<Result<Payload, Error>> {
        Some(compose(&first.0, &second.0).map(Payload))
    }
}

impl TestType for Text {
    fn create(&self, marker: char) -> Value {
        json!(format!("new{marker}"))
    }

    fn edit(&self, data: &Value, marker: char, rng: &mut ChaCha8Rng) -> Value {
        let insert = format!("{}{marker}{}", Text::letters(rng), Text::letters(rng));
        Text::edit_of(data.as_str().unwrap_or_default(), &insert, rng)
    }
}

#[derive(Clone)]
enum Part {
    Keep(usize),
    Insert(String),
    Delete(usize),
}

fn parse(op: &Value) -> Result<Vec<Part>, Error> {
    let part = |part: &Value| match part {
        Value::String(text) => Some(Part::Insert(text.clone())),
        Value::Number(n) => Some(Part::Keep(n.as_u64()? as usize)),
        Value::Object(delete) => Some(Part::Delete(delete.get("d")?.as_u64()? as usize)),
        _ => None,
    };
    let parts = op.as_array().and_then(|parts| parts.iter().map(part).collect());
    parts.ok_or_else(|| refused(op))
}

fn format(mut op: Vec<Part>) -> Value {
    while matches!(op.last(), Some(Part::Keep(_))) {
        op.pop();
    }
    let parts = op.into_iter().map(|part| match part {
        Part::Keep(n) => json!(n),
        Part::Insert(text) => json!(text),
        Part::Delete(n) => json!({ "d": n }),
    });
    Value::Array(parts.collect())
}

/// Adds a part at the end, joined to the last one where they are alike.
fn push(op: &mut Vec<Part>, part: Part) {
    match (op.last_mut(), part) {
        (_, Part::Keep(0) | Part::Delete(0)) => {}
        // An op that is none may say any number.
        (Some(Part::Keep(last)), Part::Keep(n)) | (Some(Part::Delete(last)), Part::Delete(n)) => {
            *last = last.saturating_add(n);
        }
        (Some(Part::Insert(last)), Part::Insert(text)) => last.push_str(&text),
        (_, part) => op.push(part),
    }
}

/// Makes one op of two consecutive ones.
fn compose(first: &Value, second: &Value) -> Result<Value, Error> {
    let mut first = Reader::new(parse(first)?);
    let mut result = Vec::new();
    for part in parse(second)? {
        match part {
            Part::Keep(n) => first.walk_result(n, |part| push(&mut result, part)),
            Part::Insert(_) => push(&mut result, part),
            Part::Delete(n) => first.walk_result(n, |part| match part {
                Part::Keep(n) => push(&mut result, Part::Delete(n)),
                Part::Insert(_) => {}
                Part::Delete(_) => push(&mut result, part),
            }),
        }
    }
    first.rest(|part| push(&mut result, part));
    Ok(format(result))
}

/// Takes an op apart, piece by piece.
struct Reader {
    /// Last part first.
    parts: Vec<Part>,
}

impl Reader {
    fn new(mut parts: Vec<Part>) -> Self {
        parts.reverse();
        Reader { parts }
    }

    /// Passes on what the op does to the next `n` characters of the text it is for.
    fn walk(&mut self, mut n: usize, mut take: impl FnMut(Part)) {
        while n > 0 {
            let part = self.parts.pop().unwrap_or(Part::Keep(n));
            let taken = match part {
                Part::Insert(_) => {
                    take(part);
                    continue;
                }
                Part::Keep(length) => (length.min(n), length, Part::Keep as fn(usize) -> Part),
                Part::Delete(length) => (length.min(n), length, Part::Delete as fn(usize) -> Part),
            };
            let (now, length, make) = taken;
            take(make(now));
            if length > now {
                self.parts.push(make(length - now));
            }
            n -= now;
        }
    }

    /// Passes on what the op did to get the next `n` characters of its result.
    fn walk_result(&mut self, mut n: usize, mut take: impl FnMut(Part)) {
        while n > 0 {
            match self.parts.pop().unwrap_or(Part::Keep(n)) {
                Part::Delete(length) => take(Part::Delete(length)),
                Part::Keep(length) => {
                    let now = length.min(n);
                    take(Part::Keep(now));
                    if length > now {
                        self.parts.push(Part::Keep(length - now));
                    }
                    n -= now;
                }
                Part::Insert(text) => {
                    let now: String = text.chars().take(n).collect();
                    let later: String = text.chars().skip(n).collect();
                    n -= now.chars().count();
                    take(Part::Insert(now));
                    if !later.is_empty() {
                        self.parts.push(Part::Insert(later));
                    }
                }
            }
        }
    }

    fn insert(&mut self) -> Option<Part> {
        self.parts.pop_if(|part| matches!(part, Part::Insert(_)))
    }

    fn rest(mut self, mut take: impl FnMut(Part)) {
        while let Some(part) = self.parts.pop() {
            take(part);
        }
    }
}
