//! Whether a cluster tells what a run rests on: autoscalers that see the load, pods that say when they serve. Pure.

use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, MetricStatus};
use k8s_openapi::api::core::v1::PodTemplateSpec;

/// What an autoscaler says of itself, each of which must be true.
const SOUND: [&str; 2] = ["AbleToScale", "ScalingActive"];

/// Why an autoscaler does not follow the load; `None`: it does.
pub(super) fn blindness(it: &HorizontalPodAutoscaler) -> Option<String> {
    let status = it.status.as_ref();
    let conditions = || status.iter().flat_map(|status| status.conditions.iter().flatten());
    for wanted in SOUND {
        let Some(found) = conditions().find(|condition| condition.type_ == wanted) else {
            return Some(format!("{wanted} is not known yet"));
        };
        if found.status != "True" {
            let said = [found.reason.as_deref(), found.message.as_deref()];
            let said = said.into_iter().flatten().collect::<Vec<_>>().join(": ");
            return Some(format!("{wanted} is {}: {said}", found.status));
        }
    }
    let mut metrics = status.iter().flat_map(|status| status.current_metrics.iter().flatten());
    (!metrics.any(has_value)).then(|| "it has read no metric yet".to_owned())
}

fn has_value(metric: &MetricStatus) -> bool {
    let current = [
        metric.resource.as_ref().map(|it| &it.current),
        metric.container_resource.as_ref().map(|it| &it.current),
        metric.pods.as_ref().map(|it| &it.current),
        metric.object.as_ref().map(|it| &it.current),
        metric.external.as_ref().map(|it| &it.current),
    ];
    current.into_iter().flatten().any(|value| {
        value.average_utilization.is_some() || value.average_value.is_some() || value.value.is_some()
    })
}

/// The containers of a pod without a readiness probe: they count as ready as soon as they run.
pub(super) fn unprobed(template: &PodTemplateSpec) -> Vec<String> {
    let containers = template.spec.iter().flat_map(|spec| &spec.containers);
    let unprobed = containers.filter(|container| container.readiness_probe.is_none());
    unprobed.map(|container| container.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_autoscaler_follows_the_load_once_it_has_read_a_metric() {
        let status = |able: &str, active: &str, metrics: Value| {
            json!({"conditions": [
                {"type": "AbleToScale", "status": able, "reason": "R", "message": "able"},
                {"type": "ScalingActive", "status": active, "reason": "FailedGetResourceMetric",
                 "message": "no metrics returned"}], "currentMetrics": metrics})
        };
        let cpu = || {
            json!([{"type": "Resource", "resource": {"name": "cpu",
            "current": {"averageUtilization": 7, "averageValue": "7m"}}}])
        };
        let rate = || {
            json!([{"type": "External", "external": {"metric": {"name": "rate"},
            "current": {"value": "3"}}}])
        };
        // As the controller leaves it where it could read none.
        let none = || json!([{"type": ""}, {"type": "Resource", "resource": {"name": "cpu", "current": {}}}]);
        let failed = "ScalingActive is False: FailedGetResourceMetric: no metrics returned";
        let table = [
            (status("True", "True", cpu()), None),
            (status("True", "True", rate()), None),
            (status("True", "True", none()), Some("it has read no metric yet")),
            (status("True", "True", json!(null)), Some("it has read no metric yet")),
            (status("True", "False", cpu()), Some(failed)),
            (status("False", "False", cpu()), Some("AbleToScale is False: R: able")),
            (json!({}), Some("AbleToScale is not known yet")),
        ];
        for (status, expected) in table {
            let value = json!({"metadata": {"name": "shop"}, "status": status});
            let autoscaler = serde_json::from_value(value).expect("an autoscaler");
            assert_eq!(blindness(&autoscaler).as_deref(), expected);
        }
    }

    #[test]
    fn containers_without_a_readiness_probe_are_named() {
        let probe = json!({"httpGet": {"path": "/", "port": 80}});
        let value = json!({"spec": {
            "initContainers": [{"name": "first"}],
            "containers": [{"name": "shop", "readinessProbe": probe}, {"name": "proxy", "livenessProbe": probe}]}});
        let template = serde_json::from_value(value).expect("a template");
        assert_eq!(unprobed(&template), ["proxy"]);
    }
}
