//! Asks the stores' members themselves, over sockets that a partition does not cut, what they are right now.

use std::time::Duration;

use crate::layout::{Machine, REDIS_MASTER, port};

/// The longest wait for one member.
const WITHIN: Duration = Duration::from_secs(1);

/// Why no sole primary or master could be named.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Error {
    #[error("no PostgreSQL member is primary now")]
    NoPrimary,
    #[error("more than one PostgreSQL member says that it is primary: {0}")]
    Primaries(String),
    #[error("the Sentinels do not agree on a Redis master")]
    NoAgreement,
    #[error("{0} is the Redis master for the Sentinels, but says that it is not")]
    NotMaster(String),
}

/// A connection as superuser to a member's own socket, in `database`.
pub(crate) async fn postgres(machine: Machine, database: &str) -> Option<tokio_postgres::Client> {
    let mut config = tokio_postgres::Config::new();
    config
        .host_path(machine.postgres_socket_dir())
        .port(port::POSTGRES)
        .user("postgres")
        .dbname(database)
        .application_name("lab");
    let connecting = config.connect(tokio_postgres::NoTls);
    let (client, connection) = tokio::time::timeout(WITHIN, connecting).await.ok()?.ok()?;
    tokio::spawn(connection);
    Some(client)
}

/// Whether a member takes writes; `None` when it does not answer.
async fn is_primary(machine: Machine) -> Option<bool> {
    let client = postgres(machine, "postgres").await?;
    let row = client.query_one("SELECT NOT pg_is_in_recovery()", &[]);
    tokio::time::timeout(WITHIN, row).await.ok()?.ok().map(|row| row.get(0))
}

/// The machine of the `PostgreSQL` primary.
pub(crate) async fn postgres_primary() -> Result<Machine, Error> {
    let mut primaries = Vec::new();
    for machine in Machine::WITH_POSTGRES {
        if is_primary(machine).await == Some(true) {
            primaries.push(machine);
        }
    }
    match primaries[..] {
        [] => Err(Error::NoPrimary),
        [primary] => Ok(primary),
        _ => Err(Error::Primaries(primaries.iter().map(|m| m.postgres()).collect::<Vec<_>>().join(", "))),
    }
}

/// What a Redis member says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RedisRole {
    pub(crate) master: bool,
    /// Replicas attached to it.
    pub(crate) replicas: u32,
}

/// A Redis member's role; `None` when it does not answer.
pub(crate) async fn redis_role(machine: Machine) -> Option<RedisRole> {
    let url = format!("redis+unix://{}", machine.redis_socket());
    let text: String = redis_command(&url, redis::cmd("INFO").arg("replication")).await?;
    Some(parse_role(&text))
}

async fn redis_command<T: redis::FromRedisValue>(url: &str, command: &redis::Cmd) -> Option<T> {
    let asking = async {
        let client = redis::Client::open(url).ok()?;
        let mut connection = client.get_multiplexed_async_connection().await.ok()?;
        command.query_async(&mut connection).await.ok()
    };
    tokio::time::timeout(WITHIN, asking).await.ok()?
}

fn parse_role(info: &str) -> RedisRole {
    let value = |key: &str| info.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    RedisRole {
        master: value("role:") == Some("master"),
        replicas: value("connected_slaves:").and_then(|number| number.parse().ok()).unwrap_or(0),
    }
}

/// The master in a Sentinel's view.
async fn sentinel_view(machine: Machine) -> Option<Machine> {
    let url = format!("redis://{}", machine.at(port::SENTINEL));
    let command = redis::cmd("SENTINEL").arg("get-master-addr-by-name").arg(REDIS_MASTER).to_owned();
    let answer: Vec<String> = redis_command(&url, &command).await?;
    Machine::with_address(answer.first()?)
}

/// The master that most Sentinels name.
pub(crate) async fn sentinels_master() -> Option<Machine> {
    let [first, second, third] = Machine::ALL.map(sentinel_view);
    let (first, second, third) = tokio::join!(first, second, third);
    majority([first, second, third])
}

fn majority(views: [Option<Machine>; 3]) -> Option<Machine> {
    Machine::ALL.into_iter().find(|machine| views.iter().filter(|view| **view == Some(*machine)).count() >= 2)
}

/// How many Sentinels know the master's two replicas and each other.
pub(crate) async fn complete_sentinels() -> usize {
    let mut complete = 0;
    for machine in Machine::ALL {
        let url = format!("redis://{}", machine.at(port::SENTINEL));
        let command = redis::cmd("SENTINEL").arg("master").arg(REDIS_MASTER).to_owned();
        let answer: Option<std::collections::HashMap<String, String>> = redis_command(&url, &command).await;
        let number = |key: &str| answer.as_ref().and_then(|answer| answer.get(key)?.parse::<u32>().ok());
        if (number("num-slaves"), number("num-other-sentinels")) == (Some(2), Some(2)) {
            complete += 1;
        }
    }
    complete
}

/// The machine of the Redis master: named by the Sentinels and confirmed by itself.
pub(crate) async fn redis_master() -> Result<Machine, Error> {
    let machine = sentinels_master().await.ok_or(Error::NoAgreement)?;
    match redis_role(machine).await {
        Some(RedisRole { master: true, .. }) => Ok(machine),
        _ => Err(Error::NotMaster(machine.redis())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_from_info() {
        let text = "# Replication\r\nrole:master\r\nconnected_slaves:2\r\n";
        assert_eq!(parse_role(text), RedisRole { master: true, replicas: 2 });
        assert_eq!(parse_role("role:slave\r\n"), RedisRole { master: false, replicas: 0 });
    }

    #[test]
    fn two_of_three_sentinels_decide() {
        let (first, second) = (Some(Machine::N1), Some(Machine::N2));
        assert_eq!(majority([first, second, second]), second);
        assert_eq!(majority([first, second, None]), None);
    }
}
