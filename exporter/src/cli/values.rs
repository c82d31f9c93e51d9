//! Values of the command line, from text. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::chaos::journal::FILE;
use crate::rundir::LATEST;
use crate::trial::Namespace;

/// Addresses of which the first that works is listened on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen(pub Vec<SocketAddr>);

/// As programs of Prometheus take it: without an address all interfaces are meant, of both IP versions where the
/// machine has both.
pub(super) fn listen(text: &str) -> Result<Listen, String> {
    if let Some(Ok(port)) = text.strip_prefix(':').map(str::parse) {
        let all = [IpAddr::from(Ipv6Addr::UNSPECIFIED), IpAddr::from(Ipv4Addr::UNSPECIFIED)];
        return Ok(Listen(all.map(|address| SocketAddr::new(address, port)).to_vec()));
    }
    let address = text.parse().map_err(|_| "expected one such as :10042, 127.0.0.1:10042 or [::1]:10042")?;
    Ok(Listen(vec![address]))
}

pub(super) fn lasting(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("expected a duration above 0 such as 90s or 30m".to_owned()),
    }
}

pub(super) fn telemetry_path(text: &str) -> Result<String, String> {
    let usable = text.starts_with('/') && text.len() > 1 && !text.contains(|c: char| c.is_whitespace());
    let taken = ["/healthz", "/readyz"].contains(&text);
    if usable && !taken { Ok(text.to_owned()) } else { Err("expected a path such as /metrics".to_owned()) }
}

pub(super) fn namespace(text: &str) -> Result<Namespace, String> {
    Namespace::new(text).ok_or_else(|| "expected a DNS label: lower-case letters, digits and -".to_owned())
}

pub(super) fn run_id(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let usable = (1..=63).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(allowed);
    if !usable {
        return Err("expected 1 to 63 letters, digits, - _ or .".to_owned());
    }
    // Files of the working folder itself, and what a damaged journal is set aside as.
    if text == LATEST || text.starts_with(FILE) {
        return Err(format!("the working folder keeps {text} for itself: take another name"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_id_cannot_leave_the_working_folder() {
        for bad in ["", ".", "..", "../x", "a/b", "a b", "-x", ".x", &"x".repeat(64)] {
            assert!(run_id(bad).is_err(), "{bad:?}");
        }
        assert_eq!(run_id("7f3a91-b").as_deref(), Ok("7f3a91-b"));
    }

    #[test]
    fn a_run_id_takes_no_name_of_the_working_folder() {
        for taken in ["latest", "journal.jsonl", "journal.jsonl.damaged"] {
            assert!(run_id(taken).is_err_and(|error| error.contains(taken)), "{taken}");
        }
        assert!(run_id("latest-2").is_ok());
    }

    #[test]
    fn an_address_may_be_a_port_alone() {
        let addresses = |text: &str| {
            listen(text).map(|Listen(all)| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(addresses(":10042").as_deref(), Ok("[::]:10042 0.0.0.0:10042"));
        assert_eq!(addresses("127.0.0.1:0").as_deref(), Ok("127.0.0.1:0"));
        assert_eq!(addresses("[::1]:81").as_deref(), Ok("[::1]:81"));
        for bad in ["", ":", ":x", "10042", "127.0.0.1", ":99999"] {
            assert!(addresses(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_run_lasts() {
        assert_eq!(lasting("30m"), Ok(Duration::from_mins(30)));
        assert!(lasting("0s").is_err() && lasting("30").is_err());
    }

    #[test]
    fn a_telemetry_path_is_a_path_that_is_not_taken() {
        for bad in ["", "/", "metrics", "/healthz", "/a b"] {
            assert!(telemetry_path(bad).is_err(), "{bad:?}");
        }
        assert_eq!(telemetry_path("/x/metrics").as_deref(), Ok("/x/metrics"));
    }
}
