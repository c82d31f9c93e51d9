//! Recovery point of the archive (pure): the age of the newest write-ahead log that any primary archived, from
//! `postgres_exporter`'s series.

use std::collections::BTreeMap;

use super::Evidence;
use super::archive_age::{self, Age, ages};
use super::archive_cover::{covered, faults};
use super::archive_falls;
use super::archive_still::contradiction;
use super::paste::{Expected, Paste};
use super::{Judged, Lack, show};
use crate::evidence::Labels;
use crate::evidence::{Millis, Sample, Shortfall, same};
use crate::slo::ArchivePoint;
use crate::verdict::Verdict;

/// The age of the newest archived log.
pub(crate) const AGE: &str = "pg_stat_archiver_last_archive_age";
const ARCHIVED: &str = "pg_stat_archiver_archived_count";
const FAILED: &str = "pg_stat_archiver_failed_count";
const REPLICA: &str = "pg_replication_is_replica";
/// Successes without which the archive has shown nothing.
const SUCCESSES: f64 = 2.0;
/// Two servers that both say for longer than this, in seconds, that they are primary are one server seen twice:
/// an old primary that was cut off has stepped back by then.
const BOTH: f64 = 60.0;

/// A server's own clock may have been set back by so many seconds since it archived.
const AHEAD: f64 = 1.0;

/// The range selectors that this kind needs.
pub(super) fn selectors(selector: &str) -> [String; 4] {
    [AGE, ARCHIVED, FAILED, REPLICA].map(|name| format!("{name}{selector}"))
}

/// The age over time; no number where none was archived yet.
pub(crate) fn course(promise: &ArchivePoint, evidence: &Evidence) -> Result<Vec<Sample>, Shortfall> {
    let (servers, (from, to)) = followed(promise, evidence)?;
    Ok(archive_age::course(&ages(&servers, from, to)))
}

pub(super) fn judge(promise: &ArchivePoint, evidence: &Evidence) -> Result<Judged, Shortfall> {
    let (servers, (from, to)) = followed(promise, evidence)?;
    let run = &evidence.run;
    if let Some(seconds) = both_primary(&servers, from, to).filter(|seconds| *seconds > BOTH) {
        let detail = format!("two series say that they are primary for {} s", show::seconds(seconds));
        return Err(Shortfall::new(Lack::DuplicateSeries, detail));
    }
    let (age, replica) = (read(promise, evidence, AGE)?, read(promise, evidence, REPLICA)?);
    possible(&servers, replica)?;
    let ages = ages(&servers, from, to);
    let most = |of: fn(&Age) -> f64| ages.iter().max_by(|a, b| of(a).total_cmp(&of(b))).copied();
    let (Some(oldest), Some(worst)) = (most(|age| age.seen), most(|age| age.upper)) else {
        return Err(Shortfall::new(
            Lack::NoSamples,
            "no primary showed the age of its archive during the run",
        ));
    };
    covered(run, &servers, from.seconds(), to.seconds())?;
    let lower = oldest.seen.max(0.0);
    let limit = promise.within.as_secs_f64();
    let time = show::Time::at_most((lower, worst.upper), limit);
    let why = if worst.upper.is_infinite() {
        format!("no primary had archived any log by {}", worst.at)
    } else {
        format!("the newest archived log was {} s old at most", time.seconds())
    };
    let mut judged = Judged::value(time.observed(), Verdict::at_most(lower, worst.upper, limit), why);
    gate(&mut judged, &servers, from, to);
    judged.shortfalls.extend(contradiction(&servers));
    judged.shortfalls.extend(archive_falls::contradiction(&servers, &faults(run), (from, to)));
    judged.beside.extend(oldest.success.map(|success| {
        let (least, at, archived) = (time.least(), oldest.at, success.archived);
        format!(
            "age by the newest success that was seen: {least} s at {at}, of a log archived at {archived:.3}"
        )
    }));
    judged.samples = archive_age::samples(&[oldest, worst], [(REPLICA, replica), (AGE, age)]);
    judged.pastes.push(Paste {
        query: format!(
            "max(max_over_time(({AGE}{sel} and on(job, instance, server) ({REPLICA}{sel} == 0))[{}ms:1s]))",
            to.0 - from.0,
            sel = promise.selector
        ),
        at: to,
        expected: Expected::Differs(
            "it knows neither what an earlier primary archived nor what happens between two samples",
        ),
        returned: None,
    });
    Ok(judged)
}

