//! The load's statistics as they stand in `load.json`.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;

use super::outcome::Reason;
use super::record::Recorder;
use super::saturation::Lack;
use super::slots::UserTime;
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
}

/// Counts of requests.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Requests {
    /// Those that went well.
    pub ok: u64,
    /// Those that did not.
    pub error: u64,
    /// Both, a second.
    pub per_second: f64,
}

/// Response times by outcome; absent where there were no requests.
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
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
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
    /// What `recorder` holds after `lasted`.
    pub(super) fn new(
        load: &trial::Load,
        users: usize,
        recorder: &Recorder,
        time: &UserTime,
        lasted: Duration,
    ) -> Self {
        let seconds = lasted.as_secs_f64();
        let weights: u64 = load.tasks.iter().map(|task| u64::from(task.weight.get())).sum();
        let chosen: Vec<u64> =
            recorder.tasks.iter().map(|task| task.chosen.load(Ordering::Relaxed)).collect();
        let choices: u64 = chosen.iter().sum();
        let mut all = Times::new();
        let tasks: Vec<_> = (load.tasks.iter().enumerate())
            .map(|(index, task)| {
                let mut times = Times::new();
                recorder.tasks[index].times.add_to(&mut times);
                all.add(&times);
                TaskReport {
                    name: task.name.to_string(),
                    share_due: ratio(u64::from(task.weight.get()), weights),
                    chosen: chosen[index],
                    share: ratio(chosen[index], choices),
                    requests: requests(recorder, index, seconds),
                    response_time: ResponseTime::of(&times),
                    reasons: reasons(recorder, index),
                }
            })
            .collect();
        let mut sum = Requests::default();
        let mut all_reasons = BTreeMap::new();
        for task in &tasks {
            sum = add(sum, task.requests, seconds);
            for (reason, count) in &task.reasons {
                *all_reasons.entry(*reason).or_default() += count;
            }
        }
        Self {
            seconds,
            users,
            seed: load.seed,
            requests: sum,
            response_time: ResponseTime::of(&all),
            reasons: all_reasons,
            user_seconds: UserSeconds {
                thinking: time.thinking.as_secs_f64(),
                waiting: time.waiting.as_secs_f64(),
                overdue: time.overdue.as_secs_f64(),
            },
            worst_schedule_lag_seconds: recorder.worst_lag_nanos.load(Ordering::Relaxed) as f64 / 1e9,
            saturated_seconds: Lack::ALL
                .map(|lack| (lack.as_str(), recorder.metrics.saturated[lack as usize].get()))
                .into(),
            tasks,
        }
    }
}

impl ResponseTime {
    fn of(times: &Times) -> Self {
        Self {
            all: Percentiles::of(&times.all()),
            ok: Percentiles::of(&times.ok),
            error: Percentiles::of(&times.error),
        }
    }
}

fn requests(recorder: &Recorder, task: usize, seconds: f64) -> Requests {
    let metrics = &recorder.metrics.tasks[task];
    let counted = Requests { ok: metrics.ok.get(), error: metrics.error.get(), per_second: 0.0 };
    add(Requests::default(), counted, seconds)
}

fn add(left: Requests, right: Requests, seconds: f64) -> Requests {
    let (ok, error) = (left.ok + right.ok, left.error + right.error);
    let per_second = if seconds > 0.0 { (ok + error) as f64 / seconds } else { 0.0 };
    Requests { ok, error, per_second }
}

fn reasons(recorder: &Recorder, task: usize) -> BTreeMap<&'static str, u64> {
    let counters = &recorder.metrics.tasks[task].reasons;
    let counts = Reason::ALL.into_iter().map(|reason| (reason.as_str(), counters[reason as usize].get()));
    counts.filter(|(_, count)| *count > 0).collect()
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
