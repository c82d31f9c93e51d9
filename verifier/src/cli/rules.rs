//! The options of `rules`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::rules::RUNBOOKS;

pub(super) const EXAMPLES: &str = "\
Examples:
  a file for `rule_files` of prometheus.yml:
    slo-verifier rules slos.yaml > alerts/run.yml
  an object for the Prometheus Operator, as the chart kube-prometheus-stack finds it, with
  the alerts on the exporter itself:
    slo-verifier rules slos.yaml --with alerts/exporter.yml --format prometheus-rule \\
      --namespace ordeal --label release=kube-prometheus-stack > rules.yaml
  runbooks where your people read them:
    slo-verifier rules slos.yaml --runbooks https://wiki.example/ordeal

What has no alert is told on standard error: `verify` judges it when the run is over.

Exit codes: 0 written, 2 usage or a bad file.";

/// The options of `rules`.
#[derive(Debug, Args)]
pub(crate) struct Rules {
    /// The objectives (slos.yaml).
    pub(crate) file: PathBuf,
    /// What is written: a rule file, or a `PrometheusRule` for Kubernetes.
    #[arg(long, value_enum, default_value_t = Format::Prometheus)]
    pub(crate) format: Format,
    /// Name of the `PrometheusRule` [default: ordeal].
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Namespace of the `PrometheusRule`.
    #[arg(long, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
    /// A label of the `PrometheusRule`, by which Prometheus selects it; may be given again.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    pub(crate) labels: Vec<(String, String)>,
    /// Only runs of this trial (its `name`), where several share a Prometheus.
    #[arg(long, value_name = "NAME")]
    pub(crate) trial: Option<String>,
    /// Where the page with the runbooks is; `#` and the alert's name are added.
    #[arg(long, value_name = "URL", default_value = RUNBOOKS)]
    pub(crate) runbooks: String,
    /// A rule file whose groups are written as well; may be given again.
    #[arg(long, value_name = "FILE")]
    pub(crate) with: Vec<PathBuf>,
}

/// The forms of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Prometheus,
    PrometheusRule,
}

fn label(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE"),
    }
}

impl Rules {
    /// An option that only an object of Kubernetes has, given for a plain file.
    pub(crate) fn misplaced(&self) -> Option<&'static str> {
        let given = [
            (self.name.is_some(), "--name"),
            (self.namespace.is_some(), "--namespace"),
            (!self.labels.is_empty(), "--label"),
        ];
        let only = given.into_iter().find_map(|(given, option)| given.then_some(option));
        only.filter(|_| self.format == Format::Prometheus)
    }
}
