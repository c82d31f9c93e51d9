//! The trial's requests made ready: what is the same for every request is encoded once.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use rand::rngs::StdRng;
use url::{Host, Url};

use super::render::{self, Missing, Values};
use crate::trial::{
    Assertion, Body, Extract, ExtractFrom, HeaderText, JsonTemplate, Name, Redirects, Step, Target, Template,
    Trial,
};

/// A trial whose requests cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The target's URL lacks a host.
    #[error("the target's URL has no host")]
    NoHost,
    /// A host name that no `Host` header can carry.
    #[error("the target's host name cannot be sent as a header")]
    Host(#[source] http::header::InvalidHeaderValue),
    /// A path that no request line can carry.
    #[error("`{0}` is not a path of a URI")]
    Path(String, #[source] http::uri::InvalidUri),
}

/// Everything that users send. Not printable: filled paths and bodies may hold secrets.
pub(super) struct Plan {
    /// Where to.
    pub(super) origin: Origin,
    /// Once per user.
    pub(super) login: Option<Vec<StepPlan>>,
    /// By task.
    pub(super) tasks: Vec<TaskPlan>,
    /// Most hops that are followed; 0 when redirects are answers.
    pub(super) hops: u32,
}

/// Where requests go.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// Whether it speaks TLS.
    pub(super) https: bool,
    /// What is connected to.
    pub(super) host: Host<String>,
    /// Its port.
    pub(super) port: u16,
    /// Its URL as the server knows it, for cookies and redirects.
    pub(super) visible: Url,
    /// Its URL as the trial gives it.
    actual: Url,
    /// `Host` header.
    authority: HeaderValue,
    /// Path before every request's.
    prefix: String,
}

/// A task's requests.
pub(super) struct TaskPlan {
    /// What it is called.
    pub(super) name: Name,
    /// How long a user waits without complaint.
    pub(super) patience: Duration,
    /// In order.
    pub(super) steps: Vec<StepPlan>,
}

/// One request, and what its answer must be.
pub(super) struct StepPlan {
    /// Method and path as the trial wrote them, without secrets.
    pub(super) line: String,
    method: Method,
    path: PathPlan,
    headers: HeaderMap,
    filled_headers: Vec<(HeaderName, Template)>,
    body: BodyPlan,
    /// Accepted statuses; empty: the usual ones.
    pub(super) expect: Vec<StatusCode>,
    /// Conditions on the body.
    pub(super) asserts: Vec<Assertion>,
    /// Values to keep.
    pub(super) extracts: Vec<Extract>,
    /// Whether anybody looks at the body.
    pub(super) needs_body: bool,
}

enum PathPlan {
    Fixed(Uri),
    Filled(String, Template),
}

enum BodyPlan {
    Fixed(Bytes),
    Json(JsonTemplate),
    Form(Vec<(String, Template)>),
}

