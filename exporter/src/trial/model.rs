//! The checked form of a trial: types that cannot hold nonsense.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use regex::Regex;
use url::Url;

/// Everything a run does, from one file. Its `Debug` shows no secret (`redact.rs`).
#[derive(Clone)]
pub struct Trial {
    /// Name of the trial: the file's `name`, else its file stem. Exported as the label `trial`.
    pub name: Name,
    /// The HTTP service that users visit.
    pub target: Target,
    /// The users and what they do.
    pub load: Load,
    /// Where the JSON document that says what runs (workloads, autoscalers, interventions) is served.
    pub status: Option<Url>,
    /// Data stores that components probe, ledgers write to and instances are watched in.
    pub stores: Vec<Store>,
    /// What is probed, and followed through its outages.
    pub components: Vec<Component>,
    /// Writers whose every acknowledged write is audited.
    pub ledgers: Vec<Ledger>,
    /// The faults, in order.
    pub experiments: Vec<Experiment>,
    /// How long `steady` lasts before the first experiment (default 30 s).
    pub after: Duration,
    /// How long health must hold after recovery and revert before a recovery is final (default 60 s).
    pub settle: Duration,
    /// The longest wait in `cooldown` for autoscalers to be back at their minimum (default 300 s).
    pub cooldown: Duration,
}

/// A name that is also a label value: lower-case letters, digits, `-`, `_` and `.`, 1 to 63 characters,
/// starting with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Checks `text` against the rule above; `None` when it breaks it.
    pub fn new(text: &str) -> Option<Self> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        (text.len() <= 63 && starts_well && text.chars().all(allowed)).then(|| Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A value that must never reach a log, a report or an error text.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The HTTP service under load.
#[derive(Clone)]
pub struct Target {
    /// Scheme, host and port, and a path prefix if any. Logs show its origin only: a path may hold a secret.
    pub url: Url,
    /// Certificate authority (PEM file) instead of the system's.
    pub ca: Option<PathBuf>,
    /// Client certificate and key (PEM files).
    pub client_identity: Option<ClientIdentity>,
    /// `Host` header and TLS server name, when they differ from the URL's host.
    pub host: Option<String>,
    /// Headers sent with every request; values may be secret.
    pub headers: Vec<(HeaderName, HeaderText)>,
}

/// A client certificate with its key.
#[derive(Debug, Clone)]
pub struct ClientIdentity {
    /// PEM file with the certificate chain.
    pub certificate: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
}

/// A header's value: plain, or a template that is filled for each request.
#[derive(Debug, Clone)]
pub enum HeaderText {
    /// The same for every request; marked sensitive when it came from a secret.
    Fixed(HeaderValue),
    /// Filled from parameters and extracted values.
    Template(Template),
}

/// The users and their behaviour.
#[derive(Debug, Clone)]
pub struct Load {
    /// How many users run when; at least one stage.
    pub stages: Vec<Stage>,
    /// Users started or stopped a second (greater than zero).
    pub spawn_rate: f64,
    /// Pause after every request.
    pub think: Think,
    /// Seeds every random choice of the run.
    pub seed: u64,
    /// A request that has no full answer after this long has failed (default 15 s).
    pub timeout: Duration,
    /// Waiting beyond this long is overdue (default 2 s); tasks may differ.
    pub patience: Duration,
    /// Whether redirects are followed (default false); hops are not requests of their own.
    pub redirects: Redirects,
    /// Upper bounds of the response-time histogram in seconds, strictly increasing.
    pub buckets: Vec<f64>,
    /// Done once by each user before its first task.
    pub login: Option<Vec<Step>>,
    /// The kinds of user action; at least one, names unique.
    pub tasks: Vec<Task>,
}

impl Load {
    /// The time from the first user's start to the end of the last stage.
    pub fn duration(&self) -> Duration {
        self.stages.iter().map(|stage| stage.lasts).sum()
    }
}

/// A number of users held for a time. The time counts from the stage's beginning, its ramp included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// Users wanted; reached at the spawn rate.
    pub users: usize,
    /// How long the stage lasts.
    pub lasts: Duration,
}

/// The pause of a user after each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Think {
    /// Always the same.
    Constant(Duration),
    /// Uniform from the first to the second, the first being the shorter.
    Uniform(Duration, Duration),
}

impl Think {
    /// The mean pause.
    pub fn mean(self) -> Duration {
        match self {
            Self::Constant(pause) => pause,
            Self::Uniform(low, high) => (low + high) / 2,
        }
    }
}

/// What a user does with a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// A redirect is an answer like any other: its status must be an expected one.
    Answer,
    /// Followed, at most this many hops.
    Follow(NonZeroU32),
}

/// One kind of user action.
#[derive(Debug, Clone)]
pub struct Task {
    /// Exported as the label `task`.
    pub name: Name,
    /// Share of choices, relative to the other tasks' weights.
    pub weight: NonZeroU32,
    /// Patience of this task's requests.
    pub patience: Duration,
    /// The requests, in order; at least one. A failed one ends the journey.
    pub journey: Vec<Step>,
}

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

/// Text with parameters. In a file: `/items/{1..500}?page={1..9}`, `{gold|silver|bronze}`, `{uuid}`,
/// `{extracted_name}`; `{{` and `}}` are braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The parts in order; no two adjacent ones are literal.
    pub parts: Vec<Part>,
}

