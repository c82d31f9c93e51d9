//! How a command in a container ended, by what the API server says last on its connection. Pure.

use std::fmt;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;

use super::super::outcome::{Ending, Outcome};
use super::super::output::{Captured, told};
use crate::clock::Moment;
use crate::plain::is_plain;
use crate::trial::Secrets;

/// What the container's runtime says where a command could not even be started.
const NEVER_STARTED: [&str; 3] = ["failed to start exec", "executable file not found", "container not found"];

/// What an API server that translates streams itself says last where it does not reach the node. A node's own words come
/// after others: `unable to upgrade connection`, say.
const NOT_REACHED: &str = "Internal error occurred: error sending request: ";

/// How a command ended, as far as that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Exit {
    /// It exited with this status.
    Status(i32),
    /// It was not started.
    NotStarted(String),
    /// Something failed on the way, and nobody knows whether it goes on.
    Unknown(String),
    /// It had not ended within its time limit.
    OutOfTime(Duration),
}

impl Exit {
    /// What the last word on the connection says.
    pub(super) fn of(status: &Status) -> Self {
        let said =
            || without_questions(status.message.as_deref().or(status.reason.as_deref()).unwrap_or_default());
        if status.status.as_deref() == Some("Success") {
            return Self::Status(0);
        }
        let causes = status.details.iter().flat_map(|details| details.causes.iter().flatten());
        let mut codes = causes.filter(|cause| cause.reason.as_deref() == Some("ExitCode"));
        match codes.find_map(|cause| cause.message.as_deref()?.parse().ok()) {
            Some(code) => Self::Status(code),
            None if NEVER_STARTED.iter().any(|words| said().contains(words)) => Self::NotStarted(said()),
            None => Self::Unknown(said()),
        }
    }

    /// What a connection that never stood says: a request that was refused did nothing.
    pub(super) fn refused(code: Option<u16>, reason: &str) -> Self {
        let reason = without_questions(reason);
        match code {
            Some(400..=499) => Self::NotStarted(reason),
            _ => Self::Unknown(reason),
        }
    }

    /// Whether nothing of it can still be at work.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Status(_) | Self::NotStarted(_))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ON: &str = "it may go on in the container, where nobody can end it from outside";
        match self {
            Self::Status(code) => write!(f, "exit status {code}"),
            Self::NotStarted(reason) => write!(f, "not started: {reason}"),
            Self::Unknown(reason) => write!(f, "its end was not seen ({reason}); {ON}"),
            Self::OutOfTime(limit) => {
                write!(f, "no end within {}; {ON}", humantime::format_duration(*limit))
            }
        }
    }
}

/// `text` without what addresses in it ask: the address by which a node is asked to run a command holds all of it.
fn without_questions(text: &str) -> String {
    let mut parts = text.split("://");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(part.len());
        let (address, rest) = part.split_at(end);
        plain.push_str("://");
        plain.push_str(address.split('?').next().unwrap_or_default());
        plain.push_str(rest);
    }
    plain
}

/// How a step ends, for the reason that is told of it, with a last word on the connection that tells of no success.
pub(super) fn ending(last: &Status) -> fn(String) -> Ending {
    let not_reached = last.message.as_ref().is_some_and(|said| said.starts_with(NOT_REACHED));
    // As where it says so before there is a connection, with 500.
    if not_reached { Ending::Barred } else { Ending::Failed }
}

/// A command that is awaited no longer.
#[derive(Debug, Clone)]
pub(super) struct Ran {
    pub(super) start: Moment,
    pub(super) end: Moment,
    pub(super) exit: Exit,
    /// How a step ends with it, unless it succeeded: a refused one may be tried again for longer than a failed one.
    pub(super) no: fn(String) -> Ending,
    pub(super) stdout: Captured,
    pub(super) stderr: Captured,
}

impl Ran {
    /// What became of it; none of `secrets` is in it.
    pub(super) fn outcome(self, secrets: &Secrets) -> Outcome {
        let (reason, told) = told(&self.exit, &self.stdout, &self.stderr, secrets);
        let ending = if self.exit == Exit::Status(0) { Ending::Done } else { (self.no)(reason) };
        Outcome { start: self.start, end: self.end, ending, told }
    }
}

