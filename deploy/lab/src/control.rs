//! How commands talk to the supervisor: one line of JSON each way over a socket that only root may open.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use crate::interventions::Origin;
use crate::layout::Machine;

/// What is asked, and by whom.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) origin: Origin,
    pub(crate) action: Action,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    Health,
    /// What runs on a machine.
    Machine(Machine),
    /// The sender is about to change something itself.
    Announce,
    Drain(Machine),
    Uncordon(Machine),
    Scale(u32),
    Restart(String),
    /// End the supervision; the sender stops the processes.
    Stop,
}

impl Action {
    /// Whether it counts as an operator command.
    pub(crate) fn changes(&self) -> bool {
        !matches!(self, Self::Health | Self::Machine(_) | Self::Stop)
    }
}

/// The supervisor's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    Done,
    Health(Vec<Check>),
    Machine { drained: bool, replicas: Vec<String> },
    Refused(String),
}

/// One thing that must be so in a healthy lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Check {
    pub(crate) name: String,
    pub(crate) ok: bool,
    pub(crate) detail: String,
}

/// Why the supervisor could not be asked, or would not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("no lab is running")]
    NotRunning,
    #[error("ask the lab's supervisor")]
    Talk(#[source] std::io::Error),
    #[error("understand the lab's supervisor")]
    Understand(#[source] serde_json::Error),
    #[error("no answer from the lab's supervisor within {0:?}")]
    Late(Duration),
    #[error("the lab refuses: {0}")]
    Refused(String),
}

/// Asks the supervisor.
pub(crate) async fn ask(socket: &Path, action: Action) -> Result<Reply, Error> {
    const WITHIN: Duration = Duration::from_secs(10);
    let request = Request { origin: Origin::of_this_process(), action };
    match tokio::time::timeout(WITHIN, exchange(socket, &request)).await {
        Ok(Ok(Reply::Refused(why))) => Err(Error::Refused(why)),
        Ok(answer) => answer,
        Err(_) => Err(Error::Late(WITHIN)),
    }
}

async fn exchange(socket: &Path, request: &Request) -> Result<Reply, Error> {
    let stream = UnixStream::connect(socket).await.map_err(|_| Error::NotRunning)?;
    let mut stream = BufReader::new(stream);
    let mut line = serde_json::to_string(request).map_err(Error::Understand)?;
    line.push('\n');
    stream.write_all(line.as_bytes()).await.map_err(Error::Talk)?;
    let mut answer = String::new();
    stream.read_line(&mut answer).await.map_err(Error::Talk)?;
    serde_json::from_str(&answer).map_err(Error::Understand)
}
