//! Shares of a whole over a window, with the bounds that come from scrapes. Pure.

use super::Evidence;
use super::{Judged, Lack, show};
use crate::evidence::{Bounds, Shortfall, Tally, Window, family};
use crate::slo::Share;
use crate::verdict::Verdict;

/// How many of how many were bad.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Portion {
    pub(crate) bad: Bounds,
    pub(crate) total: Bounds,
}

/// The counters that a share is made of: what was bad, at worst and at best, of all.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Counters {
    pub(crate) worst: Tally,
    pub(crate) best: Tally,
    pub(crate) total: Tally,
}

impl Portion {
    /// What such counters counted over a window.
    pub(crate) fn of(evidence: &Evidence, counters: &Counters, window: Window) -> Result<Self, Shortfall> {
        let over = |bad: &Tally| Self::over(evidence, bad, &counters.total, window);
        let (mut portion, best) = (over(&counters.worst)?, over(&counters.best)?);
        portion.bad.inner = best.bad.inner;
        Ok(portion)
    }

    /// Both counted over the same window.
    pub(crate) fn over(
        evidence: &Evidence,
        bad: &Tally,
        total: &Tally,
        window: Window,
    ) -> Result<Self, Shortfall> {
        let bad = bad.over(&evidence.run.processes, window)?;
        // A scrape may catch an event in one counter and not yet in the other: less than none is none.
        let bad = Bounds { inner: bad.inner.max(0.0), outer: bad.outer.max(0.0) };
        Ok(Self { bad, total: total.over(&evidence.run.processes, window)? })
    }

    /// The good share at worst, as estimated, and at best. At worst all of the bad ones of the enclosing
    /// scrapes fell among the fewest events, at best only those of the enclosed scrapes among the most.
    pub(crate) fn good(self) -> (f64, f64, f64) {
        // One quotient, which is rounded as the limit is: one that is reached to the last event is told as reached.
        let share = |bad: f64, total: f64| if total > 0.0 { (total - bad).max(0.0) / total } else { 0.0 };
        (
            share(self.bad.outer, self.total.inner),
            share(self.bad.outer, self.total.outer),
            share(self.bad.inner, self.total.outer),
        )
    }

    /// The verdict, in whole-number arithmetic.
    fn verdict(self, limit: Share) -> Verdict {
        if limit.reached_by(self.total.inner - self.bad.outer, self.total.inner) {
            Verdict::Pass
        } else if limit.reached_by(self.total.outer - self.bad.inner, self.total.outer) {
            Verdict::Inconclusive
        } else {
            Verdict::Fail
        }
    }

    /// The value against its limit; nothing at all is a shortfall, too little stands against the verdict.
    pub(crate) fn judged(self, limit: Share, events: f64, what: &str) -> Result<Judged, Shortfall> {
        let needed = limit.events_needed();
        if self.total.inner <= 0.0 {
            let detail = format!("no {what} between two scrapes of the window, {}", needs(limit));
            return Err(Shortfall::new(Lack::TooFewEvents, detail));
        }
        let (lower, value, upper) = self.good();
        let count =
            |value: f64| if value.fract() == 0.0 { show::grouped(value) } else { format!("{value:.3}") };
        let why = format!("{} of {} {what} were bad", count(self.bad.outer), count(self.total.outer));
        let mut judged =
            Judged::value(show::share(value, (lower, upper), Some(limit)), self.verdict(limit), why);
        // As many bad ones as the missing events could ever excuse, and more: all of them good would not save it.
        let proven_bad = if needed.is_finite() {
            !limit.reached_by(needed - self.bad.inner, needed)
        } else {
            self.bad.inner > 0.0
        };
        if events < needed && !proven_bad {
            judged.lacks(Lack::TooFewEvents, format!("{}, {}", show::grouped(events), needs(limit)));
        }
        Ok(judged)
    }
}

/// How many events a limit needs, for people.
pub(crate) fn needs(limit: Share) -> String {
    let needed = limit.events_needed();
    if needed.is_finite() {
        format!("{} needed", show::grouped(needed))
    } else {
        "but no number of events proves 100 %: promise 99.99 % instead".to_owned()
    }
}

