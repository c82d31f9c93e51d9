//! YAML as a tree in which every value knows its line and column. Pure.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

/// Where something stands in the file, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

impl From<Location> for Position {
    fn from(location: Location) -> Self {
        Self { line: location.line().max(1), column: location.column().max(1) }
    }
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: Position,
    pub(crate) value: Value,
}

/// A key with its place, and what it holds.
pub(crate) type Entry = (Position, String, Node);

/// A YAML value. Numbers are kept as text, so that 99.9 stays exact.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

impl Value {
    /// What a message calls it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// Reads YAML; an error is a fault of the syntax, with its place.
pub(crate) fn parse(text: &str) -> Result<Node, (Position, String)> {
    let options = serde_saphyr::options! { duplicate_keys: serde_saphyr::DuplicateKeyPolicy::PassThrough };
    serde_saphyr::from_str_with_options::<Node>(text, options).map_err(|error| {
        let at = error.location().map_or(Position { line: 1, column: 1 }, Position::from);
        let message = error.without_snippet().to_string();
        (at, told(&message))
    })
}

/// The parser's message without what the place says already, and without advice to programmers.
fn told(message: &str) -> String {
    let first = message.lines().next().unwrap_or("not YAML");
    let first = first.split(" at line ").next().unwrap_or(first).trim();
    if first.starts_with("multiple YAML documents") {
        return "a second YAML document begins, expected one".to_owned();
    }
    first.to_owned()
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self { at: spanned.referenced.into(), value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = access.next_element()? {
            list.push(node);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = access.next_key::<Spanned<String>>()? {
            entries.push((key.referenced.into(), key.value, access.next_value()?));
        }
        Ok(Value::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_place_and_duplicates_survive() {
        let node = parse("a: 1\nb:\n  - {c: 99.9%, c: x}\n").unwrap();
        let Value::Map(entries) = node.value else { panic!("{node:?}") };
        assert_eq!(entries[0].0, Position { line: 1, column: 1 });
        assert_eq!(entries[0].2.at, Position { line: 1, column: 4 });
        let Value::List(list) = &entries[1].2.value else { panic!("{entries:?}") };
        let Value::Map(inner) = &list[0].value else { panic!("{list:?}") };
        assert_eq!(inner.iter().map(|entry| entry.1.as_str()).collect::<Vec<_>>(), ["c", "c"]);
        assert_eq!(inner[0].2.value, Value::Text("99.9%".to_owned()));
        assert_eq!(inner[1].0.line, 3);
    }

    #[test]
    fn broken_syntax_is_told_with_its_line() {
        let (at, message) = parse("a: [1\nb: 2\n").unwrap_err();
        assert!(at.line >= 1, "{message}");
        assert!(!message.is_empty());
    }
}
