//! Whether a process lives.

/// Whether the process with the number `pid` lives; one that is dead and not yet waited for does not.
pub(crate) fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    // The name before it may hold anything, also parentheses.
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.starts_with(" Z"))
}