/// Notes a saturated generator where it may explain a fail: where no more than what the limit allows would be
/// bad without the time in which the generator could not keep up.
pub(crate) fn note_saturation(
    judged: &mut Judged,
    evidence: &Evidence,
    window: Window,
    portion: Portion,
    limit: Share,
) -> Result<(), Shortfall> {
    let saturated =
        evidence.tally(family::SATURATED_SECONDS_TOTAL, &[])?.over(&evidence.run.processes, window)?.outer;
    if saturated <= 0.0 || judged.by_value == Verdict::Pass {
        return Ok(());
    }
    let length = evidence.length(window);
    let part = if length > 0.0 { (saturated / length).min(1.0) } else { 1.0 };
    let excess = (1.0 - portion.good().2) - limit.allowed_bad();
    if excess <= part {
        let detail = format!("for {} s of {length:.0} s", show::seconds(saturated));
        judged.lacks(Lack::GeneratorSaturated, detail);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn portion(bad: (f64, f64), total: (f64, f64)) -> Portion {
        let bounds = |(inner, outer)| Bounds { inner, outer };
        Portion { bad: bounds(bad), total: bounds(total) }
    }

    #[test]
    fn a_share_passes_at_worst_and_fails_at_best() {
        let limit = Share::parse("99.9%").unwrap();
        let table = [
            (portion((0.0, 0.0), (9000.0, 10_000.0)), Verdict::Pass),
            (portion((9.0, 9.0), (9000.0, 10_000.0)), Verdict::Pass),
            // Ten of nine thousand are too many, ten of ten thousand are not.
            (portion((10.0, 10.0), (9000.0, 10_000.0)), Verdict::Inconclusive),
            (portion((0.0, 10.0), (9000.0, 10_000.0)), Verdict::Inconclusive),
            (portion((11.0, 11.0), (9000.0, 10_000.0)), Verdict::Fail),
        ];
        for (portion, verdict) in table {
            assert_eq!(portion.judged(limit, 9000.0, "requests").unwrap().by_value, verdict, "{portion:?}");
        }
    }

    #[test]
    fn a_share_that_just_reaches_its_limit_is_told_as_its_limit() {
        for (total, each) in [(10_000.0, 1), (40_000.0, 4), (30_000_000.0, 3000)] {
            for bad in 1..=1000_u32 {
                let good = 10_000 - bad;
                let limit = Share::parse(&format!("{}.{:02}%", good / 100, good % 100)).unwrap();
                let bad = f64::from(bad * each);
                let judged = portion((bad, bad), (total, total)).judged(limit, total, "requests").unwrap();
                let observed = judged.observed.unwrap();
                assert_eq!((judged.by_value, observed.text), (Verdict::Pass, limit.to_string()));
                assert_eq!(observed.value.to_bits(), limit.as_f64().to_bits(), "{limit}");
                let worse = portion((bad + 1.0, bad + 1.0), (total, total));
                let judged = worse.judged(limit, total, "requests").unwrap();
                assert_eq!(judged.by_value, Verdict::Fail);
                assert_ne!(judged.observed.unwrap().text, limit.to_string());
            }
        }
    }

    #[test]
    fn few_events_cannot_save_what_is_bad_enough_for_all_of_them() {
        let limit = Share::parse("99.9%").unwrap();
        let bad = portion((81.0, 81.0), (305.0, 305.0)).judged(limit, 305.0, "requests").unwrap();
        assert_eq!((bad.by_value, bad.verdict()), (Verdict::Fail, Verdict::Fail));
    }

    #[test]
    fn no_number_of_events_proves_that_none_is_ever_bad() {
        let whole = Share::parse("100%").unwrap();
        let judged = |bad| portion((bad, bad), (1e9, 1e9)).judged(whole, 1e9, "requests").unwrap();
        assert_eq!((judged(0.0).by_value, judged(0.0).verdict()), (Verdict::Pass, Verdict::Inconclusive));
        assert_eq!(judged(1.0).verdict(), Verdict::Fail);
        assert!(judged(0.0).shortfalls[0].detail.ends_with("promise 99.99 % instead"));
    }

    #[test]
    fn too_few_events_stand_against_what_they_cannot_prove() {
        let limit = Share::parse("99.9%").unwrap();
        let few = portion((0.0, 0.0), (2999.0, 2999.0)).judged(limit, 2999.0, "requests").unwrap();
        assert_eq!((few.by_value, few.verdict()), (Verdict::Pass, Verdict::Inconclusive));
        let borderline = portion((3.0, 3.0), (300.0, 300.0)).judged(limit, 300.0, "requests").unwrap();
        assert_eq!((borderline.by_value, borderline.verdict()), (Verdict::Fail, Verdict::Inconclusive));
        let none = portion((0.0, 0.0), (0.0, 5000.0)).judged(limit, 0.0, "requests");
        assert_eq!(none.unwrap_err().lack, Lack::TooFewEvents);
    }
}