/// Somebody else's series of that name.
fn read<'a>(promise: &ArchivePoint, evidence: &'a Evidence, name: &str) -> Result<&'a Series, Shortfall> {
    evidence.other(&format!("{name}{}", promise.selector))
}

/// The servers that were scraped, and when the run began and ended by Prometheus' clock.
fn followed(promise: &ArchivePoint, evidence: &Evidence) -> Result<Followed, Shortfall> {
    let read = |name: &str| read(promise, evidence, name);
    let servers = servers(read(REPLICA)?, &[read(AGE)?, read(ARCHIVED)?, read(FAILED)?]);
    let run = &evidence.run;
    let from = run.processes.prometheus_time(run.start);
    let last = run.processes.fetch_window().1;
    let to = run.end.map_or(last, |end| run.processes.prometheus_time(end));
    Ok((servers, (from, to)))
}

/// What was scraped of one server at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reading {
    pub(super) at: Millis,
    pub(super) primary: bool,
    /// Absent where nothing was ever archived.
    pub(super) age: Option<f64>,
    pub(super) archived: Option<f64>,
    pub(super) failed: Option<f64>,
}

/// No log is archived before it was written, no counter is below zero, and a server is primary or replica.
fn possible(servers: &[Vec<Reading>], replica: &Series) -> Result<(), Shortfall> {
    let told = |name: &str, value: f64, at: Millis| {
        Err(Shortfall::new(Lack::NotFinite, format!("{name} is {value} at {at}")))
    };
    let mut roles = replica.iter().flat_map(|(_, samples)| samples);
    if let Some(sample) = roles.find(|sample| !same(sample.value, 0.0) && !same(sample.value, 1.0)) {
        return told(REPLICA, sample.value, sample.at);
    }
    for reading in servers.iter().flatten() {
        let counted = |value: &f64| !value.is_finite() || *value < 0.0;
        if let Some(age) = reading.age.filter(|age| reading.primary && *age < -AHEAD) {
            return told(AGE, age, reading.at);
        }
        if let Some(value) = reading.archived.filter(counted) {
            return told(ARCHIVED, value, reading.at);
        }
        if let Some(value) = reading.failed.filter(counted) {
            return told(FAILED, value, reading.at);
        }
    }
    Ok(())
}

type Series = [(Labels, Vec<Sample>)];
/// The readings of each server, and the run's beginning and end.
type Followed = (Vec<Vec<Reading>>, (Millis, Millis));

/// The readings of each server: series of one target and one set of labels, joined by time.
fn servers(replica: &Series, others: &[&Series; 3]) -> Vec<Vec<Reading>> {
    let mut servers = Vec::new();
    for (labels, samples) in replica {
        let joined = others.map(|series| by_time(series, labels));
        let reading = |sample: &Sample| Reading {
            at: sample.at,
            primary: sample.value == 0.0,
            age: joined[0].get(&sample.at).copied().filter(|age| age.is_finite()),
            archived: joined[1].get(&sample.at).copied(),
            failed: joined[2].get(&sample.at).copied(),
        };
        servers.push(samples.iter().map(reading).collect());
    }
    servers
}

/// The samples of the series that belongs to the same server; Prometheus has one at most with these labels.
fn by_time(series: &Series, server: &Labels) -> BTreeMap<Millis, f64> {
    let own = |labels: &Labels| {
        let mut labels = labels.clone();
        labels.remove("__name__");
        labels
    };
    let found = series.iter().find(|(labels, _)| own(labels) == own(server));
    found.iter().flat_map(|(_, samples)| samples).map(|sample| (sample.at, sample.value)).collect()
}

/// The most seconds for which any two of the servers were primary together.
fn both_primary(servers: &[Vec<Reading>], from: Millis, to: Millis) -> Option<f64> {
    let spans = |readings: &[Reading]| -> Vec<(f64, f64)> {
        let inside = |pair: &[Reading]| pair.iter().all(|one| one.primary && (from..=to).contains(&one.at));
        let pairs = readings.windows(2).filter(|pair| inside(pair));
        pairs.map(|pair| (pair[0].at.seconds(), pair[1].at.seconds())).collect()
    };
    let all: Vec<_> = servers.iter().map(|readings| spans(readings)).collect();
    let common = |a: &(f64, f64), b: &(f64, f64)| (a.1.min(b.1) - a.0.max(b.0)).max(0.0);
    let mut together = Vec::new();
    for (at, ours) in all.iter().enumerate() {
        for theirs in &all[at + 1..] {
            let pairs = ours.iter().flat_map(|a| theirs.iter().map(move |b| common(a, b)));
            together.push(pairs.sum::<f64>());
        }
    }
    together.into_iter().max_by(f64::total_cmp)
}

