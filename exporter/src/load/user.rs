//! One user: thinks, chooses a task, makes its requests, and writes down how they ended.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{Method, Request, Uri};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::Instant;

use super::answer::{self, Answer};
use super::choice::{TaskChoice, mix};
use super::client::{Broken, Connection, Deadline, Dialer};
use super::failed::{Detail, Failed};
use super::jar::Jar;
use super::outcome::{Blame, Failure, Reason, blame};
use super::plan::{Plan, StepPlan};
use super::record::Recorder;
use super::render::Values;
use super::slots::Doing;
use crate::clock::Moment;
use crate::trial::Think;

/// Pause before another try to open a connection that we ourselves lacked something for.
const OWN_LACK_PAUSE: Duration = Duration::from_millis(50);

/// The shortest pause after a failed request: users that never think must not spin on refusals.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(10);

/// What the users of one thread share.
pub(super) struct Desk {
    pub(super) plan: Arc<Plan>,
    pub(super) choice: Arc<TaskChoice>,
    pub(super) recorder: Arc<Recorder>,
    pub(super) dialer: Dialer,
    pub(super) habits: Habits,
}

impl Desk {
    /// Tells of a request of `task` if it is the first of the run to fail in its reason.
    fn warn_once(&self, task: usize, step: &StepPlan, failed: Failed) {
        if !self.recorder.tasks[task].fails_first(failed.reason) {
            return;
        }
        tracing::warn!(
            task = self.plan.tasks[task].name.as_str(),
            request = step.line.as_str(),
            reason = failed.reason.as_str(),
            why = failed.why(&self.plan, step),
            "a request failed; others of its task in the same reason are only counted"
        );
    }
}

/// What is the same for all users.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    pub(super) seed: u64,
    pub(super) think: Think,
    pub(super) timeout: Duration,
    /// Patience with log-ins.
    pub(super) patience: Duration,
}

/// One user.
pub(super) struct User {
    desk: Rc<Desk>,
    number: usize,
    rng: StdRng,
    values: Values,
    jar: Jar,
    connection: Option<Connection>,
    deadline: Deadline,
    alarm: Deadline,
    logged_in: bool,
    /// Set when the user must go once its request has ended.
    leave: Rc<Cell<bool>>,
}

impl User {
    /// User `number`, who goes after its current request once `leave` is set.
    pub(super) fn new(desk: Rc<Desk>, number: usize, leave: Rc<Cell<bool>>) -> Self {
        let now = Instant::now();
        Self {
            rng: StdRng::seed_from_u64(mix(desk.habits.seed, number)),
            values: Values::new(number),
            jar: Jar::default(),
            connection: None,
            deadline: Deadline::new(now),
            alarm: Deadline::new(now),
            logged_in: desk.plan.login.is_none(),
            desk,
            number,
            leave,
        }
    }

    /// Lives until it must leave.
    pub(super) async fn live(mut self) {
        let desk = Rc::clone(&self.desk);
        let mut intended = desk.recorder.clock.now();
        desk.recorder.slots.rest(self.number, Doing::Thinking, intended);
        for nth in 0.. {
            let task = desk.choice.pick(desk.habits.seed, self.number, nth);
            desk.recorder.chose(task);
            match self.journey(&desk, task, intended).await {
                Some(next) => intended = next,
                None => return,
            }
        }
    }

    /// Does `task`, whose first request is meant to start at `intended`. Returns when the next is, unless
    /// the user leaves.
    async fn journey(&mut self, desk: &Desk, task: usize, mut intended: Moment) -> Option<Moment> {
        let (plan, recorder) = (&desk.plan.tasks[task], &desk.recorder);
        for step in &plan.steps {
            let mut now = recorder.clock.now();
            let lag = now.since(intended);
            let mut logged_in = Ok(());
            if !self.logged_in {
                logged_in = Box::pin(self.log_in(desk)).await;
                now = recorder.clock.now();
                if logged_in.is_ok() {
                    // The log-in's time is users' time, not this request's.
                    intended = now;
                }
            }
            recorder.slots.wait(self.number, Doing::Waiting, now, plan.patience);
            // Together, so that as many requests are begun as end: the verifier holds the counts to it.
            recorder.lagged(lag);
            let open = recorder.open(task, intended);
            let outcome = match logged_in {
                Ok(()) => self.request(desk, step, now).await,
                Err(failed) => Err(failed),
            };
            let ended = recorder.clock.now();
            open.end(ended, outcome.map_err(|failed| failed.reason));
            recorder.slots.rest(self.number, Doing::Thinking, ended);
            if let Err(failed) = outcome {
                desk.warn_once(task, step, failed);
            }
            if self.leave.get() {
                return None;
            }
            intended = ended.later_by(self.pause(desk.habits.think, outcome.is_err()));
            if intended > ended {
                self.alarm.set(recorder.clock.instant(intended));
                self.alarm.reached().await;
            }
            if outcome.is_err() {
                break;
            }
        }
        Some(intended)
    }

