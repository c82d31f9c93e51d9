//! Health (pure): every component up before and after, and down only where an experiment explains it.

use super::Evidence;
use super::health_seen::{Counted, Look, uncounted};
use super::names::COMPONENTS;
use super::paste::{Expected, Paste};
use super::{Judged, Lack, Shown, probes, show, unseen};
use crate::evidence::{Gauge, PhaseName, Shortfall, State, Tally, family, same};
use crate::run::Experiment;
use crate::slo::Health;
use crate::verdict::Verdict;

const UP: &str = family::COMPONENT_UP;
const LONGEST: &str = family::COMPONENT_LONGEST_OUTAGE_SECONDS;
const OUTAGES: &str = family::COMPONENT_OUTAGES_TOTAL;
const FOLLOWED: &str = family::COMPONENTS;
const PROBES: &str = family::PROBES_TOTAL;
/// The part of the probes that may be missed before an outage may hide among them.
const MISSED: f64 = 0.05;
const INTERVAL: &str = family::PROBE_INTERVAL_SECONDS;
/// The part of the probes that must have been counted as anything at all …
const COUNTED: f64 = 0.9;
/// … but for so many under way at either end.
const ENDS: f64 = 20.0;

pub(super) fn judge(promise: &Health, evidence: &Evidence) -> Result<Judged, Shortfall> {
    let all = if promise.components.is_empty() { every_component(evidence)? } else { Vec::new() };
    let components = if all.is_empty() { &promise.components } else { &all };
    let limit = promise.longest.as_secs_f64();
    let mut all = Vec::new();
    for name in components {
        all.push(component(evidence, name, limit)?);
    }
    let verdict = Verdict::worst(all.iter().map(|one| one.verdict));
    let worst = all.iter().max_by(|a, b| a.verdict.cmp(&b.verdict).then(a.upper.total_cmp(&b.upper)));
    let worst = worst.ok_or_else(|| Shortfall::new(Lack::FamilyAbsent, "no component"))?;
    let time = show::Time::at_most((worst.lower, worst.upper), limit);
    let mut observed = time.observed();
    observed.text = worst.told.clone().unwrap_or_else(|| {
        let components = show::counted(all.len() as f64, "component", "components");
        format!("{components}, longest {}", observed.text)
    });
    let why = worst.told.clone().unwrap_or_else(|| {
        format!("the longest outage that no experiment explains was {} ({})", time.length(), worst.name)
    });
    let mut judged = Judged::value(observed, verdict, why);
    for one in all {
        judged.shortfalls.extend(one.shortfalls);
        // Of a component that did better than the worst, nothing decides.
        if one.verdict == verdict {
            judged.samples.extend(one.samples);
            judged.pastes.extend(one.paste);
        }
    }
    Ok(judged)
}

/// Every component of the run: each that any family names, and as many as the exporter says that it follows,
/// so that one whose series were all dropped is missed.
fn every_component(evidence: &Evidence) -> Result<Vec<String>, Shortfall> {
    let known = COMPONENTS.known(evidence);
    let followed = evidence.gauge(FOLLOWED, &[])?.finite(FOLLOWED)?.last()?.value;
    if known.is_empty() && followed > 0.0 {
        return Err(Shortfall::new(Lack::FamilyAbsent, format!("no series {UP}")));
    }
    if known.is_empty() {
        return Err(Shortfall::new(Lack::NotInRun, "the trial has no component"));
    }
    let recorded = known.len() as f64;
    if same(followed, recorded) {
        return Ok(known);
    }
    let lack = if recorded < followed { Lack::FamilyAbsent } else { Lack::Disagreement };
    let followed = show::counted(followed, "component", "components");
    let detail =
        format!("{FOLLOWED} says {followed}, series were recorded of {recorded}: {}", known.join(", "));
    Err(Shortfall::new(lack, detail))
}

/// What is said of one component.
struct Component {
    name: String,
    lower: f64,
    upper: f64,
    verdict: Verdict,
    /// What is wrong besides the outages' length.
    told: Option<String>,
    shortfalls: Vec<Shortfall>,
    samples: Vec<Shown>,
    paste: Option<Paste>,
}

