//! The three verdicts and how they combine (pure): the worst one wins.

use schemars::JsonSchema;
use serde::Serialize;

/// What is said of an objective, and of a run. The order is the order of badness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// The whole interval of the observed value is inside the limit, on sufficient evidence.
    Pass,
    /// The evidence does not decide.
    Inconclusive,
    /// The whole interval of the observed value is outside the limit.
    Fail,
}

impl Verdict {
    /// The worse of two verdicts.
    pub(crate) fn and(self, other: Self) -> Self {
        self.max(other)
    }

    /// The worst of many; of none at all, inconclusive: nothing was judged, so nothing was proven.
    pub(crate) fn worst(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts.into_iter().reduce(Self::and).unwrap_or(Self::Inconclusive)
    }

    /// The verdict on a value somewhere in `lower..=upper` that must not exceed `limit`.
    pub(crate) fn at_most(lower: f64, upper: f64, limit: f64) -> Self {
        if upper <= limit {
            Self::Pass
        } else if lower > limit {
            Self::Fail
        } else {
            Self::Inconclusive
        }
    }

    /// The verdict on a value somewhere in `lower..=upper` that must not be under `limit`.
    pub(crate) fn at_least(lower: f64, upper: f64, limit: f64) -> Self {
        if lower >= limit {
            Self::Pass
        } else if upper < limit {
            Self::Fail
        } else {
            Self::Inconclusive
        }
    }

    /// The exit code of the program.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Inconclusive => 3,
        }
    }

    /// The word for reports.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_verdict() -> impl Strategy<Value = Verdict> {
        prop_oneof![Just(Verdict::Pass), Just(Verdict::Inconclusive), Just(Verdict::Fail)]
    }

    proptest! {
        #[test]
        fn combining_is_associative_and_commutative(a in any_verdict(), b in any_verdict(), c in any_verdict()) {
            prop_assert_eq!(a.and(b), b.and(a));
            prop_assert_eq!(a.and(b).and(c), a.and(b.and(c)));
            prop_assert_eq!(a.and(a), a);
            prop_assert_eq!(Verdict::Pass.and(a), a);
        }

        #[test]
        fn a_value_with_bounds_passes_only_when_its_worst_end_does(lower in -5.0..5.0, width in 0.0..5.0, limit in -5.0..5.0) {
            let upper = lower + width;
            let verdict = Verdict::at_most(lower, upper, limit);
            prop_assert_eq!(verdict == Verdict::Pass, upper <= limit);
            prop_assert_eq!(verdict == Verdict::Fail, lower > limit);
        }
    }

    #[test]
    fn nothing_judged_proves_nothing() {
        assert_eq!(Verdict::worst([]), Verdict::Inconclusive);
    }

    #[test]
    fn not_a_number_never_passes_and_never_fails() {
        assert_eq!(Verdict::at_most(f64::NAN, f64::NAN, 1.0), Verdict::Inconclusive);
        assert_eq!(Verdict::at_least(f64::NAN, f64::NAN, 1.0), Verdict::Inconclusive);
    }

    #[test]
    fn each_verdict_has_its_exit_code() {
        let codes = [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive].map(Verdict::exit_code);
        assert_eq!(codes, [0, 1, 3]);
    }
}
