//! One request of a journey.

use http::{HeaderName, Method, StatusCode};
use regex::Regex;

use super::{HeaderText, Template};

/// One request of a journey and what its answer must be.
#[derive(Debug, Clone)]
pub struct Step {
    /// HTTP method.
    pub method: Method,
    /// Path and query, appended to the target's path.
    pub path: Template,
    /// Headers of this request.
    pub headers: Vec<(HeaderName, HeaderText)>,
    /// What is sent.
    pub body: Option<Body>,
    /// Accepted status codes; empty means any 2xx, and any 3xx where redirects are answers.
    pub expect: Vec<StatusCode>,
    /// Conditions on the body.
    pub asserts: Vec<Assertion>,
    /// Values kept for later requests of this user.
    pub extracts: Vec<Extract>,
}

/// A request body.
#[derive(Debug, Clone)]
pub enum Body {
    /// JSON, sent as `application/json`. String leaves are templates.
    Json(JsonTemplate),
    /// Form fields, sent as `application/x-www-form-urlencoded`.
    Form(Vec<(String, Template)>),
}

/// JSON whose strings are templates. A string that is nothing but one parameter with a number range becomes
/// a JSON number.
#[derive(Debug, Clone)]
pub enum JsonTemplate {
    /// null, true, false or a number.
    Plain(serde_json::Value),
    /// A string.
    Text(Template),
    /// An array.
    Array(Vec<JsonTemplate>),
    /// An object, in the file's order.
    Object(Vec<(String, JsonTemplate)>),
}

/// A condition on an answer's body.
#[derive(Debug, Clone)]
pub enum Assertion {
    /// The body contains this text.
    Contains(String),
    /// The body matches.
    Matches(Regex),
    /// The JSON value at this pointer (RFC 6901) equals that.
    JsonEquals(String, serde_json::Value),
    /// There is a JSON value at this pointer.
    JsonPresent(String),
}

/// A value taken from an answer.
#[derive(Debug, Clone)]
pub struct Extract {
    /// Name that templates use.
    pub name: String,
    /// Where the value is; its absence fails the request as `assertion`.
    pub from: ExtractFrom,
}

/// The place of an extracted value.
#[derive(Debug, Clone)]
pub enum ExtractFrom {
    /// JSON pointer (RFC 6901).
    Json(String),
    /// Response header.
    Header(HeaderName),
    /// A cookie in the user's jar, after this answer.
    Cookie(String),
    /// First capture group of a match in the body, or the whole match if there is no group.
    Regex(Regex),
}