/// A command as people read it: words that hold more than a word, or what would not be seen, in quotes.
pub(super) fn line(words: &[String]) -> String {
    let plain = |word: &&String| {
        !word.is_empty() && word.chars().all(|c| !c.is_whitespace() && is_plain(c) && !"'\"".contains(c))
    };
    let shown = |word: &String| if plain(&word) { word.clone() } else { format!("{word:?}") };
    words.iter().map(shown).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_last_word_tells_the_exit_code_or_why_there_is_none() {
        let failed = |reason: &str, message: &str, details: Value| json!({"status": "Failure", "reason": reason, "message": message, "details": details});
        let code =
            |code: &str| json!({"causes": [{"reason": "Other"}, {"reason": "ExitCode", "message": code}]});
        let said = "command terminated with non-zero exit code: exit status 3";
        let absent = "error executing command in container: exec: \"no\": executable file not found in $PATH";
        let table = [
            (json!({"status": "Success"}), Exit::Status(0)),
            (failed("NonZeroExitCode", said, code("3")), Exit::Status(3)),
            (failed("NonZeroExitCode", said, code("137")), Exit::Status(137)),
            (failed("InternalError", absent, json!({})), Exit::NotStarted(absent.to_owned())),
            (failed("InternalError", "task died", json!({})), Exit::Unknown("task died".to_owned())),
            (failed("NonZeroExitCode", "odd", code("x")), Exit::Unknown("odd".to_owned())),
        ];
        for (status, expected) in table {
            let read = serde_json::from_value(status.clone()).expect("a status");
            assert_eq!(Exit::of(&read), expected, "{status}");
        }
    }

    #[test]
    fn only_the_api_servers_own_last_word_may_be_another_one_soon() {
        type Case = (&'static str, fn(String) -> Ending);
        let dialed =
            "proxy error from 127.0.0.1:6443 while dialing 10.0.0.3:10250, code 502: 502 Bad Gateway";
        let table: [Case; 4] = [
            ("Internal error occurred: error sending request: Post \"https://10.0.0.3\": ", Ending::Barred),
            (
                "Internal error occurred: unable to upgrade connection: error dialing backend: ",
                Ending::Failed,
            ),
            (
                "Internal error occurred: unable to upgrade connection: error sending request: ",
                Ending::Failed,
            ),
            ("error sending request: ", Ending::Failed),
        ];
        for (said, expected) in table {
            let message = Some(format!("{said}{dialed}"));
            let last = Status { message, ..Status::default() };
            assert_eq!(ending(&last)(String::new()), expected(String::new()), "{said}");
        }
    }

    #[test]
    fn no_exit_tells_the_command_in_an_address() {
        let table = [
            (
                "error sending request: Post \"https://10.0.0.3:10250/exec/a/b/c?command=sh&command=pw%3Dx\": EOF",
                "error sending request: Post \"https://10.0.0.3:10250/exec/a/b/c\": EOF",
            ),
            ("at http://a/?x and http://b/?y", "at http://a/ and http://b/"),
            ("is it there? no", "is it there? no"),
            ("https://a", "https://a"),
        ];
        for (said, told) in table {
            assert_eq!(Exit::refused(None, said), Exit::Unknown(told.to_owned()));
            let last = Status { message: Some(said.to_owned()), ..Status::default() };
            assert_eq!(Exit::of(&last), Exit::Unknown(told.to_owned()));
        }
    }

    #[test]
    fn only_what_ended_or_never_began_is_over() {
        let why = "why";
        let table = [
            (Exit::Status(3), true, "exit status 3"),
            (Exit::refused(Some(403), why), true, "not started: why"),
            (
                Exit::refused(Some(500), why),
                false,
                "its end was not seen (why); it may go on in the container, where nobody can end it from outside",
            ),
            (
                Exit::OutOfTime(Duration::from_secs(30)),
                false,
                "no end within 30s; it may go on in the container, where nobody can end it from outside",
            ),
        ];
        for (exit, over, said) in table {
            assert_eq!((exit.is_over(), exit.to_string().as_str()), (over, said));
        }
        assert!(!Exit::refused(None, why).is_over());
    }

    #[test]
    fn an_outcome_tells_what_was_printed_last() {
        let outcome = |exit: Exit, no: fn(String) -> Ending| {
            let printed = |text: &str| Captured { bytes: text.into(), overflowed: false };
            let at = Moment::from_secs_f64;
            let (stdout, stderr) = (printed("out"), printed("bad\nworse\n"));
            Ran { start: at(1.0), end: at(2.0), exit, no, stdout, stderr }.outcome(&Secrets::default())
        };
        assert_eq!(outcome(Exit::Status(0), Ending::Failed).ending, Ending::Done);
        let failed = outcome(Exit::Status(3), Ending::Failed);
        assert_eq!(failed.ending, Ending::Failed("exit status 3: bad | worse".to_owned()));
        let expected = [("exit", "exit status 3"), ("stdout", "out"), ("stderr", "bad\nworse")];
        assert_eq!(failed.told, expected.map(|(key, text)| (key, text.to_owned())));
        let barred = outcome(Exit::refused(Some(403), "why"), Ending::Barred);
        assert_eq!(barred.ending, Ending::Barred("not started: why: bad | worse".to_owned()));
    }

    #[test]
    fn a_command_is_shown_word_by_word() {
        let words = ["sh", "-c", "kill -9 1", "", "it's"].map(str::to_owned);
        assert_eq!(line(&words), "sh -c \"kill -9 1\" \"\" \"it's\"");
        let hidden = ["rm", "\u{202e}a", "b\u{200b}", "c\r"].map(str::to_owned);
        assert_eq!(line(&hidden), r#"rm "\u{202e}a" "b\u{200b}" "c\r""#);
    }
}
