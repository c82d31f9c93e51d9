//! Load held (pure): as many users as wanted ran, and they sent the requests that they owed.

use super::Evidence;
use super::availability::requests;
use super::load_time::{self, EDGE};
use super::portion::needs;
use super::users_ran::users_ran;
use super::{Judged, Lack, Shown, show, user_time};
use crate::evidence::{Edge, PhaseName, Point, Shortfall, Window, family, same};
use crate::slo::Share;
use crate::verdict::Verdict;

/// Users send no more than they owe: above this and chance the think time is not what they did.
const MORE: f64 = 0.1;

pub(super) fn judge(limit: Share, evidence: &Evidence) -> Result<Judged, Shortfall> {
    let run = &evidence.run;
    let absent = || Shortfall::new(Lack::NoSamples, "the run has no phase `steady`");
    let start = run.phase(PhaseName::Steady).ok_or_else(absent)?.start + EDGE;
    let end = run.load_end().ok_or_else(absent)? - EDGE;
    let target = evidence.gauge(family::USERS, &[("state", "target")])?.finite("users{state=\"target\"}")?;
    let wanted = target.within(start, end);
    let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else {
        return Err(Shortfall::new(Lack::NoSamples, "no sample of the users wanted while the load lasted"));
    };
    target.before(end)?;
    let unseen = target.longest_gap(start, end);
    let span = last.clock - first.clock;
    if wanted.iter().all(|point| point.value <= 0.0) || span <= 0.0 {
        return Err(Shortfall::new(Lack::NoSamples, "no users were wanted"));
    }
    let users = users_ran(evidence, &target, (start, end))?;
    let owed = if run.processes.with(true) == [0] {
        owed(evidence, wanted)?
    } else {
        owed_apart(evidence, wanted, users.least)?
    };
    let Sent { low, middle, high, owed } = owed;
    let (lower, seen) = (users.least.min(low), users.most.min(high));
    let upper = users.most.min(high + by_chance(owed));
    let why = why((users.least, middle), limit);
    let by_value = Verdict::at_least(lower, upper, limit.as_f64());
    let mut judged =
        Judged::value(show::share(users.least.min(middle), (lower, upper), Some(limit)), by_value, why);
    let (_, total) = requests(evidence, None)?;
    if total.total() < limit.events_needed() {
        judged.lacks(Lack::TooFewEvents, format!("{} requests, {}", total.total(), needs(limit)));
    } else if seen < limit.as_f64() && by_value == Verdict::Inconclusive {
        let chance = crate::slo::trimmed(by_chance(owed) * 100.0, 1);
        let detail = format!("of {} requests owed, {chance} % more or less is chance", show::grouped(owed));
        judged.lacks(Lack::TooFewEvents, detail);
    }
    if low > 1.0 + MORE + by_chance(owed) {
        let (sent, owed) = (show::grouped(low * owed), show::grouped(owed));
        judged.lacks(Lack::Disagreement, format!("{sent} requests were sent, but only {owed} were owed"));
    }
    if unseen > (0.1 * (end - start)).max(3.0 * run.processes.scrape_interval()) {
        judged
            .lacks(Lack::Gap, format!("{} s without a sample while the load lasted", show::seconds(unseen)));
    }
    judged.shortfalls.extend(load_time::wanted_otherwise(evidence));
    judged.shortfalls.extend(user_time::contradiction(evidence));
    judged
        .beside
        .push("no single PromQL expression tells this exactly: it integrates a sampled gauge".to_owned());
    judged.samples = vec![
        Shown { series: "ordeal_users{state=\"target\"}".to_owned(), at: users.at.at, value: users.at.value },
        Shown {
            series: "sum(ordeal_users{state=\"running\"})".to_owned(),
            at: users.at.at,
            value: users.sum,
        },
    ];
    Ok(judged)
}

/// The share of the users that ran and that of the requests that they sent, as a sentence.
fn why((users, sent): (f64, f64), limit: Share) -> String {
    let [users, sent] = [users, sent].map(|share| show::part(share, limit));
    format!("{users} of the users wanted ran at worst, and they sent {sent} of the requests owed")
}

/// The requests that users sent of those they owed.
struct Sent {
    /// The share at worst, as estimated, and at best.
    low: f64,
    middle: f64,
    high: f64,
    /// How many were owed.
    owed: f64,
}

/// How much the share sent of so many requests owed may stray by the users' luck alone: three standard deviations.
///
/// Users draw their think times at random, so a time holds a random number of them. Of a renewal process with
/// steps of mean m and standard deviation s, the number N in a long time has the variance N (s/m)² (D. R. Cox,
/// Renewal Theory, 1962, section 3.3), so N strays by s/m / sqrt(N) of itself. The mean alone is exported;
/// uniform steps from a to b have s/m = (b - a) / (a + b) / sqrt(3), which is 1/sqrt(3) at most.
fn by_chance(owed: f64) -> f64 {
    3.0 / (3.0 * owed.max(1.0)).sqrt()
}

