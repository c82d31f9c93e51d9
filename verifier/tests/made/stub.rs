//! A server that is no Prometheus, in several ways.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::any;

/// A running server; it stops when dropped.
pub(crate) struct Stub {
    runtime: Option<tokio::runtime::Runtime>,
    pub(crate) url: String,
}

impl Stub {
    /// Starts a server each of whose folders refuses in its own way.
    pub(crate) fn start() -> Self {
        let answers = |status: StatusCode, body: &'static str| any(move || async move { (status, body) });
        let spoken_to_plainly = "Client sent an HTTP request to an HTTPS server.";
        let app = Router::new()
            .route("/locked/{*path}", answers(StatusCode::UNAUTHORIZED, "no"))
            .route("/forbidden/{*path}", answers(StatusCode::FORBIDDEN, "<html>no</html>"))
            .route("/page/{*path}", answers(StatusCode::OK, "<html>welcome</html>"))
            .route("/tls/{*path}", answers(StatusCode::BAD_REQUEST, spoken_to_plainly))
            .route("/slow/{*path}", any(std::future::pending::<()>))
            .fallback(answers(StatusCode::NOT_FOUND, "404 page not found"));
        Self::serve(app)
    }

    /// Starts a server that sends every request elsewhere.
    pub(crate) fn sending_to(url: &str) -> Self {
        let url = url.to_owned();
        let away = move || {
            let url = url.clone();
            async move { Redirect::temporary(&url) }
        };
        Self::serve(Router::new().fallback(away))
    }

    fn serve(app: Router) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { runtime: Some(runtime), url }
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
