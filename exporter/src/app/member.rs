//! A load process: a share of the users of a run that another process leads.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use prometheus::Registry;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::ending::INTERRUPTED;
use super::linger::linger;
use super::place::listen;
use super::rooms::revision;
use super::show::visitable;
use crate::clock::Clock;
use crate::cluster::kubernetes::Kubernetes;
use crate::conductor::{Role, identify};
use crate::load::{self, Load, Member, Outcome, Share};
use crate::progress::Progress;
use crate::signals;
use crate::trial::Trial;
use crate::web::{About, Readiness, Web};

/// What `load-exporter load` was asked for.
pub struct LoadRequest {
    /// The checked trial, overrides applied.
    pub trial: Trial,
    /// The id of the run.
    pub run: String,
    /// Which of its users are of this process.
    pub share: Share,
    /// Where metrics are served: the first of these that can be listened on.
    pub listen: Vec<SocketAddr>,
    /// The path of the metrics.
    pub telemetry_path: String,
    /// How long the end waits at most for two scrapes by everybody who recorded the run.
    pub linger: Duration,
}

/// Takes part in the run. Ends with 0 when its load ended as the conductor said.
pub async fn load(request: LoadRequest, progress: &Progress) -> anyhow::Result<ExitCode> {
    let LoadRequest { trial, run, share, .. } = request;
    let over = CancellationToken::new();
    let abort = signals::abort_on_signal(over.clone()).context("listen for signals")?;
    let (clock, trial) = (Clock::start(), Arc::new(trial));
    load::raise_descriptor_limit().context("raise the limit of open files")?;
    say_limits(&trial, share);
    let home = Kubernetes::connect_home().await.context("find the conductor")?;
    let listener = listen(&request.listen).await?;
    let listening = listener.local_addr().context("ask for the address listened on")?;

    let (registry, stop) = (Registry::new(), CancellationToken::new());
    identify(&registry, clock, &run, &trial, Role::Load, revision())?;
    let load = Load::of_share(Arc::clone(&trial), clock, &registry, share)?;
    let member = Member::new(clock, home, &run, share, &trial, who());
    let (_readiness, ready) = watch::channel(Readiness::Ready);
    let shown =
        About { run: run.clone(), trial: trial.name.to_string(), phase: Box::new(|| "the conductor's") };
    let web = Web::new(registry, &request.telemetry_path, ready).about(shown);
    let scrapers = web.scrapers();
    let server = tokio::spawn(web.serve(listener, stop.clone().cancelled_owned()));
    progress.say(&format!(
        "load process {} of {} of run {run}: metrics on http://{}{}; waiting for the conductor",
        share.index(),
        share.of(),
        visitable(listening),
        request.telemetry_path,
    ));

    let outcome = member.serve(load, &abort).await?;
    over.cancel();
    let code = report(&outcome, progress);
    linger(&scrapers, request.linger, &abort, progress).await;
    stop.cancel();
    server.await.context("serve metrics")?;
    Ok(code)
}

fn say_limits(trial: &Trial, share: Share) {
    let users = trial.load.stages.iter().map(|stage| stage.users).max().unwrap_or(0);
    match load::limits_report(share.of_users(users)) {
        Ok(limits) => {
            for shortfall in limits.shortfalls() {
                tracing::warn!(shortfall, "this machine may not carry the load");
            }
        }
        Err(error) => tracing::warn!(%error, "this machine's limits cannot be read"),
    }
}

/// A name that no other process has, now or later.
fn who() -> String {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    format!("{}/{}", host.trim(), uuid::Uuid::new_v4().simple())
}

fn report(outcome: &Outcome, progress: &Progress) -> ExitCode {
    match outcome {
        Outcome::Led => {
            progress.say("the load has ended as the conductor said");
            ExitCode::SUCCESS
        }
        Outcome::Interrupted => {
            progress.say("the load has ended: interrupted");
            ExitCode::from(INTERRUPTED)
        }
        Outcome::Left(why) => {
            progress.say(&format!("the load has ended by itself: {why}"));
            ExitCode::FAILURE
        }
        Outcome::NotBegun(why) => {
            progress.say(&format!("the load has not begun: {why}"));
            ExitCode::FAILURE
        }
    }
}
