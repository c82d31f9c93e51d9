//! Where a run leaves what it knows: one folder a run under the working folder, and the journal above them,
//! so that the next start finds what an earlier one may have left broken.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use thiserror::Error;

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

impl RunDir {
    /// Makes the folder of run `id` under `root`, and points `root/latest` at it.
    pub fn create(root: &Path, id: &str) -> Result<Self, RunDirError> {
        let run = root.join(id);
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| RunDirError { path, source }
        };
        std::fs::create_dir_all(&run).map_err(failed(&run))?;
        let latest = root.join("latest");
        match std::fs::remove_file(&latest) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&latest)(error)),
            _ => std::os::unix::fs::symlink(id, &latest).map_err(failed(&latest))?,
        }
        Ok(Self { root: root.to_owned(), run })
    }

    /// The working folder, home of the journal.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of this run.
    pub fn path(&self) -> &Path {
        &self.run
    }

    /// Writes `name` as indented JSON: whole, or not at all.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<PathBuf, RunDirError> {
        let path = self.run.join(name);
        let draft = self.run.join(format!(".{name}.draft"));
        let write = || {
            let mut text = serde_json::to_vec_pretty(value)?;
            text.push(b'\n');
            std::fs::write(&draft, text)?;
            std::fs::rename(&draft, &path)
        };
        write().map_err(|source| RunDirError { path: path.clone(), source })?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latest_follows_the_newest_run_and_older_ones_stay() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let first = RunDir::create(root.path(), "aaa").expect("writable");
        first.write_json("load.json", &["one"]).expect("writable");
        RunDir::create(root.path(), "bbb").expect("writable");
        let latest = std::fs::read_link(root.path().join("latest")).expect("a link");
        assert_eq!(latest, Path::new("bbb"));
        let kept = std::fs::read_to_string(root.path().join("aaa/load.json")).expect("still there");
        assert_eq!(kept, "[\n  \"one\"\n]\n");
    }

    #[test]
    fn an_unwritable_folder_is_named() {
        let error = RunDir::create(Path::new("/proc/nowhere"), "aaa").expect_err("not writable");
        assert_eq!(error.to_string(), "cannot write /proc/nowhere/aaa");
    }
}
