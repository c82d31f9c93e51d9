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

/// The run, once it is finished, gone, or no longer waited for. A server that does not answer the first
/// question ends it; one that answered before may be restarting, and is asked again.
pub(crate) async fn run(prometheus: &Prometheus, wanted: &Wanted) -> Result<Result<Found, Shortfall>, Error> {
    let deadline = Instant::now() + wanted.wait;
    let mut answered = false;
    loop {
        let last_look = Instant::now() + PAUSE > deadline;
        match look(prometheus, wanted).await {
            Ok((found, progress)) => {
                answered = true;
                if progress == Progress::Settled || last_look {
                    return Ok(found);
                }
                tracing::debug!(
                    run = found.as_ref().map_or("", |found| &found.id),
                    "the run is not finished"
                );
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
    fn the_end_of_an_earlier_run_on_the_same_target_does_not_count() {
        let samples = ends(&[(1000, 9.0), (2000, 9.0), (5000, 0.0)]);
        assert_eq!(progress(Millis(4000), Millis(5000), &samples, Millis(5100)), Progress::Going);
    }
}
