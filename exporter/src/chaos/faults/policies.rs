//! Network policies: those that cut pods off, and how others that would let their traffic through are made
//! narrower meanwhile. Pure.

mod apart;

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicySpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement, ObjectMeta};
use kube::core::{Selector, SelectorExt};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(super) use self::apart::{Side, apart};
use crate::cluster::kubernetes::MANAGER;
use crate::trial::{Required, Requirement};

/// The label by which a StatefulSet tells each of its pods apart.
pub(super) const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";

/// The annotation that holds the mark of whoever made a policy narrower.
pub(super) const NARROWED: &str = "ordeal/narrowed";

/// What tells the policies of one experiment apart: what cuts off from everybody, and either end of a cut between two.
pub(super) const SUFFIXES: [&str; 3] = ["", "-whom", "-from"];

/// What a policy of ours says, and by what its name differs from those of the same experiment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cut {
    pub(super) suffix: &'static str,
    pub(super) spec: NetworkPolicySpec,
}

/// A policy that is made narrower, and how it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Narrowed {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Its state when it was read.
    pub version: String,
    /// Whom it was about.
    pub before: Option<LabelSelector>,
    /// Whom it is about meanwhile.
    pub after: LabelSelector,
}

impl Narrowed {
    /// What makes it narrower.
    pub(super) fn expression(&self) -> Option<&LabelSelectorRequirement> {
        self.after.match_expressions.as_ref()?.last()
    }
}

/// The mark that one experiment leaves on a policy together with what makes it narrower, in one change: whoever puts
/// it back believes the policy, not the journal.
pub(super) fn mark(by: &str, narrowed: &Narrowed) -> String {
    json!([by, narrowed.expression()]).to_string()
}

/// The experiment that has made the policy narrower, and by what, as its mark tells; `None`: there is none.
pub(super) fn marked(policy: &NetworkPolicy) -> Option<(String, LabelSelectorRequirement)> {
    let mark = policy.metadata.annotations.as_ref()?.get(NARROWED)?;
    serde_json::from_str(mark).ok()
}

/// What lets nothing in or out of the pods `whom`.
pub(super) fn cut_off(whom: &Requirement) -> Cut {
    let policy_types = ["Ingress", "Egress"].map(str::to_owned).to_vec();
    let pod_selector = Some(about(whom));
    let spec =
        NetworkPolicySpec { pod_selector, policy_types: Some(policy_types), ..NetworkPolicySpec::default() };
    Cut { suffix: SUFFIXES[0], spec }
}

/// The policy of that name for one run.
pub(super) fn policy(name: String, run: &str, spec: NetworkPolicySpec) -> NetworkPolicy {
    let labels = [("app.kubernetes.io/managed-by", MANAGER), ("ordeal/run", run)];
    let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let metadata = ObjectMeta { name: Some(name), labels: Some(labels.into()), ..ObjectMeta::default() };
    NetworkPolicy { metadata, spec: Some(spec) }
}

/// A selector of all that meet `requirement`.
fn about(requirement: &Requirement) -> LabelSelector {
    LabelSelector { match_labels: None, match_expressions: Some(vec![expression(requirement)]) }
}

fn expression(requirement: &Requirement) -> LabelSelectorRequirement {
    let (operator, values) = match &requirement.of {
        Required::In(values) => ("In", Some(values.clone())),
        Required::NotIn(values) => ("NotIn", Some(values.clone())),
        Required::Exists => ("Exists", None),
        Required::Absent => ("DoesNotExist", None),
    };
    LabelSelectorRequirement { key: requirement.key.clone(), operator: operator.to_owned(), values }
}

/// Those of `policies` that let some traffic through of one of the pods with these labels: policies only add up.
pub(super) fn letting_through(
    policies: Vec<NetworkPolicy>,
    pods: &[BTreeMap<String, String>],
) -> Vec<NetworkPolicy> {
    let lets = |policy: &NetworkPolicy| {
        let Some(spec) = &policy.spec else { return false };
        let rules = spec.ingress.iter().flatten().count() + spec.egress.iter().flatten().count();
        let about = spec.pod_selector.clone().unwrap_or_default();
        let about = Selector::try_from(about);
        let about = about.is_ok_and(|selector| pods.iter().any(|labels| selector.matches(labels)));
        rules > 0 && about
    };
    policies.into_iter().filter(lets).collect()
}

/// `policy` about everybody that it was about but the pods `whom`; `None` for one that the API server does not know
/// by name, UID and state.
pub(super) fn narrowed(policy: &NetworkPolicy, whom: &Requirement) -> Option<Narrowed> {
    let before = policy.spec.as_ref()?.pod_selector.clone();
    let mut after = before.clone().unwrap_or_default();
    after.match_expressions.get_or_insert_default().push(expression(&whom.negated()));
    let metadata = &policy.metadata;
    let (name, uid) = (metadata.name.clone()?, metadata.uid.clone()?);
    Some(Narrowed { name, uid, version: metadata.resource_version.clone()?, before, after })
}

