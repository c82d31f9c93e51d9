//! Groups of rules as text: a rule file, or an object that the Prometheus Operator takes. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rule::Group;

/// What the rules are written as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// A file for `rule_files`.
    Prometheus,
    /// A `PrometheusRule` for Kubernetes.
    PrometheusRule(Metadata),
}

/// What an object of Kubernetes is called, and its labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) namespace: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Object<'a> {
    #[serde(rename = "apiVersion")]
    version: &'static str,
    kind: &'static str,
    metadata: &'a Metadata,
    spec: File,
}

/// The groups as YAML.
pub(crate) fn written(groups: Vec<Group>, form: &Form) -> Result<String, serde_saphyr::ser_error::Error> {
    let file = File { groups };
    match form {
        Form::Prometheus => serde_saphyr::to_string(&file),
        Form::PrometheusRule(metadata) => serde_saphyr::to_string(&Object {
            version: "monitoring.coreos.com/v1",
            kind: "PrometheusRule",
            metadata,
            spec: file,
        }),
    }
}

/// The groups of a rule file; what is wrong with it, with its place.
pub(crate) fn read(text: &str) -> Result<Vec<Group>, String> {
    let read = serde_saphyr::from_str::<File>(text);
    read.map(|file| file.groups).map_err(|error| error.without_snippet().to_string())
}
