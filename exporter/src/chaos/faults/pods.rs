//! Pods as faults choose among them, and budgets that speak against it. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::{Selector, SelectorExt};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::index;

use crate::chaos::guard::Obstacle;
use crate::cluster::Target;
use crate::cluster::kubernetes::{Kubernetes, is_ready};

/// A pod that may be hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) uid: String,
    /// Serves at this moment.
    pub(super) ready: bool,
    /// Is on its way out.
    leaving: bool,
    /// Belongs to a controller, which puts another in its place.
    owned: bool,
    labels: BTreeMap<String, String>,
}

impl Candidate {
    /// `None` for a pod without name or UID, which the API server has none of.
    pub(super) fn of(pod: &Pod) -> Option<Self> {
        let metadata = &pod.metadata;
        Some(Self {
            name: metadata.name.clone()?,
            uid: metadata.uid.clone()?,
            ready: is_ready(pod),
            leaving: metadata.deletion_timestamp.is_some(),
            owned: metadata.owner_references.iter().flatten().any(|owner| owner.controller == Some(true)),
            labels: metadata.labels.clone().unwrap_or_default(),
        })
    }

    pub(super) fn target(&self) -> Target {
        Target::Pod { name: self.name.clone(), uid: self.uid.clone() }
    }

    /// Whether a pod of this metadata is `target`, and no other of its name.
    pub(super) fn is(metadata: &ObjectMeta, target: &Target) -> bool {
        matches!(target, Target::Pod { uid, .. } if metadata.uid.as_ref() == Some(uid))
    }

    /// What speaks against hitting it, of the pod itself.
    fn obstacle(&self) -> Option<Obstacle> {
        let pod = || self.name.clone();
        match (self.leaving, self.owned) {
            (true, _) => Some(Obstacle::Leaving { pod: pod() }),
            (false, false) => Some(Obstacle::Ownerless { pod: pod() }),
            (false, true) => None,
        }
    }
}

/// Where pods with `selector` are looked for, for people: both may be what was mistaken.
pub(super) fn sought(selector: &str, cluster: &Kubernetes) -> String {
    format!("{selector} in namespace {}", cluster.namespace())
}

/// Draws `count` of the ready ones by lot. The same pods and seed draw the same ones, in whatever order they come.
pub(super) fn draw(
    candidates: Vec<Candidate>,
    count: usize,
    seed: u64,
    sought: &str,
) -> Result<Vec<Candidate>, Obstacle> {
    let mut ready: Vec<Candidate> = candidates.into_iter().filter(|it| it.ready).collect();
    if ready.len() < count {
        let (selector, ready) = (sought.to_owned(), ready.len());
        return Err(Obstacle::TooFewPods { selector, ready, wanted: count });
    }
    ready.sort_by(|one, other| one.name.cmp(&other.name));
    let mut lot = StdRng::seed_from_u64(seed);
    let drawn = index::sample(&mut lot, ready.len(), count);
    Ok(drawn.iter().map(|index| ready[index].clone()).collect())
}

/// What of the present state speaks against hitting `targets`. `present` are the pods of their names.
pub(super) fn obstacle(
    targets: &[Target],
    present: &[Candidate],
    budgets: &[PodDisruptionBudget],
) -> Option<Obstacle> {
    let mut hit = Vec::with_capacity(targets.len());
    for target in targets {
        match present.iter().find(|candidate| candidate.target() == *target) {
            Some(candidate) => hit.push(candidate),
            None => return Some(Obstacle::NoPod { pod: target.name().to_owned() }),
        }
    }
    let of_pods = hit.iter().find_map(|candidate| candidate.obstacle());
    of_pods.or_else(|| budgets.iter().find_map(|budget| over(budget, &hit)))
}

