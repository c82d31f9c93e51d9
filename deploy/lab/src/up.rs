//! `lab up`: from nothing to a healthy lab.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::control::{self, Action, Check, Reply};
use crate::layout::{Layout, RUN_LINK};
use crate::state::{self, Options};
use crate::teardown::{self, tear_down};
use crate::{exec, netns, overview, packages, ports, say, supervisor, units};

/// The longest wait for health: cold starts take about 10 s on two idle cores.
const HEALTHY_WITHIN: Duration = Duration::from_mins(2);

/// Why the lab is not up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("these Debian packages are missing: {}; install them, or let --install do it", .0.join(", "))]
    Missing(Vec<String>),
    #[error(transparent)]
    Install(#[from] packages::Error),
    #[error("something is in the lab's way: {}", .0.join("; "))]
    Conflicts(Vec<String>),
    #[error("look for conflicts")]
    Look(#[source] exec::Error),
    #[error("a lab is running in {} with other options; end it with `lab down` first", .0.display())]
    Other(PathBuf),
    #[error("there is no shop program at {}: name it with --shop", .0.display())]
    NoShop(PathBuf),
    #[error("prepare the lab's folder")]
    Folder(#[from] state::Error),
    #[error("make the lab's network")]
    Network(#[source] exec::Error),
    #[error("start the supervisor")]
    Supervisor(#[source] std::io::Error),
    #[error("the supervisor ended; its log: {0}")]
    Ended(String),
    #[error("not healthy after {HEALTHY_WITHIN:?}: {0}")]
    Unhealthy(String),
    #[error("interrupted")]
    Interrupted,
    #[error("clean up")]
    CleanUp(#[from] teardown::Error),
}

/// What `up` was asked.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) dir: Option<PathBuf>,
    pub(crate) install: bool,
    pub(crate) options: Options,
}

/// Brings the lab up, or does nothing where it is up as asked; either way it is healthy in the end.
pub(crate) async fn up(asked: Asked) -> Result<(), Error> {
    let began = Instant::now();
    if let Some(running) = running_lab().await {
        let same_place = asked.dir.as_deref().is_none_or(|dir| dir == running.dir());
        if !same_place || state::options(&running).as_ref() != Some(&asked.options) {
            return Err(Error::Other(running.dir().to_path_buf()));
        }
        wait_until_healthy(&running, None).await?;
        say(&format!("the lab is up already in {}", running.dir().display()));
        return Ok(());
    }
    check_packages(asked.install)?;
    let layout = Layout::new(choose_dir(asked.dir.as_deref()));
    if !asked.options.shop.is_file() {
        return Err(Error::NoShop(asked.options.shop));
    }
    if netns::exists() || Path::new(RUN_LINK).is_symlink() {
        tracing::warn!("an earlier lab left something behind; removing it");
        tear_down(Layout::running().as_ref(), false).await?;
    }
    let conflicts = ports::conflicts().map_err(Error::Look)?;
    if !conflicts.is_empty() {
        return Err(Error::Conflicts(conflicts));
    }
    let starting = start(&layout, &asked.options);
    let result = tokio::select! {
        result = starting => result,
        _ = tokio::signal::ctrl_c() => Err(Error::Interrupted),
        () = terminated() => Err(Error::Interrupted),
    };
    if let Err(error) = result {
        // The folder of a failed start is kept for its logs.
        tear_down(Some(&layout), !matches!(error, Error::Interrupted)).await?;
        return Err(error);
    }
    say(&report(&layout, began.elapsed()));
    Ok(())
}

async fn terminated() {
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

async fn running_lab() -> Option<Layout> {
    let layout = Layout::running()?;
    control::ask(&layout.control_socket(), Action::Health).await.is_ok().then_some(layout)
}

fn check_packages(install: bool) -> Result<(), Error> {
    let missing = packages::missing(&[]);
    if missing.is_empty() {
        return Ok(());
    }
    if !install {
        return Err(Error::Missing(missing));
    }
    tracing::info!(packages = missing.join(" "), "installing");
    packages::install(&missing)?;
    Ok(())
}

/// `./lab-state`, unless that lies where `PostgreSQL`'s user cannot go, such as below root's home.
fn choose_dir(asked: Option<&Path>) -> PathBuf {
    if let Some(dir) = asked {
        return dir.to_path_buf();
    }
    let here = std::env::current_dir().unwrap_or_default().join("lab-state");
    if state::open_to_all(&here) {
        return here;
    }
    let elsewhere = PathBuf::from("/var/tmp/ordeal-lab-state");
    tracing::warn!(folder = %elsewhere.display(), "PostgreSQL's user cannot enter the current folder; using another");
    elsewhere
}

async fn start(layout: &Layout, options: &Options) -> Result<(), Error> {
    state::create(layout, options)?;
    netns::create().map_err(Error::Network)?;
    state::link(layout)?;
    let mut child = start_supervisor(layout).map_err(Error::Supervisor)?;
    wait_until_healthy(layout, Some(&mut child)).await
}

fn start_supervisor(layout: &Layout) -> std::io::Result<std::process::Child> {
    let log = std::fs::File::create(layout.log_file(supervisor::NAME))?;
    Command::new(std::env::current_exe()?)
        .args(["supervise", "--dir"])
        .arg(layout.dir())
        .current_dir(layout.dir())
        .env_remove("ORDEAL_RUN")
        .env_remove("ORDEAL_TOKEN")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
}

async fn wait_until_healthy(
    layout: &Layout,
    mut child: Option<&mut std::process::Child>,
) -> Result<(), Error> {
    let deadline = Instant::now() + HEALTHY_WITHIN;
    let mut last = Vec::new();
    while Instant::now() < deadline {
        if let Ok(Reply::Health(checks)) = control::ask(&layout.control_socket(), Action::Health).await {
            if checks.iter().all(|check| check.ok) {
                return Ok(());
            }
            last = checks;
        }
        if let Some(child) = child.as_deref_mut()
            && child.try_wait().is_ok_and(|status| status.is_some())
        {
            let log = std::fs::read_to_string(layout.log_file(supervisor::NAME)).unwrap_or_default();
            return Err(Error::Ended(log.lines().last().unwrap_or("empty").to_owned()));
        }
        // A moment between two looks at what comes up over seconds.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let wrong = last.iter().filter(|check| !check.ok).map(describe).collect::<Vec<_>>().join("; ");
    Err(Error::Unhealthy(wrong))
}

/// A check as a line.
pub(crate) fn describe(check: &Check) -> String {
    format!("{}: {}", check.name, check.detail)
}

fn report(layout: &Layout, took: Duration) -> String {
    let addresses: Vec<String> =
        units::addresses().iter().map(|(name, address)| format!("  {name:<12} {address}")).collect();
    let programs: Vec<String> = overview::programs(layout).iter().map(|line| format!("  {line}")).collect();
    let (addresses, programs) = (addresses.join("\n"), programs.join("\n"));
    format!(
        "the lab is up after {:.1} s in {}\n\n{addresses}\n\n{programs}\n\nlogs: lab logs NAME; end: lab down",
        took.as_secs_f64(),
        layout.dir().display()
    )
}
