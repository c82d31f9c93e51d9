//! When nobody looked at a component (pure): where no probe told anything for longer than an outage may be, one may hide,
//! however few the missed probes are of the whole run.
//!
//! The exporter tells the length of each such stretch when it is over. One that is not over when the record ends, and one
//! that was not told, show by steps from scrape to scrape that count missed probes and none with an outcome.

use super::recovery::{BLIND_PROBES, BLIND_SECONDS};
use super::settled::Settled;
use super::{Evidence, Lack, show};
use crate::evidence::{Scrape, Shortfall, Tally, family};

/// A probe's outcome, and so the end of a stretch, may be counted so many seconds late.
const LATE: f64 = 2.0;
const BUCKET: &str = family::COMPONENT_UNSEEN_SECONDS_BUCKET;

/// Two neighbouring scrapes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    /// The scrapes' times on the exporter's clock.
    from: f64,
    to: f64,
    /// Probes with an outcome that were counted between them.
    known: f64,
    /// Probes that were missed.
    missed: f64,
    /// The longest of the stretches that ended between them.
    ended: Longest,
}

/// How many seconds the longest of some stretches lasted; none without any.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Longest {
    least: f64,
    most: f64,
}

impl Longest {
    /// Of so many stretches of so many seconds together, of which `within` tells how many were no longer than each bound,
    /// the least bound first.
    fn of(count: f64, seconds: f64, within: &[(f64, f64)]) -> Self {
        if count <= 0.0 {
            return Self::default();
        }
        let exceeded = within.iter().rfind(|(_, stretches)| *stretches < count);
        let holds_all = within.iter().find(|(_, stretches)| *stretches >= count);
        Self {
            least: exceeded.map_or(0.0, |(bound, _)| *bound).max(seconds / count),
            most: holds_all.map_or(f64::INFINITY, |(bound, _)| *bound).min(seconds),
        }
    }
}

/// A stretch in which nobody looked.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    /// Where only bounds are known, from the earliest beginning to the latest end.
    from: f64,
    to: f64,
    /// Probes that were missed between these.
    missed: f64,
    /// It lasted at most so many seconds.
    most: f64,
}

/// Neighbouring steps without any outcome, in which probes were missed. The probes that are missed last may be counted
/// with the first outcome after them.
fn whole(steps: &[Step]) -> Vec<Stretch> {
    let mut found: Vec<Stretch> = Vec::new();
    let mut open: Option<Stretch> = None;
    for step in steps {
        if step.known <= 0.0 {
            let stretch =
                open.get_or_insert(Stretch { from: step.from, to: step.to, missed: 0.0, most: 0.0 });
            stretch.to = step.to;
            stretch.most = stretch.to - stretch.from;
            stretch.missed += step.missed;
        } else if let Some(stretch) = open.take() {
            found.push(Stretch { missed: stretch.missed + step.missed, ..stretch });
        }
    }
    found.extend(open);
    found.retain(|stretch| stretch.missed > 0.0);
    found
}

/// The stretch that ended in the step of that number, if one did: the longest where several did.
///
/// It began after the last outcome before it, which was counted in that step or in the last one before it that has any.
/// One probe begins an `interval`, so that the last of those counted there began no earlier than they take one by one.
fn ended(steps: &[Step], at: usize, interval: f64) -> Option<Stretch> {
    let step = steps[at];
    let most = step.ended.most;
    if most <= 0.0 {
        return None;
    }
    let last = steps[..at].iter().rposition(|before| before.known > 0.0);
    let told = last.map_or(f64::NEG_INFINITY, |last| {
        let Step { from, to, known, .. } = steps[last];
        (from + (known - 1.0) * interval).min(to)
    });
    let missed: f64 = steps[last.unwrap_or(at)..=at].iter().map(|step| step.missed).sum();
    Some(Stretch { from: (step.from - most).max(told), to: step.to, missed, most })
}

/// The stretch that is not over at `end`, nor when the record ends. Where probes were missed beside the last outcomes, it
/// may have begun as soon as these were told one by one.
fn open(steps: &[Step], interval: f64, end: f64) -> Option<Stretch> {
    let steps = &steps[..steps.partition_point(|step| step.from < end)];
    let to = steps.last()?.to.min(end);
    let last = steps.iter().rposition(|step| step.known > 0.0);
    let from = match last.map(|last| steps[last]) {
        Some(step) if step.missed > 0.0 => (step.from + step.known * interval).min(step.to),
        Some(step) => step.to,
        None => steps[0].from,
    };
    let missed: f64 = steps[last.unwrap_or(0)..].iter().map(|step| step.missed).sum();
    (missed > 0.0 && from < to).then_some(Stretch { from, to, missed, most: to - from })
}

/// The first stretch that began before `end`, was not within one of `faults`, and may have lasted longer than `limit`.
fn hiding(steps: &[Step], interval: f64, end: f64, limit: f64, faults: &[(f64, f64)]) -> Option<Stretch> {
    let explained =
        |one: &Stretch| faults.iter().any(|&(from, to)| one.from >= from - LATE && one.to <= to + LATE);
    let told = (0..steps.len()).filter_map(|at| ended(steps, at, interval)).filter(|one| one.from < end);
    // An outcome that is long in coming holds up those behind it, which no probe missed.
    let untold = whole(steps).into_iter().filter(|one| one.missed * interval > limit);
    let mut all = told.chain(untold).chain(open(steps, interval, end));
    all.find(|one| one.most > limit && !explained(one))
}

