//! `chaos.json`: the experiments, their recoveries and audits, and what befell the cluster. Pure.

use serde_json::Value;

use super::{list, number, text};

/// What became of the experiments.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chaos {
    pub(crate) experiments: Vec<Experiment>,
    pub(crate) audits: Vec<Audit>,
    /// What an earlier run had left broken.
    pub(crate) put_back: Vec<String>,
    /// What befell pods and nodes, where that was watched.
    pub(crate) incidents: Vec<Incident>,
}

/// One fault. Times are seconds since the run's start; what is absent did not happen, or was not told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Experiment {
    pub(crate) name: String,
    pub(crate) fault: String,
    pub(crate) state: String,
    /// Why it was refused.
    pub(crate) refused: Option<String>,
    pub(crate) targets: Vec<String>,
    pub(crate) injected: Option<f64>,
    pub(crate) reverted: Option<f64>,
    pub(crate) recoveries: Vec<Recovery>,
}

/// How long a component took. An absent number is an infinite one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recovery {
    pub(crate) component: String,
    pub(crate) since: String,
    pub(crate) seconds: Option<f64>,
    pub(crate) lower: Option<f64>,
    pub(crate) upper: Option<f64>,
}

/// One reading back of a ledger.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Audit {
    pub(crate) store: String,
    /// The experiment after which it was made; the last one of the run has none.
    pub(crate) after: Option<String>,
    pub(crate) result: String,
    pub(crate) acked: Option<f64>,
    /// How many writes are in which bad class; only those with any.
    pub(crate) bad: Vec<(String, f64)>,
}

/// Something that befell an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Incident {
    pub(crate) what: String,
    pub(crate) object: String,
    pub(crate) count: Option<f64>,
    pub(crate) during: Option<String>,
}

impl Chaos {
    /// What the file tells.
    pub(super) fn of(value: &Value) -> Self {
        let texts = |place: &str| list(value, place).iter().filter_map(Value::as_str).map(str::to_owned);
        Self {
            experiments: list(value, "/experiments").iter().filter_map(Experiment::of).collect(),
            audits: list(value, "/audits").iter().filter_map(Audit::of).collect(),
            put_back: texts("/put_back_at_start").collect(),
            incidents: list(value, "/cluster/incidents").iter().filter_map(Incident::of).collect(),
        }
    }
}

impl Experiment {
    fn of(value: &Value) -> Option<Self> {
        let targets = list(value, "/targets").iter().filter_map(Value::as_str);
        Some(Self {
            name: text(value, "/experiment")?,
            fault: text(value, "/fault").unwrap_or_default(),
            state: text(value, "/state").unwrap_or_default(),
            refused: text(value, "/refused/reason"),
            targets: targets.map(str::to_owned).collect(),
            injected: number(value, "/injected/run_seconds"),
            reverted: number(value, "/reverted/run_seconds"),
            recoveries: list(value, "/recoveries").iter().filter_map(Recovery::of).collect(),
        })
    }
}

impl Recovery {
    fn of(value: &Value) -> Option<Self> {
        Some(Self {
            component: text(value, "/component")?,
            since: text(value, "/since").unwrap_or_default(),
            seconds: number(value, "/seconds"),
            lower: number(value, "/lower_seconds"),
            upper: number(value, "/upper_seconds"),
        })
    }
}

impl Audit {
    fn of(value: &Value) -> Option<Self> {
        let found = value.pointer("/audit/found").and_then(Value::as_object);
        let counted = |(class, count): (&String, &Value)| Some((class.clone(), count.as_f64()?));
        let good = |class: &str| matches!(class, "present" | "recovered");
        let bad = found.into_iter().flatten().filter_map(counted);
        Some(Self {
            store: text(value, "/store")?,
            after: text(value, "/experiment"),
            result: text(value, "/result").unwrap_or_default(),
            acked: number(value, "/audit/writes/acked"),
            bad: bad.filter(|(class, count)| *count > 0.0 && !good(class)).collect(),
        })
    }
}

impl Incident {
    fn of(value: &Value) -> Option<Self> {
        let kind = text(value, "/kind")?;
        let what = text(value, "/what").filter(|what| !what.is_empty());
        let object = [text(value, "/object/kind"), text(value, "/object/name")];
        Some(Self {
            what: what.map_or_else(|| kind.clone(), |what| format!("{kind}: {what}")),
            object: object.into_iter().flatten().collect::<Vec<_>>().join(" "),
            count: number(value, "/count"),
            during: text(value, "/during"),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn experiments_audits_and_incidents_are_read() {
        let chaos = Chaos::of(&json!({
            "experiments": [{
                "experiment": "kill", "fault": "exec", "state": "recovered", "refused": null,
                "targets": ["pod a"], "injected": {"unix_seconds": 1e9, "run_seconds": 20.5}, "reverted": null,
                "recoveries": [{"component": "shop", "since": "injected", "seconds": 2.5, "lower_seconds": 2.4,
                    "upper_seconds": null}],
            }],
            "audits": [{"store": "postgres", "experiment": "kill", "result": "complete", "audit": {
                "writes": {"acked": 300}, "found": {"present": 297, "lost": 3, "recovered": 1, "corrupt": 0}}}],
            "cluster": {"incidents": [{"kind": "oom_kill", "object": {"kind": "Pod", "name": "shop-1"},
                "what": "exit code 137", "count": 3, "during": "kill"}]},
        }));
        let kill = &chaos.experiments[0];
        assert_eq!((kill.injected, kill.reverted), (Some(20.5), None));
        assert_eq!((kill.recoveries[0].lower, kill.recoveries[0].upper), (Some(2.4), None));
        assert_eq!(chaos.audits[0].bad, [("lost".to_owned(), 3.0)]);
        assert_eq!(chaos.incidents[0].object, "Pod shop-1");
        assert_eq!(chaos.incidents[0].what, "oom_kill: exit code 137");
    }
}
