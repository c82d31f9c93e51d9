//! The metric families of the status document.
//!
//! Its names are known with the first document, so the series begin with it. Gauges go away when the document
//! has not been readable for a while: an old value is no evidence.

use std::collections::BTreeMap;

use prometheus::{CounterVec, GaugeVec, IntCounterVec, IntGaugeVec, Opts, Registry};

use super::document::{Document, Interventions};

/// Failed polls in a row after which the gauges go away.
const FAILED_POLLS: u32 = 8;

pub(super) struct Metrics {
    replicas: IntGaugeVec,
    autoscaler: IntGaugeVec,
    utilization: GaugeVec,
    interventions: IntCounterVec,
    /// Without labels; a vector, since it is absent where nothing watches.
    watched: CounterVec,
    kinds_seen: BTreeMap<String, u64>,
    watched_seen: Option<f64>,
    failed: u32,
    /// Names in the last document.
    names: Vec<String>,
}

impl Metrics {
    pub(super) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let opts = |name: &str, help: &str| Opts::new(format!("ordeal_{name}"), help);
        let metrics = Self {
            replicas: IntGaugeVec::new(
                opts("workload_replicas", "Instances of a workload, desired and ready."),
                &["workload", "state"],
            )?,
            autoscaler: IntGaugeVec::new(
                opts("autoscaler_replicas", "Instances as the autoscaler has them."),
                &["autoscaler", "state"],
            )?,
            utilization: GaugeVec::new(
                opts("autoscaler_utilization_ratio", "Utilisation that the autoscaler sees and aims at."),
                &["autoscaler", "state"],
            )?,
            interventions: IntCounterVec::new(
                opts("interventions_total", "Changes that no controller made, since the run began."),
                &["kind"],
            )?,
            watched: CounterVec::new(
                opts(
                    "interventions_watched_seconds_total",
                    "Time in which someone watched for interventions without a gap.",
                ),
                &[],
            )?,
            kinds_seen: BTreeMap::new(),
            watched_seen: None,
            failed: 0,
            names: Vec::new(),
        };
        registry.register(Box::new(metrics.replicas.clone()))?;
        registry.register(Box::new(metrics.autoscaler.clone()))?;
        registry.register(Box::new(metrics.utilization.clone()))?;
        registry.register(Box::new(metrics.interventions.clone()))?;
        registry.register(Box::new(metrics.watched.clone()))?;
        Ok(metrics)
    }

    /// Shows `document`.
    pub(super) fn show(&mut self, document: &Document) {
        self.failed = 0;
        let workloads = document.workloads.iter().map(|workload| &workload.name);
        let autoscalers = document.autoscalers.iter().map(|autoscaler| &autoscaler.name);
        let names: Vec<String> = workloads.chain(autoscalers).cloned().collect();
        if self.names != names {
            self.forget();
            self.names = names;
        }
        for workload in &document.workloads {
            let set = |state, value: i64| {
                self.replicas.with_label_values(&[workload.name.as_str(), state]).set(value);
            };
            set("desired", workload.desired.into());
            set("ready", i64::try_from(workload.ready()).unwrap_or(i64::MAX));
        }
        for autoscaler in &document.autoscalers {
            let name = autoscaler.name.as_str();
            let set = |state, value: u32| self.autoscaler.with_label_values(&[name, state]).set(value.into());
            set("min", autoscaler.min);
            set("max", autoscaler.max);
            set("current", autoscaler.current);
            set("desired", autoscaler.desired);
            let ratio = |state, value| match value {
                Some(value) => self.utilization.with_label_values(&[name, state]).set(value),
                // An error says that there was none.
                None => drop(self.utilization.remove_label_values(&[name, state])),
            };
            ratio("target", autoscaler.target_utilization);
            ratio("current", autoscaler.utilization);
        }
        if let Some(interventions) = &document.interventions {
            self.follow(interventions);
        }
    }

    /// A poll failed.
    pub(super) fn failed(&mut self) {
        self.failed = self.failed.saturating_add(1);
        if self.failed == FAILED_POLLS {
            self.forget();
        }
    }

    fn forget(&self) {
        self.replicas.reset();
        self.autoscaler.reset();
        self.utilization.reset();
    }

    /// Counts from the first document on. The watcher's values fall when it was started again: the time until
    /// then was a gap and is not counted, what it has seen since was done by somebody and is.
    fn follow(&mut self, interventions: &Interventions) {
        let watched = self.watched.with_label_values::<&str>(&[]);
        let now = interventions.watched_seconds;
        let grown = now - self.watched_seen.replace(now).unwrap_or(now);
        if grown > 0.0 {
            watched.inc_by(grown);
        }
        for (kind, &now) in &interventions.kinds {
            let counter = self.interventions.with_label_values(&[kind.as_str()]);
            let before = self.kinds_seen.insert(kind.clone(), now).unwrap_or(now);
            counter.inc_by(if now < before { now } else { now - before });
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus::TextEncoder;

    use super::*;

    fn shown(registry: &Registry) -> String {
        let text = TextEncoder::new().encode_to_string(&registry.gather()).expect("an exposition");
        text.lines().filter(|line| !line.starts_with('#')).fold(String::new(), |all, line| all + line + "\n")
    }

    fn document(interventions: Option<(f64, u64)>) -> Document {
        let text = r#"{"workloads":[{"name":"shop","desired":3,"instances":[{"id":"a","node":"n","ready":true}]}],
            "autoscalers":[{"name":"shop","workload":"shop","min":3,"max":10,"current":3,"desired":4,
            "utilization":0.25,"target_utilization":0.5}]}"#;
        let mut document: Document = serde_json::from_str(text).expect("a document");
        document.interventions = interventions.map(|(watched_seconds, commands)| Interventions {
            watched_seconds,
            kinds: BTreeMap::from([("command".to_owned(), commands)]),
        });
        document
    }

    #[test]
    fn replicas_and_autoscalers_are_shown_and_interventions_absent_where_nobody_watches() {
        let registry = Registry::new();
        Metrics::register(&registry).expect("free names").show(&document(None));
        let expected = [
            r#"ordeal_autoscaler_replicas{autoscaler="shop",state="current"} 3"#,
            r#"ordeal_autoscaler_replicas{autoscaler="shop",state="desired"} 4"#,
            r#"ordeal_autoscaler_replicas{autoscaler="shop",state="max"} 10"#,
            r#"ordeal_autoscaler_replicas{autoscaler="shop",state="min"} 3"#,
            r#"ordeal_autoscaler_utilization_ratio{autoscaler="shop",state="current"} 0.25"#,
            r#"ordeal_autoscaler_utilization_ratio{autoscaler="shop",state="target"} 0.5"#,
            r#"ordeal_workload_replicas{state="desired",workload="shop"} 3"#,
            r#"ordeal_workload_replicas{state="ready",workload="shop"} 1"#,
        ];
        assert_eq!(shown(&registry).trim_end().lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn interventions_count_from_the_first_document_and_a_restarted_watcher_leaves_a_gap() {
        let registry = Registry::new();
        let mut metrics = Metrics::register(&registry).expect("free names");
        let table = [
            ((81.0, 2), (0.0, 0)),
            ((82.5, 2), (1.5, 0)),
            ((83.0, 3), (2.0, 1)),
            ((0.5, 1), (2.0, 2)),
            ((1.0, 1), (2.5, 2)),
        ];
        for (seen, (watched, commands)) in table {
            metrics.show(&document(Some(seen)));
            let text = shown(&registry);
            assert!(
                text.contains(&format!("ordeal_interventions_watched_seconds_total {watched}\n")),
                "{text}"
            );
            assert!(
                text.contains(&format!("ordeal_interventions_total{{kind=\"command\"}} {commands}\n")),
                "{text}"
            );
        }
    }

    #[test]
    fn gauges_of_a_name_that_the_document_has_no_more_go_away() {
        let registry = Registry::new();
        let mut metrics = Metrics::register(&registry).expect("free names");
        let mut document = document(None);
        metrics.show(&document);
        document.workloads[0].name = "mail".to_owned();
        metrics.show(&document);
        let text = shown(&registry);
        assert!(text.contains("workload=\"mail\"") && !text.contains("workload=\"shop\""), "{text}");
    }

    #[test]
    fn gauges_go_away_with_the_document_and_counters_stay() {
        let registry = Registry::new();
        let mut metrics = Metrics::register(&registry).expect("free names");
        metrics.show(&document(Some((81.0, 2))));
        (0..FAILED_POLLS).for_each(|_| metrics.failed());
        let text = shown(&registry);
        assert!(!text.contains("replicas") && text.contains("interventions_total"), "{text}");
    }
}
