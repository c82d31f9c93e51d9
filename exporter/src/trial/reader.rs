//! Reads values from the tree and collects what is wrong with them.
//!
//! Every reading method reports its own fault, so that callers go on to the next value and a file's faults
//! are all found in one pass.

use std::collections::HashMap;
use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use super::duration::{self, Limits};
use super::faults::{Fault, Place};
use super::model::{Name, NonEmpty, Rate, Secret};
use super::node::{Map, Node, Text};
use super::secrets::Environment;
use super::words::{listed, near, shown};

/// A value, or a fault that has been reported.
pub(super) type Checked<T> = Result<T, Reported>;

/// What is wrong has been reported, or will be when its mapping is closed; there is nothing more to say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reported;

/// Collects faults and secrets; knows where those come from.
pub(super) struct Reader<'a> {
    faults: Vec<Fault>,
    /// Environment variables and files.
    pub(super) environment: &'a dyn Environment,
    /// The trial file's folder: what relative paths in it start from.
    pub(super) folder: &'a Path,
    /// The secrets found so far.
    pub(super) secrets: Vec<Secret>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(environment: &'a dyn Environment, folder: &'a Path) -> Self {
        Self { faults: Vec::new(), environment, folder, secrets: Vec::new() }
    }

    /// Reports a fault.
    pub(super) fn fault(&mut self, at: Place, text: impl Into<String>) -> Reported {
        self.faults.push(Fault { place: Some(at), text: text.into() });
        Reported
    }

    /// The faults so far.
    pub(super) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    /// A scalar that is not null.
    pub(super) fn text<'n>(&mut self, node: &'n Node, expected: &str) -> Checked<&'n Text> {
        match node {
            Node::Text(text) if !text.is_null() => Ok(text),
            Node::Map(map) => Err(match unquoted(map) {
                Some(inner) => self.unquoted(map.at, inner),
                None => self.unexpected(node, expected),
            }),
            other => Err(self.unexpected(other, expected)),
        }
    }

    /// A scalar with at least one character that is not blank.
    pub(super) fn filled<'n>(&mut self, node: &'n Node, expected: &str) -> Checked<&'n Text> {
        let text = self.text(node, expected)?;
        if text.text.trim().is_empty() {
            return Err(self.fault(text.at, format!("an empty text; expected {expected}")));
        }
        Ok(text)
    }

    /// A scalar of a kind that is written in its own way; `accept` says which values will do.
    fn scalar<T: FromStr>(&mut self, node: &Node, expected: &str, accept: impl Fn(&T) -> bool) -> Checked<T> {
        let text = self.text(node, expected)?;
        match text.text.parse() {
            Ok(value) if accept(&value) => Ok(value),
            _ => Err(self.fault(text.at, format!("{}; expected {expected}", shown(&text.text)))),
        }
    }

    /// A whole number from `low` to `high`.
    pub(super) fn whole<T: Copy + FromStr + PartialOrd + Display>(
        &mut self,
        node: &Node,
        low: T,
        high: T,
    ) -> Checked<T> {
        let expected = format!("a whole number from {low} to {high}");
        self.scalar(node, &expected, |number| (low..=high).contains(number))
    }

    /// A number above zero, at most `high`.
    pub(super) fn positive(&mut self, node: &Node, high: f64) -> Checked<f64> {
        let expected = format!("a number above 0, at most {high}");
        self.scalar(node, &expected, |number| *number > 0.0 && *number <= high)
    }

    /// Times a second, at most `high`.
    pub(super) fn rate(&mut self, node: &Node, high: f64) -> Checked<Rate> {
        let per_second = self.positive(node, high)?;
        Ok(Rate::new(per_second).expect("a finite number above 0 is a rate"))
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, node: &Node) -> Checked<bool> {
        self.scalar(node, "true or false", |_| true)
    }

    /// A duration within limits.
    pub(super) fn duration(&mut self, node: &Node, limits: Limits) -> Checked<Duration> {
        let text = self.text(node, &limits.to_string())?;
        duration::parse(&text.text, limits).map_err(|why| self.fault(text.at, why))
    }

    /// A duration within limits, or its default where there is none.
    pub(super) fn duration_or(
        &mut self,
        node: Option<&Node>,
        default: Duration,
        limits: Limits,
    ) -> Checked<Duration> {
        node.map_or(Ok(default), |node| self.duration(node, limits))
    }

    /// A name.
    pub(super) fn name(&mut self, node: &Node) -> Checked<Name> {
        const RULE: &str =
            "a name of 1 to 63 characters: a-z, 0-9, `-`, `_` and `.`, beginning with a letter or digit";
        let text = self.text(node, RULE)?;
        Name::new(&text.text).ok_or_else(|| {
            self.fault(text.at, format!("{} cannot be a name; expected {RULE}", shown(&text.text)))
        })
    }

    /// The index of the name that a reference means; `what` is a kind of thing, such as "store".
    pub(super) fn reference(&mut self, node: &Node, what: &str, known: &[&str]) -> Checked<usize> {
        let text = self.text(node, &format!("the name of a {what}"))?;
        if let Some(index) = known.iter().position(|name| *name == text.text) {
            return Ok(index);
        }
        let expected = match known {
            [] => format!("a {what} of this trial, which has none"),
            _ => listed(known),
        };
        let (found, hint) = (shown(&text.text), near(&text.text, known));
        Err(self.fault(text.at, format!("unknown {what} {found}{hint}; expected {expected}")))
    }

    /// The items of a list that has at most `most`, each read even where an earlier one is faulty.
    pub(super) fn list<T>(
        &mut self,
        node: &Node,
        most: usize,
        expected: &str,
        mut read: impl FnMut(&mut Self, &Node) -> Checked<T>,
    ) -> Checked<Vec<T>> {
        let Node::List(at, items) = node else {
            return Err(self.unexpected(node, expected));
        };
        if items.len() > most {
            let count = items.len();
            return Err(
                self.fault(*at, format!("a list of {count} entries; expected {expected}, at most {most}"))
            );
        }
        all(items.iter().map(|item| read(self, item)))
    }

    /// [`Self::list`] that is not empty.
    pub(super) fn filled_list<T>(
        &mut self,
        node: &Node,
        most: usize,
        expected: &str,
        read: impl FnMut(&mut Self, &Node) -> Checked<T>,
    ) -> Checked<NonEmpty<T>> {
        let items = self.list(node, most, expected, read)?;
        NonEmpty::new(items).map_err(|_| self.fault(node.at(), format!("an empty list; expected {expected}")))
    }

    /// The entries of a mapping; a repeated key is a fault.
    pub(super) fn entries<'n>(&mut self, node: &'n Node, expected: &str) -> Checked<&'n [(Text, Node)]> {
        let Node::Map(map) = node else {
            return Err(self.unexpected(node, expected));
        };
        let mut seen: HashMap<&str, Place> = HashMap::new();
        for (key, _) in &map.entries {
            if let Some(earlier) = seen.insert(&key.text, key.at) {
                let (found, line) = (shown(&key.text), earlier.line);
                self.fault(
                    key.at,
                    format!("key {found} again (also on line {line}); expected each key once"),
                );
            }
        }
        Ok(&map.entries)
    }

    /// Reports a parameter without its quotes.
    pub(super) fn unquoted(&mut self, at: Place, inner: &str) -> Reported {
        self.fault(at, format!("{{{inner}}} without quotes is a YAML mapping; expected \"{{{inner}}}\""))
    }

    fn unexpected(&mut self, node: &Node, expected: &str) -> Reported {
        let found = match node {
            Node::Text(text) if text.is_null() => "nothing here".to_owned(),
            Node::Text(text) => format!("the text {}", shown(&text.text)),
            Node::List(..) => "a list".to_owned(),
            Node::Map(_) => "a mapping".to_owned(),
        };
        self.fault(node.at(), format!("{found}; expected {expected}"))
    }
}

/// Collects values after all of them have been read, and so all their faults reported.
pub(super) fn all<T>(values: impl Iterator<Item = Checked<T>>) -> Checked<Vec<T>> {
    values.collect::<Vec<_>>().into_iter().collect()
}

/// What stands between the braces of `{1..5}` or `{uuid}` that lacks its quotes.
pub(super) fn unquoted(map: &Map) -> Option<&str> {
    match &map.entries[..] {
        [(key, Node::Text(value))] if map.flow && value.is_absent() => Some(&key.text),
        _ => None,
    }
}
