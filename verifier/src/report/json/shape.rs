//! The shape of the report for programs: what `slo-verifier schema` tells. Pure.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::verdict::Verdict;

/// Of the shape below.
pub(super) const VERSION: u32 = 1;

/// What `slo-verifier verify --output json` says of a run.
///
/// Fields are only ever added; a change of meaning changes `version`. Times are Unix seconds.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Report of slo-verifier")]
pub(super) struct Document<'a> {
    /// Of this shape.
    #[schemars(extend("const" = VERSION))]
    pub(super) version: u32,
    /// The worst of the findings.
    pub(super) verdict: Verdict,
    /// What the program ended with.
    pub(super) exit_code: u8,
    pub(super) counts: Counts,
    pub(super) prometheus: Prometheus<'a>,
    /// The run that was judged; null where none was found.
    pub(super) run: Option<Run<'a>>,
    /// What the verdict says nothing about.
    pub(super) not_claimed: Vec<String>,
    /// Alerts about the run that fired while it went on; they change no verdict. Null where no run was
    /// found, and where they were not told.
    pub(super) alerts: Option<Vec<Alert>>,
    /// Why these were not told; null where they were.
    pub(super) alerts_not_told: Option<String>,
    /// One for each objective, in the order of the objectives' file.
    pub(super) findings: Vec<Finding<'a>>,
}

/// A time in which an alert fired, on Prometheus' clock.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Alert {
    #[serde(rename = "alert")]
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    /// In whose time it began; null outside of all.
    pub(super) experiment: Option<String>,
    pub(super) fired: f64,
    /// The last evaluation at which it did.
    pub(super) last_firing: f64,
    /// The evaluation by which it was resolved; null where it was not, or nobody knows.
    pub(super) resolved_by: Option<f64>,
    /// Why nobody knows how it ended; null where it was resolved, or firing when its rule was last evaluated.
    pub(super) end_unknown: Option<String>,
}

/// How many findings have which verdict.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Counts {
    pub(super) pass: usize,
    pub(super) inconclusive: usize,
    pub(super) fail: usize,
}

/// The server that recorded the run.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Prometheus<'a> {
    pub(super) url: &'a str,
    /// Null where it does not tell.
    pub(super) version: Option<&'a str>,
}

/// One execution of a trial.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Run<'a> {
    pub(super) id: &'a str,
    pub(super) trial: &'a str,
    /// On the exporter's clock; null where no scrape of the run was found.
    pub(super) start: Option<f64>,
    /// Null where no end was recorded.
    pub(super) end: Option<f64>,
    /// The largest difference between a clock of the run and Prometheus'.
    pub(super) largest_skew_seconds: Option<f64>,
    /// The median time between two scrapes.
    pub(super) scrape_interval_seconds: Option<f64>,
    /// In the order in which they began.
    pub(super) phases: Vec<Phase>,
    pub(super) experiments: Vec<Experiment<'a>>,
    /// Who exposed metrics of the run.
    pub(super) processes: Vec<Process<'a>>,
    /// What stands against every objective.
    pub(super) flaws: Vec<Lacking<'a>>,
    /// Remarks by Prometheus, which change no verdict.
    pub(super) infos: &'a [String],
}

/// A part of the run.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Phase {
    pub(super) name: &'static str,
    pub(super) start: f64,
    pub(super) end: f64,
}

/// One fault.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Experiment<'a> {
    pub(super) name: &'a str,
    /// Its kind.
    pub(super) fault: &'a str,
    /// The last one recorded; empty where none was.
    pub(super) state: &'static str,
    /// Null where it was not.
    pub(super) injected: Option<f64>,
    /// Null where it was not.
    pub(super) reverted: Option<f64>,
}

/// A process that exposed metrics of the run.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Process<'a> {
    pub(super) job: &'a str,
    pub(super) instance: &'a str,
    /// Whether users ran in it.
    pub(super) loads: bool,
    /// How many there were.
    pub(super) scrapes: usize,
}

/// What is said of one objective, and all that says so.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Finding<'a> {
    pub(super) name: &'a str,
    /// Of objective.
    pub(super) kind: &'static str,
    /// Which line of the user's own list it proves.
    pub(super) proves: Option<&'a str>,
    pub(super) verdict: Verdict,
    /// As text.
    pub(super) limit: &'a str,
    /// Null where the value could not be computed.
    pub(super) observed: Option<Observed<'a>>,
    /// The verdict before shortfalls are considered.
    pub(super) verdict_of_value: Verdict,
    /// What stands against a verdict.
    pub(super) shortfalls: Vec<Lacking<'a>>,
    /// In few words, why it did not pass; null where it did.
    pub(super) cause: Option<String>,
    /// What to do first; null where nothing has to be done.
    pub(super) remedy: Option<&'static str>,
    /// What the value means.
    pub(super) why: &'a str,
    /// Other ways to tell the same.
    pub(super) beside: &'a [String],
    /// `PromQL` to paste, with what it returned.
    pub(super) queries: Vec<Query<'a>>,
    /// The samples that decide.
    pub(super) samples: Vec<Sample<'a>>,
}

/// A value somewhere from `lower` to `upper`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Observed<'a> {
    /// For people.
    pub(super) text: &'a str,
    pub(super) value: Number,
    pub(super) lower: Number,
    pub(super) upper: Number,
    /// Such as `seconds`, `ratio` or `count`.
    pub(super) unit: &'static str,
}

/// Why evidence does not suffice.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Lacking<'a> {
    /// One of those that `slo-verifier explain` lists.
    pub(super) name: &'static str,
    /// The particulars.
    pub(super) detail: &'a str,
    pub(super) means: &'static str,
    /// What to do about it.
    pub(super) remedy: &'static str,
}

/// A query of a person, and its answer.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Query<'a> {
    #[serde(rename = "query")]
    pub(super) text: &'a str,
    /// To be asked at.
    pub(super) time: f64,
    /// Null where something else than the observed value is due.
    pub(super) expected: Option<Number>,
    /// Null where it was no single number.
    pub(super) returned: Option<Number>,
    /// Why it does not return the observed value.
    pub(super) differs_because: Option<&'a str>,
}

/// A sample as Prometheus stored it, or a sum of such.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Sample<'a> {
    pub(super) series: &'a str,
    pub(super) time: f64,
    pub(super) value: Number,
}

/// A number. JSON has no infinity and no NaN: those are told as Prometheus writes them.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Number {
    Finite(f64),
    Other(Special),
}

/// What is no finite number.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub(super) enum Special {
    #[serde(rename = "NaN")]
    None,
    #[serde(rename = "+Inf")]
    Infinite,
    #[serde(rename = "-Inf")]
    Below,
}