/// The first stretch that ended later than a recovery after `upper` seconds, though it began before that was final. The
/// exporter takes none for the recovery's end that is too short for an outage to hide, nor one that began later.
fn later(steps: &[Step], interval: f64, settled: Settled, upper: f64) -> Option<Stretch> {
    let Settled { injected, due, told } = settled;
    let back = injected + upper + LATE;
    let hides = |one: &Stretch| one.to > injected && one.from < told && one.to.min(told) > back;
    let long = BLIND_SECONDS.max(BLIND_PROBES * interval) + LATE;
    let outlasts = |step: &Step| {
        let least = step.ended.least;
        step.from > back && least > long && step.to - least < due
    };
    let mut untold = whole(steps).into_iter();
    untold.find(hides).or_else(|| ended(steps, steps.iter().position(outlasts)?, interval))
}

/// The stretches that ended, as the exporter told them.
struct Told {
    count: Tally,
    seconds: Tally,
    /// How many were no longer than each bound, the least bound first.
    within: Vec<(f64, Tally)>,
}

impl Told {
    fn of(evidence: &Evidence, component: &str) -> Result<Self, Shortfall> {
        let own = ("component", component);
        let count = evidence.tally(family::COMPONENT_UNSEEN_SECONDS_COUNT, &[own])?;
        let seconds = evidence.tally(family::COMPONENT_UNSEEN_SECONDS_SUM, &[own])?;
        // Where there is none at all, it says so.
        evidence.tally(BUCKET, &[own])?;
        let mut within = Vec::new();
        for text in evidence.label_values(BUCKET, "le") {
            let bound: f64 =
                text.parse().map_err(|_| Shortfall::new(Lack::NotFinite, format!("le={text:?}")))?;
            within.push((bound, evidence.tally(BUCKET, &[own, ("le", text.as_str())])?));
        }
        within.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(Self { count, seconds, within })
    }

    /// The longest of those that ended between a scrape and the next one.
    fn after(&self, scrape: usize) -> Longest {
        let grown = |tally: &Tally| tally.between(scrape, scrape + 1);
        let within: Vec<_> = self.within.iter().map(|(bound, tally)| (*bound, grown(tally))).collect();
        Longest::of(grown(&self.count), grown(&self.seconds), &within)
    }
}

/// What was counted of a component from scrape to scrape, and the time between two of its probes.
fn of(evidence: &Evidence, component: &str) -> Result<(Vec<Step>, f64), Shortfall> {
    let name = family::PROBE_INTERVAL_SECONDS;
    let interval = evidence.gauge(name, &[("component", component)])?.finite(name)?.last()?.value;
    let of =
        |outcome| evidence.tally(family::PROBES_TOTAL, &[("component", component), ("outcome", outcome)]);
    let (known, missed) = (of("ok")?.plus(&of("failed")?), of("missed")?);
    let told = Told::of(evidence, component)?;
    let scrapes = &evidence.run.processes.conductor().scrapes;
    let step = |(at, pair): (usize, &[Scrape])| Step {
        from: pair[0].clock,
        to: pair[1].clock,
        known: known.between(at, at + 1),
        missed: missed.between(at, at + 1),
        ended: told.after(at),
    };
    Ok((scrapes.windows(2).enumerate().map(step).collect(), interval))
}

/// Whether an outage longer than `limit` that nothing explains may hide: one that begins outside of `faults`.
pub(super) fn unexplained(
    evidence: &Evidence,
    component: &str,
    limit: f64,
    faults: &[(f64, f64)],
) -> Result<Option<Shortfall>, Shortfall> {
    let (steps, interval) = of(evidence, component)?;
    let end = evidence.run.end.unwrap_or(f64::INFINITY);
    let found = hiding(&steps, interval, end, limit, faults);
    Ok(found.map(|one| shortfall(component, one, evidence.run.start)))
}

/// Whether an outage may hide that ends later than a recovery that took `upper` seconds at most, and began before that was
/// final.
pub(super) fn relapse(
    evidence: &Evidence,
    component: &str,
    settled: Settled,
    upper: f64,
) -> Result<Option<Shortfall>, Shortfall> {
    let (steps, interval) = of(evidence, component)?;
    let found = later(&steps, interval, settled, upper);
    Ok(found.map(|one| shortfall(component, one, evidence.run.start)))
}

fn shortfall(component: &str, stretch: Stretch, start: f64) -> Shortfall {
    let [from, to] = [stretch.from, stretch.to].map(|at| show::seconds(at - start));
    let (most, missed) = (show::seconds(stretch.most), show::grouped(stretch.missed));
    let detail = format!(
        "{component}: nobody looked for up to {most} s between +{from} s and +{to} s, {missed} probes missed"
    );
    Shortfall::new(Lack::ProbesMissed, detail)
}

#[cfg(test)]
mod tests;
