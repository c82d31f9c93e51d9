//! The Prometheus HTTP API: the only place that talks to it.
//!
//! `prometheus-http-query` builds and sends the requests; answers are decoded here, because its own decoding
//! drops warnings and infos, and a partial answer must never look like a whole one.

mod answer;
mod connect;
mod rules;
mod trouble;

use std::time::Duration;

use prometheus_http_query::{Client, RuleKind};

pub(crate) use answer::Answer;
pub(crate) use connect::{Access, Error as AccessError};

use crate::evidence::{Millis, Rule};
use trouble::Trouble;

/// The largest answer that is read: a server that never ends one must not take all memory.
const LARGEST_MIB: usize = 256;
/// The same, of what a server says about itself, in bytes.
const LARGEST_STATUS: usize = 1 << 20;

/// A question to Prometheus was not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// What is wrong with the way there is known.
    #[error("{url}: {trouble}")]
    Way { url: String, trouble: Trouble },
    #[error("sending a request to {url}")]
    Send { url: String, source: prometheus_http_query::Error },
    #[error("reading the answer of {url}")]
    Read { url: String, source: reqwest::Error },
    #[error("{url} answered {status}{body}: {}", trouble::of_status(*status, body))]
    Status {
        url: String,
        status: u16,
        /// In parentheses, if there is one.
        body: String,
    },
    /// It is not followed: the credentials are meant for nobody else, and a login page has no evidence.
    #[error(
        "{url}: it redirects to {to} (a login page?): give Prometheus' own address, or credentials that it takes"
    )]
    Elsewhere { url: String, to: String },
    #[error(
        "{url} gave an answer larger than {LARGEST_MIB} MiB: is this a Prometheus? A shorter --since asks for less"
    )]
    Size { url: String },
    #[error("{url} gave a sample of the time {seconds:e}, which is none: is this a Prometheus?")]
    Time { url: String, seconds: f64 },
    #[error("{url} did not answer with JSON of the query API: is this a Prometheus?")]
    Decode { url: String, source: serde_json::Error },
    /// Prometheus understood the question and refused it.
    #[error("the query was refused ({kind}): {message}{}", trouble::of_refusal(message))]
    Refused { kind: String, message: String },
}

impl Error {
    /// Whether there is no use in asking anything else.
    pub(crate) fn is_unreachable(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }
}

/// A Prometheus server.
#[derive(Clone)]
pub(crate) struct Prometheus {
    client: Client,
    url: String,
    timeout: Duration,
}

/// What a server says about itself; all of it may be missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Server {
    pub(crate) version: Option<String>,
    /// When the process started.
    pub(crate) started: Option<Millis>,
    /// When it last read its configuration with success.
    pub(crate) loaded: Option<Millis>,
}

impl Prometheus {
    /// The address as the user gave it, without credentials.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Evaluates `query` at `at` (now, if none).
    pub(crate) async fn query(&self, query: &str, at: Option<Millis>) -> Result<Answer, Error> {
        let mut request =
            self.client.query(query).timeout(i64::try_from(self.timeout.as_millis()).unwrap_or(i64::MAX));
        if let Some(at) = at {
            request = request.query("time", at);
        }
        let (status, body) = self.answer(request.post_raw().await).await?;
        answer::decode(&self.url, status, &body)
    }

    /// Evaluates `query` from one moment to another, every `step`.
    pub(crate) async fn range(
        &self,
        query: &str,
        (from, to): (Millis, Millis),
        step: Duration,
    ) -> Result<Answer, Error> {
        // The library takes whole seconds, which is near enough for what is looked at.
        let (first, last) = (from.0.div_euclid(1000), to.0.div_euclid(1000));
        let request = self.client.query_range(query, first, last, step.as_secs_f64());
        let request = request.timeout(i64::try_from(self.timeout.as_millis()).unwrap_or(i64::MAX));
        let (status, body) = self.answer(request.post_raw().await).await?;
        answer::decode(&self.url, status, &body)
    }

    /// The alerting rules that it evaluates now, and what it warns of.
    pub(crate) async fn rules(&self) -> Result<(Vec<Rule>, Vec<String>), Error> {
        let sent = self.client.rules().kind(RuleKind::Alerting).get_raw().await;
        let (status, body) = self.answer(sent).await?;
        rules::decode(&self.url, status, &body)
    }

    /// The status and the body of what came back.
    async fn answer(
        &self,
        sent: Result<reqwest::Response, prometheus_http_query::Error>,
    ) -> Result<(u16, Vec<u8>), Error> {
        let response = sent.map_err(|source| self.not_sent(source))?;
        let status = response.status().as_u16();
        if let Some(to) = connect::elsewhere(&response) {
            return Err(Error::Elsewhere { url: self.url.clone(), to });
        }
        let read = answer::body(response, LARGEST_MIB << 20).await;
        let read = read.map_err(|source| Error::Read { url: self.url.clone(), source })?;
        Ok((status, read.ok_or_else(|| Error::Size { url: self.url.clone() })?))
    }

    fn not_sent(&self, source: prometheus_http_query::Error) -> Error {
        let url = self.url.clone();
        match trouble::of(&source) {
            Trouble::Other => Error::Send { url, source },
            trouble => {
                tracing::debug!(error = &source as &dyn std::error::Error, "a request was not sent");
                Error::Way { url, trouble }
            }
        }
    }

    /// What the server says about itself. A server that says nothing (other products, older versions) is fine.
    pub(crate) async fn server(&self) -> Server {
        let version = self.status("buildinfo").await;
        let runtime = self.status("runtimeinfo").await;
        let text = |value: &Option<serde_json::Value>, key: &str| {
            value
                .as_ref()
                .and_then(|value| value["data"][key].as_str().map(str::to_owned))
                .filter(|text| !text.is_empty())
        };
        let time = |key: &str| text(&runtime, key).as_deref().and_then(rules::time);
        Server {
            version: text(&version, "version"),
            started: time("startTime"),
            loaded: time("lastConfigTime"),
        }
    }

    async fn status(&self, what: &str) -> Option<serde_json::Value> {
        let base = self.client.base_url().as_str().trim_end_matches('/');
        let url = format!("{base}/api/v1/status/{what}");
        let answer = self.client.inner().get(url).send().await;
        match answer.and_then(reqwest::Response::error_for_status) {
            Ok(response) => {
                let body = answer::body(response, LARGEST_STATUS).await.ok()??;
                serde_json::from_slice(&body).ok()
            }
            Err(error) => {
                tracing::debug!(what, %error, "the server does not tell its status");
                None
            }
        }
    }
}
