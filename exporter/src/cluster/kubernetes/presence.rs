//! Whether the API server was there, for who asks through it and has to know whose silence was heard.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Kubernetes, is_away};

/// An API server that says nothing for so long says nothing in time for whoever waits.
const SILENT: Duration = Duration::from_secs(1);

/// When the API server was last found silent, and when it was first heard again.
#[derive(Debug, Default)]
pub(super) struct Presence {
    silent: Option<Instant>,
    back: Option<Instant>,
}

impl Presence {
    fn found_silent(&mut self, now: Instant) {
        *self = Self { silent: Some(now), back: None };
    }

    fn heard(&mut self, now: Instant) {
        if self.silent.is_some() {
            self.back.get_or_insert(now);
        }
    }

    /// Whether what was asked at `asked` went through an API server that was there from then on. What was asked before it
    /// was back may be waited for in vain though it is there: what was lost on the way is sent again only after a second.
    fn since(&self, asked: Instant) -> bool {
        self.silent.is_none() || self.back.is_some_and(|back| asked >= back)
    }
}

impl Kubernetes {
    /// Whether the API server answers, whatever it says, and was not found silent since `asked`, nor just before.
    /// Everybody may ask it for its version.
    pub async fn answers_since(&self, asked: Instant) -> bool {
        let answered = match timeout(SILENT, self.0.client.apiserver_version()).await {
            Ok(answer) => answer.as_ref().err().is_none_or(is_said),
            Err(_elapsed) => false,
        };
        if !answered {
            self.presence().found_silent(Instant::now());
            return false;
        }
        self.heard();
        self.presence().since(asked)
    }

    /// Something was answered through the API server at this moment.
    pub fn heard(&self) {
        self.presence().heard(Instant::now());
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
    fn only_what_was_asked_since_its_return_is_known_to_have_reached_one_that_was_silent() {
        let begun = Instant::now();
        let at = |milliseconds| begun + Duration::from_millis(milliseconds);
        // In this order, those that begin with `-` found silent, the others heard.
        let presence = |found: &str| {
            let mut presence = Presence::default();
            for found in found.split_whitespace() {
                let when = |text: &str| at(text.parse().expect("milliseconds"));
                match found.strip_prefix('-') {
                    Some(silent) => presence.found_silent(when(silent)),
                    None => presence.heard(when(found)),
                }
            }
            presence
        };
        let table = [
            ("", 0, true),
            ("1000", 0, true),
            // Not heard since.
            ("500 -1000", 0, false),
            ("500 -1000", 60_000, false),
            ("-1000 1400 1900", 999, false),
            ("-1000 1400 1900", 1399, false),
            ("-1000 1400 1900", 1400, true),
            ("-1000 1400 -2000", 1500, false),
            ("-1000 1400 -2000 9000", 8999, false),
            ("-1000 1400 -2000 9000", 9000, true),
        ];
        for (found, asked, expected) in table {
            assert_eq!(presence(found).since(at(asked)), expected, "{found:?}: {asked} ms");
        }
    }
}
