//! Pure: what an error says about a write. That it is not there, or that nobody knows.
//!
//! Only errors known to mean that nothing was written count as a refusal; every other one leaves the write
//! indeterminate. A wrong *indeterminate* hides nothing; a wrong *refused* would accuse the store of raising the dead.

use crate::ledger::record::Outcome;

/// The outcome of an INSERT that `PostgreSQL` answered with an error.
///
/// `ends_session` is true for FATAL and PANIC: the server went away over it, perhaps while committing (a full WAL
/// disk is a PANIC with the code of a harmless 53100). An ERROR rolled the statement back, with few exceptions.
pub(super) fn postgres_error(sqlstate: &str, ends_session: bool) -> Outcome {
    let class = sqlstate.get(..2).unwrap_or_default();
    let rolled_back = match class {
        // Feature, cardinality, data, constraint, transaction state (25006 is a read-only server), statement name,
        // authorization, catalog and schema names, syntax or access, resources, limits, object state.
        "0A" | "21" | "22" | "23" | "25" | "26" | "28" | "3D" | "3F" | "42" | "53" | "54" | "55" => true,
        // Serialization failures roll back; 40003 is "completion unknown".
        "40" => sqlstate != "40003",
        // Cancelled before the commit (a wait for a standby is cancelled by a warning instead); cannot connect now.
        "57" => matches!(sqlstate, "57014" | "57P03"),
        _ => false,
    };
    if rolled_back && !ends_session { Outcome::Refused } else { Outcome::Indeterminate }
}

/// Whether a notice leaves the INSERT that it came with indeterminate, though the server said yes.
///
/// The one that matters, "canceling wait for synchronous replication", has the general code of all warnings and
/// a text in the server's language; so every warning counts.
pub(super) fn postgres_notice(severity: &str) -> bool {
    !matches!(severity, "NOTICE" | "INFO" | "LOG" | "DEBUG")
}

/// The outcome of a Redis write whose reply was an error with this code; `None`: there was no reply.
pub(super) fn redis_error(code: Option<&str>) -> Outcome {
    match code {
        // Commands are refused before they run, or do nothing when they fail.
        Some(
            "READONLY" | "NOREPLICAS" | "MASTERDOWN" | "LOADING" | "MISCONF" | "OOM" | "BUSY" | "NOAUTH"
            | "NOPERM" | "WRONGPASS" | "WRONGTYPE" | "CLUSTERDOWN" | "MOVED" | "ASK" | "TRYAGAIN"
            | "CROSSSLOT" | "DENIED" | "ERR",
        ) => Outcome::Refused,
        _ => Outcome::Indeterminate,
    }
}

/// The outcome of a Redis write that was done on the master, by how many replicas confirmed it.
pub(super) fn redis_confirmed(wanted: u32, confirmed: u32) -> Outcome {
    if confirmed >= wanted { Outcome::Acked } else { Outcome::Indeterminate }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_errors_are_refusals_only_where_the_statement_was_rolled_back() {
        let table = [
            ("25006", false, Outcome::Refused, "read-only transaction: a standby"),
            ("23505", false, Outcome::Refused, "unique violation"),
            ("42P01", false, Outcome::Refused, "undefined table"),
            ("42501", false, Outcome::Refused, "no privilege"),
            ("53300", false, Outcome::Refused, "too many connections"),
            ("53100", false, Outcome::Refused, "disk full, statement failed"),
            ("53100", true, Outcome::Indeterminate, "disk full while writing WAL: PANIC"),
            ("40001", false, Outcome::Refused, "serialization failure"),
            ("40003", false, Outcome::Indeterminate, "statement completion unknown"),
            ("57014", false, Outcome::Refused, "cancelled before the commit"),
            ("57P03", false, Outcome::Refused, "cannot connect now"),
            ("57P01", true, Outcome::Indeterminate, "administrator's shutdown, perhaps during the commit"),
            ("57P02", true, Outcome::Indeterminate, "crash shutdown"),
            ("08006", true, Outcome::Indeterminate, "connection failure, from a pooler"),
            ("08P01", true, Outcome::Indeterminate, "protocol violation"),
            ("58000", false, Outcome::Indeterminate, "system error, from a pooler"),
            ("XX000", false, Outcome::Indeterminate, "internal error"),
            ("", false, Outcome::Indeterminate, "no code"),
            ("é0000", false, Outcome::Indeterminate, "no code either"),
        ];
        for (code, ends_session, expected, what) in table {
            assert_eq!(postgres_error(code, ends_session), expected, "{code}: {what}");
        }
    }

    #[test]
    fn every_warning_taints_a_write_and_no_mere_notice_does() {
        for severity in ["WARNING", "ERROR", "FATAL", "PANIC"] {
            assert!(postgres_notice(severity), "{severity}");
        }
        for severity in ["NOTICE", "INFO", "LOG", "DEBUG"] {
            assert!(!postgres_notice(severity), "{severity}");
        }
    }

    #[test]
    fn redis_errors_are_refusals_only_when_the_server_replied_with_a_known_one() {
        for code in ["READONLY", "NOREPLICAS", "MASTERDOWN", "LOADING", "MISCONF", "OOM", "ERR"] {
            assert_eq!(redis_error(Some(code)), Outcome::Refused, "{code}");
        }
        for code in [Some("UNBLOCKED"), Some("PROXYSAID"), None] {
            assert_eq!(redis_error(code), Outcome::Indeterminate, "{code:?}");
        }
    }

    #[test]
    fn a_redis_write_is_acked_when_as_many_replicas_confirmed_as_were_asked_for() {
        assert_eq!(redis_confirmed(0, 0), Outcome::Acked);
        assert_eq!(redis_confirmed(1, 1), Outcome::Acked);
        assert_eq!(redis_confirmed(1, 2), Outcome::Acked);
        assert_eq!(redis_confirmed(1, 0), Outcome::Indeterminate);
        assert_eq!(redis_confirmed(2, 1), Outcome::Indeterminate);
    }
}
