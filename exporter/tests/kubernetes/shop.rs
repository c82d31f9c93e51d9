//! One cluster with its service, and the program that is set on it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;

use crate::api::objects::Objects;
use crate::api::{Api, When};
use crate::objects::{self, lasting, pods};
use crate::program::Program;
use crate::service::{self, Network};

/// What a server says that it is: `kv-0` is the master until the file `moved` says that `kv-1` is.
const ROLE: &str = "#!/bin/sh
master=kv-0
[ -e moved ] && master=kv-1
if [ $1 = $master ]; then echo master; echo 0; else printf 'slave\\nh\\n1\\nconnected\\n0\\n'; fi
";

/// All of it, in a folder.
pub(crate) struct Shop {
    folder: TempDir,
    pub(crate) api: Arc<Api>,
    web: String,
    before: Objects,
}

/// How `load-exporter` ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
}

impl Ended {
    /// Whether it said all of `parts`.
    pub(crate) fn assert_said(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.said.contains(part), "no {part:?}: {}", self.said);
        }
    }
}

impl Shop {
    pub(crate) async fn start() -> Self {
        Self::start_on(Network::Drops).await
    }

    /// [`Self::start`] on a network of that kind.
    pub(crate) async fn start_on(network: Network) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let before = objects::cluster(listener.local_addr().expect("bound").port());
        let api = Arc::new(Api::start(before.clone()));
        tokio::spawn(service::guard_port(listener, Arc::clone(&api), network));
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("kubeconfig"), api.kubeconfig()).expect("a file");
        let role = folder.path().join("role");
        std::fs::write(&role, ROLE).expect("a file");
        std::fs::set_permissions(role, Permissions::from_mode(0o755)).expect("it is ours");
        Self { folder, api, web: service::web().await.to_string(), before }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Begins a run with one experiment: `fault` is the rest of it.
    pub(crate) fn run(&self, fault: &str) -> Program {
        self.run_in("run", "r1", fault)
    }

    /// [`Self::run`] in a folder of its own, as on another machine.
    pub(crate) fn run_in(&self, dir: &str, id: &str, fault: &str) -> Program {
        let trial = format!(
            r#"target: http://{}
load: {{users: 1, spawn_rate: 50, duration: 1s, think: 50ms, tasks: [{{name: home, weight: 1, journey: [GET /]}}]}}
kubernetes: {{namespace: shop}}
stores:
  - name: kv
    redis: redis://127.0.0.1:1
    instances:
      - {{name: kv-0, command: [sh, -c, "read -r word rest; case $word in ROLE) ./role kv-0;; *) echo OK;; esac"]}}
      - {{name: kv-1, command: [sh, -c, "read -r word rest; ./role kv-1"]}}
components:
  - {{name: web, http: /healthz, interval: 50ms}}
  - {{name: replicas, replicas: shop, declared: 3}}
after: 0s
settle: 1s
cooldown: 0s
experiments:
  - name: break-it
    components: [web]
    deadline: 30s
{fault}"#,
            self.web
        );
        let file = self.path(&format!("{dir}.yaml"));
        std::fs::write(&file, trial).expect("a file");
        let file = file.to_str().expect("a plain path").to_owned();
        let arguments =
            ["run", &file, "--dir", dir, "--run-id", id, "--no-wait-for-scrape", "--linger", "0s"];
        let rest = ["--web.listen-address", "127.0.0.1:0", "--log.level", "info"];
        Program::start(self.folder.path(), &format!("{dir}.out"), &[&arguments[..], &rest].concat())
    }

    /// Runs to the end.
    pub(crate) async fn ends(&self, mut program: Program) -> Ended {
        Ended { code: program.ended().await, said: program.said() }
    }

    /// `load-exporter recover` by the run's folder.
    pub(crate) fn recover_dir(&self) -> Program {
        Program::start(self.folder.path(), "recover-dir.out", &["recover", "--dir", "run"])
    }

    /// `load-exporter recover` by the cluster alone.
    pub(crate) fn recover_namespace(&self) -> Program {
        Program::start(self.folder.path(), "recover-namespace.out", &["recover", "--namespace", "shop"])
    }

    /// The same, by commands in containers too.
    pub(crate) fn recover_and_run_commands(&self) -> Program {
        let arguments = ["recover", "--namespace", "shop", "--run-commands"];
        Program::start(self.folder.path(), "recover-commands.out", &arguments)
    }

    /// `load-exporter cleanup` of the trial that was run last in the folder `run`.
    pub(crate) fn cleanup(&self) -> Program {
        Program::start(self.folder.path(), "cleanup.out", &["cleanup", "run.yaml", "--all-runs"])
    }

    /// Whoever held the lease has been gone for long.
    pub(crate) fn lease_runs_out(&self) {
        self.api.lock().objects.forget("leases");
    }

    /// The objects as they are.
    pub(crate) fn objects(&self) -> Objects {
        self.api.lock().objects.clone()
    }

    /// The objects as they were.
    pub(crate) fn restore(&self, objects: &Objects) {
        self.api.lock().objects = objects.clone();
    }

    /// Runs `program` until it asks for the change with this number; the answer is what it asked for, or `None`
    /// where it came to its end before.
    pub(crate) async fn killed_at(
        &self,
        number: usize,
        when: When,
        program: impl FnOnce() -> Program,
    ) -> Option<String> {
        self.api.catch(number, when);
        let mut program = program();
        tokio::select! {
            () = self.api.caught() => {}
            code = program.ended() => {
                assert_eq!(code, Some(0), "{}", program.said());
                return None;
            }
        }
        program.kill().await;
        self.lease_runs_out();
        self.api.changes().pop()
    }

    /// Only pods named in `may_go` have gone; all else is as it was.
    pub(crate) fn assert_as_before(&self, may_go: &[&str], place: &str) {
        let now = self.objects();
        assert_eq!(lasting(&now), lasting(&self.before), "{place}");
        let now = pods(&now);
        for (name, uid) in pods(&self.before) {
            let stays = now.get(&name) == Some(&uid);
            assert!(stays || may_go.contains(&name.as_str()), "{place}: pod {name} is gone");
        }
    }

    /// The object of this resource and name, if there is one.
    pub(crate) fn find(&self, resource: &str, name: &str) -> Option<Value> {
        self.api.lock().objects.find(resource, name).cloned()
    }

    /// Changes asked for so far, without those of the journal.
    pub(crate) fn changes(&self) -> Vec<String> {
        self.api.changes().into_iter().filter(|change| !change.contains(" configmaps ")).collect()
    }
}
