//! What objects of the API server say of workloads and autoscalers. Pure.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, MetricSpec, MetricStatus};
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use kube::core::Selector;

use super::fitness;
use crate::cluster::seen::Object;
use crate::cluster::{Autoscaler, Instance};

/// What a workload wants, and how its pods are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) desired: u32,
    pub(super) selector: String,
    /// Containers without a readiness probe.
    pub(super) unprobed: Vec<String>,
}

/// A number of pods, which the API server keeps from being negative.
fn count(number: Option<i32>, default: u32) -> u32 {
    number.map_or(default, |number| u32::try_from(number).unwrap_or(0))
}

pub(super) fn of_deployment(it: &Deployment) -> Option<Wanted> {
    let spec = it.spec.as_ref()?;
    wanted(spec.replicas, &spec.selector, &spec.template)
}

pub(super) fn of_stateful_set(it: &StatefulSet) -> Option<Wanted> {
    let spec = it.spec.as_ref()?;
    wanted(spec.replicas, &spec.selector, &spec.template)
}

fn wanted(replicas: Option<i32>, labels: &LabelSelector, template: &PodTemplateSpec) -> Option<Wanted> {
    let (desired, unprobed) = (count(replicas, 1), fitness::unprobed(template));
    Some(Wanted { desired, selector: selector(labels)?, unprobed })
}

/// A selector as list requests take it.
fn selector(it: &LabelSelector) -> Option<String> {
    Selector::try_from(it.clone()).ok().map(|selector| selector.to_string())
}

/// A pod as an instance of its workload; `None`: it has ended, or is of no node yet and so no instance.
pub(super) fn instance(pod: &Pod) -> Option<Instance> {
    let ended = matches!(phase(pod), Some("Succeeded" | "Failed"));
    let (id, node) = (pod.metadata.uid.clone()?, pod.spec.as_ref()?.node_name.clone()?);
    (!ended).then(|| Instance { id, node, ready: is_ready(pod) })
}

fn phase(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.phase.as_deref()
}

/// Whether `pod` serves: ready, and not on its way out, for which endpoints drop it at once.
pub fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let ready = conditions.into_iter().any(|it| it.type_ == "Ready" && it.status == "True");
    ready && pod.metadata.deletion_timestamp.is_none()
}

/// An object of a kind as it is told of.
pub(super) fn object_of(kind: &str, metadata: &ObjectMeta) -> Object {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Object { kind: kind.to_owned(), name: text(&metadata.name), uid: text(&metadata.uid) }
}

/// An autoscaler; `None` where it has no name or specification yet.
pub(super) fn autoscaler(it: &HorizontalPodAutoscaler) -> Option<Autoscaler> {
    let (spec, status) = (it.spec.as_ref()?, it.status.as_ref());
    let mut current = status.iter().flat_map(|status| status.current_metrics.iter().flatten());
    Some(Autoscaler {
        name: it.metadata.name.clone()?,
        workload: spec.scale_target_ref.name.clone(),
        min: count(spec.min_replicas, 1),
        max: count(Some(spec.max_replicas), 1),
        current: count(status.and_then(|status| status.current_replicas), 0),
        desired: count(status.map(|status| status.desired_replicas), 0),
        utilization: current.find_map(seen),
        target_utilization: spec.metrics.iter().flatten().find_map(aimed_at),
        blind: fitness::blindness(it),
    })
}

/// The utilisation of the processor that it saw, as a share of the request.
fn seen(metric: &MetricStatus) -> Option<f64> {
    let resource = metric.resource.as_ref().filter(|resource| resource.name == "cpu")?;
    resource.current.average_utilization.map(share)
}

fn aimed_at(metric: &MetricSpec) -> Option<f64> {
    let resource = metric.resource.as_ref().filter(|resource| resource.name == "cpu")?;
    resource.target.average_utilization.map(share)
}

