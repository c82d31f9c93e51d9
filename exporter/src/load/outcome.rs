//! How a request ended: fine, or in one reason of a closed set. Pure: the client describes what happened and
//! [`blame`] decides what it means.

use std::io::ErrorKind;

use http::StatusCode;

use crate::errors::OwnLack;

/// Why a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Nobody listens at the target's address.
    ConnectRefused,
    /// No connection within its time-out.
    ConnectTimeout,
    /// No way to the target's network or host.
    Unreachable,
    /// A connection closed before the answer's head was complete.
    Reset,
    /// Likewise on a kept connection, without one byte of an answer: the server may have closed it for being
    /// idle at the moment of the request. The request is not sent again.
    ReuseRace,
    /// No complete answer within the request's time-out.
    RequestTimeout,
    /// A 4xx status that the trial does not expect.
    Http4xx,
    /// A 5xx status that the trial does not expect.
    Http5xx,
    /// An answer that is not what the trial says: another status, body or missing value.
    Assertion,
    /// Too many hops, a hop without a usable address, or one that leaves the target.
    Redirect,
    /// The target's name did not resolve.
    Dns,
    /// TLS was not agreed upon.
    Tls,
    /// An answer that is not HTTP, or whose body broke off.
    Body,
    /// No login, or a value missing that an earlier answer should have given.
    Session,
    /// Open when the load ended.
    Drained,
}

impl Reason {
    /// Every reason, in the order of their numbers.
    pub const ALL: [Reason; 15] = [
        Self::ConnectRefused,
        Self::ConnectTimeout,
        Self::Unreachable,
        Self::Reset,
        Self::ReuseRace,
        Self::RequestTimeout,
        Self::Http4xx,
        Self::Http5xx,
        Self::Assertion,
        Self::Redirect,
        Self::Dns,
        Self::Tls,
        Self::Body,
        Self::Session,
        Self::Drained,
    ];

    /// The value of the label `reason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConnectRefused => "connect_refused",
            Self::ConnectTimeout => "connect_timeout",
            Self::Unreachable => "unreachable",
            Self::Reset => "reset",
            Self::ReuseRace => "reuse_race",
            Self::RequestTimeout => "request_timeout",
            Self::Http4xx => "http_4xx",
            Self::Http5xx => "http_5xx",
            Self::Assertion => "assertion",
            Self::Redirect => "redirect",
            Self::Dns => "dns",
            Self::Tls => "tls",
            Self::Body => "body",
            Self::Session => "session",
            Self::Drained => "drained",
        }
    }
}

/// Where on its way a request was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum At {
    /// Looking up the target's name.
    Resolve,
    /// Opening the connection.
    Connect,
    /// Agreeing upon TLS.
    Secure,
    /// Sending, and waiting for the answer's head.
    Head,
    /// Reading the answer's body.
    Body,
}

/// What went wrong there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The operating system said so.
    Io {
        /// The error's kind.
        kind: ErrorKind,
        /// Its number, where there is one.
        os: Option<i32>,
    },
    /// We stopped waiting.
    TimedOut,
    /// Certificates, versions or an alert.
    Tls,
    /// The peer closed before all was there.
    Closed,
    /// Bytes that are not HTTP/1.1, or an answer larger than we keep.
    Protocol,
}

/// A request that got no whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    /// How far it was.
    pub(super) at: At,
    /// What happened.
    pub(super) cause: Cause,
    /// Whether the connection had carried a request before.
    pub(super) reused: bool,
    /// Whether a byte came back since this request was sent.
    pub(super) answered: bool,
}

/// Whose failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// The target's, or the way to it.
    Target(Reason),
    /// Our own: nothing was sent, nothing is said about the target.
    Generator(OwnLack),
}

/// Decides what a failure means.
pub(super) fn blame(failure: Failure) -> Blame {
    if let Cause::Io { kind, os } = failure.cause
        && failure.at <= At::Connect
        && let Some(lack) = OwnLack::of(kind, os)
    {
        return Blame::Generator(lack);
    }
    Blame::Target(match (failure.at, failure.cause) {
        (At::Resolve, _) => Reason::Dns,
        (_, Cause::Tls) | (At::Secure, Cause::Protocol) => Reason::Tls,
        (At::Connect, Cause::TimedOut) => Reason::ConnectTimeout,
        (At::Connect, Cause::Io { kind, .. }) => refused_or_lost(kind),
        (_, Cause::TimedOut | Cause::Io { kind: ErrorKind::TimedOut, .. }) => Reason::RequestTimeout,
        (At::Body, _) | (_, Cause::Protocol) => Reason::Body,
        (_, Cause::Io { kind, .. }) if is_unreachable(kind) => Reason::Unreachable,
        (At::Head, _) if failure.reused && !failure.answered => Reason::ReuseRace,
        (_, Cause::Closed | Cause::Io { .. }) => Reason::Reset,
    })
}

fn refused_or_lost(kind: ErrorKind) -> Reason {
    match kind {
        ErrorKind::ConnectionRefused => Reason::ConnectRefused,
        ErrorKind::TimedOut => Reason::ConnectTimeout,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Reason::Reset,
        _ => Reason::Unreachable,
    }
}

