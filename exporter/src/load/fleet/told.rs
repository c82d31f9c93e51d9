//! Pure: an [`Account`] as a load process tells it to the conductor.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::super::account::{Account, TaskAccount};
use super::super::outcome::Reason;
use super::super::report::UserSeconds;
use super::super::saturation::Lack;
use super::super::stats::Times;

/// An account in numbers and names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Told {
    seconds: f64,
    user_seconds: UserSeconds,
    worst_lag: f64,
    saturated: [f64; Lack::ALL.len()],
    tasks: Vec<ToldTask>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<ToldTimes>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ToldTask {
    chosen: u64,
    ok: u64,
    error: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    reasons: BTreeMap<String, u64>,
}

/// Response times of all tasks together; those of each would not fit into a ConfigMap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ToldTimes {
    ok: String,
    error: String,
}

/// Why an account makes no sense.
#[derive(Debug, thiserror::Error)]
pub(super) enum Senseless {
    /// It is of another number of tasks.
    #[error("of {told} tasks, but the trial has {due}")]
    Tasks {
        /// Those told of.
        told: usize,
        /// Those of the trial.
        due: usize,
    },
    /// A reason that this version does not know.
    #[error("of a reason {0:?}")]
    Reason(String),
    /// Response times that are not written as they should be.
    #[error("of response times that cannot be read")]
    Times,
    /// A number of seconds that cannot be.
    #[error("of {0} s")]
    Seconds(f64),
}

impl Told {
    /// `account`, with its response times if they take no more than `room` bytes.
    pub(super) fn of(account: &Account, room: usize) -> Self {
        let times = account.times.as_ref().filter(|_| room > 0);
        let times = times.map(|times| ToldTimes { ok: written(&times.ok), error: written(&times.error) });
        Self {
            seconds: account.lasted.as_secs_f64(),
            user_seconds: account.user_seconds,
            worst_lag: account.worst_lag,
            saturated: account.saturated,
            tasks: account.tasks.iter().map(ToldTask::of).collect(),
            times: times.filter(|times| times.ok.len() + times.error.len() <= room),
        }
    }

    /// The account, of a trial with so many tasks.
    pub(super) fn account(&self, tasks: usize) -> Result<Account, Senseless> {
        if self.tasks.len() != tasks {
            return Err(Senseless::Tasks { told: self.tasks.len(), due: tasks });
        }
        let times = self.times.as_ref().map(|times| {
            let read = |text: &str| read(text).ok_or(Senseless::Times);
            Ok::<_, Senseless>(Times { ok: read(&times.ok)?, error: read(&times.error)? })
        });
        Ok(Account {
            lasted: Duration::try_from_secs_f64(self.seconds)
                .map_err(|_| Senseless::Seconds(self.seconds))?,
            user_seconds: self.user_seconds,
            worst_lag: self.worst_lag,
            saturated: self.saturated,
            tasks: self.tasks.iter().map(ToldTask::account).collect::<Result<_, _>>()?,
            times: times.transpose()?,
        })
    }
}

impl ToldTask {
    fn of(task: &TaskAccount) -> Self {
        let reasons = Reason::ALL.into_iter().map(|reason| (reason, task.reasons[reason as usize]));
        let reasons = reasons.filter(|(_, count)| *count > 0);
        Self {
            chosen: task.chosen,
            ok: task.ok,
            error: task.error,
            reasons: reasons.map(|(reason, count)| (reason.as_str().to_owned(), count)).collect(),
        }
    }

    fn account(&self) -> Result<TaskAccount, Senseless> {
        let mut reasons = [0; Reason::ALL.len()];
        for (name, count) in &self.reasons {
            let reason = Reason::ALL.into_iter().find(|reason| reason.as_str() == name);
            reasons[reason.ok_or_else(|| Senseless::Reason(name.clone()))? as usize] = *count;
        }
        let Self { chosen, ok, error, .. } = *self;
        Ok(TaskAccount { chosen, ok, error, reasons, times: None })
    }
}

/// A histogram as steps from one recorded value to the next, each with its count.
fn written(times: &Histogram<u64>) -> String {
    let (mut text, mut last) = (String::new(), 0);
    for recorded in times.iter_recorded() {
        let value = recorded.value_iterated_to();
        let _ = write!(text, "{}:{} ", value - last, recorded.count_at_value());
        last = value;
    }
    text.truncate(text.trim_end().len());
    text
}

fn read(text: &str) -> Option<Histogram<u64>> {
    let (mut times, mut value) = (Times::new().ok, 0_u64);
    for step in text.split_whitespace() {
        let (step, count) = step.split_once(':')?;
        value = value.checked_add(step.parse().ok()?)?;
        times.saturating_record_n(value, count.parse().ok()?);
    }
    Some(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(micros: &[u64]) -> Account {
        let mut times = Times::new();
        for time in micros {
            times.ok.saturating_record(*time);
        }
        times.error.saturating_record(16_000_000);
        let mut reasons = [0; Reason::ALL.len()];
        reasons[Reason::Drained as usize] = 3;
        Account {
            lasted: Duration::from_millis(12_500),
            user_seconds: UserSeconds { thinking: 1.0, waiting: 2.0, overdue: 4.0 },
            worst_lag: 0.25,
            saturated: [1.0, 0.0, 0.0, 0.5],
            tasks: vec![TaskAccount { chosen: 9, ok: 5, error: 3, reasons, times: Some(times.clone()) }],
            times: Some(times),
        }
    }

    fn through(told: &Told) -> Result<Account, Senseless> {
        let text = serde_json::to_string(told).expect("JSON");
        let again: Told = serde_json::from_str(&text).expect("readable");
        assert_eq!(&again, told);
        again.account(1)
    }

    #[test]
    fn an_account_arrives_as_it_was_told() {
        let sent = account(&[1, 900, 1_000, 1_000, 77_777, 3_600_000_000]);
        let came = through(&Told::of(&sent, 10_000)).expect("sense");
        assert_eq!((came.totals(), came.lasted), ((5, 3), sent.lasted));
        assert_eq!(came.tasks[0].reasons, sent.tasks[0].reasons);
        assert_eq!((came.user_seconds, came.saturated), (sent.user_seconds, sent.saturated));
        let (came, sent) = (came.times.expect("told"), sent.times.expect("made"));
        assert_eq!((came.ok, came.error), (sent.ok, sent.error));
    }

    #[test]
    fn response_times_that_do_not_fit_are_left_out() {
        let sent = account(&(1..5_000).map(|n| n * 97).collect::<Vec<_>>());
        let whole = Told::of(&sent, 1_000_000);
        let length = whole.times.as_ref().map_or(0, |times| times.ok.len() + times.error.len());
        assert!((2_000..30_000).contains(&length), "{length}");
        assert_eq!(Told::of(&sent, length), whole);
        assert!(through(&Told::of(&sent, length - 1)).expect("sense").times.is_none());
        assert!(Told::of(&account(&[]), 0).times.is_none());
    }

    #[test]
    fn nonsense_is_no_account() {
        let good = Told::of(&account(&[5]), 1_000);
        assert!(good.account(2).is_err());
        let with = |bend: fn(&mut Told)| {
            let mut told = good.clone();
            bend(&mut told);
            told.account(1).is_err()
        };
        assert!(!with(|_| {}));
        assert!(with(|told| told.tasks[0].reasons = [("bad luck".to_owned(), 1)].into()));
        assert!(with(|told| told.seconds = -1.0));
        for bad in ["5", "x:1", "5:x", "18446744073709551615:1 1:1"] {
            assert!(read(bad).is_none(), "{bad}");
        }
    }
}