/// Whom a policy is to be about again, which is about `about` by now and was made narrower by `ours`; `None`: that is
/// no more in it. What somebody else has made of it meanwhile stays.
pub(super) fn widened(
    about: Option<LabelSelector>,
    ours: &LabelSelectorRequirement,
) -> Option<LabelSelector> {
    let mut about = about?;
    let expressions = about.match_expressions.as_mut()?;
    let place = expressions.iter().rposition(|expression| expression == ours)?;
    expressions.remove(place);
    about.match_expressions = about.match_expressions.filter(|expressions| !expressions.is_empty());
    Some(about)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn policy(spec: &Value) -> NetworkPolicy {
        let metadata = json!({"name": "it", "uid": "u-1", "resourceVersion": "7"});
        serde_json::from_value(json!({"metadata": metadata, "spec": spec})).expect("a policy")
    }

    #[test]
    fn a_policy_lets_traffic_through_if_it_is_about_the_pod_and_has_a_rule() {
        let rule = || json!([{}]);
        let labels = || json!({"matchLabels": {"app": "postgres"}});
        let table = [
            (json!({"podSelector": labels(), "ingress": rule()}), true),
            (json!({"podSelector": labels(), "egress": rule()}), true),
            (json!({"podSelector": {}, "ingress": rule()}), true),
            (json!({"ingress": rule()}), true),
            // It denies all, as ours does.
            (json!({"podSelector": labels(), "ingress": [], "policyTypes": ["Ingress"]}), false),
            (json!({"podSelector": {"matchLabels": {"app": "redis"}}, "ingress": rule()}), false),
        ];
        let pod = BTreeMap::from([("app".to_owned(), "postgres".to_owned())]);
        for (spec, expected) in table {
            let found = letting_through(vec![policy(&spec)], std::slice::from_ref(&pod));
            assert_eq!(found.len() == 1, expected, "{spec}");
        }
    }

    #[test]
    fn a_narrowed_policy_is_about_the_same_pods_but_one_and_remembers_how_it_was() {
        let tier = json!({"key": "tier", "operator": "Exists"});
        let before = json!({"matchLabels": {"app": "postgres"}, "matchExpressions": [tier]});
        let one = Requirement::equals(POD_NAME, "postgres-0");
        let it = narrowed(&policy(&json!({"podSelector": before, "ingress": [{}]})), &one).expect("whole");
        let but = json!({"key": POD_NAME, "operator": "NotIn", "values": ["postgres-0"]});
        let after = json!({"matchLabels": {"app": "postgres"}, "matchExpressions": [tier, but]});
        assert_eq!(json!(it.before), before);
        assert_eq!(json!(it.after), after);
        assert_eq!((it.name.as_str(), it.uid.as_str(), it.version.as_str()), ("it", "u-1", "7"));
        let selector = Selector::try_from(it.after).expect("a selector");
        let labels = |pod: &str| {
            BTreeMap::from(
                [("app", "postgres"), ("tier", "db"), (POD_NAME, pod)]
                    .map(|(k, v)| (k.to_owned(), v.to_owned())),
            )
        };
        assert!(selector.matches(&labels("postgres-1")) && !selector.matches(&labels("postgres-0")));
    }

    #[test]
    fn a_policy_is_widened_to_what_it_was_or_to_what_somebody_else_made_of_it_meanwhile() {
        let ours = json!({"key": POD_NAME, "operator": "NotIn", "values": ["postgres-0"]});
        let one = Requirement::equals(POD_NAME, "postgres-0");
        let tier = json!({"key": "tier", "operator": "Exists"});
        let labels = |app: &str| json!({"matchLabels": {"app": app}});
        let with = |app: &str, expressions: Value| {
            let mut selector = labels(app);
            selector["matchExpressions"] = expressions;
            selector
        };
        let table = [
            (labels("postgres"), with("postgres", json!([ours])), Some(labels("postgres"))),
            (json!({}), json!({"matchExpressions": [ours]}), Some(json!({}))),
            // Without expressions is without any, as the API server keeps it.
            (with("postgres", json!([])), with("postgres", json!([ours])), Some(labels("postgres"))),
            // Not narrowed, or not any more.
            (labels("postgres"), labels("postgres"), None),
            (labels("postgres"), with("shop", json!([tier])), None),
            // Narrowed, and changed since.
            (labels("postgres"), with("shop", json!([ours])), Some(labels("shop"))),
            (labels("postgres"), with("shop", json!([tier, ours])), Some(with("shop", json!([tier])))),
        ];
        for (before, now, expected) in table {
            let it =
                narrowed(&policy(&json!({"podSelector": before, "ingress": [{}]})), &one).expect("whole");
            let about = serde_json::from_value(now.clone()).expect("a selector");
            let wide = widened(Some(about), it.expression().expect("one"));
            assert_eq!(wide.map(|wide| json!(wide)), expected, "{before} {now}");
        }
    }

    #[test]
    fn a_policy_is_widened_by_its_own_mark_and_by_no_other_word() {
        let one = Requirement::equals(POD_NAME, "postgres-0");
        let mut policy =
            policy(&json!({"podSelector": {"matchLabels": {"app": "postgres"}}, "ingress": [{}]}));
        let it = narrowed(&policy, &one).expect("whole");
        let ours = json!({"key": POD_NAME, "operator": "NotIn", "values": ["postgres-0"]});
        let mark = mark("t1-0", &it);
        for (mark, expected) in [(Some(mark.as_str()), true), (Some("t1-0"), false), (None, false)] {
            policy.metadata.annotations =
                mark.map(|it| BTreeMap::from([(NARROWED.to_owned(), it.to_owned())]));
            let found = marked(&policy).map(|it| json!(it));
            assert_eq!(found, expected.then(|| json!(["t1-0", ours])), "{mark:?}");
        }
    }

    #[test]
    fn the_cut_lets_nothing_in_or_out_of_the_pods() {
        let one = Requirement::equals(POD_NAME, "postgres-0");
        let spec = json!(cut_off(&one).spec);
        let about = json!({"key": POD_NAME, "operator": "In", "values": ["postgres-0"]});
        let types = json!(["Ingress", "Egress"]);
        assert_eq!(spec, json!({"podSelector": {"matchExpressions": [about]}, "policyTypes": types}));
    }
}
