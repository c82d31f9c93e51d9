//! Pure: can a failover begin in time with these settings, and is zero loss promised at all?
//!
//! Only what is certain from the settings is said: that a limit *can* be missed. That it will be met needs a run.

use std::fmt;
use std::time::Duration;

/// What Patroni says at `/config`; what it does not name has Patroni's own default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patroni {
    /// How long a leader that has gone keeps its lease.
    pub(super) ttl: Duration,
    /// How often members look.
    pub(super) loop_wait: Duration,
    /// How long a crashed primary may try to come back by itself.
    pub(super) primary_start_timeout: Duration,
}

impl Default for Patroni {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(30),
            loop_wait: Duration::from_secs(10),
            primary_start_timeout: Duration::from_mins(5),
        }
    }
}

/// What a Sentinel says of a master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sentinel {
    /// Silence after which a Sentinel holds the master for down.
    pub(super) down_after: Duration,
    /// Half the pause before another attempt at a failover that did not succeed.
    pub(super) failover_timeout: Duration,
}

/// Sentinels look, ask each other and vote once a second.
const SENTINELS_AGREE: Duration = Duration::from_secs(2);

/// Seconds as people write them.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_secs_f64())
    }
}

/// The lease of a leader whose machine is gone must run out before another is chosen.
pub(super) fn lease(settings: &Patroni, within: Duration) -> Option<String> {
    let worst = settings.ttl + settings.loop_wait;
    (worst > within).then(|| {
        format!(
            "Patroni's ttl is {} and its loop_wait {}: when the primary's machine is gone, its lease and the next \
             look take up to {} before a failover begins, longer than {}; set ttl + loop_wait to at most that \
             (Patroni wants loop_wait + 2 × retry_timeout to be no more than ttl)",
            Seconds(settings.ttl),
            Seconds(settings.loop_wait),
            Seconds(worst),
            Seconds(within)
        )
    })
}

/// A primary that crashed while its Patroni lives is first started again.
pub(super) fn restart(settings: &Patroni, within: Duration) -> Option<String> {
    let Patroni { loop_wait, primary_start_timeout, .. } = *settings;
    let worst = if primary_start_timeout.is_zero() {
        loop_wait
    } else {
        loop_wait + primary_start_timeout + loop_wait
    };
    (worst > within).then(|| {
        format!(
            "Patroni's primary_start_timeout (master_start_timeout before version 3) is {} and its loop_wait {}: a \
             primary that crashed may try to come back for up to {} before a failover begins, longer than {}; set \
             primary_start_timeout to 0, so that it fails over at once",
            Seconds(primary_start_timeout),
            Seconds(loop_wait),
            Seconds(worst),
            Seconds(within)
        )
    })
}

/// A master must have been silent for a while before Sentinels agree that it is down.
pub(super) fn silence(settings: &Sentinel, within: Duration) -> Option<String> {
    let worst = settings.down_after + SENTINELS_AGREE;
    (worst > within).then(|| {
        format!(
            "Sentinel's down-after-milliseconds is {}: a master that is gone is held for down only after that, and \
             Sentinels agree and vote for up to {} more before a failover begins, longer than {}; set it to at most \
             {}",
            settings.down_after.as_millis(),
            Seconds(SENTINELS_AGREE),
            Seconds(within),
            within.saturating_sub(SENTINELS_AGREE).as_millis()
        )
    })
}

/// A vote without a winner, or a replica that cannot be promoted, costs a pause.
pub(super) fn second_attempt(settings: &Sentinel, within: Duration) -> Option<String> {
    let first = settings.down_after + SENTINELS_AGREE;
    let worst = first + settings.failover_timeout * 2;
    // Where the first attempt is late already, that is what must be mended.
    (first <= within && worst > within).then(|| {
        format!(
            "Sentinel's failover-timeout is {}: should the first attempt at a failover come to nothing, the next one \
             begins only after twice that, up to {} after the master has gone, longer than {}; set it to at most {}",
            settings.failover_timeout.as_millis(),
            Seconds(worst),
            Seconds(within),
            (within.saturating_sub(first) / 2).as_millis()
        )
    })
}

const NOT_PROMISED: &str = "zero loss is not promised by this configuration";

/// Whether PostgreSQL promises that an acknowledged commit survives its primary, from the settings of the
/// session that writes.
pub(super) fn postgres_promise(synchronous_commit: &str, synchronous_standby_names: &str) -> Option<String> {
    if matches!(synchronous_commit, "off" | "local") {
        return Some(format!(
            "synchronous_commit is {synchronous_commit}: a commit is acknowledged before a standby has it, \
             {NOT_PROMISED}; set it to on"
        ));
    }
    synchronous_standby_names.is_empty().then(|| {
        format!(
            "synchronous_standby_names is empty: no commit waits for a standby, {NOT_PROMISED}; name one (with \
             Patroni: synchronous_mode: true)"
        )
    })
}

