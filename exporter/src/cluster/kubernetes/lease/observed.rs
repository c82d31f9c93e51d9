//! Whether a lease may be taken. Pure.
//!
//! What its holder wrote into it is of the holder's clock, which may be ahead of ours or behind it. So nobody's times
//! are compared: a holder is gone when its lease has not changed for so long while we looked, on our own clock.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::LeaseSpec;

use super::LASTS;

/// What was seen of a lease that somebody else holds.
#[derive(Debug, Default)]
pub struct Observed {
    last: Option<(LeaseSpec, Instant)>,
}

impl Observed {
    /// Notes that the lease is like `spec` at `now`; answers for how long it has been known to be.
    pub(super) fn see(&mut self, spec: &LeaseSpec, now: Instant) -> Duration {
        match &self.last {
            Some((last, since)) if last == spec => now.saturating_duration_since(*since),
            _ => {
                self.last = Some((spec.clone(), now));
                Duration::ZERO
            }
        }
    }
}

/// Whether a lease like `spec` is free for `holder`, where it is known not to have changed `for_so_long`: never held,
/// given up, its own, or of a holder that is gone.
pub(super) fn is_free(spec: &LeaseSpec, holder: &str, for_so_long: Duration) -> bool {
    let held_by = spec.holder_identity.as_deref().filter(|identity| !identity.is_empty());
    held_by.is_none_or(|identity| identity == holder) || for_so_long >= lasts(spec)
}

/// How long its holder may be silent: what it says itself, but no less than ours do.
fn lasts(spec: &LeaseSpec) -> Duration {
    let said = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    Duration::from_secs(said.unwrap_or(0)).max(LASTS)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
    use k8s_openapi::jiff::{SignedDuration, Timestamp};

    use super::*;

    fn spec(holder: Option<&str>, lasts: Option<i32>) -> LeaseSpec {
        LeaseSpec {
            holder_identity: holder.map(str::to_owned),
            lease_duration_seconds: lasts,
            ..LeaseSpec::default()
        }
    }

    #[test]
    fn a_lease_is_free_when_nobody_holds_it_or_its_holder_was_seen_to_be_gone() {
        let table = [
            (spec(Some("other"), Some(45)), 0, false),
            (spec(Some("other"), Some(45)), 44, false),
            (spec(Some("other"), Some(45)), 45, true),
            // Who says more has more; who says less or nothing has as much as all.
            (spec(Some("other"), Some(60)), 59, false),
            (spec(Some("other"), Some(60)), 60, true),
            (spec(Some("other"), Some(1)), 44, false),
            (spec(Some("other"), Some(-5)), 44, false),
            (spec(Some("other"), None), 44, false),
            (spec(Some("other"), None), 45, true),
            (spec(Some("me"), Some(45)), 0, true),
            (spec(Some(""), Some(45)), 0, true),
            (spec(None, Some(45)), 0, true),
        ];
        for (spec, seconds, expected) in table {
            let free = is_free(&spec, "me", Duration::from_secs(seconds));
            assert_eq!(free, expected, "{seconds} s: {spec:?}");
        }
    }

    /// Looks once a second at a lease whose holder's clock is off by so many seconds, and who renews it every 3 s until
    /// `gone`: the second in which it is found free.
    fn free_after(skew: i64, gone: u64) -> Option<u64> {
        let (start, ours) = (Instant::now(), "2026-11-24T10:00:00Z".parse::<Timestamp>().expect("a time"));
        let mut observed = Observed::default();
        (0..120).find(|&second| {
            let renewed = i64::try_from(second.min(gone) / 3 * 3).expect("small");
            let theirs = ours + SignedDuration::from_secs(renewed + skew);
            let lease = LeaseSpec { renew_time: Some(MicroTime(theirs)), ..spec(Some("other"), Some(45)) };
            let unchanged = observed.see(&lease, start + Duration::from_secs(second));
            is_free(&lease, "me", unchanged)
        })
    }

    #[test]
    fn what_the_holders_clock_says_counts_for_nothing() {
        let table = [
            // Whoever lives keeps it, however far its clock is behind or ahead.
            (0, 120, None),
            (-3600, 120, None),
            (-46, 120, None),
            (46, 120, None),
            (3600, 120, None),
            // Whoever is gone loses it as soon as it was seen long enough that nothing comes.
            (0, 10, Some(54)),
            (-3600, 10, Some(54)),
            (3600, 10, Some(54)),
            (-3600, 0, Some(45)),
        ];
        for (skew, gone, expected) in table {
            assert_eq!(free_after(skew, gone), expected, "off by {skew} s, gone after {gone} s");
        }
    }
}
