//! The page for a person who opens the exporter's address in a browser.

use std::fmt;

/// The run that the page tells of.
pub struct About {
    /// Its id.
    pub run: String,
    /// The trial's name.
    pub trial: String,
    /// Asked for the phase that the run is in.
    pub phase: Box<dyn Fn() -> &'static str + Send + Sync>,
}

impl Default for About {
    /// No run.
    fn default() -> Self {
        Self { run: "none".to_owned(), trial: "none".to_owned(), phase: Box::new(|| "none") }
    }
}

impl fmt::Debug for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("About").field("run", &self.run).field("trial", &self.trial).finish_non_exhaustive()
    }
}

/// Readable in the light and in the dark, and at the width of a phone.
const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}\
dd{margin:0;overflow-wrap:anywhere}\
dt{opacity:.7}\
li{margin:.5rem 0}";

/// The page; metrics are at `telemetry_path`.
pub(super) fn page(about: &About, telemetry_path: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let (trial, run, phase) = (escaped(&about.trial), escaped(&about.run), escaped((about.phase)()));
    let metrics = escaped(telemetry_path);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Ordeal: {trial}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>Ordeal load exporter</h1>\n\
         <dl>\n<dt>Trial</dt><dd>{trial}</dd>\n<dt>Run</dt><dd><code>{run}</code></dd>\n\
         <dt>Phase</dt><dd>{phase}</dd>\n<dt>Version</dt><dd>{version}</dd>\n</dl>\n<ul>\n\
         <li><a href=\"{metrics}\">{metrics}</a>: what this run measures, for Prometheus to scrape</li>\n\
         <li><a href=\"/healthz\">/healthz</a>: whether this process lives</li>\n\
         <li><a href=\"/readyz\">/readyz</a>: whether preflight is over and the run has begun</li>\n\
         </ul>\n</body>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_tells_of_the_run_and_escapes_what_it_is_given() {
        let about = About {
            run: "<b>&7f".to_owned(),
            trial: "shop's \"fire\"".to_owned(),
            phase: Box::new(|| "steady"),
        };
        let page = page(&about, "/m<x>");
        for part in [
            "<dd>shop&#39;s &quot;fire&quot;</dd>",
            "<code>&lt;b&gt;&amp;7f</code>",
            "<dd>steady</dd>",
            concat!("<dd>", env!("CARGO_PKG_VERSION"), "</dd>"),
            "<a href=\"/m&lt;x&gt;\">",
            "<a href=\"/healthz\">",
            "<a href=\"/readyz\">",
        ] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
    }
}
