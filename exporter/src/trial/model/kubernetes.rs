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

/// A selector of one requirement on one label, so that the pods that do not meet it have a selector too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The label.
    pub key: String,
    /// What is required of it.
    pub of: Required,
}

/// What is required of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Required {
    /// It has one of these values.
    In(Vec<String>),
    /// It has none of these values, or is not there.
    NotIn(Vec<String>),
    /// It is there.
    Exists,
    /// It is not there.
    Absent,
}

/// One requirement, its key and what follows apart.
static REQUIREMENT: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"^\s*(?<not>!?)\s*(?<key>[\w./-]+)\s*(?:(?<equal>==?|!=)\s*(?<value>[\w.-]*)|(?<in>(?:not)?in)\s*\((?<values>[^)]*)\))?\s*$";
    Regex::new(pattern).expect("a regular expression")
});

impl Requirement {
    /// Checks `text`; `None` when it is no selector, or has more than one requirement.
    pub fn new(text: &str) -> Option<Self> {
        Selector::new(text)?;
        let parts = REQUIREMENT.captures(text)?;
        let part = |name| parts.name(name).map(|found| found.as_str());
        let values = || {
            let values = part("values").unwrap_or_default().split(',');
            values.map(|value| value.trim().to_owned()).collect()
        };
        let one = || vec![part("value").unwrap_or_default().to_owned()];
        let of = match (part("not"), part("equal"), part("in")) {
            (_, Some("!="), _) => Required::NotIn(one()),
            (_, Some(_), _) => Required::In(one()),
            (_, _, Some("in")) => Required::In(values()),
            (_, _, Some(_)) => Required::NotIn(values()),
            (Some("!"), ..) => Required::Absent,
            _ => Required::Exists,
        };
        Some(Self { key: part("key")?.to_owned(), of })
    }

    /// That a label has one value.
    pub fn equals(key: &str, value: &str) -> Self {
        Self { key: key.to_owned(), of: Required::In(vec![value.to_owned()]) }
    }

    /// What all others meet.
    #[must_use]
    pub fn negated(&self) -> Self {
        let of = match self.of.clone() {
            Required::In(values) => Required::NotIn(values),
            Required::NotIn(values) => Required::In(values),
            Required::Exists => Required::Absent,
            Required::Absent => Required::Exists,
        };
        Self { key: self.key.clone(), of }
    }
}

impl std::fmt::Display for Requirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = &self.key;
        match &self.of {
            Required::In(values) if values.len() == 1 => write!(f, "{key}={}", values[0]),
            Required::NotIn(values) if values.len() == 1 => write!(f, "{key}!={}", values[0]),
            Required::In(values) => write!(f, "{key} in ({})", values.join(", ")),
            Required::NotIn(values) => write!(f, "{key} notin ({})", values.join(", ")),
            Required::Exists => f.write_str(key),
            Required::Absent => write!(f, "!{key}"),
        }
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

    #[test]
    fn a_requirement_is_about_one_label_and_has_a_negation() {
        let table = [
            ("app=shop", "app=shop", "app!=shop"),
            (
                " app.kubernetes.io/name == shop ",
                "app.kubernetes.io/name=shop",
                "app.kubernetes.io/name!=shop",
            ),
            ("tier!=web", "tier!=web", "tier=web"),
            ("tier in (web,api)", "tier in (web, api)", "tier notin (web, api)"),
            ("tier notin (web)", "tier!=web", "tier=web"),
            ("!canary", "!canary", "canary"),
            ("canary", "canary", "!canary"),
        ];
        for (text, shown, negated) in table {
            let requirement = Requirement::new(text).expect(text);
            assert_eq!(
                (requirement.to_string().as_str(), requirement.negated().to_string().as_str()),
                (shown, negated)
            );
        }
        for text in ["app=shop,tier=web", "", "app shop"] {
            assert_eq!(Requirement::new(text), None, "{text}");
        }
    }
}
