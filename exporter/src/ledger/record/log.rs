//! The record on disk: appended by a thread of its own, so that a slow disk never holds up the load.
//!
//! A write to the file survives the end of this process at once; [`Log::sync`] makes it survive the machine's.
//! After one failed append nothing more is accepted: a record with holes would lose acknowledgements silently.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use tokio::sync::oneshot;

use super::{Book, line};
use crate::rundir::owners_file;

/// Why a record cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The run's id could not stand unquoted in the record's first line, in SQL and in a Redis key.
    #[error("run id {run:?} is not made of letters, digits, '-', '_' and '.'")]
    RunId {
        /// The id.
        run: String,
    },
    /// The file cannot be opened, read or cut to its last whole line.
    #[error("opening the ledger's record {}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is damaged or belongs elsewhere.
    #[error("reading the ledger's record {}", path.display())]
    Record {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it; names the line.
        #[source]
        source: line::Fault,
    },
}

/// An append or a sync failed, now or before: the record is incomplete from there on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger's record cannot be written: {reason}")]
pub struct Broken {
    /// What the system said of the first failure.
    pub reason: String,
}

type Reply = oneshot::Sender<Result<(), Broken>>;

enum Command {
    Append(String, Reply),
    Sync(Reply),
}

/// An open record.
#[derive(Debug)]
pub struct Log {
    commands: mpsc::Sender<Command>,
}

impl Log {
    /// Opens the record of `run` and `store`, made if need be, and reads what is in it. A torn last line is cut off.
    pub fn open(path: &Path, run: &str, store: &str) -> Result<(Self, Book), OpenError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if run.is_empty() || !run.chars().all(allowed) {
            return Err(OpenError::RunId { run: run.to_owned() });
        }
        let failed = |source| OpenError::File { path: path.to_owned(), source };
        let mut file = owners_file().read(true).append(true).create(true).open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let (book, whole) = line::read(&bytes, run, store)
            .map_err(|source| OpenError::Record { path: path.to_owned(), source })?;
        file.set_len(whole as u64).map_err(failed)?;
        if whole == 0 {
            file.write_all(line::header(run, store).as_bytes()).map_err(failed)?;
        }
        Ok((Self::over(file), book))
    }

    /// A record that is appended to `file` as it is.
    pub(in crate::ledger) fn over(file: File) -> Self {
        let (commands, queue) = mpsc::channel();
        std::thread::spawn(move || serve(file, &queue));
        Self { commands }
    }

    /// Appends a line; it has survived this process when this returns.
    pub async fn append(&self, line: String) -> Result<(), Broken> {
        self.ask(|reply| Command::Append(line, reply)).await
    }

    /// Makes everything appended so far survive the machine (fdatasync).
    pub async fn sync(&self) -> Result<(), Broken> {
        self.ask(Command::Sync).await
    }

    async fn ask(&self, command: impl FnOnce(Reply) -> Command) -> Result<(), Broken> {
        let (reply, answer) = oneshot::channel();
        let gone = || Broken { reason: "its thread has ended".to_owned() };
        self.commands.send(command(reply)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// Takes all that waits in the queue at once, so that many writers share one system call.
fn serve(mut file: File, queue: &mpsc::Receiver<Command>) {
    let mut state = Ok(());
    while let Ok(first) = queue.recv() {
        let mut text = String::new();
        let (mut appended, mut synced) = (Vec::new(), Vec::new());
        for command in std::iter::once(first).chain(queue.try_iter()) {
            match command {
                Command::Append(line, reply) => {
                    text.push_str(&line);
                    appended.push(reply);
                }
                Command::Sync(reply) => synced.push(reply),
            }
        }
        state = state.and_then(|()| file.write_all(text.as_bytes()).map_err(broken));
        answer(appended, &state);
        if !synced.is_empty() {
            state = state.and_then(|()| file.sync_data().map_err(broken));
            answer(synced, &state);
        }
    }
}

/// A writer that no longer waits has ended; what it wanted is on record all the same.
fn answer(replies: Vec<Reply>, state: &Result<(), Broken>) {
    for reply in replies {
        let _ = reply.send(state.clone());
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn broken(source: io::Error) -> Broken {
    Broken { reason: source.to_string() }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::os::unix::fs::PermissionsExt;

    use super::super::{Outcome, Stamp, WriteId};
    use super::*;

    fn path(dir: &tempfile::TempDir) -> PathBuf {
        dir.path().join("record")
    }

    #[tokio::test]
    async fn a_record_is_continued_after_a_torn_line_was_cut_off() {
        let dir = tempfile::tempdir().expect("directory");
        let (log, mut book) = Log::open(&path(&dir), "run", "pg").expect("new record");
        let id = book.begin(0, Stamp(5));
        log.append(line::begin(id, Stamp(5))).await.expect("begun");
        log.sync().await.expect("synced");
        drop(log);
        let mode = std::fs::metadata(path(&dir)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let mut file = OpenOptions::new().append(true).open(path(&dir)).expect("file");
        file.write_all(b"e 0 0 7 a 12").expect("half a line, as kill -9 leaves it");

        let (log, book) = Log::open(&path(&dir), "run", "pg").expect("torn record");
        assert!(book.attempted(id) && book.ended(id).is_none());
        log.append(line::end(id, Outcome::Indeterminate, Stamp(9))).await.expect("ended");
        drop(log);
        let (_, book) = Log::open(&path(&dir), "run", "pg").expect("continued record");
        assert_eq!(book.ended(id).map(|end| end.outcome), Some(Outcome::Indeterminate));
    }

    #[tokio::test]
    async fn damage_is_named_by_file_and_line() {
        let dir = tempfile::tempdir().expect("directory");
        std::fs::write(path(&dir), line::header("run", "pg") + "b 0 0 5 00000000\n").expect("written");
        let error = Log::open(&path(&dir), "run", "pg").expect_err("damaged");
        let cause = std::error::Error::source(&error).expect("cause").to_string();
        assert!(error.to_string().ends_with("/record"), "{error}");
        assert_eq!(cause, "line 2 is damaged");
    }

    #[tokio::test]
    async fn a_full_disk_is_said_at_once_and_ever_after() {
        let full = OpenOptions::new().append(true).open("/dev/full").expect("device");
        let log = Log::over(full);
        let id = WriteId { worker: 0, seq: 0 };
        for _ in 0..2 {
            let error = log.append(line::begin(id, Stamp(1))).await.expect_err("full");
            assert!(error.reason.contains("No space left"), "{error}");
        }
        assert!(log.sync().await.is_err(), "a sync cannot make it whole");
    }

    #[tokio::test]
    async fn a_run_id_that_needs_quotes_is_refused() {
        let dir = tempfile::tempdir().expect("directory");
        for id in ["", "a b", "a'b", "a:b", "a*"] {
            assert!(matches!(Log::open(&path(&dir), id, "pg"), Err(OpenError::RunId { .. })), "{id:?}");
        }
    }
}
