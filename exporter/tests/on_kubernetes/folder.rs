//! A run's folder, applied and taken down as people do it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::cluster::{Cluster, deploy, kubectl, scratch};

/// `base/` with a trial of its own. It is taken down with this.
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Written, with nothing of an earlier run left on the cluster.
    pub(crate) fn written(_cluster: &Cluster, name: &str, trial: &str) -> Self {
        let path = scratch(name);
        let file = path.join("trial.yaml");
        fs::write(&file, trial).expect("the trial is written");
        let manifests = Command::new(env!("CARGO_BIN_EXE_load-exporter"))
            .args(["manifests", "--without-account"])
            .arg(&file)
            .output()
            .expect("manifests run");
        succeeded(&manifests);
        fs::write(path.join("access.yaml"), manifests.stdout).expect("the access is written");
        fs::copy(deploy("base/slos.yaml"), path.join("slos.yaml")).expect("the promises are copied");
        fs::write(path.join("kustomization.yaml"), kustomization(&path)).expect("the folder is written");
        let folder = Self { path };
        folder.take_down();
        folder.clean_up();
        folder
    }

    /// Begins a run of its trial that nobody scrapes.
    pub(crate) fn apply(&self) {
        kubectl(&["apply", "-k", &self.path.display().to_string()]);
    }

    /// `run.sh down`, which must succeed.
    pub(crate) fn take_down(&self) {
        succeeded(&self.down());
    }

    /// Removes what runs leave in a namespace that stays, which must succeed.
    pub(crate) fn clean_up(&self) {
        let cleanup = Command::new(env!("CARGO_BIN_EXE_load-exporter"))
            .args(["cleanup", "trial.yaml", "--all-runs"])
            .current_dir(&self.path)
            .output();
        succeeded(&cleanup.expect("cleanup runs"));
    }

    fn down(&self) -> Output {
        Command::new(deploy("run.sh")).arg("down").arg(&self.path).output().expect("the script runs")
    }
}

fn succeeded(done: &Output) {
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A test that fails leaves nothing broken, and a second time nothing is there.
        self.down();
    }
}

/// Kustomize takes folders only by paths that begin at its own.
fn kustomization(from: &Path) -> String {
    let from = from.canonicalize().expect("the folder is there");
    let base = Path::new(&deploy("base")).canonicalize().expect("the base is there");
    let up = "../".repeat(from.components().count() - 1);
    format!(
        "resources: [{up}{base}, access.yaml]
configMapGenerator:
  - {{name: trial, namespace: ordeal, behavior: replace, files: [trial.yaml, slos.yaml]}}
patches:
  - target: {{kind: Job, name: conductor}}
    patch: |-
      - {{op: add, path: /spec/template/spec/containers/0/args/-, value: --no-wait-for-scrape}}
",
        base = base.strip_prefix("/").expect("a whole path").display()
    )
}
