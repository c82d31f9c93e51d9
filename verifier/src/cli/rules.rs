//! The options of `rules`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::rules::RUNBOOKS;

pub(super) const EXAMPLES: &str = "\
Examples:
  a file for `rule_files` of prometheus.yml:
    slo-verifier rules slos.yaml > alerts/run.yml
  the same of the runs of one trial, with the alerts on the exporter itself:
    slo-verifier rules slos.yaml --trial shop --with alerts/exporter.yml > alerts/run.yml
  an object for the Prometheus Operator, as the chart kube-prometheus-stack finds it:
    slo-verifier rules slos.yaml --trial shop --format prometheus-rule --name shop \\
      --namespace ordeal --label release=kube-prometheus-stack > rules.yaml
  runbooks where your people read them:
    slo-verifier rules slos.yaml --runbooks https://wiki.example/ordeal

What has no alert is told on standard error: `verify` judges it when the run is over.

Exit codes: 0 written, 2 usage, a bad file, or output that cannot be written.";

/// The options of `rules`.
#[derive(Debug, Args)]
pub(crate) struct Rules {
    /// The objectives (slos.yaml); without them, only what `--with` names is written.
    #[arg(required_unless_present = "with")]
    pub(crate) file: Option<PathBuf>,
    /// What is written: a rule file, or a `PrometheusRule` for Kubernetes.
    #[arg(long, value_enum, default_value_t = Format::Prometheus)]
    pub(crate) format: Format,
    /// Name of the `PrometheusRule` [default: ordeal].
    #[arg(long, value_name = "NAME", value_parser = object)]
    pub(crate) name: Option<String>,
    /// Namespace of the `PrometheusRule`.
    #[arg(long, value_name = "NAME", value_parser = namespace)]
    pub(crate) namespace: Option<String>,
    /// A label of the `PrometheusRule`, by which Prometheus selects it; may be given again.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    pub(crate) labels: Vec<(String, String)>,
    /// Only runs of this trial (its `name`), where several share a Prometheus.
    #[arg(long, value_name = "NAME", requires = "file", value_parser = trial)]
    pub(crate) trial: Option<String>,
    /// Where the page with the runbooks is; `#` and the alert's name are added.
    #[arg(long, value_name = "URL", default_value = RUNBOOKS, value_parser = runbooks)]
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

const OBJECT: &str = "expected at most 253 lower-case letters, digits, `-` and `.`, with a letter or digit at \
     both ends and on both sides of every `.` (a subdomain as of RFC 1123)";
const NAMESPACE: &str = "expected at most 63 lower-case letters, digits and `-`, with a letter or digit at both \
     ends (a label as of RFC 1123)";
const TRIAL: &str =
    "expected a trial's `name`: 1 to 63 of a-z, 0-9, `-`, `_` and `.`, beginning with a letter or digit";
const KEY: &str = "expected as KEY at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both \
     ends, and perhaps a domain and `/` before them";
const VALUE: &str = "expected as VALUE nothing, or at most 63 letters, digits, `-`, `_` and `.`, with a letter or \
     digit at both ends";

/// Whether a text is of no more than so many letters (or digits), and of the others only between letters.
fn is_word(text: &str, most: usize, letter: fn(char) -> bool, others: &str) -> bool {
    text.len() <= most
        && text.starts_with(letter)
        && text.ends_with(letter)
        && text.chars().all(|c| letter(c) || others.contains(c))
}

fn is_low(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

/// What Kubernetes takes as the name of most objects.
fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(|part| is_word(part, 253, is_low, "-"))
}

fn is_of_label(text: &str) -> bool {
    is_word(text, 63, |c| c.is_ascii_alphanumeric(), "-_.")
}

fn object(text: &str) -> Result<String, &'static str> {
    is_subdomain(text).then(|| text.to_owned()).ok_or(OBJECT)
}

fn namespace(text: &str) -> Result<String, &'static str> {
    is_word(text, 63, is_low, "-").then(|| text.to_owned()).ok_or(NAMESPACE)
}

/// What a trial file takes as its `name`, and a run's label `trial` is: alerts on a run of any other could never fire. The
/// rule is the exporter's (`exporter/src/trial/model/name.rs`), which shares no code with us.
fn trial(text: &str) -> Result<String, &'static str> {
    let allowed = |c: char| is_low(c) || "-_.".contains(c);
    let is_name = text.len() <= 63 && text.starts_with(is_low) && text.chars().all(allowed);
    is_name.then(|| text.to_owned()).ok_or(TRIAL)
}

fn label(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    let (domain, name) = key.split_once('/').map_or((None, key), |(domain, name)| (Some(domain), name));
    if !is_of_label(name) || domain.is_some_and(|domain| !is_subdomain(domain)) {
        return Err(KEY);
    }
    if !value.is_empty() && !is_of_label(value) {
        return Err(VALUE);
    }
    Ok((key.to_owned(), value.to_owned()))
}

