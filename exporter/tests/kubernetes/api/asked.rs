//! A request as the API server understands it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use axum::body::Bytes;
use http::request::Parts;
use serde_json::Value;

/// What is asked for. The verb is one of those that roles name.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) at: Instant,
    pub(crate) verb: &'static str,
    /// Group and version: `v1`, `apps/v1`.
    pub(crate) api: String,
    pub(crate) resource: String,
    /// As `eviction` of a pod.
    pub(crate) sub: Option<String>,
    pub(crate) namespace: String,
    /// Empty where all are asked for.
    pub(crate) name: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: Value,
    /// Only what all objects have is wanted.
    pub(crate) metadata_only: bool,
}

impl Asked {
    /// `None`: no path of a resource.
    pub(crate) fn of(parts: &Parts, body: &Bytes) -> Option<Self> {
        let body = serde_json::from_slice(body).unwrap_or(Value::Null);
        let words: Vec<&str> = parts.uri.path().split('/').filter(|word| !word.is_empty()).collect();
        let (api, rest) = match *words.as_slice() {
            ["api", version, ref rest @ ..] => (version.to_owned(), rest.to_vec()),
            ["apis", group, version, ref rest @ ..] => (format!("{group}/{version}"), rest.to_vec()),
            _ => return None,
        };
        // A namespace is an object itself, and holds others.
        let (namespace, rest) = match *rest.as_slice() {
            ["namespaces", namespace, ref rest @ ..] if !rest.is_empty() => (namespace, rest.to_vec()),
            _ => ("", rest.clone()),
        };
        let (resource, name, sub) = match *rest.as_slice() {
            [resource] => (resource, "", None),
            [resource, name] => (resource, name, None),
            [resource, name, sub] => (resource, name, Some(sub.to_owned())),
            _ => return None,
        };
        let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let query: BTreeMap<String, String> = query.into_owned().collect();
        let watched = query.get("watch").is_some_and(|value| value == "true");
        let verb = match (parts.method.as_str(), name) {
            ("GET", "") if watched => "watch",
            ("GET", "") => "list",
            ("GET", _) => "get",
            ("POST", _) => "create",
            ("PUT", _) => "update",
            ("PATCH", _) => "patch",
            ("DELETE", _) => "delete",
            _ => return None,
        };
        let name = if name.is_empty() { body["metadata"]["name"].as_str().unwrap_or_default() } else { name };
        let accepted = parts.headers.get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default();
        Some(Self {
            at: Instant::now(),
            verb,
            api,
            resource: resource.to_owned(),
            sub,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            query,
            metadata_only: accepted.contains("as=PartialObjectMetadata"),
            body,
        })
    }

    /// The resource as roles name it: `pods/eviction`.
    pub(crate) fn full_resource(&self) -> String {
        let sub = self.sub.iter().map(|sub| format!("/{sub}"));
        std::iter::once(self.resource.clone()).chain(sub).collect()
    }

    /// Whether it asks for a change of something that outlives whoever asks, as what a command in a container does. The
    /// lease runs out by itself.
    pub(crate) fn is_change(&self) -> bool {
        let runs = self.sub.as_deref() == Some("exec");
        let changes = runs || ["create", "update", "patch", "delete"].contains(&self.verb);
        changes && self.resource != "leases" && self.resource != "selfsubjectaccessreviews"
    }

    /// Whether `object` is among those that a list or watch asks for.
    pub(crate) fn wants(&self, object: &Value) -> bool {
        let terms = |key: &str| {
            let terms = self.query.get(key).cloned().unwrap_or_default();
            let term =
                |term: &str| term.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
            terms.split(',').filter_map(term).collect::<Vec<_>>()
        };
        let labels = &object["metadata"]["labels"];
        let fields = |path: &str| path.split('.').fold(object, |value, key| &value[key]);
        terms("labelSelector").iter().all(|(key, value)| labels[key] == **value)
            && terms("fieldSelector").iter().all(|(path, value)| *fields(path) == **value)
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.verb, self.full_resource(), self.name)?;
        // Of a command in a container the last word.
        self.query.get("command").map_or(Ok(()), |word| write!(f, " {word}"))
    }
}
