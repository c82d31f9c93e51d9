//! Wires the parts, and stops them in order.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::cli::Arguments;
use crate::errors::chain;
use crate::lifecycle::Lifecycle;
use crate::metrics::Metrics;
use crate::stores::keyvalue::KeyValue;
use crate::stores::postgres::Database;
use crate::stores::retry;
use crate::web;

/// Making tables and first contents may take this long; others wait for the lock meanwhile.
const SETUP_LIMIT: Duration = Duration::from_secs(30);

/// What every request needs.
pub(crate) struct Shop {
    /// `PostgreSQL`.
    pub(crate) database: Database,
    /// Redis.
    pub(crate) keyvalue: KeyValue,
    /// What is exposed.
    pub(crate) metrics: Metrics,
    /// Where this replica is in its life.
    pub(crate) lifecycle: Lifecycle,
    /// How long a request may wait.
    pub(crate) budget: Duration,
}

/// Serves until told to stop.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let metrics = Metrics::register().context("register metrics")?;
    let Arguments { instance, budget, grace, .. } = arguments;
    let shop = Arc::new(Shop {
        database: Database::new(&arguments.postgres, &instance, arguments.pool, metrics.postgres.clone())?,
        keyvalue: KeyValue::new(&arguments.redis, metrics.redis.clone())?,
        lifecycle: Lifecycle::new(),
        metrics,
        budget,
    });
    let router = web::router(&shop).context("register the routes' metrics")?;
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("listen on {}", arguments.listen))?;
    let address = listener.local_addr().context("read the address listened on")?;
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            warn!(%error, "cannot turn off Nagle's algorithm");
        }
    });

    spawn_keepers(&shop);
    let (finish, finished) = oneshot::channel::<()>();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        let _ = finished.await;
    });
    let server = tokio::spawn(server.into_future());
    info!(%instance, %address, "serving");

    told_to_stop().await?;
    shop.lifecycle.drain();
    info!(?grace, "draining");
    // Until whoever sends requests here has noticed that it is not ready any more.
    sleep(grace).await;
    let _ = finish.send(());
    // No request in flight lasts longer than its budget; connections idle for good must not hold us.
    if let Ok(ended) = timeout(budget + Duration::from_secs(1), server).await {
        ended.context("join the server")?.context("serve")?;
    } else {
        warn!("requests still in flight, left");
    }
    info!("stopped");
    Ok(())
}

fn spawn_keepers(shop: &Arc<Shop>) {
    let database = Arc::clone(shop);
    tokio::spawn(async move { database.database.keep().await });
    let keyvalue = Arc::clone(shop);
    tokio::spawn(async move { keyvalue.keyvalue.keep().await });
    let setup = Arc::clone(shop);
    tokio::spawn(async move { set_up(&setup).await });
}

/// Makes the tables, however long the database takes to come.
async fn set_up(shop: &Shop) {
    const SCRIPT: &str = include_str!("sql/setup.sql");
    let mut failures: u32 = 0;
    while let Err(error) = shop.database.script(SCRIPT, SETUP_LIMIT).await {
        failures += 1;
        if failures == 1 {
            warn!(error = %chain(&error), "cannot make the tables yet");
        }
        // A store that comes up is not kept busy with being asked.
        sleep(retry::pause(rand::random())).await;
    }
    shop.lifecycle.started();
    info!(failures, "tables are there");
}

async fn told_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
