//! What a person sees on stderr: lines, and below them on a terminal a live one.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::pin::pin;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

/// Tells on stderr how things go. Cheap to clone; all clones share one line.
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

    /// Shows how things stand: replaces the live line, or prints a plain one.
    pub fn show(&self, glance: &impl Display) {
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

    /// Awaits `work`, and says so where that takes long.
    pub(crate) async fn await_aloud<T>(
        &self,
        waiting: &Waiting<'_>,
        work: impl Future<Output = T>,
    ) -> Result<T, Elapsed> {
        aloud(waiting, work, |line| self.say(line)).await
    }

    /// Takes the live line away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// What is awaited, for the person who wonders why nothing happens.
pub(crate) struct Waiting<'w> {
    /// What is awaited, as things stand when it is told.
    pub(crate) for_what: &'w dyn Fn() -> String,
    /// How long at most.
    pub(crate) limit: Duration,
    /// What else could be done.
    pub(crate) hint: &'w str,
    /// What is so once it came.
    pub(crate) came: &'w str,
}

/// A shorter wait is not worth a word.
const SILENT: Duration = Duration::from_secs(2);

async fn aloud<T>(
    waiting: &Waiting<'_>,
    work: impl Future<Output = T>,
    say: impl Fn(&str),
) -> Result<T, Elapsed> {
    let began = Instant::now();
    let mut work = pin!(timeout(waiting.limit, work));
    if let Ok(soon) = timeout(SILENT.min(waiting.limit), &mut work).await {
        return soon;
    }
    let limit = waiting.limit.as_secs();
    say(&format!("waiting up to {limit} s for {} ({})", (waiting.for_what)(), waiting.hint));
    let done = work.await;
    if done.is_ok() {
        say(&format!("{} after {:.0} s", waiting.came, began.elapsed().as_secs_f64()));
    }
    done
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

    async fn said(takes: Duration) -> (Result<(), Elapsed>, Vec<String>) {
        let lines = std::cell::RefCell::new(Vec::new());
        let waiting = Waiting {
            for_what: &|| "the first scrape".to_owned(),
            limit: Duration::from_secs(30),
            hint: "--no-wait goes on without",
            came: "the first scrape came",
        };
        let done =
            aloud(&waiting, tokio::time::sleep(takes), |line| lines.borrow_mut().push(line.to_owned()));
        (done.await, lines.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_wait_is_told_once_and_again_when_it_is_over() {
        let told = "waiting up to 30 s for the first scrape (--no-wait goes on without)";
        let (done, lines) = said(Duration::from_millis(1900)).await;
        assert_eq!((done, lines.len()), (Ok(()), 0));
        let (done, lines) = said(Duration::from_secs(7)).await;
        assert_eq!(
            (done, lines),
            (Ok(()), vec![told.to_owned(), "the first scrape came after 7 s".to_owned()])
        );
        let (done, lines) = said(Duration::from_secs(31)).await;
        assert!(done.is_err());
        assert_eq!(lines, [told]);
    }
}
