//! psql or redis-cli run somewhere else through a prefix (`ssh db1 psql …`, `docker exec -i …`,
//! `kubectl exec -i …`). Statements go in on standard input: a remote shell would split them as arguments. The
//! process is killed at its time limit.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::Trouble;
use crate::errors::OwnLack;

/// A command that has not answered after this long is killed.
const WITHIN: Duration = Duration::from_secs(5);
/// That much of an error text says enough.
const ERROR_KEPT: usize = 300;

/// The prefix that runs a store's client.
#[derive(Debug)]
pub(in crate::health) struct Client {
    prefix: Vec<String>,
}

/// What a client printed.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Client {
    pub(in crate::health) fn new(prefix: Vec<String>) -> Self {
        Self { prefix }
    }

    /// Runs the client with `arguments` and `input`.
    pub(super) async fn run(&self, arguments: &[&str], input: &str) -> Result<Answer, Trouble> {
        let failed = |error: std::io::Error| match OwnLack::behind(&error) {
            Some(lack) => Trouble::Own(lack),
            None => Trouble::NoPath(error.to_string()),
        };
        let (program, rest) =
            self.prefix.split_first().ok_or_else(|| Trouble::NoPath("the command is empty".to_owned()))?;
        let child = Command::new(program)
            .args(rest)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let Ok(answer) = timeout(WITHIN, converse(child, input)).await else {
            return Err(Trouble::NoPath(format!("no answer within {WITHIN:?}")));
        };
        answer.map_err(failed)
    }
}

async fn converse(mut child: Child, input: &str) -> std::io::Result<Answer> {
    if let Some(mut stdin) = child.stdin.take() {
        // A client that could not connect does not read: its exit code tells more than the broken pipe.
        let _ = stdin.write_all(input.as_bytes()).await;
        let _ = stdin.write_all(b"\n").await;
    }
    let output = child.wait_with_output().await?;
    let stderr: String = String::from_utf8_lossy(&output.stderr).trim().chars().take(ERROR_KEPT).collect();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(Answer { code: ExitStatus::code(&output.status), stdout, stderr })
}
