//! Log lines: all of them into the run's own file, and to stderr above the progress line.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Filter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::progress::Progress;
use crate::rundir::owners_file;

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The log of this process; [`Log::keep_in`] adds the run's file once there is one.
pub struct Log {
    file: RunFile,
}

impl Log {
    /// Starts logging events of `level` and above to stderr. `ORDEAL_LOG` (an env-filter text) narrows or
    /// widens it per module.
    pub fn start(format: LogFormat, level: LevelFilter, progress: &Progress) -> Self {
        let stderr = EnvFilter::builder()
            .with_default_directive(level.into())
            .with_env_var("ORDEAL_LOG")
            .from_env_lossy();
        let file = RunFile::default();
        let progress = progress.clone();
        let layers = vec![
            layer(format, file.clone()).with_filter(LevelFilter::INFO).with_filter(told_once()).boxed(),
            layer(format, move || progress.clone()).with_filter(stderr).with_filter(told_once()).boxed(),
        ];
        tracing_subscriber::registry().with(layers).init();
        Self { file }
    }

    /// Keeps all events from info up in `folder/exporter.log` as well, after what an earlier process of the run
    /// left there. Of several folders the first counts.
    pub fn keep_in(&self, folder: &Path) -> io::Result<()> {
        let file = owners_file().append(true).create(true).open(folder.join("exporter.log"))?;
        self.file.0.get_or_init(|| file);
        Ok(())
    }
}

/// The client of a cluster logs each answer that is an error, which whoever asked tells or gets over.
fn told_once<S>() -> impl Filter<S> {
    filter_fn(|event| !event.target().starts_with("kube_client"))
}

fn layer<W>(format: LogFormat, writer: W) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_writer(writer).with_ansi(false);
    match format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().boxed(),
    }
}

/// The run's file, once there is one; lines before that go nowhere.
#[derive(Clone, Default)]
struct RunFile(Arc<OnceLock<File>>);

impl Write for RunFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.get().map_or(Ok(bytes.len()), |mut file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for RunFile {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}
