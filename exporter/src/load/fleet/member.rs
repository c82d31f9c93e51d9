//! A load process's side of a fleet: waits for the start, runs its share of the users, tells what they did.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::super::account::Account;
use super::super::driver::{Load, LoadError};
use super::super::handle::LoadHandle;
use super::super::share::Share;
use super::super::slots::UserTime;
use super::ear::Ear;
use super::orders::{Heard, Process, Stage, Step, is_over, step};
use super::status::{State, Status};
use super::told::Told;
use super::{BEAT, CONFIG_MAP, ROOM, STALE, fingerprint, key, say_written};
use crate::clock::Clock;
use crate::cluster::kubernetes::Kubernetes;
use crate::cluster::kubernetes::shared::{Shared, SharedError, Texts};
use crate::trial::Trial;

/// How long a conductor of the run is waited for: its image may have to be pulled, and its system to be healthy.
const PATIENCE: Duration = Duration::from_mins(10);
/// Bytes of a text beside its response times.
const REST: usize = 8_000;

/// How a load process's part in a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As the conductor said.
    Led,
    /// By a signal to this process.
    Interrupted,
    /// By itself, once its users ran, and why.
    Left(String),
    /// It never began, and why.
    NotBegun(String),
}

impl Outcome {
    fn state(&self) -> State {
        match self {
            Self::Led => State::Ended,
            Self::Interrupted => State::Left("interrupted".to_owned()),
            Self::Left(why) | Self::NotBegun(why) => State::Left(why.clone()),
        }
    }
}

/// One load process of a run.
pub struct Member {
    clock: Clock,
    shared: Shared,
    run: String,
    share: Share,
    trial: String,
    tasks: usize,
    who: String,
    ear: Ear,
    failing: bool,
}

impl Member {
    /// The process with `share` of the users of `run`, which calls itself `who`.
    pub fn new(
        clock: Clock,
        cluster: Kubernetes,
        run: &str,
        share: Share,
        trial: &Trial,
        who: String,
    ) -> Self {
        Self {
            clock,
            shared: Shared::new(cluster, CONFIG_MAP),
            run: run.to_owned(),
            share,
            trial: fingerprint(trial),
            tasks: trial.load.tasks.len(),
            ear: Ear::new(run, key(share.index()), &who, clock.now()),
            who,
            failing: false,
        }
    }

    /// Takes part in the run until its load has ended. The error is that users cannot be started.
    pub async fn serve(mut self, load: Load, abort: &CancellationToken) -> Result<Outcome, LoadError> {
        let (to, mut seen) = watch::channel(None);
        let follow = CancellationToken::new();
        let _follow = follow.clone().drop_guard();
        tokio::spawn(follow.run_until_cancelled_owned(self.shared.clone().follow(to)));
        let start = match self.wait(&mut seen, abort).await {
            Ok(start) => start,
            Err(outcome) => {
                self.tell_last(outcome.state(), None).await;
                return Ok(outcome);
            }
        };
        let cut = CancellationToken::new();
        let handle = load.start_at(self.clock.moment(start), cut.clone()).await?;
        let outcome = self.run(&handle, &cut, &mut seen, abort).await;
        self.tell_last(outcome.state(), Some(&handle)).await;
        if outcome == Outcome::Led {
            self.stay(&mut seen, abort).await;
        }
        Ok(outcome)
    }

    /// Stays until the run is over.
    async fn stay(&mut self, seen: &mut watch::Receiver<Option<Texts>>, abort: &CancellationToken) {
        let mut looks = beats();
        while !is_over(self.process(), self.heard()) {
            tokio::select! {
                () = abort.cancelled() => return,
                _ = seen.changed() => { self.hear(seen.borrow_and_update().as_ref()); }
                _ = looks.tick() => {}
            }
        }
    }

    /// Waits for the start and returns it once it has come, or says why it never will.
    async fn wait(
        &mut self,
        seen: &mut watch::Receiver<Option<Texts>>,
        abort: &CancellationToken,
    ) -> Result<f64, Outcome> {
        let mut beats = beats();
        let mut start = None;
        loop {
            let due = start.map(|at| self.clock.instant(self.clock.moment(at)));
            tokio::select! {
                () = abort.cancelled() => return Err(Outcome::Interrupted),
                _ = seen.changed() => {
                    if self.hear(seen.borrow_and_update().as_ref()) {
                        self.tell(State::Ready, None).await;
                    }
                }
                // A slow answer must not delay the start.
                _ = beats.tick(), if start.is_none() => self.tell(State::Ready, None).await,
                () = sleep_until(due) => return start.ok_or(Outcome::Led),
            }
            match self.step(Stage::Waiting) {
                Step::Stay => {}
                Step::Start(at) => start = Some(at),
                Step::Cut | Step::Finish => return Err(Outcome::Led),
                Step::GiveUp(why) | Step::Leave(why) => return Err(Outcome::NotBegun(why)),
            }
        }
    }

