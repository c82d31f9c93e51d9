//! A small server that plays an exporter from its first scrape on.

use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Made;

/// A run that goes on while the test looks at it; it stops when dropped.
pub(crate) struct Live {
    runtime: Option<tokio::runtime::Runtime>,
    state: Arc<Playing>,
    /// Host and port.
    pub(crate) address: String,
}

struct Playing {
    made: Made,
    /// When the run began: at the first scrape.
    begun: Mutex<Option<(Instant, f64)>>,
}

impl Live {
    /// Plays a run.
    pub(crate) fn play(made: Made) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let state = Arc::new(Playing { made, begun: Mutex::new(None) });
        let app = Router::new().fallback(scrape).with_state(Arc::clone(&state));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { runtime: Some(runtime), state, address }
    }

    /// Seconds since the run's start; 0 before the first scrape.
    pub(crate) fn time(&self) -> f64 {
        let begun = self.state.begun.lock().expect("no panic holds the lock");
        begun.map_or(0.0, |(begun, _)| begun.elapsed().as_secs_f64())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The exposition; a target that is gone answers no scrape well.
async fn scrape(State(playing): State<Arc<Playing>>) -> Response {
    let (begun, start) = *playing.begun.lock().expect("no panic holds the lock").get_or_insert_with(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
        (Instant::now(), now.as_secs_f64())
    });
    let at = begun.elapsed().as_secs_f64();
    if at > playing.made.last {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let text = playing.made.exposition(at, start);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}