    fn pause(&mut self, think: Think, failed: bool) -> Duration {
        let pause = self.rng.random_range(think.bounds());
        if failed { pause.max(PAUSE_AFTER_FAILURE) } else { pause }
    }

    /// Logs in; its requests are not counted, but a failure fails the request that needed it.
    async fn log_in(&mut self, desk: &Desk) -> Result<(), Failed> {
        for (number, step) in desk.plan.login.iter().flatten().enumerate() {
            let now = desk.recorder.clock.now();
            desk.recorder.slots.wait(self.number, Doing::LoggingIn, now, desk.habits.patience);
            self.request(desk, step, now).await.map_err(|Failed { reason, .. }| {
                tracing::debug!(user = self.number, reason = reason.as_str(), "log-in failed");
                Failed::with(Reason::Session, Detail::LogIn(number, reason))
            })?;
        }
        self.logged_in = true;
        Ok(())
    }

    /// Makes one request, its redirects included, within its time-out.
    async fn request(&mut self, desk: &Desk, step: &StepPlan, now: Moment) -> Result<(), Failed> {
        let plan = &desk.plan;
        self.deadline.set(desk.recorder.clock.instant(now.later_by(desk.habits.timeout)));
        let mut request = step.request(&self.values, &mut self.rng).map_err(|error| {
            tracing::debug!(user = self.number, %error, "request not made");
            Failed::with(Reason::Session, Detail::Unmade)
        })?;
        let mut hops = 0;
        let follows = plan.hops > 0;
        let base = &plan.origin.visible;
        let answer = loop {
            let uri = request.uri().clone();
            let path = path_of(&uri);
            self.jar.fill(base, path, request.headers_mut());
            // What a redirect may need again; the clone shares the bytes of the body.
            let sent = follows.then(|| request.clone());
            let answer = self.exchange(desk, request, step.needs_body).await?;
            self.jar.keep(base, path, &answer.headers);
            let Some(sent) = sent else { break answer };
            match answer::hop(&plan.origin, step, sent.method(), path, &answer)? {
                None => break answer,
                Some(_) if hops == plan.hops => return Err(Reason::Redirect.into()),
                Some(hop) => request = hop_request(sent, &hop)?,
            }
            hops += 1;
        };
        answer::judge(step, follows, &answer, &self.jar, &mut self.values)
    }

    /// Sends `request` on the kept connection, or on a new one if that has closed before anything was sent.
    async fn exchange(
        &mut self,
        desk: &Desk,
        mut request: Request<Bytes>,
        keep_body: bool,
    ) -> Result<Answer, Reason> {
        loop {
            let mut kept = self.connection.take();
            if let Some(connection) = &mut kept
                && !connection.is_open().await
            {
                kept = None;
            }
            let mut connection = match kept {
                Some(kept) => kept,
                None => Box::pin(self.connect(desk)).await?,
            };
            match connection.exchange(request, keep_body, &mut self.deadline).await {
                Ok(answer) => {
                    self.connection = Some(connection);
                    return Ok(answer);
                }
                Err(Broken::Unsent(back)) => request = *back,
                Err(Broken::Failed(failure)) => return Err(reason_of(failure)),
            }
        }
    }

    /// Opens a connection. What we ourselves lack is waited for: nothing was sent, so nothing is said about
    /// the target until the request's time is over.
    async fn connect(&mut self, desk: &Desk) -> Result<Connection, Reason> {
        loop {
            let failure = match desk.dialer.connect(self.number, &mut self.deadline).await {
                Ok(connection) => return Ok(connection),
                Err(failure) => failure,
            };
            match blame(failure) {
                Blame::Target(reason) => return Err(reason),
                Blame::Generator(limit) => desk.recorder.lacked(limit),
            }
            let again = Instant::now() + OWN_LACK_PAUSE;
            if again >= self.deadline.at() {
                return Err(Reason::ConnectTimeout);
            }
            tokio::time::sleep_until(again).await;
        }
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let recorder = &self.desk.recorder;
        recorder.slots.rest(self.number, Doing::Away, recorder.clock.now());
    }
}

fn path_of(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
}

/// Once connected the generator lacks nothing more.
fn reason_of(failure: Failure) -> Reason {
    match blame(failure) {
        Blame::Target(reason) => reason,
        Blame::Generator(_) => Reason::Reset,
    }
}

fn hop_request(mut request: Request<Bytes>, hop: &answer::Hop) -> Result<Request<Bytes>, Reason> {
    *request.uri_mut() = Uri::try_from(hop.path.as_str()).map_err(|_| Reason::Redirect)?;
    if !hop.keeps_body && request.method() != Method::GET {
        *request.method_mut() = Method::GET;
        *request.body_mut() = Bytes::new();
        for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING] {
            request.headers_mut().remove(name);
        }
    }
    Ok(request)
}
