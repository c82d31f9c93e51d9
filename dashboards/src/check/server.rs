//! Prometheus, as far as dashboards ask it.

use prometheus_http_query::Client;
use prometheus_http_query::response::{Data, Sample};

use super::question::Asked;
use super::{Series, Span};

/// A finished exporter is seen no more than so many seconds before it is gone.
const AFTER: i64 = 30;
/// What begins the query and the fragment of an address.
const EXTRA: [char; 2] = ['?', '#'];

/// A Prometheus server.
pub struct Server {
    client: Client,
    url: String,
}

/// What kept panels from being asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be used.
    #[error("the address {0} is no http or https URL, expected one such as http://localhost:9090")]
    Address(String),
    /// The address has more than that of a server.
    #[error(
        "the address has a query or a fragment, which no request would carry and errors would show: leave it out, \
         expected one such as http://localhost:9090"
    )]
    Extra,
    /// The HTTP client cannot be set up.
    #[error("setting up the HTTP client")]
    Client(#[source] reqwest::Error),
    /// Prometheus did not answer.
    #[error("asking {url} for `{expr}`")]
    Ask {
        /// Of the server.
        url: String,
        /// What was asked.
        expr: String,
        /// Why there is no answer.
        source: Box<prometheus_http_query::Error>,
    },
    /// No such run was recorded.
    #[error("{url} has no run {run} within the last {days} days: check its id, or give --from and --to")]
    NoRun {
        /// Of the server.
        url: String,
        /// The id that was looked for.
        run: String,
        /// How far back.
        days: u32,
    },
}

impl Server {
    /// Prepares for asking; nothing is sent yet.
    pub fn new(url: &str) -> Result<Self, Error> {
        if url.contains(EXTRA) {
            return Err(Error::Extra);
        }
        // A second call finds the provider installed, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().build().map_err(Error::Client)?;
        let shown = shown(url).ok_or_else(|| Error::Address(without_credentials(url).to_owned()))?;
        let client = Client::from(client, url).map_err(|_| Error::Address(shown.clone()))?;
        Ok(Self { client, url: shown })
    }

    /// When a run was recorded.
    pub async fn span_of(&self, run: &str, scrape: i64) -> Result<Span, Error> {
        const DAYS: u32 = 15;
        let info = format!("ordeal_run_info{{role=\"conductor\",run={run:?}}}");
        let moment = |over: &str| format!("{over}_over_time(timestamp({info})[{DAYS}d:{AFTER}s])");
        let mut times = Vec::new();
        for over in ["min", "max"] {
            let asked = Asked { id: 'A', expr: moment(over), legend: "", instant: true };
            let found = self.ask(&asked, Span { from: 0, to: now(), scrape }).await?;
            let none = || Error::NoRun { url: self.url.clone(), run: run.to_owned(), days: DAYS };
            times.push(found.first().ok_or_else(none)?.value);
        }
        Ok(Span { from: seconds(times[0]) - AFTER, to: seconds(times[1]) + AFTER, scrape })
    }

    /// The series that a query returns, without those that have no number.
    pub(super) async fn ask(&self, asked: &Asked, span: Span) -> Result<Vec<Series>, Error> {
        let Asked { expr, instant, .. } = asked;
        let answer = if *instant {
            self.client.query(expr).at(span.to).post().await
        } else {
            self.client.query_range(expr, span.from, span.to, span.step() as f64).post().await
        };
        let answer = answer.map_err(|source| Error::Ask {
            url: self.url.clone(),
            expr: expr.clone(),
            source: Box::new(source),
        })?;
        Ok(series(answer.data(), asked))
    }
}

/// An address without its credentials; `None` for what is none of a server.
fn shown(url: &str) -> Option<String> {
    let mut url = reqwest::Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.set_password(None).and_then(|()| url.set_username("")).ok()?;
    Some(url.to_string())
}

/// What is left of a text that is no address: nothing before the last `@`.
fn without_credentials(text: &str) -> &str {
    text.rsplit('@').next().unwrap_or_default()
}

fn series(data: &Data, asked: &Asked) -> Vec<Series> {
    let number = |samples: &[Sample]| samples.iter().rev().map(Sample::value).find(|value| !value.is_nan());
    let all: Vec<_> = match data {
        Data::Vector(all) => all.iter().map(|one| (one.metric(), number(&[*one.sample()]))).collect(),
        Data::Matrix(all) => all.iter().map(|one| (one.metric(), number(one.samples()))).collect(),
        Data::Scalar(_) => Vec::new(),
    };
    let kept = all.into_iter().filter_map(|(labels, value)| Some((labels, value?)));
    kept.map(|(labels, value)| Series {
        query: asked.id,
        legend: asked.legend,
        labels: labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        last: value.to_string(),
        value,
    })
    .collect()
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[allow(clippy::cast_possible_truncation, reason = "Unix time fits")]
fn seconds(value: f64) -> i64 {
    value as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_an_address_are_not_shown() {
        let (none, extra) = ("is no http or https URL", "has a query or a fragment");
        let table = [
            ("http://localhost:9090", Ok("http://localhost:9090/")),
            ("https://me:hunter2@prom.example/p", Ok("https://prom.example/p")),
            ("https://me:hunter2@prom.example/p?token=hunter2", Err(extra)),
            ("https://prom.example/p#hunter2", Err(extra)),
            ("http://prom.example?", Err(extra)),
            ("me:hunter2@prom:9090", Err(none)),
            ("ftp://me:hunter2@prom", Err(none)),
            ("me:hunter2@prom:9090?token=hunter2", Err(extra)),
        ];
        for (url, due) in table {
            match (Server::new(url), due) {
                (Ok(server), Ok(due)) => assert_eq!(server.url, due),
                (Err(error), Err(due)) => {
                    let told = error.to_string();
                    assert!(told.contains(due) && !told.contains("hunter2"), "{url}: {told}");
                }
                (found, _) => panic!("{url}: {:?}", found.err()),
            }
        }
    }
}