/// At least two successes, none failed, and one since the last promotion.
fn gate(judged: &mut Judged, servers: &[Vec<Reading>], from: Millis, to: Millis) {
    let (mut successes, mut failures) = (0.0, 0.0);
    for readings in servers {
        let inside: Vec<_> = readings.iter().filter(|reading| (from..=to).contains(&reading.at)).collect();
        let primary: Vec<_> =
            inside.iter().filter(|reading| reading.primary).filter_map(|r| r.archived).collect();
        successes += growth(&primary);
        failures += growth(&inside.iter().filter_map(|reading| reading.failed).collect::<Vec<_>>());
    }
    if successes < SUCCESSES {
        judged.lacks(
            Lack::ArchiveNotProven,
            format!("{} archived, {SUCCESSES} needed", show::counted(successes, "log", "logs")),
        );
    }
    if failures > 0.0 {
        judged.lacks(
            Lack::ArchiveNotProven,
            format!("{} could not be archived", show::counted(failures, "log", "logs")),
        );
    }
    if let Some(promoted) = last_promotion(servers, from, to) {
        let since = |reading: &&Reading| reading.primary && reading.at >= promoted && reading.at <= to;
        let newest = servers.iter().flatten().filter(since);
        let archived = newest.filter_map(|reading| reading.age.map(|age| reading.at.seconds() - age));
        if archived.fold(f64::NEG_INFINITY, f64::max) < promoted.seconds() {
            judged.lacks(
                Lack::ArchiveNotProven,
                format!("nothing was archived since the promotion at {promoted}"),
            );
        }
    }
}

/// Growth of a counter, a fall being a restart of the server's statistics.
fn growth(values: &[f64]) -> f64 {
    values.windows(2).map(|pair| if pair[1] >= pair[0] { pair[1] - pair[0] } else { pair[1] }).sum()
}

/// When a server was first seen as primary after having been a replica.
fn last_promotion(servers: &[Vec<Reading>], from: Millis, to: Millis) -> Option<Millis> {
    let promoted = |readings: &Vec<Reading>| {
        let pairs = readings.windows(2).filter(|pair| !pair[0].primary && pair[1].primary);
        pairs.map(|pair| pair[1].at).filter(|at| (from..=to).contains(at)).max()
    };
    servers.iter().filter_map(promoted).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(at: i64, primary: bool, age: Option<f64>, archived: f64) -> Reading {
        Reading { at: Millis(at * 1000), primary, age, archived: Some(archived), failed: Some(0.0) }
    }

    #[test]
    fn an_archive_is_proven_by_successes_since_the_last_promotion() {
        let judged = |servers: &[Vec<Reading>]| {
            let mut judged = Judged::lacking(Shortfall::new(Lack::Gap, ""));
            judged.shortfalls.clear();
            gate(&mut judged, servers, Millis(0), Millis(60_000));
            judged.shortfalls.len()
        };
        let good = vec![reading(0, true, Some(5.0), 1.0), reading(30, true, Some(1.0), 3.0)];
        assert_eq!(judged(std::slice::from_ref(&good)), 0);
        let promoted = vec![reading(31, false, None, 0.0), reading(40, true, None, 0.0)];
        assert_eq!(judged(&[good.clone(), promoted]), 1);
        assert_eq!(judged(&[good[..1].to_vec()]), 1);
        let mut failing = good;
        failing[1].failed = Some(2.0);
        assert_eq!(judged(&[failing]), 1);
    }

    #[test]
    fn one_server_seen_twice_is_told_from_a_takeover() {
        let leads = |from: i64, to: i64| -> Vec<Reading> {
            (from..=to).map(|at| reading(at * 10, true, None, 0.0)).collect()
        };
        let both = |servers: &[Vec<Reading>]| both_primary(servers, Millis(0), Millis(600_000));
        assert_eq!(both(&[leads(0, 30), leads(29, 60)]), Some(10.0));
        assert_eq!(both(&[leads(0, 60), leads(0, 60)]), Some(600.0));
        assert_eq!(both(&[leads(0, 60)]), None);
    }

    #[test]
    fn restarted_statistics_count_on() {
        assert_eq!(growth(&[5.0, 6.0, 1.0, 2.0]), 3.0);
    }
}
