//! What a person sees on stderr while a run goes on: a live line on a terminal, plain lines elsewhere.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Phase;

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
    /// The newest recovery, ready to print.
    pub last_recovery: Option<String>,
}

impl fmt::Display for Glance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.elapsed.as_secs();
        write!(f, "{:02}:{:02} {:<11}", seconds / 60, seconds % 60, self.phase.as_str())?;
        write!(f, " users {}/{}", self.users.0, self.users.1)?;
        write!(f, "  {:.0} requests/s  {} errors", self.request_rate, self.errors)?;
        if let Some(p95) = self.p95 {
            write!(f, "  p95 {:.0} ms", p95.as_secs_f64() * 1000.0)?;
        }
        if let Some(experiment) = &self.experiment {
            write!(f, "  now: {experiment}")?;
        }
        if let Some(recovery) = &self.last_recovery {
            write!(f, "  last: {recovery}")?;
        }
        Ok(())
    }
}

/// Shows glances on stderr. Cheap to clone; all clones share one line.
#[derive(Clone)]
pub struct Progress {
    bar: ProgressBar,
    terminal: bool,
}

impl Progress {
    /// How often a plain line is due where stderr is no terminal.
    pub const PLAIN_EVERY: Duration = Duration::from_secs(10);

    /// A display on this process's stderr.
    pub fn on_stderr() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(ProgressStyle::default_spinner());
        Self { bar, terminal }
    }

    /// How often [`Progress::show`] should be called.
    pub fn interval(&self) -> Duration {
        if self.terminal { Duration::from_secs(1) } else { Self::PLAIN_EVERY }
    }

    /// Shows a glance: replaces the live line, or prints a plain one.
    pub fn show(&self, glance: &Glance) {
        if self.terminal {
            self.bar.set_message(glance.to_string());
            self.bar.tick();
        } else {
            self.say(&glance.to_string());
        }
    }

    /// Prints a line of its own above the live one.
    pub fn say(&self, line: &str) {
        // Nobody can be told that stderr is gone.
        self.bar.suspend(|| drop(writeln!(std::io::stderr(), "{line}")));
    }

    /// Takes the live line away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// Lets log lines pass above the live line instead of through it.
impl Write for Progress {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bar.suspend(|| std::io::stderr().write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
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
            errors: 3,
            p95: Some(Duration::from_micros(41_700)),
            experiment: Some("kill-redis-master".to_owned()),
            last_recovery: Some("kill-postgres-primary/postgres 5.41 s [5.33, 5.49]".to_owned()),
        };
        assert_eq!(
            glance.to_string(),
            "02:05 experiments users 998/1000  481 requests/s  3 errors  p95 42 ms  \
             now: kill-redis-master  last: kill-postgres-primary/postgres 5.41 s [5.33, 5.49]"
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
            last_recovery: None,
        };
        assert_eq!(glance.to_string(), "00:00 preflight   users 0/10  0 requests/s  0 errors");
    }
}
