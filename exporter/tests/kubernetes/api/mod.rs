//! An API server of the tests' own, on the loopback interface: it holds objects, notes every request, and fails as
//! it is told to.

pub(crate) mod asked;
mod controllers;
mod exec;
pub(crate) mod objects;
pub(crate) mod rules;
mod server;
pub(crate) mod status;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use self::asked::Asked;
use self::objects::Objects;
use self::rules::{Fate, Rule};

/// Where whoever asks is to be caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Nothing is done yet.
    Before,
    /// It is done, and not yet answered.
    After,
}

/// All that the server knows.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) objects: Objects,
    pub(crate) asked: Vec<Asked>,
    rules: Vec<Rule>,
    /// Changes until whoever asks is caught.
    stop: Option<(usize, When)>,
}

/// What requests and tests share.
#[derive(Default)]
pub(crate) struct Shared {
    world: Mutex<World>,
    /// Somebody is caught.
    caught: Notify,
    changed: Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server.
pub(crate) struct Api {
    shared: Arc<Shared>,
    address: SocketAddr,
    runtime: Mutex<Option<Runtime>>,
}

impl Api {
    pub(crate) fn start(objects: Objects) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let shared = Arc::new(Shared::default());
        shared.lock().objects = objects;
        let runtime = Mutex::new(Some(serve(&shared, listener)));
        Self { shared, address, runtime }
    }

    /// What a client needs to find it.
    pub(crate) fn kubeconfig(&self) -> String {
        format!(
            "{{apiVersion: v1, kind: Config, current-context: it,\n\
             clusters: [{{name: it, cluster: {{server: \"http://{}\"}}}}],\n\
             users: [{{name: me, user: {{token: t}}}}],\n\
             contexts: [{{name: it, context: {{cluster: it, user: me}}}}]}}\n",
            self.address
        )
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.shared.lock()
    }

    /// From now on this is the fate of so many requests of that kind.
    pub(crate) fn rule(&self, verb: &'static str, resource: &'static str, times: u32, fate: Fate) {
        self.lock().rules.push(Rule { verb, resource, times, fate });
    }

    /// Requests are carried out again.
    pub(crate) fn clear_rules(&self) {
        self.lock().rules.clear();
    }

    /// Catches whoever asks for the change with this number, counted from now.
    pub(crate) fn catch(&self, number: usize, when: When) {
        self.lock().stop = Some((number, when));
    }

    /// Waits until somebody is caught.
    pub(crate) async fn caught(&self) {
        self.shared.caught.notified().await;
    }

    /// Requests so far, in order: verb, resource and name.
    pub(crate) fn changes(&self) -> Vec<String> {
        self.lock().asked.iter().filter(|asked| asked.is_change()).map(ToString::to_string).collect()
    }

    /// Bodies of the requests so far that this is the summary of.
    pub(crate) fn bodies(&self, summary: &str) -> Vec<Value> {
        let asked = &self.lock().asked;
        asked.iter().filter(|asked| asked.to_string() == summary).map(|asked| asked.body.clone()).collect()
    }

    /// Nobody listens any more, and all connections are closed.
    pub(crate) async fn go_away(&self) {
        if let Some(runtime) = self.runtime.lock().expect("no panic").take() {
            runtime.shutdown_background();
        }
        while TcpStream::connect(self.address).is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// It listens again.
    pub(crate) async fn come_back(&self) {
        loop {
            if let Ok(listener) = TcpListener::bind(self.address) {
                *self.runtime.lock().expect("no panic") = Some(serve(&self.shared, listener));
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Serves on a runtime of its own: with that go its connections.
fn serve(shared: &Arc<Shared>, listener: TcpListener) -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let shared = Arc::clone(shared);
    listener.set_nonblocking(true).expect("a socket");
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        server::serve(shared, listener).await;
    });
    runtime
}

impl Drop for Api {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take() {
            runtime.shutdown_background();
        }
    }
}
