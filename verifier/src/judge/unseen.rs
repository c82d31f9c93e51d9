//! When nobody looked at a component (pure): between scrapes that count missed probes and none with an outcome, an outage
//! may hide, however few those probes are of the whole run.

use super::{Evidence, Lack, show};
use crate::evidence::{Shortfall, family};

/// A probe's outcome, and so the end of a stretch, may be counted so many seconds late.
const LATE: f64 = 2.0;

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
}

/// A stretch in which nobody looked.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    from: f64,
    to: f64,
    /// Probes that were missed in it.
    missed: f64,
}

/// Neighbouring steps without any outcome, in which probes were missed. The probes that are missed last may be counted
/// with the first outcome after them.
fn stretches(steps: &[Step]) -> Vec<Stretch> {
    let mut found: Vec<Stretch> = Vec::new();
    let mut open: Option<Stretch> = None;
    for step in steps {
        if step.known <= 0.0 {
            let stretch = open.get_or_insert(Stretch { from: step.from, to: step.to, missed: 0.0 });
            stretch.to = step.to;
            stretch.missed += step.missed;
        } else if let Some(stretch) = open.take() {
            found.push(Stretch { missed: stretch.missed + step.missed, ..stretch });
        }
    }
    found.extend(open);
    found.retain(|stretch| stretch.missed > 0.0);
    found
}

fn of(evidence: &Evidence, component: &str) -> Result<(Vec<Stretch>, f64), Shortfall> {
    let name = family::PROBE_INTERVAL_SECONDS;
    let interval = evidence.gauge(name, &[("component", component)])?.finite(name)?.last()?.value;
    let of =
        |outcome| evidence.tally(family::PROBES_TOTAL, &[("component", component), ("outcome", outcome)]);
    let (known, missed) = (of("ok")?.plus(&of("failed")?), of("missed")?);
    let scrapes = &evidence.run.processes.conductor().scrapes;
    let step = |(at, pair): (usize, &[crate::evidence::Scrape])| Step {
        from: pair[0].clock,
        to: pair[1].clock,
        known: known.between(at, at + 1),
        missed: missed.between(at, at + 1),
    };
    let steps: Vec<Step> = scrapes.windows(2).enumerate().map(step).collect();
    Ok((stretches(&steps), interval))
}

/// Whether an outage longer than `limit` that nothing explains may hide: one that begins outside of `faults`.
pub(super) fn unexplained(
    evidence: &Evidence,
    component: &str,
    limit: f64,
    faults: &[(f64, f64)],
) -> Result<Option<Shortfall>, Shortfall> {
    let (stretches, interval) = of(evidence, component)?;
    let explained =
        |one: &Stretch| faults.iter().any(|&(from, to)| one.from >= from - LATE && one.to <= to + LATE);
    let hides = |one: &&Stretch| (one.missed * interval).min(one.to - one.from) > limit && !explained(one);
    Ok(stretches.iter().find(hides).map(|one| told(component, one, evidence.run.start)))
}

/// Whether an outage that ends later than a recovery is told to have come may hide: the fault was `injected` then, the
/// recovery final at `told`, and it took `upper` seconds at most.
pub(super) fn relapse(
    evidence: &Evidence,
    component: &str,
    (injected, final_at): (f64, f64),
    upper: f64,
) -> Result<Option<Shortfall>, Shortfall> {
    let (stretches, _) = of(evidence, component)?;
    let hides = |one: &&Stretch| {
        one.to > injected && one.from < final_at && one.to.min(final_at) - LATE > injected + upper
    };
    Ok(stretches.iter().find(hides).map(|one| told(component, one, evidence.run.start)))
}

fn told(component: &str, stretch: &Stretch, start: f64) -> Shortfall {
    let [from, to] = [stretch.from, stretch.to].map(|at| show::seconds(at - start));
    let missed = show::grouped(stretch.missed);
    let detail = format!("{component}: nobody looked from +{from} s to +{to} s, {missed} probes missed");
    Shortfall::new(Lack::ProbesMissed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Outcomes and missed probes between each two of one scrape a second.
    type Counts = &'static [(f64, f64)];

    fn steps(counts: Counts) -> Vec<Step> {
        let step = |(at, &(known, missed)): (usize, &(f64, f64))| {
            let from = at as f64;
            Step { from, to: from + 1.0, known, missed }
        };
        counts.iter().enumerate().map(step).collect()
    }

    #[test]
    fn a_stretch_is_of_missed_probes_without_any_outcome() {
        let stretch = |from, to, missed| Stretch { from, to, missed };
        let table: [(&str, Counts, &[Stretch]); 6] = [
            ("all answered", &[(20.0, 0.0), (20.0, 0.0)], &[]),
            ("some missed between others", &[(15.0, 5.0), (15.0, 5.0)], &[]),
            ("a probe that took long", &[(20.0, 0.0), (0.0, 0.0), (40.0, 0.0)], &[]),
            ("missed", &[(20.0, 0.0), (0.0, 18.0), (0.0, 20.0), (15.0, 5.0)], &[stretch(1.0, 3.0, 43.0)]),
            ("counted when it is over", &[(20.0, 0.0), (0.0, 0.0), (5.0, 35.0)], &[stretch(1.0, 2.0, 35.0)]),
            ("to the end", &[(20.0, 0.0), (0.0, 20.0)], &[stretch(1.0, 2.0, 20.0)]),
        ];
        for (what, counts, expected) in table {
            assert_eq!(stretches(&steps(counts)), expected, "{what}");
        }
    }
}
