//! The registry as text, compressed where asked.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use prometheus::{Encoder as _, Registry, TextEncoder};

/// The content type of the text format that every Prometheus reads.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Gathering or encoding failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExpositionError {
    /// A family cannot be written as text.
    #[error("writing the metrics as text")]
    Encode(#[source] prometheus::Error),
    /// The text cannot be compressed.
    #[error("compressing the metrics")]
    Compress(#[source] std::io::Error),
    /// The thread that did it is gone.
    #[error("gathering the metrics")]
    Gather(#[source] tokio::task::JoinError),
}

/// Gathers and encodes on a thread for blocking work, so that a scrape never holds up the load's own.
pub(super) async fn render(registry: Registry, gzip: bool) -> Result<Vec<u8>, ExpositionError> {
    let rendering = tokio::task::spawn_blocking(move || {
        let mut text = Vec::new();
        TextEncoder::new().encode(&registry.gather(), &mut text).map_err(ExpositionError::Encode)?;
        if gzip { compressed(&text).map_err(ExpositionError::Compress) } else { Ok(text) }
    });
    rendering.await.map_err(ExpositionError::Gather)?
}

fn compressed(text: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text)?;
    encoder.finish()
}