/// The share of the requests owed that were sent, between the first and the last of these scrapes:
/// owed = (users wanted over time, less the seconds that users waited) / mean think time.
fn owed(evidence: &Evidence, wanted: &[Point]) -> Result<Sent, Shortfall> {
    let run = &evidence.run;
    let (first, last) = (wanted[0], wanted[wanted.len() - 1]);
    let (low, middle, high) = crate::evidence::mean_bounds(wanted)
        .ok_or_else(|| Shortfall::new(Lack::NoSamples, "one sample is no span of time"))?;
    let span = last.clock - first.clock;
    let at = |point: Point| run.processes.conductor().scrapes.partition_point(|scrape| scrape.at < point.at);
    let think = think(evidence)?;
    let (_, total) = requests(evidence, None)?;
    let of = |state| evidence.tally(family::USER_SECONDS_TOTAL, &[("state", state)]);
    let idle = of("waiting")?.plus(&of("overdue")?);
    let (sent, idle) = (total.between(at(first), at(last)), idle.between(at(first), at(last)));
    let owed = |users: f64| (users * span - idle) / think;
    let share = |users: f64| if owed(users) > 0.0 { sent / owed(users) } else { f64::INFINITY };
    Ok(Sent { low: share(high), middle: share(middle), high: share(low), owed: owed(middle) })
}

/// The same where the load runs in other processes, which are scraped at other times than the users wanted:
/// each is measured between its own scrapes, by the time that its users spent thinking, and the users that did
/// not run, `running` being the least share that did, have sent nothing.
fn owed_apart(evidence: &Evidence, wanted: &[Point], running: f64) -> Result<Sent, Shortfall> {
    let run = &evidence.run;
    let (first, last) = (wanted[0], wanted[wanted.len() - 1]);
    let window = Window::Part { from: Edge::exact(first.clock), to: Edge::exact(last.clock) };
    let of =
        |state| evidence.tally(family::USER_SECONDS_TOTAL, &[("state", state)])?.over(&run.processes, window);
    let (thinking, idle) = (of("thinking")?.inner, of("waiting")?.inner + of("overdue")?.inner);
    let sent = requests(evidence, None)?.1.over(&run.processes, window)?.inner;
    let owed = thinking / think(evidence)?;
    if owed <= 0.0 {
        return Err(Shortfall::new(
            Lack::NoSamples,
            "no user thought between two scrapes of the load processes",
        ));
    }
    let idle = idle / (thinking + idle);
    let by_running = ((running - idle) / (1.0 - idle)).clamp(0.0, 1.0);
    let share = sent / owed;
    Ok(Sent { low: share * by_running, middle: share * by_running, high: share, owed })
}

fn think(evidence: &Evidence) -> Result<f64, Shortfall> {
    let gauge = evidence.gauge(family::THINK_TIME_SECONDS, &[])?;
    let think = gauge.last()?.value;
    if let Some(other) = gauge.points.iter().find(|point| !same(point.value, think)) {
        let detail = format!("users think for {think} s, but for {} s at {}", other.value, other.at);
        return Err(Shortfall::new(Lack::Disagreement, detail));
    }
    if think > 0.0 {
        return Ok(think);
    }
    Err(Shortfall::new(Lack::NotFinite, "users do not think, so no number of requests is owed"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Twenty users who do nothing but think and ask for a minute, as the trial has it.
        #[test]
        fn a_load_that_is_held_fails_by_no_luck(
            least in 0.5..2.0_f64,
            spread in 0.0..2.0_f64,
            draws in prop::collection::vec(0.0..1.0_f64, 4096),
        ) {
            let (users, span) = (20, 60.0);
            // No wider than from 1 s to 3 s.
            let think = |draw: f64| least * (1.0 + spread * draw);
            let mean = think(0.5);
            let mut draws = draws.iter().copied().cycle();
            let mut draw = || draws.next().unwrap_or_default();
            let mut sent = 0.0;
            for _ in 0..users {
                // Each has begun its first thought at some time before.
                let mut clock = think(draw()) * draw();
                while clock < span {
                    sent += 1.0;
                    clock += think(draw());
                }
            }
            let owed = f64::from(users) * span / mean;
            let share = sent / owed;
            prop_assert_ne!(Verdict::at_least(share, share + by_chance(owed), 0.99), Verdict::Fail);
        }
    }

    #[test]
    fn no_share_is_told_on_the_other_side_of_its_limit() {
        let table = [
            ("95%", (0.949_999, 0.97), "94.99 %", "97 %"),
            ("95%", (0.95, 0.949_96), "95 %", "94.99 %"),
            ("94.995%", (0.949_96, 0.949_94), "94.996 %", "94.99 %"),
            ("99%", (1.0, 1.0123), "100 %", "101.23 %"),
        ];
        for (limit, shares, users, sent) in table {
            let due = format!(
                "{users} of the users wanted ran at worst, and they sent {sent} of the requests owed"
            );
            assert_eq!(why(shares, Share::parse(limit).expect("a share")), due);
        }
    }

    #[test]
    fn many_requests_leave_little_to_chance() {
        assert!(by_chance(500_000.0) < 0.0025 && by_chance(600.0) > 0.05);
    }
}
