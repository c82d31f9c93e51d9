//! Reads the entries of one map and collects every fault instead of stopping at the first. Pure.

use std::time::Duration;

use super::node::{Entry, Node, Position, Value};
use super::values::{self, Share};

/// Something wrong in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: Position,
    /// What is wrong and what was expected.
    pub(crate) message: String,
}

/// One map of the file, its entries taken one by one; what is left over is unknown.
pub(crate) struct Fields<'a> {
    at: Position,
    /// What messages call the map.
    what: String,
    entries: Vec<&'a Entry>,
    asked: Vec<&'static str>,
    /// False where it is no map at all, or a word that decides which keys there are was not understood:
    /// complaints about keys would only mislead then.
    keys_known: bool,
    pub(crate) faults: Vec<Fault>,
    /// What may be wrong, and is for others to decide.
    pub(crate) doubts: Vec<Fault>,
}

impl<'a> Fields<'a> {
    /// Starts on `node`; no map is a fault.
    pub(crate) fn new(node: &'a Node, what: &str) -> Self {
        let mut fields = Self {
            at: node.at,
            what: what.to_owned(),
            entries: Vec::new(),
            asked: Vec::new(),
            keys_known: true,
            faults: Vec::new(),
            doubts: Vec::new(),
        };
        let Value::Map(entries) = &node.value else {
            fields.keys_known = false;
            fields.fault(node.at, format!("{what} is {}, expected a map", node.value.name()));
            return fields;
        };
        for entry in entries {
            match fields.entries.iter().find(|earlier| earlier.1 == entry.1) {
                Some(earlier) => {
                    let line = earlier.0.line;
                    fields.fault(entry.0, format!("key `{}` is there twice, first in line {line}", entry.1));
                }
                None => fields.entries.push(entry),
            }
        }
        fields
    }

    /// Notes a fault.
    pub(crate) fn fault(&mut self, at: Position, message: String) {
        self.faults.push(Fault { at, message });
    }

    /// Renames the map in messages, once its own name is known.
    pub(crate) fn call(&mut self, what: String) {
        self.what = what;
    }

    /// What messages call the map.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// Where the map begins.
    pub(crate) fn at(&self) -> Position {
        self.at
    }

    /// The value of a key, if it is there.
    pub(crate) fn optional(&mut self, key: &'static str) -> Option<&'a Node> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.entries.iter().find(|entry| entry.1 == key).map(|entry| &entry.2)
    }

