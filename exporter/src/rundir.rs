//! Where a run leaves what it knows: one folder a run under the working folder, and the journal above them,
//! so that the next start finds what an earlier one may have left broken.
//!
//! Results tell what commands printed and how a system is reached, so what is made here is its owner's alone.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use thiserror::Error;

/// The link in the working folder that leads to the newest run.
pub const LATEST: &str = "latest";

/// The file that is written last, also where results could not be: the run has come to its end.
pub const ENDED: &str = "ended";

/// The working folder of the exporter, and in it the folder of one run.
#[derive(Debug, Clone)]
pub struct RunDir {
    root: PathBuf,
    run: PathBuf,
}

/// A folder or file of the run could not be written.
#[derive(Debug, Error)]
#[error("cannot write {path}")]
pub struct RunDirError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

fn failed(path: &Path) -> impl Fn(io::Error) -> RunDirError {
    let path = path.to_owned();
    move |source| RunDirError { path: path.clone(), source }
}

/// Options for a file that only its owner may read, should it have to be made.
pub fn owners_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

impl RunDir {
    /// The folder of run `id` in the working folder `root`, which is made; nothing in it is touched.
    pub fn of(root: &Path, id: &str) -> Result<Self, RunDirError> {
        make(root)?;
        Ok(Self { root: root.to_owned(), run: root.join(id) })
    }

    /// Whether the run has come to its end before.
    pub fn has_ended(&self) -> bool {
        self.run.join(ENDED).exists()
    }

    /// Leaves the mark that the run has come to its end, with one word on `how`.
    pub fn end(&self, how: &str) -> Result<PathBuf, RunDirError> {
        self.write(ENDED, || Ok(format!("{how}\n").into_bytes()))
    }

    /// Makes the run's folder, and points `latest` in the working folder at it. To be called by the one
    /// process that holds the journal there.
    pub fn enter(&self) -> Result<(), RunDirError> {
        make(&self.run)?;
        let latest = self.root.join(LATEST);
        match std::fs::remove_file(&latest) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&latest)(error)),
            _ => {
                let id = self.run.strip_prefix(&self.root).unwrap_or(&self.run);
                std::os::unix::fs::symlink(id, &latest).map_err(failed(&latest))
            }
        }
    }

    /// The working folder, home of the journal.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of this run.
    pub fn path(&self) -> &Path {
        &self.run
    }

    /// Writes `name` as indented JSON: on disk as a whole, or not at all.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<PathBuf, RunDirError> {
        self.write(name, || {
            let mut text = serde_json::to_vec_pretty(value)?;
            text.push(b'\n');
            Ok(text)
        })
    }

    fn write(&self, name: &str, text: impl FnOnce() -> io::Result<Vec<u8>>) -> Result<PathBuf, RunDirError> {
        let path = self.run.join(name);
        let draft = self.run.join(format!(".{name}.draft"));
        let write = || {
            let text = text()?;
            let mut file = owners_file().write(true).create(true).truncate(true).open(&draft)?;
            file.write_all(&text)?;
            file.sync_all()?;
            std::fs::rename(&draft, &path)?;
            File::open(&self.run)?.sync_all()
        };
        write().map_err(|source| {
            // It may never have been there, or be in its place already.
            let _gone = std::fs::remove_file(&draft);
            failed(&path)(source)
        })?;
        Ok(path)
    }
}

/// Makes a folder with all above it, each for its owner alone; those that are there stay as they are.
fn make(folder: &Path) -> Result<(), RunDirError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed(folder))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn entered(root: &Path, id: &str) -> RunDir {
        let dir = RunDir::of(root, id).expect("writable");
        dir.enter().expect("writable");
        dir
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn latest_follows_the_newest_run_and_older_ones_stay() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let first = entered(root.path(), "aaa");
        first.write_json("load.json", &["one"]).expect("writable");
        entered(root.path(), "bbb");
        let latest = std::fs::read_link(root.path().join("latest")).expect("a link");
        assert_eq!(latest, Path::new("bbb"));
        let kept = std::fs::read_to_string(root.path().join("aaa/load.json")).expect("still there");
        assert_eq!(kept, "[\n  \"one\"\n]\n");
    }

    #[test]
    fn nothing_is_touched_before_it_is_entered() {
        let root = tempfile::tempdir().expect("a temporary folder");
        entered(root.path(), "aaa");
        RunDir::of(root.path(), "bbb").expect("writable");
        assert_eq!(std::fs::read_link(root.path().join("latest")).expect("a link"), Path::new("aaa"));
        assert!(!root.path().join("bbb").exists());
    }

    #[test]
    fn what_is_made_is_its_owners_alone_and_what_was_there_stays() {
        let root = tempfile::tempdir().expect("a temporary folder");
        std::fs::set_permissions(root.path(), PermissionsExt::from_mode(0o755)).expect("ours");
        let dir = entered(&root.path().join("made/run"), "aaa");
        let result = dir.write_json("load.json", &1).expect("writable");
        assert_eq!(
            [mode(root.path()), mode(dir.root()), mode(dir.path()), mode(&result)],
            [0o755, 0o700, 0o700, 0o600]
        );
    }

    #[test]
    fn what_cannot_be_written_leaves_no_draft_and_the_old_result() {
        struct Unspeakable;
        impl Serialize for Unspeakable {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("unspeakable"))
            }
        }
        let root = tempfile::tempdir().expect("a temporary folder");
        let dir = entered(root.path(), "aaa");
        dir.write_json("load.json", &1).expect("writable");
        dir.write_json("load.json", &Unspeakable).expect_err("no JSON");
        // A folder in the place of the result: the draft is written, and cannot be renamed.
        std::fs::create_dir_all(dir.path().join("chaos.json/in-the-way")).expect("writable");
        dir.write_json("chaos.json", &2).expect_err("it is a folder");
        let mut left: Vec<_> =
            std::fs::read_dir(dir.path()).expect("a folder").flatten().map(|it| it.file_name()).collect();
        left.sort();
        assert_eq!(left, ["chaos.json", "load.json"]);
        assert_eq!(std::fs::read_to_string(dir.path().join("load.json")).expect("kept"), "1\n");
    }

    #[test]
    fn only_its_mark_says_that_a_run_has_ended() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let dir = entered(root.path(), "aaa");
        for result in ["load.json", "chaos.json"] {
            dir.write_json(result, &1).expect("writable");
        }
        assert!(!dir.has_ended());
        let mark = dir.end("finished").expect("writable");
        assert_eq!((dir.has_ended(), mode(&mark)), (true, 0o600));
        assert_eq!(std::fs::read_to_string(mark).expect("there"), "finished\n");
    }

    #[test]
    fn an_unwritable_folder_is_named() {
        let error = RunDir::of(Path::new("/proc/nowhere"), "aaa").expect_err("not writable");
        assert_eq!(error.to_string(), "cannot write /proc/nowhere");
    }
}