/// An address, or a path, to which a section can be added.
fn runbooks(text: &str) -> Result<String, &'static str> {
    if text.contains('#') {
        return Err("expected no `#`, which is added with the alert's name");
    }
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("expected an address or a path, without spaces (%20 in an address)");
    }
    if text.contains("://") && url::Url::parse(text).is_err() {
        return Err("expected an address such as https://wiki.example/ordeal, or a path");
    }
    Ok(text.to_owned())
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

    /// The key of a label that is given twice, which would hide one of its values.
    pub(crate) fn repeated(&self) -> Option<&str> {
        let keys: Vec<&str> = self.labels.iter().map(|(key, _)| key.as_str()).collect();
        let again = keys.iter().enumerate().find(|(at, key)| keys[..*at].contains(key));
        again.map(|(_, key)| *key)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use clap::error::ErrorKind;

    use super::super::Cli;
    use super::*;

    #[test]
    fn what_cannot_be_used_is_refused_before_anything_is_read() {
        for wrong in [
            ["--name", "My_Rule"],
            ["--namespace", "A B"],
            ["--label", "a=b c"],
            ["--trial", ""],
            ["--runbooks", "https://w/x#y"],
        ] {
            let told = Cli::try_parse_from(["slo-verifier", "rules", "none.yaml"].into_iter().chain(wrong));
            assert!(told.is_err_and(|error| error.kind() == ErrorKind::ValueValidation), "{wrong:?}");
        }
    }

    #[test]
    fn names_are_such_as_kubernetes_takes() {
        let longest = |count: usize| "a".repeat(count);
        for (name, as_object, as_namespace) in [
            ("ordeal", true, true),
            ("0-shop-1", true, true),
            ("shop.run-1.example", true, false),
            (longest(63).as_str(), true, true),
            (longest(64).as_str(), true, false),
            (longest(253).as_str(), true, false),
            (longest(254).as_str(), false, false),
            ("", false, false),
            ("My_Rule", false, false),
            ("My-rule", false, false),
            ("A B", false, false),
            ("-shop", false, false),
            ("shop-", false, false),
            ("shop..run", false, false),
            ("shop.-run", false, false),
            (".shop", false, false),
            ("größe", false, false),
            ("shop\n", false, false),
        ] {
            assert_eq!(object(name).is_ok(), as_object, "{name:?} as an object");
            assert_eq!(namespace(name).is_ok(), as_namespace, "{name:?} as a namespace");
        }
    }

    #[test]
    fn trials_are_such_as_a_trial_file_names() {
        let longest = "a".repeat(63);
        for name in ["shop-under-fire", "0", "a.b_c-", longest.as_str()] {
            assert_eq!(trial(name), Ok(name.to_owned()));
        }
        let longer = "a".repeat(64);
        for name in ["", "shop\t", " shop", "Shop", "-shop", ".shop", "a\"}", "größe", longer.as_str()] {
            assert_eq!(trial(name), Err(TRIAL), "{name:?}");
        }
    }

    #[test]
    fn labels_are_such_as_kubernetes_takes() {
        let longest = "a".repeat(63);
        let longest = longest.as_str();
        for (text, key, value) in [
            ("release=kube-prometheus-stack", "release", "kube-prometheus-stack"),
            ("app.kubernetes.io/part-of=My_Shop.2", "app.kubernetes.io/part-of", "My_Shop.2"),
            ("Team=", "Team", ""),
            (format!("{longest}={longest}").as_str(), longest, longest),
        ] {
            assert_eq!(label(text), Ok((key.to_owned(), value.to_owned())));
        }
        for (text, due) in [
            ("release", "expected KEY=VALUE"),
            ("=b", KEY),
            ("/a=b", KEY),
            ("a/=b", KEY),
            ("a/b/c=d", KEY),
            ("Example.com/a=b", KEY),
            ("_a=b", KEY),
            ("a b=c", KEY),
            (format!("{longest}a=b").as_str(), KEY),
            ("release=a b", VALUE),
            ("release=a=b", VALUE),
            ("release=-a", VALUE),
            ("release=a\n", VALUE),
            (format!("a={longest}a").as_str(), VALUE),
        ] {
            assert_eq!(label(text), Err(due), "{text:?}");
        }
    }

    #[test]
    fn runbooks_are_where_a_section_can_be_added() {
        let sound = [
            RUNBOOKS,
            "https://wiki.example/ordeal",
            "https://w:8443/a%20b?page=7",
            "/runbooks",
            "../docs/r.md",
        ];
        for text in sound {
            assert_eq!(runbooks(text), Ok(text.to_owned()));
        }
        for (text, due) in [
            ("https://w/x#y", "expected no `#`"),
            ("#", "expected no `#`"),
            ("not a url", "without spaces"),
            ("", "an address or a path"),
            ("https://w/x\n", "without spaces"),
            ("https://", "such as https://wiki.example"),
            ("https://w:port/x", "such as https://wiki.example"),
            ("://w/x", "such as https://wiki.example"),
        ] {
            let told = runbooks(text).expect_err(text);
            assert!(told.contains(due), "{text:?}: {told}");
        }
    }
}