/// A part of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Fixed text.
    Literal(String),
    /// A fixed secret.
    Secret(SecretText),
    /// A random whole number, both ends included.
    Range(i64, i64),
    /// A random choice from a list with at least one entry.
    Choice(Vec<String>),
    /// A new random id (UUID v4) at each use.
    Uuid,
    /// The user's number, from 0.
    User,
    /// A value kept by an earlier request of the same user (journey or login).
    Extracted(String),
}

/// A secret inside a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretText(pub Secret);

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

/// A data store.
#[derive(Debug, Clone)]
pub struct Store {
    /// Exported as the label `store`.
    pub name: Name,
    /// Which store, and the address that its clients use.
    pub endpoint: Endpoint,
    /// Its servers, asked one by one; may be empty (then no leader and no split brain is claimed).
    pub instances: Vec<Instance>,
    /// What fails it over, if its settings are to be looked at before a run.
    pub failover: Option<Failover>,
}

/// What fails a store over, and how soon it must have noticed that the store is gone.
#[derive(Debug, Clone)]
pub struct Failover {
    /// Who is asked for the settings.
    pub manager: Manager,
    /// The longest time until a failover begins (default 30 s).
    pub within: Duration,
}

/// What watches over a store. Its `Debug` shows of a URL the origin only (`redact.rs`).
#[derive(Clone)]
pub enum Manager {
    /// Patroni, by the URL of a member's REST interface.
    Patroni(Url),
    /// Redis Sentinel.
    Sentinel {
        /// Redis URL of one Sentinel.
        address: Secret,
        /// The name by which it knows the master.
        master: String,
    },
}

/// The address that a store's clients use.
#[derive(Debug, Clone)]
pub enum Endpoint {
    /// PostgreSQL connection string.
    Postgres(Secret),
    /// Redis URL.
    Redis(Secret),
}

/// One server of a store.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Its name within the store.
    pub name: Name,
    /// How it is asked.
    pub access: Access,
}

/// How an instance is asked, on a path that a partition does not cut.
#[derive(Debug, Clone)]
pub enum Access {
    /// Directly: a connection string or URL of the store's own kind (TCP or unix socket).
    Direct(Secret),
    /// Through a command prefix (`ssh db1 psql …`): the program and arguments that run psql or redis-cli there.
    Command(Vec<String>),
}

/// Something whose health is followed on its own.
#[derive(Debug, Clone)]
pub struct Component {
    /// Exported as the label `component`.
    pub name: Name,
    /// What is probed.
    pub kind: ComponentKind,
    /// Time between two probes (default 50 ms; 250 ms for `members` and `replicas`).
    pub interval: Duration,
    /// A probe without an answer after this long has failed (default 1 s).
    pub timeout: Duration,
}

/// What a component's probe does.
#[derive(Debug, Clone)]
pub enum ComponentKind {
    /// GET of a path of the target, on a fresh connection; healthy on the expected status (default any 2xx).
    Http {
        /// Path and query.
        path: String,
        /// Accepted status; `None` means any 2xx.
        expect: Option<StatusCode>,
    },
    /// A write and its read back through the address that the store's clients use.
    Store {
        /// Index into [`Trial::stores`].
        store: usize,
    },
    /// All instances of a store up and replicating, exactly one taking writes.
    Members {
        /// Index into [`Trial::stores`]; that store has instances.
        store: usize,
    },
    /// Ready replicas of a workload in the status document.
    Replicas {
        /// The workload's name there.
        workload: String,
        /// Replicas that the workload should have when no autoscaler says so.
        declared: Option<u32>,
    },
}

/// Writers of a store, and the audit of what it acknowledged.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// Index into [`Trial::stores`].
    pub store: usize,
    /// Concurrent writers.
    pub writers: NonZeroUsize,
    /// Writes a second, all writers together (greater than zero).
    pub rate: f64,
    /// Redis: replicas that must confirm (`WAIT n`) before a write counts as acknowledged.
    pub wait_replicas: u32,
    /// Redis: keys of the data set written before the first fault and checked at the end (0: none).
    pub dataset: u32,
}

/// One fault, at one target, at one time.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// Exported as the label `experiment`; unique in the trial.
    pub name: Name,
    /// What is done.
    pub fault: Fault,
    /// Indices into [`Trial::components`] of those that must recover; at least one.
    pub components: Vec<usize>,
    /// The longest wait for all of them, from the injection (default 300 s).
    pub deadline: Duration,
    /// Time from the injection to the revert, where there is a revert (default 0).
    pub hold: Duration,
    /// Whether `replicas` recover only once the targets (instances, or those on target nodes) are replaced.
    pub replaced: bool,
}

/// What is done to break something.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Commands of the user's own.
    Exec(ExecFault),
}

impl Fault {
    /// The value of the label `fault`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Exec(_) => "exec",
        }
    }
}

/// A fault made of commands, each run as `sh -c`.
#[derive(Debug, Clone)]
pub struct ExecFault {
    /// Read-only: prints the targets, one instance a line.
    pub target: String,
    /// Breaks them.
    pub inject: String,
    /// Exits 0 when the fault took effect.
    pub bit: Option<String>,
    /// Puts back what `inject` broke; idempotent. `None`: there is nothing to put back.
    pub revert: Option<String>,
    /// Time limit of each command (default 30 s).
    pub timeout: Duration,
}
