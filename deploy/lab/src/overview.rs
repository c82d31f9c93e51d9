//! `lab status` and `lab logs`: what runs where, how it is, what it said.

use std::io::{Read, Seek, SeekFrom, Write};
use std::time::Duration;

use crate::control::{self, Action, Reply};
use crate::http;
use crate::layout::{Layout, on_host, port};
use crate::procs::Process;
use crate::{procs, say, state, supervisor};

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Control(#[from] control::Error),
    #[error("there is no log of {0}; there are {1}")]
    NoLog(String, String),
    #[error("read the log of {0}")]
    Read(String, #[source] std::io::Error),
    #[error("not healthy")]
    Unhealthy,
}

/// One line a program: name, where, process.
pub(crate) fn programs(layout: &Layout) -> Vec<String> {
    let line = |name: String| {
        let process = Process::read(&layout.pid_file(&name)).filter(|process| process.is_alive());
        let Some(process) = process else { return format!("{name:<19} down") };
        let place = procs::machine_of(process.pid).map_or("host".to_owned(), super::layout::Machine::name);
        format!("{name:<19} {place:<5} {}", process.pid)
    };
    state::program_names(layout).into_iter().map(line).collect()
}

/// Prints health, programs and the status document.
pub(crate) async fn status(layout: &Layout) -> Result<(), Error> {
    let Reply::Health(checks) = control::ask(&layout.control_socket(), Action::Health).await? else {
        return Err(Error::Control(control::Error::Refused("an answer of another kind".to_owned())));
    };
    say(&format!("lab in {}\n", layout.dir().display()));
    for check in &checks {
        say(&format!("{}  {:<20} {}", if check.ok { "ok " } else { "BAD" }, check.name, check.detail));
    }
    say("");
    say(&programs(layout).join("\n"));
    if let Some(answer) = http::get(on_host(port::STATUS), "/status", Duration::from_secs(2)).await {
        say(&format!("\n{}", answer.body));
    }
    if checks.iter().all(|check| check.ok) { Ok(()) } else { Err(Error::Unhealthy) }
}

/// Prints the last lines of a log, and with `follow` what comes.
pub(crate) async fn logs(
    layout: &Layout,
    name: Option<&str>,
    lines: usize,
    follow: bool,
) -> Result<(), Error> {
    let name = name.unwrap_or(supervisor::NAME);
    let path = layout.log_file(name);
    if !path.is_file() {
        return Err(Error::NoLog(name.to_owned(), names(layout).join(", ")));
    }
    let failed = |error| Error::Read(name.to_owned(), error);
    let mut file = std::fs::File::open(&path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed)?;
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].iter().for_each(|line| say(line));
    if follow { follow_on(file, bytes.len() as u64).await.map_err(failed) } else { Ok(()) }
}

/// Prints what is written from `position` on, until the reader leaves.
async fn follow_on(mut file: std::fs::File, mut position: u64) -> std::io::Result<()> {
    loop {
        // As often as a person who reads along would notice.
        tokio::time::sleep(Duration::from_millis(200)).await;
        file.seek(SeekFrom::Start(position))?;
        let mut news = Vec::new();
        position += file.read_to_end(&mut news)? as u64;
        std::io::stdout().write_all(&news)?;
    }
}

fn names(layout: &Layout) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(layout.log()) else { return Vec::new() };
    let name = |entry: std::fs::DirEntry| Some(entry.path().file_stem()?.to_str()?.to_owned());
    let mut names: Vec<String> = entries.flatten().filter_map(name).collect();
    names.sort();
    names
}