fn share(percent: i32) -> f64 {
    f64::from(percent) / 100.0
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).expect("an object")
    }

    #[test]
    fn a_workload_says_how_many_pods_it_wants_and_how_they_are_found() {
        let deployment = json!({"metadata": {"name": "shop"}, "spec": {"replicas": 3,
            "template": {"spec": {"containers": [{"name": "shop"}]}},
            "selector": {"matchLabels": {"app": "shop", "tier": "web"}, "matchExpressions": [
                {"key": "track", "operator": "In", "values": ["a", "b"]},
                {"key": "old", "operator": "NotIn", "values": ["yes"]},
                {"key": "owned", "operator": "Exists"}, {"key": "canary", "operator": "DoesNotExist"}]}}});
        let selector = "app=shop,tier=web,track in (a,b),old notin (yes),owned,!canary".to_owned();
        assert_eq!(
            of_deployment(&object(deployment)),
            Some(Wanted { desired: 3, selector, unprobed: vec!["shop".to_owned()] })
        );
        let set = json!({"metadata": {"name": "postgres"}, "spec": {"serviceName": "postgres", "template": {},
            "selector": {"matchLabels": {"app": "postgres"}}}});
        let selector = "app=postgres".to_owned();
        assert_eq!(of_stateful_set(&object(set)), Some(Wanted { desired: 1, selector, unprobed: vec![] }));
    }

    #[test]
    fn a_pod_is_an_instance_once_it_has_a_node_until_it_has_ended() {
        let pod = |node: Option<&str>, phase: &str, ready: &str, deleted: Option<&str>| {
            object::<Pod>(json!({
                "metadata": {"name": "shop-1", "uid": "u-1", "deletionTimestamp": deleted},
                "spec": {"nodeName": node, "containers": []},
                "status": {"phase": phase, "conditions": [
                    {"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": ready}]},
            }))
        };
        let leaving = Some("2026-11-24T10:00:00Z");
        let table = [
            (pod(Some("n1"), "Running", "True", None), Some(true)),
            (pod(Some("n1"), "Running", "False", None), Some(false)),
            // On its way out: the phase stays Running, and so may the condition.
            (pod(Some("n1"), "Running", "True", leaving), Some(false)),
            (pod(None, "Pending", "False", None), None),
            (pod(Some("n1"), "Failed", "False", None), None),
            (pod(Some("n1"), "Succeeded", "False", None), None),
        ];
        for (pod, expected) in table {
            let ready = |ready| Instance { id: "u-1".to_owned(), node: "n1".to_owned(), ready };
            assert_eq!(instance(&pod), expected.map(ready), "{:?}", pod.status);
        }
    }

    #[test]
    fn an_autoscaler_may_not_have_counted_yet_and_may_aim_at_something_else() {
        let spec = |metrics: Value| {
            json!({"metadata": {"name": "shop"}, "spec": {"minReplicas": 3, "maxReplicas": 10,
                "scaleTargetRef": {"kind": "Deployment", "name": "shop"}, "metrics": metrics}})
        };
        let cpu = json!([{"type": "Resource", "resource": {"name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": 50}}}]);
        let mut counted = spec(cpu.clone());
        counted["status"] = json!({"currentReplicas": 4, "desiredReplicas": 10, "currentMetrics": [
            {"type": "Resource", "resource": {"name": "memory", "current": {"averageUtilization": 7}}},
            {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 193}}}]});
        let requests = json!([{"type": "Pods", "pods": {"metric": {"name": "requests"},
            "target": {"type": "AverageValue", "averageValue": "100"}}}]);
        let autoscaler_of = |value: Value| autoscaler(&object(value)).expect("an autoscaler");
        let fresh = Autoscaler {
            name: "shop".to_owned(),
            workload: "shop".to_owned(),
            min: 3,
            max: 10,
            current: 0,
            desired: 0,
            utilization: None,
            target_utilization: Some(0.5),
            blind: Some("AbleToScale is not known yet".to_owned()),
        };
        assert_eq!(autoscaler_of(spec(cpu)), fresh);
        let seen = Autoscaler { current: 4, desired: 10, utilization: Some(1.93), ..fresh.clone() };
        assert_eq!(autoscaler_of(counted), seen);
        assert_eq!(autoscaler_of(spec(requests)), Autoscaler { target_utilization: None, ..fresh });
    }
}
