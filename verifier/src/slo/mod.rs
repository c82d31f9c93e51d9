//! The objectives' file: raw form with places, checks, checked form.

mod expr;
mod fields;
mod kind;
mod kinds;
mod model;
mod node;
mod selector;
mod services;
mod values;

use std::path::Path;

pub(crate) use expr::fill;
pub(crate) use fields::suggestion;
pub(crate) use kind::Kind;
pub(crate) use model::*;
pub(crate) use selector::metric;
pub(crate) use values::{Share, show_duration, trimmed};

use crate::plain::plain;
use fields::{Fault, Fields};
use node::{Node, Value};

/// The file could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    File(#[from] crate::file::Error),
    /// All faults, one a line, each with file, line and column.
    #[error("{0}")]
    Faults(String),
}

/// What a file promises, and what may be wrong with it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checked {
    /// Of a run.
    pub(crate) objectives: Vec<Objective>,
    /// Of services over days; no run is judged by them.
    pub(crate) services: Vec<ServiceObjective>,
    /// One a line, each with file, line and column.
    pub(crate) doubts: Vec<String>,
}

impl Checked {
    /// How many objectives there are, and of what.
    pub(crate) fn counted(&self) -> String {
        let told =
            |count: usize, of: &str| format!("{count} objective{}{of}", if count == 1 { "" } else { "s" });
        let (of_run, of_services) = (self.objectives.len(), self.services.len());
        match (of_run, of_services) {
            (_, 0) => told(of_run, ""),
            (0, _) => told(of_services, " over 30 days"),
            _ => format!("{}, {}", told(of_run, ""), told(of_services, " over 30 days")),
        }
    }
}

/// Reads and checks a file.
pub(crate) fn load(path: &Path) -> Result<Checked, Error> {
    let name = path.display().to_string();
    let text = crate::file::read(path)?;
    let lines = |mut faults: Vec<Fault>| -> Vec<String> {
        faults.sort_by_key(|fault| fault.at);
        let line = |fault: &Fault| {
            plain(&format!("{name}:{}:{}: {}", fault.at.line, fault.at.column, fault.message))
        };
        faults.iter().map(line).collect()
    };
    match check(&text) {
        Ok(Sound { objectives, services, doubts }) => {
            Ok(Checked { objectives, services, doubts: lines(doubts) })
        }
        Err(faults) => Err(Error::Faults(lines(faults).join("\n"))),
    }
}

/// A file without a fault.
#[derive(Debug)]
struct Sound {
    objectives: Vec<Objective>,
    services: Vec<ServiceObjective>,
    doubts: Vec<Fault>,
}

/// Checks a file's text: what it promises and doubts about it, or everything that is wrong with it.
fn check(text: &str) -> Result<Sound, Vec<Fault>> {
    let root = node::parse(text).map_err(|(at, message)| vec![Fault { at, message }])?;
    let mut fields = Fields::new(&root, "the file");
    let list = fields.optional("objectives");
    let (services, mut faults) = fields.optional("services").map(services::services).unwrap_or_default();
    // Promises of services alone are enough for rules.
    if list.is_none() && services.is_empty() && faults.is_empty() {
        fields.required("objectives", "a list of objectives");
    }
    let mut doubts = Vec::new();
    let mut objectives: Vec<Objective> = Vec::new();
    match list.map(|node| (node, &node.value)) {
        Some((_, Value::List(nodes))) if !nodes.is_empty() => {
            for node in nodes {
                let mut found = objective(node, &objectives);
                faults.append(&mut found.faults);
                doubts.append(&mut found.doubts);
                objectives.extend(found.objective);
            }
        }
        Some((node, Value::List(_))) => {
            fields.fault(node.at, "`objectives` is empty, expected at least one".into());
        }
        Some((node, other)) => {
            fields.fault(node.at, format!("`objectives` is {}, expected a list of maps", other.name()));
        }
        None => {}
    }
    faults.append(&mut fields.finish());
    if faults.is_empty() { Ok(Sound { objectives, services, doubts }) } else { Err(faults) }
}

/// One entry of the list, as far as it was understood.
struct Read {
    objective: Option<Objective>,
    faults: Vec<Fault>,
    doubts: Vec<Fault>,
}

fn objective(node: &Node, earlier: &[Objective]) -> Read {
    let mut fields = Fields::new(node, "the objective");
    let name = fields.text("name", "a name");
    if let Some(name) = &name {
        fields.call(format!("objective `{name}`"));
        if earlier.iter().any(|other| other.name == *name) {
            fields.fault(fields.at(), format!("the name `{name}` is there twice, expected unique names"));
        }
    }
    let proves = fields.optional_text("proves", "a number or a word");
    let promise = kinds::promise(&mut fields);
    let doubts = std::mem::take(&mut fields.doubts);
    let faults = fields.finish();
    let objective = name.zip(promise).map(|(name, promise)| Objective { name, proves, promise });
    Read { objective, faults, doubts }
}

#[cfg(test)]
mod tests;
