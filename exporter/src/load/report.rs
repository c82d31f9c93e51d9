//! The load's statistics as they stand in `load.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::account::{Account, TaskAccount};
use super::outcome::Reason;
use super::saturation::Lack;
use super::stats::{Percentiles, Times};
use crate::trial;

/// What users did and how it went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadReport {
    /// From the first user's start to the last one's end, or to now while users run.
    pub seconds: f64,
    /// The largest number of users that the stages ask for.
    pub users: usize,
    /// Seed of all choices.
    pub seed: u64,
    /// Requests, all tasks together.
    pub requests: Requests,
    /// Response times, all tasks together.
    pub response_time: ResponseTime,
    /// Why requests failed, all tasks together; reasons that did not occur are left out.
    pub reasons: BTreeMap<&'static str, u64>,
    /// Where users' time went.
    pub user_seconds: UserSeconds,
    /// How late the generator itself was at worst, in seconds.
    pub worst_schedule_lag_seconds: f64,
    /// Time in which the generator could not keep up, by cause.
    pub saturated_seconds: BTreeMap<&'static str, f64>,
    /// Task by task, in the trial's order.
    pub tasks: Vec<TaskReport>,
    /// The load processes that this is added up from, unless users were the conductor's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fleet: Option<FleetReport>,
}

/// The file: which run it is of, and the statistics of its load.
#[derive(Debug, Serialize)]
pub struct LoadFile<'a> {
    /// The run's id.
    pub run: &'a str,
    /// Its statistics.
    #[serde(flatten)]
    pub load: &'a LoadReport,
}

/// Load processes whose accounts were added up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FleetReport {
    /// How many there were to be.
    pub processes: usize,
    /// Those that were lost, with why; what they did after their last word is not in the sums.
    pub lost: Vec<String>,
    /// Why response times are absent.
    pub without_response_times: &'static str,
}

impl FleetReport {
    /// That of so many processes; `times` says whether those of all tasks together are known.
    pub(super) fn new(processes: usize, lost: Vec<String>, times: bool) -> Self {
        let without_response_times = if times {
            "of each task: processes tell only those of all tasks together; Prometheus has them by task"
        } else {
            "of all tasks too: not every process told them at its end; Prometheus has them"
        };
        Self { processes, lost, without_response_times }
    }
}

/// Counts of requests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Requests {
    /// Those that went well.
    pub ok: u64,
    /// Those that did not.
    pub error: u64,
    /// Both, a second.
    pub per_second: f64,
}

/// Response times by outcome; absent where there were no requests, or where they are not known of all.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ResponseTime {
    /// Of all requests.
    pub all: Option<Percentiles>,
    /// Of those that went well.
    pub ok: Option<Percentiles>,
    /// Of those that did not.
    pub error: Option<Percentiles>,
}

/// Where users' time went, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct UserSeconds {
    /// Pausing.
    pub thinking: f64,
    /// Waiting within patience.
    pub waiting: f64,
    /// Waiting beyond it.
    pub overdue: f64,
}

/// One task's statistics.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskReport {
    /// The task.
    pub name: String,
    /// Its weight over the sum of weights.
    pub share_due: f64,
    /// How often users chose it.
    pub chosen: u64,
    /// That over all choices.
    pub share: f64,
    /// Its requests.
    pub requests: Requests,
    /// Their response times.
    pub response_time: ResponseTime,
    /// Why they failed.
    pub reasons: BTreeMap<&'static str, u64>,
}

impl LoadReport {
    /// What the account of so many `users` comes to.
    pub(super) fn new(load: &trial::Load, users: usize, account: &Account) -> Self {
        let seconds = account.lasted.as_secs_f64();
        let weights: u64 = load.tasks.iter().map(|task| u64::from(task.weight.get())).sum();
        let choices: u64 = account.tasks.iter().map(|task| task.chosen).sum();
        let tasks: Vec<_> = (load.tasks.iter().zip(&account.tasks))
            .map(|(task, did)| TaskReport {
                name: task.name.to_string(),
                share_due: ratio(u64::from(task.weight.get()), weights),
                chosen: did.chosen,
                share: ratio(did.chosen, choices),
                requests: Requests::of(did.ok, did.error, seconds),
                response_time: ResponseTime::of(did.times.as_ref()),
                reasons: reasons(did),
            })
            .collect();
        let mut all_reasons = BTreeMap::new();
        for (reason, count) in tasks.iter().flat_map(|task| &task.reasons) {
            *all_reasons.entry(*reason).or_default() += count;
        }
        let (ok, error) = account.totals();
        Self {
            seconds,
            users,
            seed: load.seed,
            requests: Requests::of(ok, error, seconds),
            response_time: ResponseTime::of(account.times.as_ref()),
            reasons: all_reasons,
            user_seconds: account.user_seconds,
            worst_schedule_lag_seconds: account.worst_lag,
            saturated_seconds: Lack::ALL.map(|lack| (lack.as_str(), account.saturated[lack as usize])).into(),
            tasks,
            fleet: None,
        }
    }
}

impl Requests {
    fn of(ok: u64, error: u64, seconds: f64) -> Self {
        let per_second = if seconds > 0.0 { (ok + error) as f64 / seconds } else { 0.0 };
        Self { ok, error, per_second }
    }
}

impl ResponseTime {
    fn of(times: Option<&Times>) -> Self {
        Self {
            all: times.and_then(|times| Percentiles::of(&times.all())),
            ok: times.and_then(|times| Percentiles::of(&times.ok)),
            error: times.and_then(|times| Percentiles::of(&times.error)),
        }
    }
}

fn reasons(task: &TaskAccount) -> BTreeMap<&'static str, u64> {
    let counts = Reason::ALL.into_iter().map(|reason| (reason.as_str(), task.reasons[reason as usize]));
    counts.filter(|(_, count)| *count > 0).collect()
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
