//! The cluster, and the service on it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One test at a time breaks the service.
static TURN: Mutex<()> = Mutex::new(());

/// A cluster with the shop on it, for the time of one test.
pub(crate) struct Cluster {
    _turn: MutexGuard<'static, ()>,
}

impl Cluster {
    /// The shop in order; `None`, with a word, where KUBECONFIG names no cluster.
    pub(crate) fn with_shop() -> Option<Self> {
        if std::env::var_os("KUBECONFIG").is_none() {
            eprintln!("skipped: KUBECONFIG names no cluster");
            return None;
        }
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        kubectl(&["apply", "-k", &deploy("demo")]);
        kubectl(&["apply", "-f", &deploy("base/namespace.yaml")]);
        Self::in_order();
        Some(Self { _turn: turn })
    }

    /// Waits until all of the shop is ready.
    pub(crate) fn in_order() {
        for workload in [
            "statefulset/postgres",
            "statefulset/redis",
            "deployment/redis-proxy",
            "deployment/gateway",
            "deployment/shop",
        ] {
            until(&format!("{workload} is ready"), Duration::from_mins(5), || {
                let status = ["-n", "shop", "rollout", "status", workload, "--timeout", "5s"];
                let ready = try_kubectl(&status).is_ok();
                if !ready {
                    write_something();
                }
                ready
            });
        }
    }

    /// Puts back what is left broken, from outside of the cluster; what is told.
    pub(crate) fn recover() -> String {
        let done = Command::new(env!("CARGO_BIN_EXE_load-exporter"))
            .args(["recover", "--namespace", "shop"])
            .current_dir(scratch("recover"))
            .output()
            .expect("recover runs");
        let told = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
        assert!(done.status.success(), "{told}");
        told
    }
}

/// A standby that was rewound after a test is ready only with its primary's next write, and nobody writes between two.
/// Where the store is only coming up, there is nothing to be rewound.
fn write_something() {
    let Ok(primary) = try_kubectl(&["-n", "shop", "get", "pods", "-l", "role=master", "-o", "name"]) else {
        return;
    };
    for pod in primary.lines() {
        let write = "select pg_logical_emit_message(true, 'test', 'written')";
        let psql = ["psql", "-qU", "postgres", "-h", "/run/postgresql", "-c", write];
        let _ = try_kubectl(&[&["-n", "shop", "exec", pod, "-c", "postgres", "--"], &psql[..]].concat());
    }
}

/// What `kubectl` prints; it must succeed.
pub(crate) fn kubectl(words: &[&str]) -> String {
    try_kubectl(words).unwrap_or_else(|error| panic!("kubectl {}: {error}", words.join(" ")))
}

/// What `kubectl` prints, or its error.
pub(crate) fn try_kubectl(words: &[&str]) -> Result<String, String> {
    let done =
        Command::new("kubectl").args(words).stdin(Stdio::null()).output().expect("kubectl is installed");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
    if done.status.success() { Ok(text(done.stdout)) } else { Err(text(done.stderr)) }
}

/// Waits until `held`.
pub(crate) fn until(what: &str, limit: Duration, mut held: impl FnMut() -> bool) {
    let since = Instant::now();
    while !held() {
        assert!(since.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// A path below `deploy/kubernetes/`.
pub(crate) fn deploy(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/kubernetes").join(path).display().to_string()
}

/// An empty folder of that name.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("on-kubernetes").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}
