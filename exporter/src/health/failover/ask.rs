//! Asks for settings: Patroni, a Sentinel, and the stores through the address that their clients use.

use std::time::Duration;

use serde::Deserialize;
use tokio_postgres::NoTls;
use url::Url;

use super::judge::{Patroni, Sentinel};
use crate::health::probe::driven;
use crate::health::server::Trouble;
use crate::health::server::postgres::{APPLICATION, rows};
use crate::health::server::redis::{converse, flatten, socket_of};
use crate::health::server::socket;
use crate::tls;
use crate::trial::{PostgresAddress, RedisAddress};

/// Why there are no settings. Addresses may hold secrets and are not shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    #[error("no answer within {0:?}")]
    Late(Duration),
    #[error("set up a client")]
    Client(#[source] reqwest::Error),
    #[error("GET /config")]
    Http(#[source] reqwest::Error),
    #[error("ask PostgreSQL")]
    Postgres(#[source] tokio_postgres::Error),
    #[error("connect")]
    Connect(#[source] Trouble),
    #[error("run {0}")]
    Redis(&'static str, #[source] redis::RedisError),
    #[error("find {0} in the answer")]
    Missing(&'static str),
}

impl Unanswered {
    /// Whether nobody was there to answer, and may be a moment later.
    pub(super) fn is_of_nobody(&self) -> bool {
        match self {
            Self::Connect(_) => true,
            Self::Http(error) => error.is_connect() || error.is_timeout(),
            Self::Postgres(error) => error.as_db_error().is_none(),
            Self::Late(_) | Self::Client(_) | Self::Redis(..) | Self::Missing(_) => false,
        }
    }
}

/// Patroni's dynamic configuration, as far as it matters here.
#[derive(Deserialize)]
struct Document {
    ttl: Option<f64>,
    loop_wait: Option<f64>,
    /// Its name since Patroni 3.
    primary_start_timeout: Option<f64>,
    /// Its name before.
    master_start_timeout: Option<f64>,
}

impl From<Document> for Patroni {
    fn from(document: Document) -> Self {
        let or = |seconds: Option<f64>, default| {
            seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(default)
        };
        let default = Self::default();
        let start = document.primary_start_timeout.or(document.master_start_timeout);
        Self {
            ttl: or(document.ttl, default.ttl),
            loop_wait: or(document.loop_wait, default.loop_wait),
            primary_start_timeout: or(start, default.primary_start_timeout),
        }
    }
}

pub(super) async fn patroni(url: &Url) -> Result<Patroni, Unanswered> {
    let without_url = |error: reqwest::Error| Unanswered::Http(error.without_url());
    let mut url = url.clone();
    url.set_path(&format!("{}/config", url.path().trim_end_matches('/')));
    let client = tls::http_client(super::WITHIN).map_err(Unanswered::Client)?;
    let answer = client.get(url).send().await.map_err(without_url)?;
    let answer = answer.error_for_status().map_err(without_url)?;
    Ok(answer.json::<Document>().await.map_err(without_url)?.into())
}

pub(super) async fn sentinel(address: &RedisAddress, master: &str) -> Result<Sentinel, Unanswered> {
    let fields = command(address, "SENTINEL MASTER", &["SENTINEL", "MASTER", master]).await?;
    let milliseconds = |name: &'static str| {
        let value = fields.chunks_exact(2).find(|pair| pair[0] == name).and_then(|pair| pair[1].parse().ok());
        value.map(Duration::from_millis).ok_or(Unanswered::Missing(name))
    };
    Ok(Sentinel {
        down_after: milliseconds("down-after-milliseconds")?,
        failover_timeout: milliseconds("failover-timeout")?,
    })
}

/// `synchronous_commit` and `synchronous_standby_names`.
pub(super) async fn postgres(address: &PostgresAddress) -> Result<(String, String), Unanswered> {
    let config = address.config(APPLICATION);
    let (client, connection) = config.connect(NoTls).await.map_err(Unanswered::Postgres)?;
    let sql = "SHOW synchronous_commit; SHOW synchronous_standby_names";
    let answer = driven(connection, client.simple_query(sql)).await.map_err(Unanswered::Postgres)?;
    let mut values = rows(answer).into_iter().flatten().map(Option::unwrap_or_default);
    let commit = values.next().ok_or(Unanswered::Missing("synchronous_commit"))?;
    let names = values.next().ok_or(Unanswered::Missing("synchronous_standby_names"))?;
    Ok((commit, names))
}

/// `maxmemory-policy`.
pub(super) async fn redis(address: &RedisAddress) -> Result<String, Unanswered> {
    let answer = command(address, "CONFIG GET", &["CONFIG", "GET", "maxmemory-policy"]).await?;
    answer.into_iter().nth(1).ok_or(Unanswered::Missing("maxmemory-policy"))
}

async fn command(
    address: &RedisAddress,
    what: &'static str,
    words: &[&str],
) -> Result<Vec<String>, Unanswered> {
    let socket = socket::connect(&socket_of(address)).await.map_err(Unanswered::Connect)?;
    let replies =
        converse(socket, address.info(), &[words]).await.map_err(|error| Unanswered::Redis(what, error))?;
    let mut flat = Vec::new();
    for reply in replies {
        flatten(reply, &mut flat);
    }
    Ok(flat)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patronis_document_may_leave_everything_out_and_has_two_names_for_one_thing() {
        let read = |text: &str| Patroni::from(serde_json::from_str::<Document>(text).expect("a document"));
        let seconds = Duration::from_secs;
        assert_eq!(read("{}"), Patroni::default());
        assert_eq!(read(r#"{"ttl":5,"postgresql":{}}"#), Patroni { ttl: seconds(5), ..Patroni::default() });
        for name in ["master_start_timeout", "primary_start_timeout"] {
            assert!(read(&format!("{{\"{name}\":0}}")).primary_start_timeout.is_zero(), "{name}");
        }
    }
}
