//! The write-ahead journal: what must be put back, known to survive this process.
//!
//! The file `journal.jsonl` in the run's directory is only ever appended to. An intent is on disk (file and
//! directory) before its experiment does anything; it is closed on disk after the fault was put back. So
//! whatever moment this process dies at, an experiment that may have broken something is unfinished in the
//! journal, and whoever opens it next puts it back.
//!
//! A line that cannot be read keeps no other from being put back ([`reading`]). It stays where it is, and no
//! run begins over it: what it told of may still be broken, and only a person can know.
//!
//! One process holds a journal at a time. The lock ends with the process, also when it is killed.
//!
//! On Kubernetes the machine may be gone with the process: there each entry that must be on disk is also in a
//! ConfigMap before anything is done on the strength of it ([`copy`]), and a program elsewhere goes on from that.
//! Whoever may write the ConfigMap may have written what it tells: lines from there are known as such ever after
//! (`copied`), and are not put back by whatever means they name ([`super::putback`]).

mod closing;
mod copied;
pub mod copy;
pub mod entry;
mod error;
mod holder;
pub mod reading;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use self::copied::go_on_from;
pub use self::copy::CONFIG_MAP;
use self::copy::compare;
use self::entry::Account;
pub use self::entry::{Entry, EntryError, Intent, Record, Step};
pub use self::error::JournalError;
use self::reading::Content;
pub use self::reading::Damage;
use super::step;
use crate::cluster::kubernetes::Kubernetes;
use crate::cluster::kubernetes::kept::Kept;

/// The journal's name in a run's directory.
pub const FILE: &str = "journal.jsonl";

/// A journal of five experiments has some 20 kB; a file beyond this is none.
const MAX_BYTES: u64 = 64 << 20;

/// The child of a killed process holds its locks until it has become another program: a moment.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// How sure an entry must be before the caller goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// On disk: survives a power cut.
    Disk,
    /// With the kernel: survives this process. Enough where a power cut ends what the entry tells of.
    Kernel,
}

/// An open journal.
#[derive(Debug, Clone)]
pub struct Journal {
    path: PathBuf,
    damage: Arc<[Damage]>,
    writer: Arc<Mutex<Writer>>,
    copy: Option<Arc<tokio::sync::Mutex<Kept>>>,
}

#[derive(Debug)]
struct Writer {
    file: File,
    /// Bytes of whole lines.
    whole: u64,
    /// Whether something follows them that must be cut off first.
    torn: bool,
    /// Whether a line feed is due before the next line.
    unterminated: bool,
    account: Account,
}

impl Journal {
    /// Opens the journal in `directory`, which exists; makes it if there is none.
    pub async fn open(directory: &Path) -> Result<Self, JournalError> {
        let directory = directory.to_owned();
        blocking(move || open(&directory)).await
    }

    /// Opens the journal in `directory`, which is kept in `cluster` besides, or was by a program elsewhere.
    pub async fn open_kept(directory: &Path, cluster: Kubernetes) -> Result<Self, JournalError> {
        let path = directory.join(FILE);
        let failed = |source| JournalError::Copy { path: path.clone(), source };
        let (kept, text) = Kept::open(cluster, CONFIG_MAP, FILE).await.map_err(failed)?;
        let (directory, namespace) = (directory.to_owned(), kept.namespace().to_owned());
        let journal = blocking(move || {
            if let Some(text) = text {
                go_on_from(&directory.join(FILE), &text, &namespace)?;
            }
            open(&directory)
        });
        Ok(Self { copy: Some(Arc::new(tokio::sync::Mutex::new(kept))), ..journal.await? })
    }

    /// Opens the journal in `directory` if there is one.
    pub async fn open_existing(directory: &Path) -> Result<Option<Self>, JournalError> {
        let directory = directory.to_owned();
        blocking(move || {
            let path = directory.join(FILE);
            let failed = |action, path| move |source| JournalError::Io { action, path, source };
            if path.try_exists().map_err(failed("look for", path))? {
                return open(&directory).map(Some);
            }
            fs::read_dir(&directory).map_err(failed("read directory", directory))?;
            Ok(None)
        })
        .await
    }