/// Whether `hit` is more than `budget` allows. One that nobody has counted yet allows none.
fn over(budget: &PodDisruptionBudget, hit: &[&Candidate]) -> Option<Obstacle> {
    let selector: Selector = budget.spec.as_ref()?.selector.clone()?.try_into().ok()?;
    let hit = hit.iter().filter(|candidate| selector.matches(&candidate.labels)).count();
    let allowed = budget.status.as_ref().map_or(0, |status| status.disruptions_allowed);
    let allowed = usize::try_from(allowed).unwrap_or(0);
    let name = budget.metadata.name.clone().unwrap_or_default();
    (hit > allowed).then_some(Obstacle::Budget { budget: name, allowed, hit })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn candidate(name: &str) -> Candidate {
        Candidate {
            name: name.to_owned(),
            uid: format!("u-{name}"),
            ready: true,
            leaving: false,
            owned: true,
            labels: BTreeMap::from([("app".to_owned(), "shop".to_owned())]),
        }
    }

    fn names(drawn: &[Candidate]) -> Vec<&str> {
        drawn.iter().map(|it| it.name.as_str()).collect()
    }

    #[test]
    fn a_pod_is_read_with_all_that_the_choice_rests_on() {
        let pod = |value| serde_json::from_value::<Pod>(value).expect("a pod");
        let ready = json!([{"type": "Ready", "status": "True"}]);
        let owners = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "shop", "uid": "r",
            "controller": true}]);
        let whole = pod(json!({"metadata": {"name": "a", "uid": "u-a", "ownerReferences": owners,
            "labels": {"app": "shop"}}, "status": {"conditions": ready}}));
        assert_eq!(Candidate::of(&whole), Some(candidate("a")));
        let leaving = pod(json!({"metadata": {"name": "a", "uid": "u-a", "labels": {"app": "shop"},
            "deletionTimestamp": "2026-11-24T10:00:00Z"}, "status": {"conditions": ready}}));
        let expected = Candidate { ready: false, leaving: true, owned: false, ..candidate("a") };
        assert_eq!(Candidate::of(&leaving), Some(expected));
        assert_eq!(Candidate::of(&pod(json!({"metadata": {"name": "a"}}))), None);
    }

    #[test]
    fn ready_pods_are_drawn_by_a_lot_that_can_be_repeated() {
        let five = || ["e", "d", "c", "b", "a"].map(candidate).to_vec();
        let drawn = |seed, count| draw(five(), count, seed, "app=shop").expect("enough of them");
        let mut reversed = five();
        reversed.reverse();
        assert_eq!(drawn(1, 2), draw(reversed, 2, 1, "app=shop").expect("enough of them"));
        let pairs: std::collections::BTreeSet<_> = (0..100)
            .map(|seed| {
                let drawn = drawn(seed, 2);
                assert_ne!(drawn[0].uid, drawn[1].uid);
                let mut pair = names(&drawn).join("");
                if pair.as_bytes()[0] > pair.as_bytes()[1] {
                    pair = pair.chars().rev().collect();
                }
                pair
            })
            .collect();
        assert_eq!(pairs.len(), 10, "every pair may be drawn: {pairs:?}");
        let mut some = five();
        some[0].ready = false;
        some[1].ready = false;
        let few = Obstacle::TooFewPods { selector: "app=shop".to_owned(), ready: 3, wanted: 4 };
        assert_eq!(draw(some.clone(), 4, 1, "app=shop"), Err(few));
        let mut drawn = draw(some, 3, 7, "app=shop").expect("just enough");
        drawn.sort_by(|one, other| one.name.cmp(&other.name));
        assert_eq!(names(&drawn), ["a", "b", "c"]);
    }

    fn budget(name: &str, selector: &serde_json::Value, allowed: Option<i32>) -> PodDisruptionBudget {
        let status = allowed.map(|allowed| {
            json!({"disruptionsAllowed": allowed, "currentHealthy": 3, "desiredHealthy": 2, "expectedPods": 3})
        });
        let value = json!({"metadata": {"name": name}, "spec": {"selector": selector}, "status": status});
        serde_json::from_value(value).expect("a budget")
    }

    #[test]
    fn pods_that_are_others_by_now_leaving_or_ownerless_are_not_hit() {
        let (here, pod) = (candidate("a"), || "a".to_owned());
        let obstacle_of = |present: Candidate| obstacle(&[candidate("a").target()], &[present], &[]);
        assert_eq!(obstacle_of(here.clone()), None);
        assert_eq!(
            obstacle_of(Candidate { uid: "u-2".to_owned(), ..here.clone() }),
            Some(Obstacle::NoPod { pod: pod() })
        );
        assert_eq!(
            obstacle_of(Candidate { leaving: true, ..here.clone() }),
            Some(Obstacle::Leaving { pod: pod() })
        );
        assert_eq!(obstacle_of(Candidate { owned: false, ..here }), Some(Obstacle::Ownerless { pod: pod() }));
    }

    #[test]
    fn a_budget_counts_the_pods_that_it_is_about() {
        let two = ["a", "b"].map(candidate);
        let targets: Vec<Target> = two.iter().map(Candidate::target).collect();
        let shop = || json!({"matchLabels": {"app": "shop"}});
        let over = |allowed| Obstacle::Budget { budget: "shop".to_owned(), allowed, hit: 2 };
        let table = [
            (vec![], None),
            (vec![budget("shop", &shop(), Some(2))], None),
            (vec![budget("shop", &shop(), Some(1))], Some(over(1))),
            // An empty selector is every pod, none at all is no pod.
            (vec![budget("shop", &json!({}), Some(1))], Some(over(1))),
            (vec![budget("shop", &json!(null), Some(0))], None),
            (vec![budget("shop", &json!({"matchLabels": {"app": "mail"}}), Some(0))], None),
            (vec![budget("shop", &shop(), None)], Some(over(0))),
            (vec![budget("wide", &shop(), Some(2)), budget("shop", &shop(), Some(0))], Some(over(0))),
        ];
        for (budgets, expected) in table {
            assert_eq!(obstacle(&targets, &two, &budgets), expected, "{budgets:?}");
        }
    }
}
