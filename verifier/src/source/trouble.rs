//! Why a server could not be asked, in words that say what to change: told from what the layers below report.

use std::error::Error;
use std::fmt;
use std::io::ErrorKind;

/// What is wrong with the way to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    Refused,
    NoSuchName,
    Timeout,
    /// We spoke TLS, the server does not.
    SpeaksPlainly,
    /// The server speaks TLS, we do not.
    SpeaksTls,
    /// And why.
    Certificate(String),
    Other,
}

/// What went wrong, from an error and all its causes.
pub(super) fn of(error: &(dyn Error + 'static)) -> Trouble {
    let mut cause = Some(error);
    let mut found = Trouble::Other;
    while let Some(error) = cause {
        found = worse(found, here(error));
        cause = error.source().or_else(|| inside(error));
    }
    found
}

/// An I/O error names what it wraps, if that is an error of its own, only when asked.
fn inside<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<std::io::Error>()?.get_ref()?;
    Some(wrapped)
}

/// The deeper cause knows more.
fn worse(found: Trouble, deeper: Trouble) -> Trouble {
    if deeper == Trouble::Other { found } else { deeper }
}

fn here(error: &(dyn Error + 'static)) -> Trouble {
    if let Some(error) = error.downcast_ref::<std::io::Error>() {
        match error.kind() {
            ErrorKind::ConnectionRefused => return Trouble::Refused,
            ErrorKind::TimedOut => return Trouble::Timeout,
            _ => {}
        }
    }
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return match error {
            rustls::Error::InvalidMessage(_) => Trouble::SpeaksPlainly,
            rustls::Error::InvalidCertificate(_) => Trouble::Certificate(error.to_string()),
            _ => Trouble::Other,
        };
    }
    if error.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout) {
        return Trouble::Timeout;
    }
    let text = error.to_string();
    // The resolver's and the HTTP parser's errors have no types of their own to tell them by.
    if text.contains("failed to lookup address") || text.contains("dns error") {
        Trouble::NoSuchName
    } else if text.contains("invalid HTTP version") {
        Trouble::SpeaksTls
    } else {
        Trouble::Other
    }
}

impl fmt::Display for Trouble {
    /// The way out, as a fragment behind the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "the connection was refused: does Prometheus run there, on that port?",
            Self::NoSuchName => "its name is not resolved: check the spelling of the host",
            Self::Timeout => "no answer in time: check host and firewall, or raise --timeout",
            Self::SpeaksPlainly => "it does not speak TLS: try http:// instead of https://",
            Self::SpeaksTls => "it speaks TLS: try https:// instead of http://",
            Self::Certificate(why) => {
                return write!(
                    f,
                    "its certificate is not accepted ({why}): --ca names an authority to trust"
                );
            }
            Self::Other => "the request failed",
        })
    }
}

/// The way out of a refusal by status.
pub(super) fn of_status(status: u16, body: &str) -> &'static str {
    match status {
        400 if body.contains("HTTPS") => "it speaks TLS: try https:// instead of http://",
        401 => "it wants credentials: give --username with --password-file, --bearer-token-file or --header",
        403 => "these credentials may not ask it: check --username, --bearer-token-file and --header",
        404 | 405 => "is this a Prometheus? If it has a path prefix, the URL must end with it",
        300..=399 => "it sends elsewhere: give the address that it redirects to",
        502..=504 => "what stands before Prometheus does not reach it",
        _ => "is this a Prometheus?",
    }
}

/// The way out of a query that was refused, where it is known.
pub(super) fn of_refusal(message: &str) -> &'static str {
    if message.contains("unexpected character: '@'") || message.contains("promql-at-modifier") {
        " (this Prometheus is too old: `@` needs 2.33, and 2.42 is the oldest that is tested)"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn the_deepest_cause_that_is_known_counts() {
        let io = |kind: ErrorKind| std::io::Error::from(kind);
        let tls = |error: rustls::Error| std::io::Error::new(ErrorKind::InvalidData, error);
        let wrong = rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);
        let unknown = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let table = [
            (io(ErrorKind::ConnectionRefused), Trouble::Refused),
            (io(ErrorKind::TimedOut), Trouble::Timeout),
            (tls(wrong), Trouble::SpeaksPlainly),
            (tls(unknown.clone()), Trouble::Certificate(unknown.to_string())),
            (std::io::Error::other("failed to lookup address information: x"), Trouble::NoSuchName),
            (std::io::Error::other("invalid HTTP version parsed"), Trouble::SpeaksTls),
            (io(ErrorKind::BrokenPipe), Trouble::Other),
        ];
        for (error, due) in table {
            assert_eq!(of(&Outer(error)), due);
        }
    }

    #[test]
    fn a_prometheus_that_is_too_old_is_told_so() {
        let old = [
            "1:5: parse error: unexpected character: '@'",
            "@ modifier is disabled, use --enable-feature=promql-at-modifier to enable it",
        ];
        assert!(old.iter().all(|message| of_refusal(message).contains("2.42")));
        assert_eq!(of_refusal("1:5: parse error: unexpected end of input"), "");
    }

    #[test]
    fn a_status_is_told_with_its_way_out() {
        assert!(of_status(404, "404 page not found").contains("path prefix"));
        assert!(of_status(401, "").contains("--bearer-token-file"));
        assert!(of_status(400, "Client sent an HTTP request to an HTTPS server.").contains("https://"));
    }
}
