//! What an answer must be, and what is kept of it. Pure.

use std::cell::OnceCell;

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, Method, StatusCode};
use regex::Regex;
use serde_json::Value;
use url::Url;

use super::failed::{Detail, Failed};
use super::jar::Jar;
use super::outcome::{Reason, unexpected_status};
use super::plan::{Origin, StepPlan};
use super::render::Values;
use crate::trial::{Assertion, ExtractFrom};

/// An answer that came whole.
#[derive(Debug)]
pub(super) struct Answer {
    /// Its status.
    pub(super) status: StatusCode,
    /// Its headers.
    pub(super) headers: HeaderMap,
    /// Its body, empty where nobody asked for it.
    pub(super) body: Bytes,
}

/// Judges an answer and keeps what later requests need.
pub(super) fn judge(
    step: &StepPlan,
    follows_redirects: bool,
    answer: &Answer,
    jar: &Jar,
    values: &mut Values,
) -> Result<(), Failed> {
    let status = answer.status;
    let accepted = if step.expect.is_empty() {
        status.is_success() || (status.is_redirection() && !follows_redirects)
    } else {
        step.expect.contains(&status)
    };
    if !accepted {
        let reason = unexpected_status(status, follows_redirects);
        return Err(Failed::with(reason, Detail::Status(status)));
    }
    let body = Body { bytes: &answer.body, json: OnceCell::new() };
    if let Some(number) = step.asserts.iter().position(|assertion| !body.fulfils(assertion)) {
        return Err(Failed::with(Reason::Assertion, Detail::Condition(number)));
    }
    for (number, extract) in step.extracts.iter().enumerate() {
        let value = match &extract.from {
            ExtractFrom::Header(name) => {
                answer.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
            }
            ExtractFrom::Cookie(name) => jar.get(name).map(str::to_owned),
            ExtractFrom::Json(pointer) => {
                body.json().and_then(|json| json.pointer(pointer)).and_then(plain_text)
            }
            ExtractFrom::Regex(regex) => body.first_match(regex),
        };
        let missing = Failed::with(Reason::Assertion, Detail::Value(number));
        values.keep(&extract.name, value.ok_or(missing)?);
    }
    Ok(())
}

/// A body, parsed at most once.
struct Body<'a> {
    bytes: &'a Bytes,
    json: OnceCell<Option<Value>>,
}

impl Body<'_> {
    fn json(&self) -> Option<&Value> {
        self.json.get_or_init(|| serde_json::from_slice(self.bytes).ok()).as_ref()
    }

    fn fulfils(&self, assertion: &Assertion) -> bool {
        match assertion {
            Assertion::Contains(text) => String::from_utf8_lossy(self.bytes).contains(text),
            Assertion::Matches(regex) => regex.is_match(&String::from_utf8_lossy(self.bytes)),
            Assertion::JsonEquals(pointer, due) => {
                self.json().and_then(|json| json.pointer(pointer)).is_some_and(|value| equal(value, due))
            }
            Assertion::JsonPresent(pointer) => {
                self.json().is_some_and(|json| json.pointer(pointer).is_some())
            }
        }
    }

    fn first_match(&self, regex: &Regex) -> Option<String> {
        let text = String::from_utf8_lossy(self.bytes);
        let found = regex.captures(&text)?;
        found.get(1).or_else(|| found.get(0)).map(|part| part.as_str().to_owned())
    }
}

/// Equal as JSON, where 1 and 1.0 are one number.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        _ => left == right,
    }
}

/// What a template is filled with: a string as it is, other values as JSON; null is no value.
fn plain_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Where a redirect leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hop {
    /// Path and query at the target.
    pub(super) path: String,
    /// Whether method and body go along, or a GET without a body is made.
    pub(super) keeps_body: bool,
}

/// Whether `answer` to a request of `method` for `path` is a redirect to follow, and where to. Load goes
/// nowhere but to the target, so a hop elsewhere is an error, as is one without an address.
pub(super) fn hop(
    origin: &Origin,
    step: &StepPlan,
    method: &Method,
    path: &str,
    answer: &Answer,
) -> Result<Option<Hop>, Reason> {
    let keeps_body = match answer.status.as_u16() {
        301 | 302 => method != Method::POST,
        303 => method == Method::HEAD,
        307 | 308 => true,
        _ => return Ok(None),
    };
    if step.expect.contains(&answer.status) {
        return Ok(None);
    }
    let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let url: Option<Url> = location.and_then(|to| origin.visible.join(path).ok()?.join(to).ok());
    let url = url.filter(|url| origin.owns(url)).ok_or(Reason::Redirect)?;
    Ok(Some(Hop { path: url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(), keeps_body }))
}

#[cfg(test)]
mod tests;