    /// The value of a key that must be there.
    pub(crate) fn required(&mut self, key: &'static str, expected: &str) -> Option<&'a Node> {
        let node = self.optional(key);
        if node.is_none() && self.keys_known {
            let others: Vec<&str> = self.entries.iter().map(|entry| entry.1.as_str()).collect();
            let others: Vec<&str> = others.into_iter().filter(|other| !self.asked.contains(other)).collect();
            let near = near(key, &others).map(|near| format!(" (is `{near}` meant?)")).unwrap_or_default();
            let message = format!("{} has no `{key}`{near}, expected {expected}", self.what);
            self.fault(self.at, message);
        }
        node
    }

    /// Text that must be there.
    pub(crate) fn text(&mut self, key: &'static str, expected: &str) -> Option<String> {
        let node = self.required(key, expected)?;
        self.as_text(node, key, expected)
    }

    /// Text that may be there.
    pub(crate) fn optional_text(&mut self, key: &'static str, expected: &str) -> Option<String> {
        let node = self.optional(key)?;
        self.as_text(node, key, expected)
    }

    /// A node as text; numbers and truth values count as what they look like.
    pub(crate) fn as_text(&mut self, node: &Node, key: &str, expected: &str) -> Option<String> {
        match &node.value {
            Value::Text(text) if !text.trim().is_empty() => Some(text.clone()),
            Value::Number(text) | Value::Bool(text) => Some(text.clone()),
            other => {
                let is = if matches!(other, Value::Text(_)) { "empty" } else { other.name() };
                self.fault(node.at, format!("`{key}` is {is}, expected {expected}"));
                None
            }
        }
    }

    /// A duration that must be there.
    pub(crate) fn duration(&mut self, key: &'static str) -> Option<Duration> {
        let node = self.required(key, "a duration such as 30s")?;
        self.as_duration(node, key)
    }

    /// A duration, or what it is when it is not there.
    pub(crate) fn duration_or(&mut self, key: &'static str, default: Duration) -> Option<Duration> {
        match self.optional(key) {
            None => Some(default),
            Some(node) => self.as_duration(node, key),
        }
    }

    /// A duration that may be missing.
    pub(crate) fn optional_duration(&mut self, key: &'static str) -> Option<Duration> {
        let node = self.optional(key)?;
        self.as_duration(node, key)
    }

    fn as_duration(&mut self, node: &Node, key: &str) -> Option<Duration> {
        let text = self.as_text(node, key, "a duration such as 30s")?;
        let duration = values::duration(&text);
        if duration.is_none() {
            let near = meant(&text, "s", |text| values::duration(text).is_some());
            let message = format!("`{key}` is `{text}`{near}, expected a duration such as 500ms, 30s or 2m");
            self.fault(node.at, message);
        }
        duration
    }

    /// A share of the whole that must be there.
    pub(crate) fn share(&mut self, key: &'static str) -> Option<Share> {
        let node = self.required(key, "a share such as 99.9%")?;
        self.as_share(node, key)
    }

    /// A share, or what it is when it is not there.
    pub(crate) fn share_or(&mut self, key: &'static str, default: &str) -> Option<Share> {
        match self.optional(key) {
            None => Share::parse(default),
            Some(node) => self.as_share(node, key),
        }
    }

    fn as_share(&mut self, node: &Node, key: &str) -> Option<Share> {
        let text = self.as_text(node, key, "a share such as 99.9%")?;
        let share = Share::parse(&text);
        if share.is_none() {
            let near = meant(&text, "%", |text| Share::parse(text).is_some());
            let message =
                format!("`{key}` is `{text}`{near}, expected a share from 0% to 100% such as 99.9%");
            self.fault(node.at, message);
        }
        // Time that was watched can be all of it; of events, the next one may always be bad.
        if key == "at_least" && share.is_some_and(Share::is_whole) {
            let message = format!(
                "`{key}` is `{text}`, but no number of events proves 100 %, expected less, such as 99.99%"
            );
            self.fault(node.at, message);
        }
        share
    }

    /// A whole number that must be there.
    pub(crate) fn count(&mut self, key: &'static str) -> Option<u32> {
        let node = self.required(key, "a whole number")?;
        let text = self.as_text(node, key, "a whole number")?;
        let count = text.parse().ok();
        if count.is_none() {
            self.fault(node.at, format!("`{key}` is `{text}`, expected a whole number"));
        }
        count
    }

    /// A finite number that may be there.
    pub(crate) fn number(&mut self, key: &'static str) -> Option<f64> {
        let node = self.optional(key)?;
        let text = self.as_text(node, key, "a number")?;
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        if number.is_none() {
            self.fault(node.at, format!("`{key}` is `{text}`, expected a number"));
        }
        number
    }

    /// One word of a closed list; a near one is suggested.
    pub(crate) fn word(
        &mut self,
        key: &'static str,
        words: &[&'static str],
        default: Option<&'static str>,
    ) -> Option<&'static str> {
        let expected = format!("one of {}", words.join(", "));
        let node = match default {
            Some(default) if !self.entries.iter().any(|entry| entry.1 == key) => {
                if !self.asked.contains(&key) {
                    self.asked.push(key);
                }
                return Some(default);
            }
            _ => self.required(key, &expected),
        };
        let text = node.and_then(|node| self.as_text(node, key, &expected).map(|text| (node, text)));
        let Some((node, text)) = text else {
            self.keys_known = false;
            return None;
        };
        let word = words.iter().find(|word| **word == text).copied();
        if word.is_none() {
            self.keys_known = false;
            let near = suggestion(&text, words);
            self.fault(node.at, format!("`{key}` is `{text}`{near}, expected {expected}"));
        }
        word
    }

    /// Ends the map: entries that nobody asked for are faults.
    pub(crate) fn finish(mut self) -> Vec<Fault> {
        for (at, key, _) in &self.entries {
            if self.keys_known && !self.asked.contains(&key.as_str()) {
                let near = suggestion(key, &self.asked);
                let message =
                    format!("unknown key `{key}` in {}{near}, expected {}", self.what, self.asked.join(", "));
                self.faults.push(Fault { at: *at, message });
            }
        }
        self.faults
    }
}

/// ` (did you mean …?)` where a candidate is near enough.
pub(crate) fn suggestion(text: &str, candidates: &[impl AsRef<str>]) -> String {
    near(text, candidates).map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default()
}

/// The nearest candidate, where it is near enough to be meant.
fn near<'a>(text: &str, candidates: &'a [impl AsRef<str>]) -> Option<&'a str> {
    let scored = candidates.iter().map(|one| (strsim::damerau_levenshtein(text, one.as_ref()), one.as_ref()));
    let (distance, near) = scored.min()?;
    (distance <= 1 + near.len() / 4).then_some(near)
}

/// ` (did you mean …?)` where a number lacks its unit, or has a comma for a point.
fn meant(text: &str, unit: &str, is_good: impl Fn(&str) -> bool) -> String {
    let pointed = text.replace(',', ".");
    let tries = [pointed.clone(), format!("{pointed}{unit}")];
    let good = tries.into_iter().find(|text| is_good(text));
    good.map(|good| format!(" (did you mean `{good}`?)")).unwrap_or_default()
}
