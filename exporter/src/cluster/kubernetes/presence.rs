//! Whether the API server was there, for who asks through it and has to know whose silence was heard.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Kubernetes, is_away};

/// An API server that says nothing for so long says nothing in time for whoever waits.
const SILENT: Duration = Duration::from_secs(1);
/// Whoever asked through it before it was back may be cut off though it is there. And one that is slow may well be so
/// once more.
const BACK_FOR: Duration = Duration::from_secs(1);
/// For so long after it was last found silent, silence may be its own: what was lost on the way is sent again only after
/// a second. Where nobody has looked at it for so long, nobody had reason to.
const QUIET_FOR: Duration = Duration::from_secs(3);
/// For so long after it was last found away, neither silence nor that it does not reach a node says anything of the node:
/// the tunnels that nodes open themselves (k3s, konnectivity) stand again only some 5 s after its return.
const TUNNELS_FOR: Duration = Duration::from_secs(10);

/// What a look at the API server finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Answered,
    Silent,
    Away,
}

/// When the API server was last not there, and when it first answered a look again.
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// It gave no answer in time.
    silent: Option<Instant>,
    /// There was nobody, or what was under way broke off.
    away: Option<Instant>,
    /// It answered a look for the first time since either.
    back: Option<Instant>,
}

impl Presence {
    fn found(&mut self, look: Look, now: Instant) {
        match look {
            Look::Answered if self.last().is_some() => _ = self.back.get_or_insert(now),
            Look::Answered => {}
            Look::Silent => self.found_silent(now),
            Look::Away => self.found_away(now),
        }
    }

    fn found_silent(&mut self, now: Instant) {
        *self = Self { silent: Some(now), back: None, ..*self };
    }

    pub(super) fn found_away(&mut self, now: Instant) {
        *self = Self { away: Some(now), back: None, ..*self };
    }

    fn last(&self) -> Option<Instant> {
        self.silent.max(self.away)
    }

    /// Whether one that answers now was there, for all that is known, for what was asked at `asked`.
    fn since(&self, asked: Instant) -> bool {
        let back = self.back.is_some_and(|back| is_past(Some(back), BACK_FOR, asked));
        back || is_past(self.last(), QUIET_FOR, asked)
    }

    /// Whether silence to who asks at `now` is of what is behind it.
    fn is_open(&self, now: Instant) -> bool {
        is_past(self.silent, QUIET_FOR, now) && is_past(self.away, TUNNELS_FOR, now)
    }

    /// Whether it has its ways to nodes at `now`, if it ever has.
    pub(super) fn has_tunnels(&self, now: Instant) -> bool {
        is_past(self.last(), TUNNELS_FOR, now)
    }
}

/// Whether what was last so at `last` is over for longer than `enough` at `now`.
fn is_past(last: Option<Instant>, enough: Duration, now: Instant) -> bool {
    last.is_none_or(|last| now.saturating_duration_since(last) > enough)
}

impl Kubernetes {
    /// Whether the API server answers, whatever it says, and was there for what was asked through it at `asked`, so that
    /// what cut that off is behind it. Everybody may ask it for its version.
    pub async fn answers_since(&self, asked: Instant) -> bool {
        let look = match timeout(SILENT, self.0.client.apiserver_version()).await {
            Ok(answer) if answer.as_ref().err().is_none_or(is_said) => Look::Answered,
            Ok(_) => Look::Away,
            Err(_elapsed) => Look::Silent,
        };
        let mut presence = self.presence();
        presence.found(look, Instant::now());
        look == Look::Answered && presence.since(asked)
    }

    /// Whether the silence that followed what was asked through it at `asked` is of what is behind it.
    pub async fn is_open_since(&self, asked: Instant) -> bool {
        self.answers_since(asked).await && self.presence().is_open(Instant::now())
    }

    pub(super) fn presence(&self) -> MutexGuard<'_, Presence> {
        self.0.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the API server is there and said this itself, not a proxy in front of it.
pub(super) fn is_said(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => !matches!(status.code, 502..=504),
        other => !is_away(other),
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[test]
    fn whoever_has_too_many_requests_answers() {
        let said = |code: u16, message: &str| {
            let status = Status { code, message: message.to_owned(), ..Status::default() };
            kube::Error::Api(Box::new(status))
        };
        let table = [
            (said(429, "too many requests"), true),
            (said(403, "forbidden"), true),
            (said(500, "etcdserver: request timed out"), true),
            (said(503, "no healthy upstream"), false),
            (kube::Error::Service("connection refused".into()), false),
        ];
        for (error, expected) in table {
            assert_eq!(is_said(&error), expected, "{error}");
        }
    }

    /// Looks in this order, in milliseconds: `-` found it silent, `x` away, the others were answered.
    fn looked(begun: Instant, looks: &str) -> Presence {
        let mut presence = Presence::default();
        let at = |text: &str| begun + Duration::from_millis(text.parse().expect("milliseconds"));
        for look in looks.split_whitespace() {
            match (look.strip_prefix('-'), look.strip_prefix('x')) {
                (Some(silent), _) => presence.found(Look::Silent, at(silent)),
                (_, Some(away)) => presence.found(Look::Away, at(away)),
                _ => presence.found(Look::Answered, at(look)),
            }
        }
        presence
    }

    #[test]
    fn one_that_was_not_there_is_trusted_a_while_after_its_return_or_where_that_is_long_ago() {
        let table = [
            ("", 0, true),
            ("5000", 0, true),
            ("500 -5000", 4000, false),
            ("500 -5000", 8000, false),
            ("500 -5000", 8001, true),
            // Before it was back, and just after that.
            ("-5000 5400 5900", 4000, false),
            ("-5000 5400 5900", 5399, false),
            ("-5000 5400 5900", 6400, false),
            ("-5000 5400 5900", 6401, true),
            ("x5000 5400", 6400, false),
            ("x5000 5400", 6401, true),
            // Again.
            ("-5000 5400 -6000", 7000, false),
            ("-5000 5400 -6000 6200", 7200, false),
            ("-5000 5400 -6000 6200", 7201, true),
            // Away since, which no look has seen.
            ("-1000 x7900 8600", 8000, false),
            ("-1000 x7900 8600", 9601, true),
            // The first look for a long time tells nothing of the time before it.
            ("-5000 9000", 7999, false),
            ("-5000 9000", 8001, true),
        ];
        let begun = Instant::now();
        for (looks, asked, expected) in table {
            let since = looked(begun, looks).since(begun + Duration::from_millis(asked));
            assert_eq!(since, expected, "{looks:?}: {asked} ms");
        }
    }

    #[test]
    fn silence_and_lost_ways_to_nodes_are_its_own_for_a_while_after_its_return() {
        let table = [
            ("", 0, true, true),
            ("-5000 5100", 8000, false, false),
            ("-5000 5100", 8001, true, false),
            ("-5000 5100", 15_000, true, false),
            ("-5000 5100", 15_001, true, true),
            ("x5000 5100", 8001, false, false),
            ("x5000 5100", 15_000, false, false),
            ("x5000 5100", 15_001, true, true),
        ];
        let begun = Instant::now();
        for (looks, now, open, tunnels) in table {
            let presence = looked(begun, looks);
            let now = begun + Duration::from_millis(now);
            assert_eq!(
                (presence.is_open(now), presence.has_tunnels(now)),
                (open, tunnels),
                "{looks:?} {now:?}"
            );
        }
    }
}
