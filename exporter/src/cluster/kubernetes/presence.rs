//! Whether the API server was there, for who asks through it and has to know whose silence was heard.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Kubernetes, is_away};

/// An API server that says nothing for so long says nothing in time for whoever waits.
const SILENT: Duration = Duration::from_secs(1);
/// Whoever asked through it before it was back may wait in vain though it is there: what was lost on the way is sent
/// again only after a second. And one that is slow may well be so once more.
const BACK_FOR: Duration = Duration::from_secs(1);
/// Where nobody has looked for so long since it was found silent, nobody had reason to.
const LONG_AGO: Duration = Duration::from_secs(3);

/// When the API server was last found silent, and when it first answered a look again.
#[derive(Debug, Default)]
pub(super) struct Presence {
    silent: Option<Instant>,
    back: Option<Instant>,
}

impl Presence {
    fn found_silent(&mut self, now: Instant) {
        *self = Self { silent: Some(now), back: None };
    }

    fn answered(&mut self, now: Instant) {
        if self.silent.is_some() {
            self.back.get_or_insert(now);
        }
    }

    /// Whether one that answers now was there, for all that is known, for what was asked at `asked`.
    fn since(&self, asked: Instant) -> bool {
        let after = |moment, by| asked.saturating_duration_since(moment) > by;
        let back = self.back.is_some_and(|back| after(back, BACK_FOR));
        self.silent.is_none_or(|silent| back || after(silent, LONG_AGO))
    }
}

impl Kubernetes {
    /// Whether the API server answers, whatever it says, and was there for what was asked through it at `asked`: not
    /// found silent since, and not only just back. Everybody may ask it for its version.
    pub async fn answers_since(&self, asked: Instant) -> bool {
        let answered = match timeout(SILENT, self.0.client.apiserver_version()).await {
            Ok(answer) => answer.as_ref().err().is_none_or(is_said),
            Err(_elapsed) => false,
        };
        let mut presence = self.presence();
        if answered {
            presence.answered(Instant::now());
        } else {
            presence.found_silent(Instant::now());
        }
        answered && presence.since(asked)
    }

    /// When it was last found silent.
    pub(super) fn last_silent(&self) -> Option<Instant> {
        self.presence().silent
    }

    fn presence(&self) -> MutexGuard<'_, Presence> {
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

    #[test]
    fn one_that_was_silent_is_trusted_a_while_after_its_return_or_where_that_is_long_ago() {
        let begun = Instant::now();
        let at = |milliseconds| begun + Duration::from_millis(milliseconds);
        // Looks in this order: those that begin with `-` found it silent, the others were answered.
        let presence = |looks: &str| {
            let mut presence = Presence::default();
            for look in looks.split_whitespace() {
                let when = |text: &str| at(text.parse().expect("milliseconds"));
                match look.strip_prefix('-') {
                    Some(silent) => presence.found_silent(when(silent)),
                    None => presence.answered(when(look)),
                }
            }
            presence
        };
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
            // Silent again.
            ("-5000 5400 -6000", 7000, false),
            ("-5000 5400 -6000 6200", 7200, false),
            ("-5000 5400 -6000 6200", 7201, true),
            // The first look for a long time tells nothing of the time before it.
            ("-5000 9000", 7999, false),
            ("-5000 9000", 8001, true),
        ];
        for (looks, asked, expected) in table {
            assert_eq!(presence(looks).since(at(asked)), expected, "{looks:?}: {asked} ms");
        }
    }
}
