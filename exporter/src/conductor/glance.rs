//! How a run stands, in one line.

use std::fmt;
use std::time::Duration;

use super::Phase;
use crate::count::count;

/// One look at a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Glance {
    /// Time since the run began.
    pub elapsed: Duration,
    /// The phase the run is in.
    pub phase: Phase,
    /// Users at work, and users wanted.
    pub users: (usize, usize),
    /// Requests a second, lately.
    pub request_rate: f64,
    /// Failed requests so far.
    pub errors: u64,
    /// 95th percentile of the response time so far; `None` before the first answer.
    pub p95: Option<Duration>,
    /// The experiment under way.
    pub experiment: Option<String>,
}

impl fmt::Display for Glance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.elapsed.as_secs();
        write!(f, "{:02}:{:02} {:<11}", seconds / 60, seconds % 60, self.phase.as_str())?;
        write!(f, " users {}/{}", self.users.0, self.users.1)?;
        write!(f, "  {:.0} requests/s  {}", self.request_rate, count(self.errors, "error"))?;
        if let Some(p95) = self.p95 {
            write!(f, "  p95 {:.0} ms", p95.as_secs_f64() * 1000.0)?;
        }
        if let Some(experiment) = &self.experiment {
            write!(f, "  now: {experiment}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glance_says_what_matters_in_one_line() {
        let glance = Glance {
            elapsed: Duration::from_secs(125),
            phase: Phase::Experiments,
            users: (998, 1000),
            request_rate: 481.4,
            errors: 1,
            p95: Some(Duration::from_micros(41_700)),
            experiment: Some("kill-redis-master".to_owned()),
        };
        assert_eq!(
            glance.to_string(),
            "02:05 experiments users 998/1000  481 requests/s  1 error  p95 42 ms  \
             now: kill-redis-master"
        );
    }

    #[test]
    fn nothing_is_made_up_before_the_first_answer() {
        let glance = Glance {
            elapsed: Duration::ZERO,
            phase: Phase::Preflight,
            users: (0, 10),
            request_rate: 0.0,
            errors: 0,
            p95: None,
            experiment: None,
        };
        assert_eq!(glance.to_string(), "00:00 preflight   users 0/10  0 requests/s  0 errors");
    }
}
