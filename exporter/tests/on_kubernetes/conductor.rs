//! A conductor in the cluster, with the rights that its trial needs and no others.

use std::cell::RefCell;
use std::fs;
use std::process::Command;
use std::time::Duration;

use super::cluster::{Cluster, deploy, kubectl, scratch, try_kubectl, until};

const NAMESPACE: &str = "ordeal";
/// From where the conductor is killed: nothing of its own pod's could, were it the first process there.
const KILLER: &str = "        \
        - name: killer
          image: ordeal-stores:dev
          command: [sleep, infinity]
          securityContext:
            allowPrivilegeEscalation: false
            capabilities: {drop: [ALL]}
";
/// Ends the conductor with no time to put anything back.
const KILL: &str = "for it in /proc/[0-9]*; do \
    read -r name <$it/comm; [ \"$name\" != load-exporter ] || kill -9 ${it#/proc/}; done";

/// A Job with one pod. It goes with this.
pub(crate) struct Conductor {
    name: String,
    seen: RefCell<Seen>,
}

/// An exposition.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(String);

impl Seen {
    /// The value of a series, spelled as the exposition does.
    pub(crate) fn value(&self, series: &str) -> Option<f64> {
        let value = self.0.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.and_then(|value| value.parse().ok())
    }
}

impl Conductor {
    /// Starts a run of `trial`; `name` tells it from others.
    pub(crate) fn start(_cluster: &Cluster, name: &str, trial: &str) -> Self {
        let folder = scratch(name);
        let file = folder.join("trial.yaml");
        fs::write(&file, trial).expect("the trial is written");
        let manifests =
            Command::new(env!("CARGO_BIN_EXE_load-exporter")).arg("manifests").arg(&file).output();
        let manifests = manifests.expect("manifests run");
        assert!(manifests.status.success(), "{}", String::from_utf8_lossy(&manifests.stderr));
        fs::write(folder.join("access.yaml"), manifests.stdout).expect("the access is written");
        let name = format!("test-{name}");
        let conductor = Self { name, seen: RefCell::default() };
        conductor.remove();
        let path = |name: &str| folder.join(name).display().to_string();
        kubectl(&["apply", "-f", &path("access.yaml")]);
        kubectl(&[
            "-n",
            NAMESPACE,
            "create",
            "configmap",
            &conductor.name,
            "--from-file",
            &path("trial.yaml"),
        ]);
        fs::write(folder.join("job.yaml"), conductor.job()).expect("the Job is written");
        kubectl(&["apply", "-f", &path("job.yaml")]);
        until("the conductor runs", Duration::from_mins(2), || conductor.runs());
        conductor
    }

    /// The conductor's Job of `deploy/`, under another name and with another trial.
    fn job(&self) -> String {
        let Self { name, .. } = self;
        let mut job = fs::read_to_string(deploy("base/conductor.yaml")).expect("the Job is readable");
        let changes = [
            ("metadata: {name: conductor,", format!("metadata: {{name: {name},")),
            ("configMap: {name: trial}", format!("configMap: {{name: {name}}}")),
            (
                "labels: {app.kubernetes.io/name: load-exporter}",
                format!("labels: {{app.kubernetes.io/name: load-exporter, ordeal/run: {name}}}"),
            ),
            ("--dir,", "--no-wait-for-scrape, --dir,".to_owned()),
            (
                "      restartPolicy: Never\n",
                "      restartPolicy: Never\n      shareProcessNamespace: true\n".to_owned(),
            ),
            ("      containers:\n", format!("      containers:\n{KILLER}")),
        ];
        for (from, to) in changes {
            assert_eq!(job.matches(from).count(), 1, "{from}");
            job = job.replace(from, &to);
        }
        job
    }

    fn pod(&self, path: &str) -> String {
        let selector = format!("ordeal/run={}", self.name);
        try_kubectl(&["-n", NAMESPACE, "get", "pods", "-l", &selector, "-o", &format!("jsonpath={path}")])
            .unwrap_or_default()
    }

    fn runs(&self) -> bool {
        !self.pod("{.items[0].status.containerStatuses[?(@.name=='load-exporter')].state.running}").is_empty()
    }

    /// What it says.
    pub(crate) fn log(&self) -> String {
        let job = format!("job/{}", self.name);
        try_kubectl(&["-n", NAMESPACE, "logs", &job, "-c", "load-exporter"]).unwrap_or_default()
    }

    /// Its metrics now, or those last seen where it does not answer.
    pub(crate) fn seen(&self) -> Seen {
        let pod = self.pod("{.items[0].metadata.name}");
        let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/{pod}:10042/proxy/metrics");
        if let Ok(text) = try_kubectl(&["get", "--raw", &path]) {
            *self.seen.borrow_mut() = Seen(text);
        }
        self.seen.borrow().clone()
    }

    /// Waits until its metrics show what is awaited.
    pub(crate) fn await_value(&self, what: &str, held: impl Fn(&Seen) -> bool) {
        until(what, Duration::from_mins(3), || {
            assert!(self.runs(), "{what}\n{}", self.log());
            held(&self.seen())
        });
    }

    /// Its metrics at the end of the run.
    pub(crate) fn to_its_end(&self, limit: Duration) -> Seen {
        until("the run is finished", limit, || {
            let finished = self.seen().value("ordeal_run_phase{phase=\"finished\"}") == Some(1.0);
            assert!(finished || self.runs(), "the run is not finished\n{}", self.log());
            finished
        });
        self.seen()
    }

    /// Ends its program at once, with no time to put anything back.
    pub(crate) fn kill(&self) {
        let pod = self.pod("{.items[0].metadata.name}");
        kubectl(&["-n", NAMESPACE, "exec", &pod, "-c", "killer", "--", "sh", "-c", KILL]);
        until("the conductor is gone", Duration::from_mins(1), || !self.runs());
    }

    fn remove(&self) {
        for kind in ["job", "configmap"] {
            let _ = try_kubectl(&["-n", NAMESPACE, "delete", kind, &self.name, "--ignore-not-found"]);
        }
        until("the pod is gone", Duration::from_mins(4), || self.pod("{.items[*].metadata.name}").is_empty());
    }
}

impl Drop for Conductor {
    fn drop(&mut self) {
        // A test that fails in the middle of an experiment: told to stop, the conductor puts back what it broke.
        self.remove();
    }
}