    /// Notes what follows in the copy in `cluster` too, if that is one of this journal.
    pub async fn copied_to(self, cluster: Kubernetes) -> Self {
        let opened = Kept::open(cluster, CONFIG_MAP, FILE).await;
        let Ok((kept, Some(text))) = opened else { return self };
        let path = self.path.clone();
        let file = blocking(move || fs::read(path).unwrap_or_default()).await;
        match compare(&file, &text) {
            copy::From::File => Self { copy: Some(Arc::new(tokio::sync::Mutex::new(kept))), ..self },
            copy::From::Copy(_) | copy::From::Neither => self,
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What could not be read when it was opened.
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    /// Numbers of experiments that were intended by a line that cannot be read, and that no line closes.
    pub fn unknown(&self) -> Vec<u64> {
        self.lock().account.unknown.iter().copied().collect()
    }

    /// Forgets what is over before another `run` begins, where a copy is kept: a ConfigMap holds 1 MiB. The copy first, as
    /// one that the file does not continue tells of another machine's run.
    pub async fn begin_anew(&self, run: &str) -> Result<(), JournalError> {
        let Self { path, writer, copy, .. } = self.clone();
        let is_over = self.damage.is_empty() && {
            let account = &self.lock().account;
            !account.is_blank() && account.is_over_for(run)
        };
        let Some(kept) = copy.filter(|_| is_over) else { return Ok(()) };
        write_copy(&kept, path.clone(), "").await?;
        blocking(move || writer.lock().unwrap_or_else(PoisonError::into_inner).empty(&path)).await
    }

    /// Appends an entry. Once begun it is carried through, also when the future is dropped.
    pub async fn append(&self, entry: Entry, durability: Durability) -> Result<(), JournalError> {
        self.append_with(move |_| entry, durability).await.map(drop)
    }

    /// Appends the intent that `intent` makes of its number, on disk; answers the number.
    pub async fn intend(
        &self,
        intent: impl FnOnce(u64) -> Intent + Send + 'static,
    ) -> Result<u64, JournalError> {
        if !self.damage.is_empty() {
            return Err(JournalError::Damaged { path: self.path.clone() });
        }
        match self.append_with(|id| Entry::Intended(intent(id)), Durability::Disk).await {
            // It is on disk, and nothing will be done on the strength of it.
            Err(error @ JournalError::Copy { .. }) => {
                self.close_last().await?;
                Err(error)
            }
            other => other,
        }
    }

    /// Closes the experiment that was intended last, in the file alone.
    async fn close_last(&self) -> Result<(), JournalError> {
        let Self { path, writer, .. } = self.clone();
        blocking(move || {
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            let last = writer.account.records.last().map(|record| record.intent.id);
            last.map_or(Ok(()), |id| writer.append(&path, Entry::Closed { id }, Durability::Disk))
        })
        .await
    }

    async fn append_with(
        &self,
        entry: impl FnOnce(u64) -> Entry + Send + 'static,
        durability: Durability,
    ) -> Result<u64, JournalError> {
        let Self { path, writer, copy: kept, .. } = self.clone();
        let to_copy = kept.is_some() && durability == Durability::Disk;
        let append = async move {
            let file = path.clone();
            let (id, text) = blocking(move || {
                let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
                let id = writer.account.next_id();
                writer.append(&file, entry(id), durability)?;
                let text = to_copy.then(|| fs::read_to_string(&file)).transpose();
                let text = text.map_err(|source| JournalError::Io { action: "read", path: file, source })?;
                Ok::<_, JournalError>((id, text))
            })
            .await?;
            if let (Some(kept), Some(text)) = (kept, text) {
                write_copy(&kept, path, &text).await?;
                step!("journal_copied");
            }
            Ok(id)
        };
        match tokio::spawn(append).await {
            Ok(done) => done,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// What is still to be put back, the latest first.
    pub fn unfinished(&self) -> Vec<Record> {
        self.lock().account.unfinished()
    }

    /// All that the journal tells of the experiments of `run`.
    pub fn of_run(&self, run: &str) -> Vec<Record> {
        self.lock().account.records.iter().filter(|record| record.intent.run == run).cloned().collect()
    }

    /// The run and process that took the journal last.
    pub fn opened_by(&self) -> Option<(String, u32)> {
        self.lock().account.opened_by.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    fn empty(&mut self, path: &Path) -> Result<(), JournalError> {
        let failed = |action| move |source| JournalError::Io { action, path: path.to_owned(), source };
        self.file.set_len(0).map_err(failed("empty"))?;
        self.file.sync_data().map_err(failed("flush to disk"))?;
        copied::forget(path).map_err(failed("forget what was copied into"))?;
        self.account = Account::default();
        (self.whole, self.torn, self.unterminated) = (0, false, false);
        Ok(())
    }

    fn append(&mut self, path: &Path, entry: Entry, durability: Durability) -> Result<(), JournalError> {
        let failed = |action| move |source| JournalError::Io { action, path: path.to_owned(), source };
        let mut line =
            entry::encode(&entry).map_err(|source| JournalError::Encode { path: path.to_owned(), source })?;
        if self.unterminated {
            line.insert(0, b'\n');
        }
        if self.torn {
            self.file.set_len(self.whole).map_err(failed("cut off the unfinished end of"))?;
        }
        step!("journal_writing", length = self.whole);
        // Until the line is known to be whole, whatever is there is to be cut off.
        self.torn = true;
        self.file.write_all(&line).map_err(failed("write"))?;
        step!("journal_written", length = self.whole);
        if durability == Durability::Disk {
            self.file.sync_data().map_err(failed("flush to disk"))?;
        }
        self.account.add(entry).map_err(|source| JournalError::Entry { path: path.to_owned(), source })?;
        self.whole += line.len() as u64;
        (self.torn, self.unterminated) = (false, false);
        if durability == Durability::Disk {
            step!("journal_synced", length = self.whole);
        }
        Ok(())
    }
}

fn open(directory: &Path) -> Result<Journal, JournalError> {
    let path = directory.join(FILE);
    let failed = |action| {
        let path = path.clone();
        move |source| JournalError::Io { action, path, source }
    };
    let mut file = held(&path)?;
    let bytes = content(&mut file, &path)?;
    let parts = copied::noted(&path).map_err(failed("read what was copied into"))?;
    let content = reading::read_parts(&bytes, &parts);
    let whole = content.whole as u64;
    if content.whole < bytes.len() {
        file.set_len(whole).map_err(failed("cut off the unfinished end of"))?;
        tracing::warn!(path = %path.display(), bytes = bytes.len() - content.whole, "journal ended in an unfinished line");
    }
    file.sync_all().map_err(failed("flush to disk"))?;
    File::open(directory).and_then(|folder| folder.sync_all()).map_err(failed("flush the directory of"))?;
    let Content { account, damage, unterminated, .. } = content;
    let writer = Writer { file, whole, torn: false, unterminated, account };
    Ok(Journal { path, damage: damage.into(), writer: Arc::new(Mutex::new(writer)), copy: None })
}

/// Writes the copy of the journal at `path`, and beside it what may still be broken.
async fn write_copy(kept: &tokio::sync::Mutex<Kept>, path: PathBuf, text: &str) -> Result<(), JournalError> {
    let told = copy::told(text);
    let written = kept.lock().await.write(text, (copy::UNFINISHED, &told)).await;
    written.map_err(|source| JournalError::Copy { path, source })
}

/// The file at `path`, held by this process alone; made if there is none.
fn held(path: &Path) -> Result<File, JournalError> {
    let failed = |action| move |source| JournalError::Io { action, path: path.to_owned(), source };
    loop {
        let mut options = OpenOptions::new();
        // Commands may hold what only their owner should read.
        options.read(true).append(true).create(true).mode(0o600);
        let file = options.open(path).map_err(failed("open"))?;
        take(&file, path)?;
        // Whoever held it before may have put another in its place, which is the journal now.
        let (ours, there) = (file.metadata().map_err(failed("look at"))?.ino(), fs::metadata(path));
        if there.is_ok_and(|there| there.ino() == ours) {
            return Ok(file);
        }
    }
}

fn take(file: &File, path: &Path) -> Result<(), JournalError> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(source)) => {
                return Err(JournalError::Io { action: "lock", path: path.to_owned(), source });
            }
        }
    }
    Err(JournalError::InUse { path: path.to_owned(), holder: holder::of(file, path) })
}

fn content(file: &mut File, path: &Path) -> Result<Vec<u8>, JournalError> {
    let failed = |source| JournalError::Io { action: "read", path: path.to_owned(), source };
    let bytes = file.metadata().map_err(failed)?.len();
    if bytes > MAX_BYTES {
        return Err(JournalError::TooLarge { path: path.to_owned(), bytes });
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content).map_err(failed)?;
    Ok(content)
}

/// Runs file work where it holds up nobody's requests.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests;
