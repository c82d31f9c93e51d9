//! An API server that keeps a few objects, says what is permitted, and remembers what it was asked.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, Uri};
use serde_json::{Value, json};
use tempfile::TempDir;

/// By whose name the API server knows the exporter.
pub(crate) const USER: &str = "system:serviceaccount:ordeal:ordeal-conductor";
pub(crate) const JOURNAL: &str = "/api/v1/namespaces/shop/configmaps/ordeal-journal";
pub(crate) const NAMESPACE: &str = "/api/v1/namespaces/shop";
/// In the namespace of the kubeconfig.
pub(crate) const FLEET: &str = "/api/v1/namespaces/default/configmaps/ordeal-fleet";
pub(crate) const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/shop/leases/ordeal";

const ACCESS_REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const USER_REVIEWS: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

/// A trial that kills pods on a cluster.
const TRIAL: &str = "\
target: http://127.0.0.1:9
load: {users: 1, spawn_rate: 1, duration: 1s, tasks: [{name: home, journey: [GET /]}]}
kubernetes: {namespace: shop}
components:
  - {name: shop, http: /}
experiments:
  - {name: kill, components: [shop], pod_kill: {selector: app=shop}}
";

#[derive(Default)]
struct State {
    /// By path.
    objects: BTreeMap<String, Value>,
    version: u64,
    /// Verb and resource.
    denied: Vec<(&'static str, &'static str)>,
    may_not_ask: bool,
    /// Method and path of all that was no question.
    asked: Vec<String>,
}

/// The server, and a folder with a trial and a kubeconfig for it.
pub(crate) struct Cluster {
    folder: TempDir,
    state: Arc<Mutex<State>>,
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let answer = move |method: Method, uri: Uri, body: Bytes| async move {
            let body = serde_json::from_slice(&body).unwrap_or_default();
            lock(&shared).answer(&method, uri.path(), body)
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let server = format!("http://{}", listener.local_addr().expect("bound"));
        let routes = Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
            "users": [{"name": "c", "user": {}}]});
        std::fs::write(folder.path().join("kubeconfig"), config.to_string()).expect("writable");
        std::fs::write(folder.path().join("trial.yaml"), TRIAL).expect("writable");
        Self { folder, state }
    }

    /// Writes `to` for `from` in the trial.
    pub(crate) fn edit_trial(&self, from: &str, to: &str) {
        std::fs::write(self.folder.path().join("trial.yaml"), TRIAL.replace(from, to)).expect("writable");
    }

    /// Takes the kubeconfig away.
    pub(crate) fn hide(&self) {
        std::fs::remove_file(self.folder.path().join("kubeconfig")).expect("it is there");
    }

    pub(crate) fn deny(&self, denied: &[(&'static str, &'static str)]) {
        lock(&self.state).denied = denied.to_vec();
    }

    pub(crate) fn deny_questions(&self) {
        lock(&self.state).may_not_ask = true;
    }

    pub(crate) fn put(&self, path: &str, object: Value) {
        lock(&self.state).put(path, object);
    }

    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        lock(&self.state).objects.get(path).cloned()
    }

    /// What it was asked beside what is permitted.
    pub(crate) fn asked(&self) -> Vec<String> {
        lock(&self.state).asked.clone()
    }

    /// Runs `load-exporter ARGUMENTS` to its end: its exit code, and what it printed on stdout and stderr.
    pub(crate) async fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_load-exporter"));
        command.args(arguments).current_dir(self.folder.path()).env("KUBECONFIG", "kubeconfig");
        // As if these tests were in no pod.
        command.env_remove("KUBERNETES_SERVICE_HOST");
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
        let output = output.expect("the binary starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no panic")
}

impl State {
    fn answer(&mut self, method: &Method, path: &str, body: Value) -> Response {
        match path {
            ACCESS_REVIEWS => self.review(body),
            USER_REVIEWS => {
                let review = json!({"metadata": {}, "status": {"userInfo": {"username": USER}}});
                axum::Json(review).into_response()
            }
            _ => {
                self.asked.push(format!("{method} {path}"));
                self.keep(method, path, body)
            }
        }
    }

    fn review(&self, mut review: Value) -> Response {
        if self.may_not_ask {
            return failure(StatusCode::FORBIDDEN, "selfsubjectaccessreviews is forbidden");
        }
        let about = &review["spec"]["resourceAttributes"];
        let is = |verb: &str, resource: &str| about["verb"] == verb && about["resource"] == resource;
        let denied = about["subresource"].is_null() && self.denied.iter().any(|(verb, it)| is(verb, it));
        review["status"] = json!({"allowed": !denied});
        axum::Json(review).into_response()
    }

    fn keep(&mut self, method: &Method, path: &str, body: Value) -> Response {
        let there = self.objects.get(path).cloned();
        let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
        match (method.as_str(), there) {
            ("POST", None) => {
                let path = format!("{path}/{}", body["metadata"]["name"].as_str().expect("a name"));
                axum::Json(self.put(&path, body)).into_response()
            }
            (_, None) => failure(StatusCode::NOT_FOUND, "not found"),
            ("GET", Some(there)) => axum::Json(there).into_response(),
            ("PUT", Some(there)) if version(&there) == version(&body) => {
                axum::Json(self.put(path, body)).into_response()
            }
            ("DELETE", Some(there)) if version(&there) == body["preconditions"]["resourceVersion"] => {
                self.objects.remove(path);
                axum::Json(json!({"kind": "Status", "status": "Success"})).into_response()
            }
            _ => failure(StatusCode::CONFLICT, "changed meanwhile"),
        }
    }

    fn put(&mut self, path: &str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        object["metadata"]["uid"] = json!(format!("uid of {path}"));
        self.objects.insert(path.to_owned(), object.clone());
        object
    }
}

fn failure(code: StatusCode, message: &str) -> Response {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message,
        "reason": code.canonical_reason().map(|words| words.replace(' ', "")), "code": code.as_u16()});
    (code, axum::Json(status)).into_response()
}
