//! Serves the status document.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;

use super::{Lab, lock};
use crate::layout::{on_host, port};
use crate::status::{Document, document};

/// Starts serving.
pub(super) async fn serve(lab: &Arc<Lab>) -> std::io::Result<()> {
    let listener = TcpListener::bind(on_host(port::STATUS)).await?;
    let router = Router::new().route("/status", get(answer)).with_state(lab.clone());
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the status document is no longer served"
            );
        }
    });
    Ok(())
}

async fn answer(State(lab): State<Arc<Lab>>) -> Json<Document> {
    Json(current(&lab))
}

fn current(lab: &Lab) -> Document {
    let utilization = *lock(&lab.utilization);
    let commands = lock(&lab.interventions).commands();
    document(&lab.replicas(), &lab.autoscaler, utilization, commands, lab.now().as_secs_f64())
}