fn component(evidence: &Evidence, name: &str, limit: f64) -> Result<Component, Shortfall> {
    let bound = |bound| {
        let labels = [("component", name), ("cause", "none"), ("bound", bound)];
        evidence.gauge(LONGEST, &labels)
    };
    // The last value of the upper bound may be a little less than one before: an end is known better when it has
    // lasted.
    let (lower, upper) = (bound("lower")?.last()?, bound("upper")?.highest()?);
    let mut one = Component {
        name: name.to_owned(),
        lower: lower.value,
        upper: upper.value,
        verdict: Verdict::at_most(lower.value, upper.value, limit),
        told: None,
        shortfalls: Vec::new(),
        samples: Vec::new(),
        paste: None,
    };
    let up = evidence.gauge(UP, &[("component", name)])?.finite(UP)?;
    let begun = evidence.run.experiments.values().filter_map(|experiment| experiment.injected);
    let steady = evidence.run.phase(PhaseName::Steady).map_or(evidence.run.start, |steady| steady.start);
    let before = up.before(begun.fold(f64::INFINITY, f64::min).min(steady.max(evidence.run.start)));
    let after = up.before(evidence.run.end.unwrap_or(f64::INFINITY));
    let ends = [("before the load", before), (seen_last(evidence), after)];
    for (at, (when, point)) in ends.into_iter().enumerate() {
        let Some(point) = point? else {
            one.shortfalls.push(Shortfall::new(Lack::NoSamples, format!("no sample of {name} {when}")));
            continue;
        };
        one.samples.push(Shown {
            series: format!("{UP}{{component={name:?}}}"),
            at: point.at,
            value: point.value,
        });
        if !same(point.value, 1.0) {
            // A run that was stopped, or that has no end, may have been so while a fault's harm still lasted.
            let by_fault = at == 1 && (evidence.run.aborted || evidence.run.end.is_none());
            one.verdict = one.verdict.and(if by_fault { Verdict::Inconclusive } else { Verdict::Fail });
            one.told = Some(format!("{name} was down {when}"));
        }
    }
    let matchers = format!("component={name:?},cause=\"none\",bound=\"upper\"");
    let series = format!("{LONGEST}{{{matchers}}}");
    one.samples.push(Shown { series, at: upper.at, value: upper.value });
    one.paste = Some(Paste::highest(&evidence.run, LONGEST, &matchers, Expected::Seconds(upper.value)));
    audit(&mut one, evidence, &up)?;
    one.shortfalls.extend(unseen::unexplained(evidence, name, limit, &faults(evidence))?);
    Ok(one)
}

/// What the last sample of a component speaks of.
fn seen_last(evidence: &Evidence) -> &'static str {
    if evidence.run.end.is_some() { "after the load" } else { "when last seen, which was not the run's end" }
}

/// Whether nearly as many probes were counted, whatever became of them, as the time takes.
fn audit_pace(evidence: &Evidence, name: &str, probes: &Tally) -> Result<(), Shortfall> {
    let run = &evidence.run;
    let interval = evidence.gauge(INTERVAL, &[("component", name)])?.finite(INTERVAL)?.last()?.value;
    if interval <= 0.0 {
        return Err(Shortfall::new(Lack::NotFinite, format!("{INTERVAL} of {name} is {interval}")));
    }
    let scrapes = &run.processes.conductor().scrapes;
    let until = run.end.unwrap_or(f64::INFINITY);
    let last = scrapes.partition_point(|scrape| scrape.clock <= until).saturating_sub(1);
    let counted = probes.between(0, last);
    let due = (scrapes[last].clock - scrapes[0].clock) / interval;
    if counted >= COUNTED * due - ENDS {
        return Ok(());
    }
    let (counted, due) = (show::grouped(counted), show::grouped(due.floor()));
    let detail = format!("{name}: {counted} probes were counted of the {due} that the time takes");
    Err(Shortfall::new(Lack::ProbesMissed, detail))
}

