//! What a person is told of a request that failed (pure): in what reason, and what was not as the trial says.

use http::StatusCode;

use super::outcome::Reason;
use super::plan::{Plan, StepPlan};
use crate::trial::{Assertion, ExtractFrom};

/// Why a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failed {
    /// What it is counted as.
    pub(super) reason: Reason,
    /// What more there is to tell.
    detail: Option<Detail>,
}

/// What was not as it should be. Made at every failure, so it is only numbers; they become words where it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// The answer's status.
    Status(StatusCode),
    /// The condition of this number did not hold.
    Condition(usize),
    /// The answer lacks the value of this number that is to be taken from it.
    Value(usize),
    /// The request of this number of the log-in failed so.
    LogIn(usize, Reason),
    /// The request could not be made from what earlier answers gave.
    Unmade,
}

impl From<Reason> for Failed {
    fn from(reason: Reason) -> Self {
        Self { reason, detail: None }
    }
}

impl Failed {
    /// A failure of which more is known than its reason.
    pub(super) fn with(reason: Reason, detail: Detail) -> Self {
        Self { reason, detail: Some(detail) }
    }

    /// What was not as it should be with `step` of `plan`, as the trial wrote it: nothing of what was sent or came.
    pub(super) fn why(self, plan: &Plan, step: &StepPlan) -> Option<String> {
        match self.detail? {
            Detail::Status(status) => Some(format!("the answer has status {}", status.as_u16())),
            Detail::Condition(number) => {
                let condition = step.asserts.get(number)?;
                Some(format!("the answer does not fulfil {{{}}}", condition_text(condition)))
            }
            Detail::Value(number) => {
                let extract = step.extracts.get(number)?;
                Some(format!("the answer has no {{{}}} for {}", place_text(&extract.from), extract.name))
            }
            Detail::LogIn(number, reason) => {
                let request = plan.login.as_ref()?.get(number)?;
                Some(format!("{} of the log-in failed: {}", request.line, reason.as_str()))
            }
            Detail::Unmade => {
                Some("a value that an earlier answer should have given is missing or does not fit".to_owned())
            }
        }
    }
}

fn condition_text(condition: &Assertion) -> String {
    match condition {
        Assertion::Contains(text) => format!("contains: {text}"),
        Assertion::Matches(regex) => format!("matches: {regex}"),
        Assertion::JsonEquals(pointer, due) => format!("json: {pointer}, equals: {due}"),
        Assertion::JsonPresent(pointer) => format!("json: {pointer}"),
    }
}

fn place_text(place: &ExtractFrom) -> String {
    match place {
        ExtractFrom::Json(pointer) => format!("json: {pointer}"),
        ExtractFrom::Header(name) => format!("header: {name}"),
        ExtractFrom::Cookie(name) => format!("cookie: {name}"),
        ExtractFrom::Regex(regex) => format!("regex: {regex}"),
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use regex::Regex;

    use super::*;
    use crate::trial::{Extract, NonEmpty, ProcessEnvironment, Step, Task, Template, smallest};

    fn step(method: Method, path: &str) -> Step {
        Step {
            method,
            path: Template::parse(path, &ProcessEnvironment).expect("a path"),
            headers: Vec::new(),
            body: None,
            expect: Vec::new(),
            asserts: Vec::new(),
            extracts: Vec::new(),
        }
    }

    fn plan() -> Plan {
        let asserts = vec![
            Assertion::Contains("nginx".to_owned()),
            Assertion::Matches(Regex::new("^a|b$").expect("a pattern")),
            Assertion::JsonEquals("/paid".to_owned(), true.into()),
            Assertion::JsonPresent("/id".to_owned()),
        ];
        let extract = |name: &str, from| Extract { name: name.to_owned(), from };
        let extracts = vec![
            extract("sale", ExtractFrom::Json("/id".to_owned())),
            extract("token", ExtractFrom::Cookie("sid".to_owned())),
        ];
        let mut trial = smallest();
        trial.load.login = Some(NonEmpty::one(step(Method::POST, "/login/{user}")));
        let sale = Step { asserts, extracts, ..step(Method::GET, "/sales/{1..9}") };
        trial.load.tasks =
            NonEmpty::one(Task { journey: NonEmpty::one(sale), ..trial.load.tasks[0].clone() });
        Plan::new(&trial).expect("a plan")
    }

    #[test]
    fn what_is_told_is_what_the_trial_wrote() {
        let plan = plan();
        let step = &plan.tasks[0].steps[0];
        assert_eq!(step.line, "GET /sales/{1..9}");
        for (detail, told) in [
            (Detail::Status(StatusCode::NOT_FOUND), "the answer has status 404"),
            (Detail::Condition(0), "the answer does not fulfil {contains: nginx}"),
            (Detail::Condition(1), "the answer does not fulfil {matches: ^a|b$}"),
            (Detail::Condition(2), "the answer does not fulfil {json: /paid, equals: true}"),
            (Detail::Condition(3), "the answer does not fulfil {json: /id}"),
            (Detail::Value(0), "the answer has no {json: /id} for sale"),
            (Detail::Value(1), "the answer has no {cookie: sid} for token"),
            (Detail::LogIn(0, Reason::Http5xx), "POST /login/{user} of the log-in failed: http_5xx"),
        ] {
            let why = Failed::with(Reason::Assertion, detail).why(&plan, step);
            assert_eq!(why.as_deref(), Some(told));
        }
        assert_eq!(Failed::from(Reason::Reset).why(&plan, step), None);
    }
}
