//! Names of metrics and labels, and whether an expression uses only those.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{Expr, LabelModifier, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};
use serde_json::Value;

/// Labels whose values the trial chooses, so that an example's values say nothing.
const OPEN: [&str; 10] =
    ["task", "component", "experiment", "store", "workload", "autoscaler", "run", "trial", "version", "le"];
/// Labels that Prometheus adds to every series.
const ADDED: [&str; 2] = ["job", "instance"];

/// The labels of each family, with the values that were seen; of other people's families none are known.
#[derive(Default)]
pub(crate) struct Vocabulary {
    families: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

/// What an expression uses.
#[derive(Default)]
struct Uses {
    selectors: Vec<VectorSelector>,
    grouping: BTreeSet<String>,
    /// Labels that the expression itself makes.
    made: BTreeSet<String>,
}

impl Vocabulary {
    /// All series of an exposition in the text format.
    pub(crate) fn of_exposition(text: &str) -> Self {
        let mut all = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (name, rest) = line.split_once(['{', ' ']).expect("a name and a value");
            let family = all.families.entry(name.to_owned()).or_default();
            let Some(labels) = rest.rsplit_once('}').map(|(labels, _)| labels) else { continue };
            for label in labels.split("\",").filter(|label| !label.is_empty()) {
                let (label, value) = label.split_once("=\"").expect("a label and its value");
                family.entry(label.to_owned()).or_default().insert(value.trim_end_matches('"').to_owned());
            }
        }
        // Prometheus tells these of every target.
        for name in ["up", "scrape_duration_seconds", "scrape_samples_scraped"] {
            all.families.entry(name.to_owned()).or_default();
        }
        all
    }

    /// Other people's families, under their present and their older names.
    pub(crate) fn add_others(&mut self, names: &Value) {
        for (name, entry) in names.as_object().expect("a map of families") {
            let labels = entry["labels"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let labels: BTreeMap<_, _> = labels.map(|label| (label.to_owned(), BTreeSet::new())).collect();
            let older = entry["was"].as_object().into_iter().flat_map(|was| was.keys());
            for name in older.chain([name]) {
                self.families.insert(name.clone(), labels.clone());
            }
        }
    }

    /// The families that a rule file records, in its order: with the labels of their expressions, and their own.
    pub(crate) fn add_recorded(&mut self, file: &Value) {
        let groups = file["groups"].as_array().or(file["spec"]["groups"].as_array()).expect("groups");
        for rule in groups.iter().flat_map(|group| group["rules"].as_array().expect("rules")) {
            let Some(name) = rule["record"].as_str() else { continue };
            let expr = promql_parser::parser::parse(rule["expr"].as_str().expect("an expression"));
            let of_expr = expr.map(|expr| self.labels(&expr)).unwrap_or_default();
            let own = rule["labels"].as_object().into_iter().flat_map(|labels| labels.keys().cloned());
            let family = self.families.entry(name.to_owned()).or_default();
            family.extend(of_expr.into_iter().chain(own).map(|label| (label, BTreeSet::new())));
        }
    }

    /// What an expression names that nobody exposes.
    pub(crate) fn faults(&self, expr: &Expr) -> Vec<String> {
        let uses = Uses::of(expr);
        let mut found: Vec<_> = uses.selectors.iter().flat_map(|selector| self.faults_of(selector)).collect();
        let labels = self.labels(expr);
        let unknown = uses.grouping.difference(&labels);
        found.extend(unknown.map(|label| format!("no series has the label {label}")));
        found
    }

    /// The labels that any series of the expression has.
    pub(crate) fn labels(&self, expr: &Expr) -> BTreeSet<String> {
        let uses = Uses::of(expr);
        let names = uses.selectors.iter().filter_map(|selector| selector.name.as_ref());
        let of_families = names.filter_map(|name| self.families.get(name)).flat_map(BTreeMap::keys).cloned();
        ADDED.iter().map(|label| (*label).to_owned()).chain(of_families).chain(uses.made).collect()
    }

    fn faults_of(&self, selector: &VectorSelector) -> Vec<String> {
        let Some(name) = &selector.name else { return vec!["a selector without a name".to_owned()] };
        let Some(labels) = self.families.get(name) else { return vec![format!("nobody exposes {name}")] };
        let alternatives = selector.matchers.or_matchers.iter().flatten();
        let matchers = selector.matchers.matchers.iter().chain(alternatives);
        matchers.filter_map(|matcher| fault(name, labels, matcher)).collect()
    }
}

fn fault(name: &str, labels: &BTreeMap<String, BTreeSet<String>>, matcher: &Matcher) -> Option<String> {
    let Matcher { name: label, value, op } = matcher;
    if ADDED.contains(&label.as_str()) {
        return None;
    }
    let Some(values) = labels.get(label) else { return Some(format!("{name} has no label {label}")) };
    let picks = matches!(op, MatchOp::Equal | MatchOp::Re(_));
    let known = OPEN.contains(&label.as_str()) || values.is_empty() || value.contains('$');
    let seen = values.iter().any(|value| matcher.is_match(value));
    (picks && !known && !seen).then(|| format!("{label} of {name} is never {value}"))
}

impl Uses {
    fn of(expr: &Expr) -> Self {
        let mut uses = Self::default();
        let Ok(_) = walk_expr(&mut uses, expr);
        uses
    }

    fn group(&mut self, modifier: Option<&LabelModifier>) {
        self.grouping.extend(modifier.iter().flat_map(|modifier| modifier.labels().labels.clone()));
    }
}

impl ExprVisitor for Uses {
    type Error = Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Infallible> {
        match expr {
            Expr::VectorSelector(selector) => self.selectors.push(selector.clone()),
            Expr::MatrixSelector(matrix) => self.selectors.push(matrix.vs.clone()),
            Expr::Aggregate(aggregate) => self.group(aggregate.modifier.as_ref()),
            Expr::Binary(binary) => {
                if let Some(modifier) = &binary.modifier {
                    self.group(modifier.matching.as_ref());
                    self.grouping
                        .extend(modifier.card.labels().into_iter().flat_map(|labels| labels.labels.clone()));
                }
            }
            Expr::Call(call) if matches!(call.func.name, "label_replace" | "label_join") => {
                if let Some(Expr::StringLiteral(made)) = call.args.args.get(1).map(AsRef::as_ref) {
                    self.made.insert(made.val.clone());
                }
            }
            _ => {}
        }
        Ok(true)
    }
}

/// The labels that a legend or an annotation shows: `{{task}}`, `{{ $labels.task }}`.
pub(crate) fn shown(text: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    let legends = text.split("{{").skip(1).map(str::trim_start).map(word);
    let annotations = text.split("$labels.").skip(1).map(word);
    legends.chain(annotations).filter(|label: &String| !label.is_empty()).collect()
}
