//! Mappings whose keys are known, and lists whose items have names.

use std::collections::HashSet;

use super::faults::Place;
use super::node::{Node, Text};
use super::reader::{Checked, Reader, Reported};
use super::words::{listed, near, nearest, shown};

#[cfg(test)]
std::thread_local! {
    /// Every key that a check of this thread asked for: the page about the trial's keys is held to them.
    pub(super) static KNOWN: std::cell::RefCell<std::collections::BTreeSet<&'static str>> =
        const { std::cell::RefCell::new(std::collections::BTreeSet::new()) };
}

/// A mapping whose keys are known; those never asked for are faults.
pub(super) struct Fields<'n> {
    /// Where the mapping begins.
    pub(super) at: Place,
    what: &'static str,
    entries: &'n [(Text, Node)],
    known: Vec<&'static str>,
    missing: Vec<Missing>,
}

/// Keys of which one had to be there. It is told at the end, unless one of them is there misspelt: then that is
/// the fault, and the only one.
struct Missing {
    keys: Vec<&'static str>,
    text: String,
}

impl<'n> Fields<'n> {
    /// Opens a mapping; `what` says what it is ("a task").
    pub(super) fn open(reader: &mut Reader<'_>, node: &'n Node, what: &'static str) -> Checked<Self> {
        let entries = reader.entries(node, &format!("{what} as a mapping"))?;
        Ok(Self { at: node.at(), what, entries, known: Vec::new(), missing: Vec::new() })
    }

    /// The value of a key; nothing when it is absent or null.
    pub(super) fn get(&mut self, key: &'static str) -> Option<&'n Node> {
        self.get_even_null(key).filter(|node| !node.is_null())
    }

    /// The value of a key, null included.
    pub(super) fn get_even_null(&mut self, key: &'static str) -> Option<&'n Node> {
        self.known.push(key);
        self.entries.iter().find(|(found, _)| found.text == key).map(|(_, node)| node)
    }

    /// The value of a key that must be there. [`Self::close`] reports that it is not.
    pub(super) fn require(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        expected: &str,
    ) -> Checked<&'n Node> {
        self.require_unless(reader, key, &[], expected)
    }

    /// [`Self::require`] where other keys may stand instead of it.
    pub(super) fn require_unless(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        others: &[&'static str],
        expected: &str,
    ) -> Checked<&'n Node> {
        match self.get_even_null(key) {
            Some(node) if node.is_null() => {
                Err(reader.fault(node.at(), format!("`{key}` is empty; expected {expected}")))
            }
            Some(node) => Ok(node),
            None => {
                let text = format!("{} without `{key}`; expected {expected}", self.what);
                let keys = std::iter::once(key).chain(others.iter().copied()).collect();
                self.missing.push(Missing { keys, text });
                Err(Reported)
            }
        }
    }

    /// The only one of these keys that is there; several or none are a fault.
    pub(super) fn one_of<const N: usize>(
        &mut self,
        reader: &mut Reader<'_>,
        keys: [&'static str; N],
    ) -> Checked<(&'static str, &'n Node)> {
        let mut given = keys.into_iter().filter_map(|key| Some((key, self.get(key)?)));
        match (given.next(), given.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => {
                let text = format!("{} without a kind; expected {}", self.what, listed(&keys));
                self.missing.push(Missing { keys: keys.to_vec(), text });
                Err(Reported)
            }
            (Some((first, _)), Some((second, node))) => {
                let text = format!("{} with both `{first}` and `{second}`; expected one of them", self.what);
                Err(reader.fault(node.at(), text))
            }
        }
    }

    /// Reports the keys that nobody asked for, and those asked for that are not there.
    pub(super) fn close(mut self, reader: &mut Reader<'_>) {
        #[cfg(test)]
        KNOWN.with_borrow_mut(|known| known.extend(&self.known));
        let given: Vec<&str> = self.entries.iter().map(|(key, _)| key.text.as_str()).collect();
        let absent: Vec<&str> = self.known.iter().copied().filter(|key| !given.contains(key)).collect();
        for (key, _) in self.entries.iter().filter(|(key, _)| !self.known.contains(&key.text.as_str())) {
            // What is there already was hardly meant once more, unless nothing else was.
            let meant = nearest(&key.text, &absent);
            self.missing.retain(|missing| meant.is_none_or(|meant| !missing.keys.contains(&meant)));
            let likely = meant.map_or_else(|| self.known.clone(), |meant| vec![meant]);
            let (found, hint) = (shown(&key.text), near(&key.text, &likely));
            let (what, expected) = (self.what, listed(&self.known));
            reader.fault(key.at, format!("unknown key {found} in {what}{hint}; expected {expected}"));
        }
        for missing in self.missing {
            reader.fault(self.at, missing.text);
        }
    }
}

/// The names of a list's items as the file has them, one for each item, empty where there is none: a
/// reference to a faulty item is not an unknown name.
pub(super) fn names(node: &Node) -> Vec<&str> {
    let Node::List(_, items) = node else { return Vec::new() };
    items.iter().map(|item| name(item).map_or("", |name| &name.text)).collect()
}

/// Reports names that several items of a list have.
pub(super) fn distinct_names(reader: &mut Reader<'_>, node: &Node, what: &str) {
    let Node::List(_, items) = node else { return };
    distinct(reader, what, items.iter().filter_map(name).map(|name| (name.text.as_str(), name.at)));
}

/// Reports a name that is there more than once, at each place but the first.
pub(super) fn distinct<'t>(
    reader: &mut Reader<'_>,
    what: &str,
    names: impl Iterator<Item = (&'t str, Place)>,
) {
    let mut seen = HashSet::new();
    for (name, at) in names {
        if !seen.insert(name) {
            reader.fault(at, format!("a second {what} {}; expected each name once", shown(name)));
        }
    }
}

fn name(item: &Node) -> Option<&Text> {
    let Node::Map(map) = item else { return None };
    match map.entries.iter().find(|(key, _)| key.text == "name") {
        Some((_, Node::Text(name))) if !name.is_null() => Some(name),
        _ => None,
    }
}
