//! `slo-verifier rules` from beginning to end: read the objectives, make rules of them, join those of files, write all.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::{RuleFormat, RulesOptions};
use crate::rules::{self, Form, Group, Metadata, Rules, Scope};
use crate::slo;

/// No rules could be written. Exit code 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{option} is for --format prometheus-rule only; a rule file has no such thing")]
    Misplaced { option: &'static str },
    #[error("the label `{key}` is given twice with --label; an object has one value of each")]
    Repeated { key: String },
    #[error("the objectives cannot be used")]
    Objectives { source: slo::Error },
    #[error("the rule file of --with cannot be used")]
    File(#[from] crate::file::Error),
    #[error("the rule file {path} of --with is none that can be joined: {fault}")]
    Rules { path: String, fault: String },
    #[error("the group {name} of {path} is there already; a file has each name once")]
    Twice { path: String, name: String },
    #[error(transparent)]
    Defect(#[from] rules::NoPromql),
    #[error("writing the rules as YAML")]
    Write(#[from] serde_saphyr::ser_error::Error),
}

/// The text of the rules, and what no rule was made of, one objective a line.
pub(crate) fn make(options: RulesOptions) -> Result<(String, Vec<String>), Error> {
    if let Some(option) = options.misplaced() {
        return Err(Error::Misplaced { option });
    }
    if let Some(key) = options.repeated() {
        return Err(Error::Repeated { key: key.to_owned() });
    }
    let mut made = match &options.file {
        Some(file) => {
            let checked = slo::load(file).map_err(|source| Error::Objectives { source })?;
            rules::rules(&checked, &Scope { trial: options.trial })?
        }
        None => Rules::default(),
    };
    for path in &options.with {
        join(&mut made.groups, path)?;
    }
    rules::move_runbooks(&mut made.groups, &options.runbooks);
    let form = match options.format {
        RuleFormat::Prometheus => Form::Prometheus,
        RuleFormat::PrometheusRule => Form::PrometheusRule(Metadata {
            name: options.name.unwrap_or_else(|| "ordeal".to_owned()),
            namespace: options.namespace,
            labels: options.labels.into_iter().collect::<BTreeMap<_, _>>(),
        }),
    };
    Ok((rules::written(made.groups, &form)?, made.untold))
}

/// Adds the groups of a rule file.
fn join(groups: &mut Vec<Group>, path: &Path) -> Result<(), Error> {
    let path_told = path.display().to_string();
    let text = crate::file::read(path)?;
    let read = rules::read(&text).map_err(|fault| Error::Rules { path: path_told.clone(), fault })?;
    for group in read {
        if groups.iter().any(|other| other.name == group.name) {
            return Err(Error::Twice { path: path_told, name: group.name });
        }
        groups.push(group);
    }
    Ok(())
}
