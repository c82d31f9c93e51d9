//! YAML as a tree in which every value knows its line and column. Pure.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Span, Spanned};

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

/// A YAML value. Numbers, and true and false, are kept as they are written: 99.9 stays exact, and `1e3` may be
/// a name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(String),
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
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::PassThrough,
        // As YAML 1.2 has it: `no`, `on` and `y` are text, and may be names.
        strict_booleans: true,
    };
    let read = serde_saphyr::from_str_with_options::<Placed>(text, options);
    read.map(|placed| placed.node(text)).map_err(|error| {
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

/// A value as the parser hands it over: a number no longer knows how it was written.
enum Raw {
    Null,
    Bool,
    Number,
    Text(String),
    List(Vec<Placed>),
    Map(Vec<(Position, String, Placed)>),
}

/// Such a value with its place, and with where its text stands, which an alias has elsewhere.
struct Placed {
    at: Position,
    span: Span,
    raw: Raw,
}

impl Placed {
    fn node(self, text: &str) -> Node {
        let written = || written(text, self.span);
        let value = match self.raw {
            Raw::Null => Value::Null,
            Raw::Bool => Value::Bool(written()),
            Raw::Number => Value::Number(written()),
            Raw::Text(text) => Value::Text(text),
            Raw::List(list) => Value::List(list.into_iter().map(|placed| placed.node(text)).collect()),
            Raw::Map(entries) => {
                let entry = |(at, key, placed): (Position, String, Self)| (at, key, placed.node(text));
                Value::Map(entries.into_iter().map(entry).collect())
            }
        };
        Node { at: self.at, value }
    }
}

/// What stands in the file at a place that the parser told.
fn written(text: &str, span: Span) -> String {
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    text.chars().skip(count(span.offset())).take(count(span.len())).collect::<String>().trim().to_owned()
}

impl<'de> Deserialize<'de> for Placed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Raw>::deserialize(deserializer)?;
        let span = spanned.defined.span();
        Ok(Self { at: spanned.referenced.into(), span, raw: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Bool)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = access.next_element()? {
            list.push(node);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = access.next_key::<Spanned<String>>()? {
            entries.push((key.referenced.into(), key.value, access.next_value()?));
        }
        Ok(Raw::Map(entries))
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
    fn values_are_kept_as_they_are_written() {
        let node = parse("# \u{e9}\n- &a 1e3\n- *a\n- 0x10\n- True\n- no\n- 1.50  # one\n- ~\n").unwrap();
        let Value::List(list) = node.value else { panic!("{node:?}") };
        let number = |text: &str| Value::Number(text.to_owned());
        let due = [
            number("1e3"),
            number("1e3"),
            number("0x10"),
            Value::Bool("True".to_owned()),
            Value::Text("no".to_owned()),
            number("1.50"),
            Value::Null,
        ];
        assert_eq!(list.into_iter().map(|node| node.value).collect::<Vec<_>>(), due);
    }

    #[test]
    fn broken_syntax_is_told_with_its_line() {
        let (at, message) = parse("a: [1\nb: 2\n").unwrap_err();
        assert!(at.line >= 1, "{message}");
        assert!(!message.is_empty());
    }
}