/// The outage counter and the probes must tell the same story.
fn audit(one: &mut Component, evidence: &Evidence, up: &Gauge) -> Result<(), Shortfall> {
    let name = one.name.as_str();
    let unexplained = evidence.tally(OUTAGES, &[("component", name), ("cause", "none")])?.total();
    let mut found = Vec::new();
    if (unexplained > 0.0) != (one.upper > 0.0) {
        let detail = format!("{name}: {unexplained} unexplained outages, the longest of {} s", one.upper);
        found.push(Shortfall::new(Lack::Disagreement, detail));
    }
    let of = |outcome| evidence.tally(PROBES, &[("component", name), ("outcome", outcome)]);
    let (ok, failing, missed) = (of("ok")?, of("failed")?, of("missed")?);
    let failed = failing.total();
    let all = ok.plus(&missed).total() + failed;
    if ok.total() <= 0.0 {
        found.push(Shortfall::new(Lack::NoSamples, format!("no probe of {name} was answered")));
    } else if missed.total() > MISSED * all {
        let detail = format!("{name}: {} of {} probes missed", missed.total(), show::grouped(all));
        found.push(Shortfall::new(Lack::ProbesMissed, detail));
    }
    found.extend(audit_pace(evidence, name, &evidence.tally(PROBES, &[("component", name)])?).err());
    found.extend(probes::at_once(evidence, name)?);
    let none = [("component", name), ("cause", "none")];
    let seconds =
        |labels| evidence.tally(family::COMPONENT_OUTAGE_SECONDS_TOTAL, labels).map(|tally| tally.total());
    let outages = evidence.tally(OUTAGES, &none[..1])?.total();
    let counted = Counted {
        unexplained: (unexplained, seconds(&none[..])?),
        all: (outages, seconds(&none[..1])?),
        interval: evidence.gauge(INTERVAL, &[("component", name)])?.finite(INTERVAL)?.last()?.value,
        missed: missed.total(),
    };
    found.extend(uncounted(name, &looks(evidence, up, &failing), &faults(evidence), counted));
    found.extend(shown(name, evidence, up).err());
    if failed > 0.0 && outages < 1.0 {
        found.push(Shortfall::new(
            Lack::Disagreement,
            format!("{name}: {failed} probes failed, but no outage was counted"),
        ));
    }
    one.shortfalls.extend(found);
    Ok(())
}

/// Whether every scrape up to the run's end shows whether a component is up, from the first one on: its series is there
/// before anybody can scrape, and the first scrape is due before the load.
fn shown(name: &str, evidence: &Evidence, up: &Gauge) -> Result<(), Shortfall> {
    let run = &evidence.run;
    let first = run.processes.conductor().scrapes.first().map_or(run.start, |scrape| scrape.clock);
    up.whole(first, run.end.unwrap_or(f64::INFINITY))?;
    let load = run.phase(PhaseName::Ramp).map_or(run.start, |ramp| ramp.start);
    let late = up.points[0].clock - load;
    if late <= run.processes.scrape_interval() {
        return Ok(());
    }
    let detail = format!("{name} was first seen {} s after the load began", show::seconds(late));
    Err(Shortfall::new(Lack::Gap, detail))
}

/// What each scrape up to the run's end saw of a component.
fn looks(evidence: &Evidence, up: &Gauge, failed: &Tally) -> Vec<Look> {
    let scrapes = &evidence.run.processes.conductor().scrapes;
    let end = evidence.run.end.unwrap_or(f64::INFINITY);
    let look = |(at, scrape): (usize, &crate::evidence::Scrape)| {
        let point = up.points.binary_search_by(|point| point.clock.total_cmp(&scrape.clock)).ok()?;
        let up = same(up.points[point].value, 1.0);
        Some(Look { clock: scrape.clock, up, failed: failed.at(at)? })
    };
    scrapes.iter().enumerate().filter(|(_, scrape)| scrape.clock <= end).filter_map(look).collect()
}

/// When experiments explain an outage that begins: until their components are final, or nobody knows how long.
fn faults(evidence: &Evidence) -> Vec<(f64, f64)> {
    let span = |experiment: &Experiment| {
        let over = matches!(experiment.state, Some(State::Recovered | State::NotRecovered));
        let ended = experiment.ended.filter(|_| over).map_or(f64::INFINITY, |ended| ended.latest);
        experiment.injected.map(|injected| (injected, ended))
    };
    evidence.run.experiments.values().filter_map(span).collect()
}