/// A request could not be made from what is known.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsendable {
    /// A value is missing.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// A kept value does not fit into a path.
    #[error("a filled path is not a URI")]
    Path(#[from] http::uri::InvalidUri),
    /// A kept value does not fit into a header.
    #[error("a filled header cannot be sent")]
    Header(#[from] http::header::InvalidHeaderValue),
}

impl Plan {
    /// Makes ready what `trial` sends.
    pub(super) fn new(trial: &Trial) -> Result<Self, PlanError> {
        let origin = Origin::new(&trial.target)?;
        let common = &trial.target.headers;
        let steps = |journey: &[Step]| -> Result<Vec<_>, _> {
            journey.iter().map(|step| StepPlan::new(&origin, common, step)).collect()
        };
        let tasks = trial
            .load
            .tasks
            .iter()
            .map(|task| {
                let steps = steps(&task.journey)?;
                Ok(TaskPlan { name: task.name.clone(), patience: task.patience, steps })
            })
            .collect::<Result<_, PlanError>>()?;
        let login = trial.load.login.as_deref().map(steps).transpose()?;
        let hops = match trial.load.redirects {
            Redirects::Answer => 0,
            Redirects::Follow(hops) => hops.get(),
        };
        Ok(Self { origin, login, tasks, hops })
    }
}

impl Origin {
    fn new(target: &Target) -> Result<Self, PlanError> {
        let url = &target.url;
        let host = url.host().ok_or(PlanError::NoHost)?.to_owned();
        let actual_authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        let authority = target.host.as_deref().unwrap_or(&actual_authority);
        // A host that makes no URL is left to the server: cookies then follow the address.
        let visible = Url::parse(&format!("{}://{authority}/", url.scheme()));
        let visible = visible.or_else(|_| url.join("/")).map_err(|_| PlanError::NoHost)?;
        let https = url.scheme() == "https";
        Ok(Self {
            https,
            host,
            port: url.port_or_known_default().unwrap_or(if https { 443 } else { 80 }),
            authority: HeaderValue::from_str(authority).map_err(PlanError::Host)?,
            visible,
            actual: url.clone(),
            prefix: url.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Whether `url` is the target's, by either of its names.
    pub(super) fn owns(&self, url: &Url) -> bool {
        url.origin() == self.visible.origin() || url.origin() == self.actual.origin()
    }
}

impl StepPlan {
    fn new(origin: &Origin, common: &[(HeaderName, HeaderText)], step: &Step) -> Result<Self, PlanError> {
        let mut headers = HeaderMap::with_capacity(4 + common.len() + step.headers.len());
        headers.insert(HOST, origin.authority.clone());
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("ordeal/", env!("CARGO_PKG_VERSION"))));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        let (body, kind) = BodyPlan::new(step.body.as_ref());
        if let Some(kind) = kind {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        let mut filled_headers: Vec<(HeaderName, Template)> = Vec::new();
        for (name, text) in common.iter().chain(&step.headers) {
            // The later one counts: a step's own header stands in for the target's.
            filled_headers.retain(|(known, _)| known != name);
            headers.remove(name);
            match text {
                HeaderText::Fixed(value) => drop(headers.insert(name, value.clone())),
                HeaderText::Template(template) => filled_headers.push((name.clone(), template.clone())),
            }
        }
        let needs_body =
            !step.asserts.is_empty() || step.extracts.iter().any(|extract| reads_body(&extract.from));
        Ok(Self {
            line: format!("{} {}", step.method, render::unfilled(&step.path)),
            method: step.method.clone(),
            path: PathPlan::new(&origin.prefix, &step.path)?,
            headers,
            filled_headers,
            body,
            expect: step.expect.clone(),
            asserts: step.asserts.clone(),
            extracts: step.extracts.clone(),
            needs_body,
        })
    }

    /// The request, filled.
    pub(super) fn request(&self, values: &Values, rng: &mut StdRng) -> Result<Request<Bytes>, Unsendable> {
        let mut request = Request::new(self.body.fill(values, rng)?);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = match &self.path {
            PathPlan::Fixed(uri) => uri.clone(),
            PathPlan::Filled(prefix, template) => {
                Uri::try_from(render::path(prefix, template, values, rng)?)?
            }
        };
        *request.headers_mut() = self.headers.clone();
        for (name, template) in &self.filled_headers {
            let mut text = String::new();
            render::text(template, values, rng, &mut text)?;
            let mut value = HeaderValue::try_from(text)?;
            value.set_sensitive(render::is_secret(template));
            request.headers_mut().insert(name, value);
        }
        Ok(request)
    }
}

impl PathPlan {
    fn new(prefix: &str, template: &Template) -> Result<Self, PlanError> {
        if !render::is_fixed(template) {
            return Ok(Self::Filled(prefix.to_owned(), template.clone()));
        }
        let path = fixed(|values, rng| render::path(prefix, template, values, rng));
        Uri::try_from(path.as_str()).map(Self::Fixed).map_err(|error| {
            let shown = if render::is_secret(template) { "[redacted]".to_owned() } else { path };
            PlanError::Path(shown, error)
        })
    }
}

impl BodyPlan {
    /// The body, and its type if it has one.
    fn new(body: Option<&Body>) -> (Self, Option<&'static str>) {
        match body {
            None => (Self::Fixed(Bytes::new()), None),
            Some(Body::Json(template)) => {
                let plan = Self::Json(template.clone());
                let plan = if render::json_is_fixed(template) { plan.fixed() } else { plan };
                (plan, Some("application/json"))
            }
            Some(Body::Form(fields)) => {
                let plan = Self::Form(fields.clone());
                let all_fixed = fields.iter().all(|(_, template)| render::is_fixed(template));
                (if all_fixed { plan.fixed() } else { plan }, Some("application/x-www-form-urlencoded"))
            }
        }
    }

    fn fixed(&self) -> Self {
        Self::Fixed(fixed(|values, rng| self.fill(values, rng)))
    }

    fn fill(&self, values: &Values, rng: &mut StdRng) -> Result<Bytes, Missing> {
        match self {
            Self::Fixed(bytes) => Ok(bytes.clone()),
            Self::Json(template) => {
                let mut out = Vec::with_capacity(128);
                render::json(template, values, rng, &mut out)?;
                Ok(out.into())
            }
            Self::Form(fields) => Ok(render::form(fields, values, rng)?.into()),
        }
    }
}

fn reads_body(from: &ExtractFrom) -> bool {
    matches!(from, ExtractFrom::Json(_) | ExtractFrom::Regex(_))
}

/// Fills what needs neither values nor chance.
fn fixed<T>(fill: impl FnOnce(&Values, &mut StdRng) -> Result<T, Missing>) -> T {
    use rand::SeedableRng as _;
    fill(&Values::new(0), &mut StdRng::seed_from_u64(0)).expect("fixed text needs no values")
}

#[cfg(test)]
mod tests;