/// Whether Redis keeps what it acknowledged.
pub(super) fn redis_promise(wait_replicas: u32, maxmemory_policy: Option<&str>) -> Vec<String> {
    let unconfirmed = (wait_replicas == 0).then(|| {
        format!(
            "the ledger's `wait` is 0: a write counts as acknowledged before a replica has it, {NOT_PROMISED}; \
             set wait: 1"
        )
    });
    let evicts = maxmemory_policy.filter(|policy| *policy != "noeviction").map(|policy| {
        format!(
            "maxmemory-policy is {policy}: keys may be dropped when memory is short, {NOT_PROMISED}; set it to \
             noeviction"
        )
    });
    unconfirmed.into_iter().chain(evicts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn has(warning: Option<&String>, parts: &[&str]) -> bool {
        match warning {
            None => parts.is_empty(),
            Some(text) => !parts.is_empty() && parts.iter().all(|part| text.contains(part)),
        }
    }

    #[test]
    fn a_lease_or_a_restart_that_outlasts_the_limit_is_named() {
        let patroni = |ttl, loop_wait, start| Patroni {
            ttl: seconds(ttl),
            loop_wait: seconds(loop_wait),
            primary_start_timeout: seconds(start),
        };
        let defaults: [&[&str]; 2] = [
            &["ttl is 30 s", "loop_wait 10 s", "up to 40 s", "longer than 30 s"],
            &["primary_start_timeout", "is 300 s", "up to 320 s", "longer than 30 s"],
        ];
        let table: [(Patroni, u64, [&[&str]; 2]); 6] = [
            (Patroni::default(), 30, defaults),
            (Patroni::default(), 400, [&[], &[]]),
            (patroni(5, 1, 0), 30, [&[], &[]]),
            (patroni(20, 10, 10), 30, [&[], &[]]),
            (patroni(21, 10, 11), 30, [&["up to 31 s"], &["up to 31 s"]]),
            (patroni(20, 40, 0), 30, [&["up to 60 s"], &["up to 40 s"]]),
        ];
        for (settings, within, expected) in table {
            let found = [lease(&settings, seconds(within)), restart(&settings, seconds(within))];
            for (found, expected) in found.iter().zip(expected) {
                assert!(has(found.as_ref(), expected), "{settings:?} within {within}: {found:?}");
            }
        }
    }

    #[test]
    fn a_silence_or_a_pause_that_outlasts_the_limit_is_named() {
        let sentinel = |down, failover| Sentinel {
            down_after: Duration::from_millis(down),
            failover_timeout: Duration::from_millis(failover),
        };
        let table: [(Sentinel, u64, [&[&str]; 2]); 5] = [
            (sentinel(2000, 6000), 30, [&[], &[]]),
            (sentinel(28_000, 1000), 30, [&[], &["up to 32 s", "at most 0"]]),
            (sentinel(30_000, 180_000), 30, [&["is 30000", "longer than 30 s", "at most 28000"], &[]]),
            (sentinel(2000, 13_000), 30, [&[], &[]]),
            (sentinel(5000, 180_000), 30, [&[], &["is 180000", "up to 367 s", "at most 11500"]]),
        ];
        for (settings, within, expected) in table {
            let found = [silence(&settings, seconds(within)), second_attempt(&settings, seconds(within))];
            for (found, expected) in found.iter().zip(expected) {
                assert!(has(found.as_ref(), expected), "{settings:?} within {within}: {found:?}");
            }
        }
    }

    #[test]
    fn what_promises_no_zero_loss_is_named() {
        let postgres: [(&str, &str, &[&str]); 6] = [
            ("on", "pg2", &[]),
            ("remote_apply", "ANY 1 (a, b)", &[]),
            ("off", "pg2", &["synchronous_commit is off", NOT_PROMISED]),
            ("local", "pg2", &["synchronous_commit is local", NOT_PROMISED]),
            ("on", "", &["synchronous_standby_names is empty", NOT_PROMISED]),
            ("off", "", &["synchronous_commit is off"]),
        ];
        for (commit, names, expected) in postgres {
            let found = postgres_promise(commit, names);
            assert!(has(found.as_ref(), expected), "{commit} {names:?}: {found:?}");
        }
        let redis = [
            (1, Some("noeviction"), 0),
            (1, None, 0),
            (0, Some("noeviction"), 1),
            (1, Some("allkeys-lru"), 1),
            (0, Some("volatile-ttl"), 2),
        ];
        for (wait, policy, warnings) in redis {
            let found = redis_promise(wait, policy);
            assert_eq!(found.len(), warnings, "{wait} {policy:?}: {found:?}");
            assert!(found.iter().all(|text| text.contains(NOT_PROMISED)), "{found:?}");
        }
    }
}
