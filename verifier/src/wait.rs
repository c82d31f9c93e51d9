//! Finds the run to judge, and waits for its end where that is asked for.

use std::time::Duration;

use tokio::time::Instant;

use crate::evidence::{Data, Lack, Millis, Sample, Shortfall, pin};
use crate::run::{Found, find};
use crate::source::{Error, Prometheus};

/// A conductor without a sample for this long, in milliseconds, is gone.
const GONE: i64 = 60_000;
/// Time between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// Who waits no longer than this need not be told.
const SILENT: Duration = Duration::from_secs(2);
/// What has not changed is told again after this long.
const AGAIN: Duration = Duration::from_mins(1);

/// Which run, and how long to wait for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) id: Option<String>,
    pub(crate) since: Duration,
    pub(crate) wait: Duration,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Its end and one newer scrape were seen, or nothing more will come.
    Settled,
    /// It goes on.
    Going,
}

/// What a person who waits was told last, and when.
#[derive(Debug)]
struct Told {
    begun: Instant,
    last: Option<(Instant, String)>,
}

impl Told {
    /// Whether `state` is to be told at `now`: after a moment of silence, when it is news, and every minute.
    fn is_due(&mut self, state: &str, now: Instant) -> bool {
        let known = |(at, told): &(Instant, String)| told == state && now.duration_since(*at) < AGAIN;
        if now.duration_since(self.begun) < SILENT || self.last.as_ref().is_some_and(known) {
            return false;
        }
        self.last = Some((now, state.to_owned()));
        true
    }
}

/// What is waited for.
fn state(found: &Result<Found, Shortfall>) -> String {
    match found {
        Ok(found) => format!("run {} goes on", found.id),
        Err(shortfall) => shortfall.detail.clone(),
    }
}

/// The run, once it is finished, gone, or no longer waited for. A server that does not answer the first
/// question ends it; one that answered before may be restarting, and is asked again.
/// `tell` gets a line for a person who waits.
pub(crate) async fn run(
    prometheus: &Prometheus,
    wanted: &Wanted,
    tell: impl Fn(&str),
) -> Result<Result<Found, Shortfall>, Error> {
    let mut told = Told { begun: Instant::now(), last: None };
    let deadline = told.begun + wanted.wait;
    let mut answered = false;
    loop {
        let last_look = Instant::now() + PAUSE > deadline;
        match look(prometheus, wanted).await {
            Ok((found, progress)) => {
                answered = true;
                if progress == Progress::Settled || last_look {
                    return Ok(found);
                }
                let (state, now) = (state(&found), Instant::now());
                if told.is_due(&state, now) {
                    let left = Duration::from_secs(deadline.duration_since(now).as_secs());
                    tell(&format!("{state}; waiting up to {} more", humantime::format_duration(left)));
                }
            }
            Err(error) if last_look || !answered || !error.is_unreachable() => return Err(error),
            Err(error) => tracing::warn!(%error, "Prometheus does not answer at present"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Looks for the run, and how far it is.
async fn look(
    prometheus: &Prometheus,
    wanted: &Wanted,
) -> Result<(Result<Found, Shortfall>, Progress), Error> {
    let found = found(prometheus, wanted).await?;
    let progress = match &found {
        Ok(found) => progress_of(prometheus, found).await?,
        Err(_) => Progress::Going,
    };
    Ok((found, progress))
}

async fn found(prometheus: &Prometheus, wanted: &Wanted) -> Result<Result<Found, Shortfall>, Error> {
    let query = format!("ordeal_run_info[{}ms]", wanted.since.as_millis());
    let answer = prometheus.query(&query, None).await?;
    if let Some(warning) = answer.warnings.first() {
        return Ok(Err(Shortfall::new(Lack::Warning, format!("{warning} (query `{query}`)"))));
    }
    match answer.data {
        Data::Series(series) => Ok(find(&series, wanted.id.as_deref())),
        _ => Ok(Err(Shortfall::new(Lack::QueryError, format!("`{query}` did not return series")))),
    }
}

async fn progress_of(prometheus: &Prometheus, found: &Found) -> Result<Progress, Error> {
    let conductor = &found.conductor;
    let pinned = pin([(conductor.job.as_str(), conductor.instance.as_str())].into_iter());
    let query = format!("ordeal_run_end_timestamp_seconds{{{pinned}}}[{GONE}ms]");
    let ends = prometheus.query(&query, Some(conductor.last)).await?;
    let now = prometheus.query("time()", None).await?;
    let samples = match &ends.data {
        Data::Series(series) => series.first().map_or(&[][..], |(_, samples)| samples),
        _ => &[],
    };
    let now =
        if let Data::Scalar(time) = now.data { Millis::from_seconds(time.value) } else { conductor.last };
    Ok(progress(conductor.first, conductor.last, samples, now))
}

fn progress(first: Millis, last: Millis, ends: &[Sample], now: Millis) -> Progress {
    let told = ends.iter().filter(|sample| sample.at >= first && sample.value > 0.0).count();
    if told >= 2 || now.0 - last.0 >= GONE { Progress::Settled } else { Progress::Going }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(times: &[(i64, f64)]) -> Vec<Sample> {
        times.iter().map(|(at, value)| Sample { at: Millis(*at), value: *value }).collect()
    }

    #[test]
    fn a_run_is_settled_with_its_end_and_one_newer_scrape_or_when_it_is_gone() {
        let of = |samples: &[(i64, f64)], last, now| {
            progress(Millis(0), Millis(last), &ends(samples), Millis(now))
        };
        assert_eq!(of(&[(1000, 0.0)], 1000, 1500), Progress::Going);
        assert_eq!(of(&[(1000, 9.0)], 1000, 1500), Progress::Going);
        assert_eq!(of(&[(1000, 9.0), (2000, 9.0)], 2000, 2500), Progress::Settled);
        assert_eq!(of(&[], 1000, 61_000), Progress::Settled);
    }

    #[test]
    fn who_waits_is_told_what_for_when_it_is_news_and_every_minute() {
        let begun = Instant::now();
        let mut told = Told { begun, last: None };
        let cases = [
            (1, "no run", false),
            (2, "no run", true),
            (3, "no run", false),
            (4, "run a goes on", true),
            (63, "run a goes on", false),
            (64, "run a goes on", true),
        ];
        for (second, state, expected) in cases {
            assert_eq!(told.is_due(state, begun + Duration::from_secs(second)), expected, "{second} s");
        }
    }

    #[test]
    fn the_end_of_an_earlier_run_on_the_same_target_does_not_count() {
        let samples = ends(&[(1000, 9.0), (2000, 9.0), (5000, 0.0)]);
        assert_eq!(progress(Millis(4000), Millis(5000), &samples, Millis(5100)), Progress::Going);
    }
}
