//! Which failures of a store are worth another attempt, and when. Pure: time and chance are arguments.
//!
//! Everything the shop does to a store may be done twice (reads; writes under an id that the client made),
//! so the only questions are whether another attempt can succeed and whether the budget still holds one.

use std::time::Duration;

/// Opening a connection takes this long at most.
pub(crate) const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// A statement that has no answer after this long is abandoned together with its connection.
pub(crate) const STATEMENT_LIMIT: Duration = Duration::from_secs(2);

/// An attempt needs at least this much of the budget to be worth starting.
const WORTHWHILE: Duration = Duration::from_millis(100);

/// The shortest and the longest pause before another attempt.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(250));

/// What an attempt's failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// The server cannot be reached, or it went away.
    Unreachable,
    /// No answer within the attempt's limit: a partition, a stopped process, a commit that cannot replicate.
    TimedOut,
    /// The server answers but takes no writes: a replica, or a primary that was demoted.
    NotPrimary,
    /// The right server, not able to serve just now: still loading, no replica attached, no free connection.
    NotYet,
    /// The transaction lost against another one.
    Conflict,
    /// Trying again would fail the same way.
    Permanent,
}

impl Class {
    /// Every class, in the order of [`Class::index`].
    pub(crate) const ALL: [Self; 6] =
        [Self::Unreachable, Self::TimedOut, Self::NotPrimary, Self::NotYet, Self::Conflict, Self::Permanent];

    /// Position in [`Class::ALL`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// The label value in metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::NotPrimary => "not_primary",
            Self::NotYet => "not_yet",
            Self::Conflict => "conflict",
            Self::Permanent => "permanent",
        }
    }

    /// Whether the other connections to this store deserve no trust either.
    pub(crate) fn is_suspicious(self) -> bool {
        matches!(self, Self::Unreachable | Self::TimedOut | Self::NotPrimary)
    }
}

/// The class of a `PostgreSQL` error code.
pub(crate) fn of_sqlstate(code: &str) -> Class {
    match code {
        // Administrator shutdown, crash of another backend, starting up or shutting down.
        "57P01" | "57P02" | "57P03" => Class::Unreachable,
        "25006" => Class::NotPrimary,
        // Serialization failure, deadlock.
        "40001" | "40P01" => Class::Conflict,
        // Too many connections; a lock not available in time.
        "53300" | "55P03" => Class::NotYet,
        // Cancelled by statement_timeout.
        "57014" => Class::TimedOut,
        _ if code.starts_with("08") => Class::Unreachable,
        _ => Class::Permanent,
    }
}

/// The class of a Redis error code, the first word of its message.
pub(crate) fn of_redis_code(code: &str) -> Class {
    match code {
        "READONLY" | "MASTERDOWN" | "UNBLOCKED" => Class::NotPrimary,
        "NOREPLICAS" | "LOADING" | "BUSY" | "TRYAGAIN" | "CLUSTERDOWN" => Class::NotYet,
        _ => Class::Permanent,
    }
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Try once more after this pause.
    Retry(Duration),
    /// Tell the client.
    GiveUp,
}

/// Decides after an attempt that failed with `class`, `elapsed` into a request that may take `budget`;
/// `chance` in 0..1 spreads the pauses of requests that failed together.
pub(crate) fn decide(class: Class, elapsed: Duration, budget: Duration, chance: f64) -> Decision {
    let pause = pause(chance);
    if class == Class::Permanent || elapsed + pause + WORTHWHILE > budget {
        return Decision::GiveUp;
    }
    Decision::Retry(pause)
}

/// A pause between attempts.
pub(crate) fn pause(chance: f64) -> Duration {
    PAUSE.0 + PAUSE.1.saturating_sub(PAUSE.0).mul_f64(chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Duration = Duration::from_secs(12);

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn sqlstates_have_the_class_that_a_failover_gives_them() {
        let table = [
            ("57P01", Class::Unreachable),
            ("57P02", Class::Unreachable),
            ("57P03", Class::Unreachable),
            ("08000", Class::Unreachable),
            ("08006", Class::Unreachable),
            ("08P01", Class::Unreachable),
            ("25006", Class::NotPrimary),
            ("40001", Class::Conflict),
            ("40P01", Class::Conflict),
            ("53300", Class::NotYet),
            ("55P03", Class::NotYet),
            ("57014", Class::TimedOut),
            ("23505", Class::Permanent),
            ("42P01", Class::Permanent),
            ("28P01", Class::Permanent),
            ("XX000", Class::Permanent),
            ("", Class::Permanent),
        ];
        for (code, class) in table {
            assert_eq!(of_sqlstate(code), class, "{code}");
        }
    }

    #[test]
    fn redis_codes_have_the_class_that_a_failover_gives_them() {
        let table = [
            ("READONLY", Class::NotPrimary),
            ("MASTERDOWN", Class::NotPrimary),
            ("UNBLOCKED", Class::NotPrimary),
            ("NOREPLICAS", Class::NotYet),
            ("LOADING", Class::NotYet),
            ("WRONGTYPE", Class::Permanent),
            ("NOAUTH", Class::Permanent),
            ("ERR", Class::Permanent),
        ];
        for (code, class) in table {
            assert_eq!(of_redis_code(code), class, "{code}");
        }
    }

    #[test]
    fn an_attempt_is_repeated_while_the_budget_holds_another_one() {
        let retry = |pause| Decision::Retry(seconds(pause));
        let table = [
            (Class::Unreachable, 0.0, 0.0, retry(0.05)),
            (Class::Unreachable, 0.0, 1.0, retry(0.25)),
            (Class::TimedOut, 2.0, 0.5, retry(0.15)),
            (Class::NotPrimary, 8.0, 0.5, retry(0.15)),
            (Class::NotYet, 11.0, 0.5, retry(0.15)),
            (Class::Conflict, 11.7, 0.5, retry(0.15)),
            (Class::Conflict, 11.8, 0.5, Decision::GiveUp),
            (Class::Unreachable, 12.0, 0.0, Decision::GiveUp),
            (Class::Unreachable, 60.0, 0.0, Decision::GiveUp),
            (Class::Permanent, 0.0, 0.0, Decision::GiveUp),
        ];
        for (class, elapsed, chance, expected) in table {
            let decided = decide(class, seconds(elapsed), BUDGET, chance);
            assert_eq!(decided, expected, "{class:?} after {elapsed} s, chance {chance}");
        }
    }

    #[test]
    fn only_failures_of_the_connection_cast_doubt_on_the_others() {
        let suspicious: Vec<_> = Class::ALL.into_iter().filter(|class| class.is_suspicious()).collect();
        assert_eq!(suspicious, [Class::Unreachable, Class::TimedOut, Class::NotPrimary]);
        for (position, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class.index(), position);
        }
    }
}