    /// Lets users run until they are to end, and ends them.
    async fn run(
        &mut self,
        handle: &LoadHandle,
        cut: &CancellationToken,
        seen: &mut watch::Receiver<Option<Texts>>,
        abort: &CancellationToken,
    ) -> Outcome {
        let mut beats = beats();
        let outcome = loop {
            tokio::select! {
                () = abort.cancelled() => break Outcome::Interrupted,
                _ = seen.changed() => { self.hear(seen.borrow_and_update().as_ref()); }
                _ = beats.tick() => self.tell(State::Running, Some(handle)).await,
            }
            match self.step(Stage::Running) {
                Step::Stay | Step::Start(_) => {}
                Step::Finish => break Outcome::Led,
                Step::Leave(why) | Step::GiveUp(why) => break Outcome::Left(why),
                Step::Cut => {
                    cut.cancel();
                    break Outcome::Led;
                }
            }
        };
        let mut ending = std::pin::pin!(handle.finish());
        loop {
            tokio::select! {
                _ = &mut ending => return outcome,
                _ = seen.changed() => { self.hear(seen.borrow_and_update().as_ref()); }
                _ = beats.tick() => self.tell(State::Running, Some(handle)).await,
            }
            if self.step(Stage::Running) == Step::Cut {
                cut.cancel();
            }
        }
    }

    fn step(&self, stage: Stage) -> Step {
        step(self.process(), stage, self.heard())
    }

    fn process(&self) -> Process<'_> {
        Process { run: &self.run, trial: &self.trial, of: self.share.of(), patience: PATIENCE }
    }

    fn heard(&self) -> Heard<'_> {
        self.ear.heard(self.clock.now(), self.unix())
    }

    /// Takes in what the ConfigMap says now. Says whether this process has just got its place there.
    fn hear(&mut self, texts: Option<&Texts>) -> bool {
        let unix = self.unix();
        match self.ear.hear(texts, self.clock.now(), unix) {
            Ok(joins) => joins,
            Err(error) => {
                tracing::warn!(%error, "the conductor's text is not understood");
                false
            }
        }
    }

    /// Writes how far it is, if there is somebody to tell.
    async fn tell(&mut self, state: State, handle: Option<&LoadHandle>) {
        let _ = self.write(state, handle, false).await;
    }

    /// Writes its last text, with response times, and tries again for as long as a conductor may wait for it.
    async fn tell_last(&mut self, state: State, handle: Option<&LoadHandle>) {
        let written = async {
            while self.write(state.clone(), handle, true).await.is_err() {
                tokio::time::sleep(BEAT).await;
            }
        };
        if tokio::time::timeout(STALE, written).await.is_err() {
            tracing::warn!("the conductor was not told of the end of this load");
        }
    }

    async fn write(
        &mut self,
        state: State,
        handle: Option<&LoadHandle>,
        last: bool,
    ) -> Result<(), SharedError> {
        let Some(uid) = self.ear.place().map(str::to_owned) else { return Ok(()) };
        let status = self.status(state, handle, last);
        let written = self.shared.write(&uid, &key(self.share.index()), &status.text()).await;
        say_written(&written, &mut self.failing);
        if let Err(SharedError::Gone { .. }) = written {
            self.ear.lose_place();
            return Ok(());
        }
        written
    }

    fn status(&self, state: State, handle: Option<&LoadHandle>, last: bool) -> Status {
        let (account, time) = match handle {
            Some(handle) => handle.account(last),
            None => (Account::none(self.tasks), UserTime::default()),
        };
        let room = if last { (ROOM / self.share.of()).saturating_sub(REST) } else { 0 };
        Status {
            who: self.who.clone(),
            trial: self.trial.clone(),
            of: self.share.of(),
            state,
            at: self.unix(),
            heard_after: self.ear.heard_after(),
            running: time.running,
            in_flight: time.in_flight,
            account: Told::of(&account, room),
        }
    }

    fn unix(&self) -> f64 {
        self.clock.unix_seconds(self.clock.now())
    }
}

fn beats() -> tokio::time::Interval {
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beats
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
