//! An API server that has one kind of object, the ConfigMap, in one namespace, as the processes of a fleet use it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;

type Objects = BTreeMap<String, Value>;

/// The server, and a kubeconfig that leads to it.
pub(crate) struct Board {
    folder: TempDir,
    store: Arc<Store>,
}

struct Store {
    objects: Mutex<(u64, Objects)>,
    changed: watch::Sender<u64>,
}

impl Store {
    fn lock(&self) -> MutexGuard<'_, (u64, Objects)> {
        self.objects.lock().expect("no panic")
    }

    /// Carries out a change, which gets the number of the new state.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Objects, u64) -> Result<T, StatusCode>,
    ) -> Result<T, StatusCode> {
        let mut objects = self.lock();
        let number = objects.0 + 1;
        let changed = change(&mut objects.1, number)?;
        objects.0 = number;
        self.changed.send_replace(number);
        Ok(changed)
    }
}

impl Board {
    pub(crate) async fn start() -> Self {
        let store = Arc::new(Store { objects: Mutex::default(), changed: watch::Sender::new(0) });
        let all = "/api/v1/namespaces/ordeal/configmaps";
        let routes = Router::new()
            .route(all, get(watch_them).post(create))
            .route(&format!("{all}/{{name}}"), get(read).patch(merge).delete(remove))
            .route("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", post(permit))
            .with_state(Arc::clone(&store));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{"name": "here", "cluster": {"server": format!("http://{address}")}}],
            "users": [{"name": "me", "user": {}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me", "namespace": "ordeal"}}],
        });
        std::fs::write(folder.path().join("kubeconfig"), config.to_string()).expect("writable");
        Self { folder, store }
    }

    /// What KUBECONFIG is to be.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// The names of the objects there are.
    pub(crate) fn names(&self) -> Vec<String> {
        self.store.lock().1.keys().cloned().collect()
    }
}

/// What the API server says where it refuses; a UID is all that it ever finds unprocessable here.
fn status(code: StatusCode) -> Response {
    let message = match code {
        StatusCode::UNPROCESSABLE_ENTITY => "metadata.uid: field is immutable".to_owned(),
        code => code.to_string(),
    };
    let body = json!({"kind": "Status", "status": "Failure", "message": message, "reason": "Test", "code": code.as_u16()});
    (code, [("content-type", "application/json")], body.to_string()).into_response()
}

fn answer(result: Result<Value, StatusCode>) -> Response {
    match result {
        Ok(object) => ([("content-type", "application/json")], object.to_string()).into_response(),
        Err(code) => status(code),
    }
}

/// All is permitted.
async fn permit(body: Bytes) -> Response {
    let mut question: Value = serde_json::from_slice(&body).expect("JSON");
    question["status"] = json!({"allowed": true});
    answer(Ok(question))
}

async fn read(State(store): State<Arc<Store>>, Path(name): Path<String>) -> Response {
    answer(store.lock().1.get(&name).cloned().ok_or(StatusCode::NOT_FOUND))
}

async fn create(State(store): State<Arc<Store>>, body: Bytes) -> Response {
    let mut object: Value = serde_json::from_slice(&body).expect("JSON");
    let name = object["metadata"]["name"].as_str().expect("a name").to_owned();
    answer(store.change(|objects, number| {
        if objects.contains_key(&name) {
            return Err(StatusCode::CONFLICT);
        }
        object["metadata"]["uid"] = format!("uid-{number}").into();
        object["metadata"]["resourceVersion"] = number.to_string().into();
        objects.insert(name, object.clone());
        Ok(object)
    }))
}

async fn merge(State(store): State<Arc<Store>>, Path(name): Path<String>, body: Bytes) -> Response {
    let patch: Value = serde_json::from_slice(&body).expect("JSON");
    answer(store.change(|objects, number| {
        let object = objects.get_mut(&name).ok_or(StatusCode::NOT_FOUND)?;
        if patch["metadata"]["uid"] != object["metadata"]["uid"] {
            return Err(StatusCode::UNPROCESSABLE_ENTITY);
        }
        for (key, text) in patch["data"].as_object().expect("data") {
            object["data"][key] = text.clone();
        }
        object["metadata"]["resourceVersion"] = number.to_string().into();
        Ok(object.clone())
    }))
}

async fn remove(State(store): State<Arc<Store>>, Path(name): Path<String>, body: Bytes) -> Response {
    let options: Value = serde_json::from_slice(&body).unwrap_or_default();
    answer(store.change(|objects, _| {
        let object = objects.get(&name).ok_or(StatusCode::NOT_FOUND)?;
        for condition in ["uid", "resourceVersion"] {
            let wanted = &options["preconditions"][condition];
            if !wanted.is_null() && *wanted != object["metadata"][condition] {
                return Err(StatusCode::CONFLICT);
            }
        }
        Ok(objects.remove(&name).expect("seen"))
    }))
}

/// Events of the one object that is asked for, for as long as the client listens.
async fn watch_them(
    State(store): State<Arc<Store>>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Response {
    let name = asked["fieldSelector"].strip_prefix("metadata.name=").expect("one object").to_owned();
    let changed = store.changed.subscribe();
    let events = stream::unfold((changed, None::<Value>), move |(mut changed, mut last)| {
        let (store, name) = (Arc::clone(&store), name.clone());
        async move {
            loop {
                changed.borrow_and_update();
                let present = store.lock().1.get(&name).cloned();
                if present != last {
                    let kind = match (&last, &present) {
                        (None, _) => "ADDED",
                        (_, None) => "DELETED",
                        _ => "MODIFIED",
                    };
                    let object = present.clone().or(last.take());
                    last = present;
                    let line = json!({"type": kind, "object": object}).to_string() + "\n";
                    return Some((Ok::<_, Infallible>(line), (changed, last)));
                }
                changed.changed().await.ok()?;
            }
        }
    });
    ([("content-type", "application/json")], Body::from_stream(events)).into_response()
}
