//! Log lines: all of them into the run's own file, and to stderr above the progress line.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use crate::conductor::Progress;

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

type Boxed = Box<dyn Layer<Registry> + Send + Sync>;

/// The log of this process; [`Log::keep_in`] adds the run's file once there is one.
pub struct Log {
    file: reload::Handle<Option<Boxed>, Registry>,
    format: LogFormat,
}

impl Log {
    /// Starts logging events of `level` and above to stderr. `ORDEAL_LOG` (an env-filter text) narrows or
    /// widens it per module.
    pub fn start(format: LogFormat, level: LevelFilter, progress: &Progress) -> Self {
        let (file, handle) = reload::Layer::new(None);
        let filter = EnvFilter::builder()
            .with_default_directive(level.into())
            .with_env_var("ORDEAL_LOG")
            .from_env_lossy();
        let writer = progress.clone();
        let stderr = fmt::layer().with_writer(move || writer.clone()).with_target(false).with_ansi(false);
        let stderr: Boxed = match format {
            LogFormat::Text => stderr.with_filter(filter).boxed(),
            LogFormat::Json => stderr.json().with_filter(filter).boxed(),
        };
        tracing_subscriber::registry().with(file.and_then(stderr)).init();
        Self { file: handle, format }
    }

    /// Keeps all events from info up in `folder/exporter.log` as well.
    pub fn keep_in(&self, folder: &Path) -> std::io::Result<()> {
        let file = Arc::new(File::create(folder.join("exporter.log"))?);
        let layer = fmt::layer().with_writer(file).with_ansi(false);
        let layer: Boxed = match self.format {
            LogFormat::Text => layer.with_filter(LevelFilter::INFO).boxed(),
            LogFormat::Json => layer.json().with_filter(LevelFilter::INFO).boxed(),
        };
        self.file.reload(Some(layer)).map_err(std::io::Error::other)
    }
}
