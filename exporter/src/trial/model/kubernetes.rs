//! The cluster that the service runs on.

use std::sync::LazyLock;

use regex::Regex;

/// Where in a Kubernetes cluster the service runs. The cluster is that of the pod that this program runs in, else
/// the one that the kubeconfig names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kubernetes {
    /// Where the service's workloads are. Nothing outside it is broken, nodes apart.
    pub namespace: Namespace,
    /// By what names operators of the service go that may change its objects; whoever else does interferes.
    pub managers: Vec<String>,
}

/// The name of a namespace: a DNS label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace(String);

impl Namespace {
    /// Checks `text`; `None` when it is no DNS label.
    pub fn new(text: &str) -> Option<Self> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let edges = !text.starts_with('-') && !text.ends_with('-');
        ((1..=63).contains(&text.len()) && edges && text.chars().all(allowed)).then(|| Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Namespace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a pod: a DNS subdomain, which stands for itself in a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodName(String);

impl PodName {
    /// Checks `text`; `None` when it is no DNS subdomain.
    pub fn new(text: &str) -> Option<Self> {
        let labels = || text.split('.').all(|label| Namespace::new(label).is_some());
        (text.len() <= 253 && labels()).then(|| Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A label selector as Kubernetes' list requests take it: `app=shop,tier in (web, api),!canary`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector(String);

/// The grammar of Kubernetes' documentation, "Labels and Selectors". The API server checks lengths.
static SELECTOR: LazyLock<Regex> = LazyLock::new(|| {
    let (key, value) = (r"[A-Za-z0-9](?:[\w./-]*[A-Za-z0-9])?", r"[\w.-]*");
    let one =
        format!(r"\s*(?:!?\s*{key}|{key}\s*(?:==?|!=)\s*{value}|{key}\s+(?:not)?in\s*\([\w., -]+\))\s*");
    Regex::new(&format!("^{one}(?:,{one})*$")).expect("a regular expression")
});

impl Selector {
    /// Checks `text`; `None` when it is no selector.
    pub fn new(text: &str) -> Option<Self> {
        SELECTOR.is_match(text).then(|| Self(text.to_owned()))
    }

    /// The selector as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_a_dns_label() {
        let long = "a".repeat(64);
        let table = [
            ("shop", true),
            ("shop-2", true),
            ("2", true),
            ("", false),
            ("-shop", false),
            ("shop-", false),
            ("Shop", false),
            ("shop.eu", false),
            (&long, false),
        ];
        for (text, expected) in table {
            assert_eq!(Namespace::new(text).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn a_pods_name_cannot_lead_elsewhere() {
        let table = [
            ("postgres-0", true),
            ("shop-69f77899d-l8fkf.eu", true),
            ("", false),
            ("a..b", false),
            ("..", false),
            ("a/exec", false),
            ("a?b", false),
            ("A", false),
        ];
        for (text, expected) in table {
            assert_eq!(PodName::new(text).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn a_selector_follows_kubernetes_grammar() {
        let table = [
            ("app=shop", true),
            ("app.kubernetes.io/name==shop, tier!=web", true),
            ("tier in (web, api),!canary,app", true),
            ("tier notin (web)", true),
            ("app=", true),
            ("", false),
            (",", false),
            ("app=shop,", false),
            ("app shop", false),
            ("tier in web", false),
            ("app=shop tier=web", false),
        ];
        for (text, expected) in table {
            assert_eq!(Selector::new(text).is_some(), expected, "{text}");
        }
    }
}