fn is_unreachable(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown)
}

/// What a status means that the trial does not accept.
pub(super) fn unexpected_status(status: StatusCode, follows_redirects: bool) -> Reason {
    match status.as_u16() {
        300..=399 if follows_redirects => Reason::Redirect,
        400..=499 => Reason::Http4xx,
        500..=599 => Reason::Http5xx,
        _ => Reason::Assertion,
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    fn io(errno: Errno) -> Cause {
        let error = std::io::Error::from(errno);
        Cause::Io { kind: error.kind(), os: error.raw_os_error() }
    }

    #[test]
    fn every_failure_has_its_reason() {
        use Blame::{Generator, Target};
        let table = [
            (At::Resolve, Cause::TimedOut, Target(Reason::Dns)),
            (At::Resolve, Cause::Closed, Target(Reason::Dns)),
            (At::Resolve, io(Errno::MFILE), Generator(OwnLack::Descriptors)),
            (At::Connect, io(Errno::CONNREFUSED), Target(Reason::ConnectRefused)),
            (At::Connect, io(Errno::TIMEDOUT), Target(Reason::ConnectTimeout)),
            (At::Connect, Cause::TimedOut, Target(Reason::ConnectTimeout)),
            (At::Connect, io(Errno::HOSTUNREACH), Target(Reason::Unreachable)),
            (At::Connect, io(Errno::NETUNREACH), Target(Reason::Unreachable)),
            (At::Connect, io(Errno::NETDOWN), Target(Reason::Unreachable)),
            (At::Connect, io(Errno::ACCESS), Target(Reason::Unreachable)),
            (At::Connect, io(Errno::PERM), Target(Reason::Unreachable)),
            (At::Connect, io(Errno::CONNRESET), Target(Reason::Reset)),
            (At::Connect, io(Errno::ADDRNOTAVAIL), Generator(OwnLack::Ports)),
            (At::Connect, io(Errno::AGAIN), Generator(OwnLack::Ports)),
            (At::Connect, io(Errno::MFILE), Generator(OwnLack::Descriptors)),
            (At::Connect, io(Errno::NFILE), Generator(OwnLack::Descriptors)),
            (At::Connect, io(Errno::NOBUFS), Generator(OwnLack::Descriptors)),
            (At::Secure, Cause::Tls, Target(Reason::Tls)),
            (At::Secure, Cause::Protocol, Target(Reason::Tls)),
            (At::Secure, Cause::TimedOut, Target(Reason::RequestTimeout)),
            (At::Secure, Cause::Closed, Target(Reason::Reset)),
            (At::Secure, io(Errno::CONNRESET), Target(Reason::Reset)),
            (At::Head, Cause::TimedOut, Target(Reason::RequestTimeout)),
            (At::Head, Cause::Closed, Target(Reason::Reset)),
            (At::Head, Cause::Protocol, Target(Reason::Body)),
            (At::Head, Cause::Tls, Target(Reason::Tls)),
            (At::Head, io(Errno::CONNRESET), Target(Reason::Reset)),
            (At::Head, io(Errno::PIPE), Target(Reason::Reset)),
            (At::Head, io(Errno::TIMEDOUT), Target(Reason::RequestTimeout)),
            (At::Head, io(Errno::HOSTUNREACH), Target(Reason::Unreachable)),
            (At::Body, Cause::Closed, Target(Reason::Body)),
            (At::Body, Cause::Protocol, Target(Reason::Body)),
            (At::Body, io(Errno::CONNRESET), Target(Reason::Body)),
            (At::Body, Cause::TimedOut, Target(Reason::RequestTimeout)),
        ];
        for (at, cause, due) in table {
            let failure = Failure { at, cause, reused: false, answered: at == At::Body };
            assert_eq!(blame(failure), due, "{failure:?}");
        }
    }

    #[test]
    fn only_a_kept_connection_without_a_byte_of_an_answer_is_a_reuse_race() {
        for cause in [Cause::Closed, io(Errno::CONNRESET), io(Errno::PIPE)] {
            for (reused, answered) in [(false, false), (false, true), (true, true), (true, false)] {
                let failure = Failure { at: At::Head, cause, reused, answered };
                let due = if reused && !answered { Reason::ReuseRace } else { Reason::Reset };
                assert_eq!(blame(failure), Blame::Target(due), "{failure:?}");
            }
        }
        let timed_out = Failure { at: At::Head, cause: Cause::TimedOut, reused: true, answered: false };
        assert_eq!(blame(timed_out), Blame::Target(Reason::RequestTimeout));
    }

    #[test]
    fn statuses_fall_into_their_classes() {
        let reason =
            |status, follows| unexpected_status(StatusCode::from_u16(status).expect("a status"), follows);
        assert_eq!([404, 499].map(|s| reason(s, false)), [Reason::Http4xx; 2]);
        assert_eq!([500, 599].map(|s| reason(s, true)), [Reason::Http5xx; 2]);
        assert_eq!([200, 302, 600].map(|s| reason(s, false)), [Reason::Assertion; 3]);
        assert_eq!(reason(302, true), Reason::Redirect);
    }

    #[test]
    fn the_numbers_of_the_reasons_are_their_places() {
        for (place, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, place);
        }
    }
}
