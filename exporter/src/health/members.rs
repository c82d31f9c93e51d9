//! All instances of a store up and replicating, exactly one taking writes: one poll asks them all.
//!
//! Those inside pods are asked through the API server. A poll in which that does not answer or tells of itself only, or
//! that hears nothing or is cut off soon after its return, says nothing about them, and is missed.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::instances::{Instance, Server};
use super::prober::{Check, Tidy};
use super::server::Trouble;
use super::server::postgres::Rows;
use crate::errors::OwnLack;

const SQL: &str = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only'), \
    (SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'), \
    (SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming')";

/// What is wrong with the members.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    #[error("ask {0}: {1}")]
    Unanswered(String, String),
    #[error("ask {0}: {1}")]
    Unseen(String, String),
    #[error(transparent)]
    Own(#[from] OwnLack),
    #[error("understand the answer of {0}")]
    Answer(String),
    #[error("find exactly one member that takes writes: there are {0}")]
    Writers(usize),
    #[error("see {0} replicating: it is not connected to the primary")]
    Detached(String),
    #[error("see every member replicating: the primary streams to {streaming} of {others}")]
    Streaming { streaming: usize, others: usize },
}

/// What a member says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// Takes writes and streams to that many.
    Primary { streaming: usize },
    /// Follows, or tries to.
    Replica { connected: bool },
    /// Out of recovery, but read-only.
    ReadOnly,
}

/// The poll of one store's members.
pub(super) struct Members {
    instances: Arc<Vec<Instance>>,
}

impl Members {
    pub(super) fn new(instances: Vec<Instance>) -> Self {
        Self { instances: Arc::new(instances) }
    }
}

impl Check for Members {
    type Error = Error;

    async fn check(&self, _slot: u64, _tidy: &mut Option<Tidy>) -> Result<(), Error> {
        let mut asked = JoinSet::new();
        for index in 0..self.instances.len() {
            let instances = Arc::clone(&self.instances);
            asked.spawn(async move { ask(&instances[index]).await });
        }
        let mut roles = Vec::with_capacity(self.instances.len());
        let mut unseen = None;
        while let Some(answer) = asked.join_next().await {
            match answer.map_err(|error| Error::Unanswered("a member".to_owned(), error.to_string()))? {
                Ok(role) => roles.push(role),
                // Another one may be known to be down all the same.
                Err(error) if Self::is_ours(&error) => unseen = Some(error),
                Err(error) => return Err(error),
            }
        }
        unseen.map_or_else(|| judge(&roles), Err)
    }

    fn is_ours(error: &Error) -> bool {
        matches!(error, Error::Own(_) | Error::Unseen(..))
    }

    async fn way(&self, asked: Instant) -> bool {
        match self.instances.iter().find_map(Instance::through) {
            Some(cluster) => cluster.is_open_since(asked).await,
            None => true,
        }
    }
}

pub(super) async fn ask(instance: &Instance) -> Result<(String, Role), Error> {
    let name = instance.name.clone();
    let unanswered = |trouble: Trouble| unanswered(&name, &trouble);
    let role = match &instance.server {
        Server::Postgres(server) => {
            let path = server.open().await.map_err(unanswered)?;
            postgres_role(&path.query(SQL).await.map_err(unanswered)?)
        }
        Server::Redis(server) => {
            let path = server.open().await.map_err(unanswered)?;
            redis_role(&path.command(&["ROLE"]).await.map_err(unanswered)?)
        }
    };
    let role = role.ok_or_else(|| Error::Answer(name.clone()))?;
    Ok((name, role))
}

fn unanswered(name: &str, trouble: &Trouble) -> Error {
    let (name, told) = (name.to_owned(), trouble.to_string());
    match trouble {
        Trouble::Own(lack) => Error::Own(*lack),
        Trouble::Away(_) => Error::Unseen(name, told),
        Trouble::NoPath(_)
        | Trouble::Down(_)
        | Trouble::Gone(_)
        | Trouble::Predecessor(_)
        | Trouble::Refused(_) => Error::Unanswered(name, told),
    }
}

fn postgres_role(rows: &Rows) -> Option<Role> {
    let [row] = rows.as_slice() else { return None };
    let [Some(recovering), Some(read_only), Some(streaming), Some(receiving)] = row.as_slice() else {
        return None;
    };
    Some(match (recovering.as_str(), read_only.as_str()) {
        ("t", _) => Role::Replica { connected: receiving != "0" },
        ("f", "off") => Role::Primary { streaming: streaming.parse().ok()? },
        ("f", _) => Role::ReadOnly,
        _ => return None,
    })
}

/// `ROLE` of a master lists, after its offset, host, port and offset of each replica that is online.
fn redis_role(reply: &[String]) -> Option<Role> {
    match reply.first()?.as_str() {
        "master" => Some(Role::Primary { streaming: reply.len().saturating_sub(2) / 3 }),
        "slave" => Some(Role::Replica { connected: reply.get(3)? == "connected" }),
        _ => None,
    }
}

fn judge(roles: &[(String, Role)]) -> Result<(), Error> {
    let streams = |(_, role): &(String, Role)| match role {
        Role::Primary { streaming } => Some(*streaming),
        _ => None,
    };
    let primaries: Vec<usize> = roles.iter().filter_map(streams).collect();
    let [streaming] = primaries[..] else { return Err(Error::Writers(primaries.len())) };
    let detached = |(_, role): &&(String, Role)| {
        !matches!(role, Role::Primary { .. } | Role::Replica { connected: true })
    };
    if let Some((name, _)) = roles.iter().find(detached) {
        return Err(Error::Detached(name.clone()));
    }
    let others = roles.len() - 1;
    if streaming < others { Err(Error::Streaming { streaming, others }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use axum::Json;
    use axum::routing::get;
    use serde_json::json;
    use tokio::net::TcpSocket;

    use super::super::server::redis;
    use super::*;
    use crate::cluster::kubernetes::Kubernetes;
    use crate::trial::RedisAddress;

    fn row(fields: [&str; 4]) -> Rows {
        vec![fields.map(|field| Some(field.to_owned())).to_vec()]
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn only_what_says_something_of_a_member_counts_against_it() {
        let text = |it: &str| it.to_owned();
        let table = [
            (Trouble::NoPath(text("the kubelet of n2 is not reached")), false),
            (Trouble::Down(text("connection refused")), false),
            (Trouble::Gone(text("there is no such pod")), false),
            (Trouble::Predecessor(text("it has no sandbox")), false),
            (Trouble::Refused(text("the connection was closed")), false),
            (Trouble::Away(text("connection refused")), true),
            (Trouble::Own(OwnLack::Descriptors), true),
        ];
        for (trouble, expected) in table {
            let error = unanswered("kv-0", &trouble);
            assert_eq!(Members::is_ours(&error), expected, "{error}");
        }
    }

    /// A poll, like a connection, is given up after a second: whichever is first, it is not the members' silence.
    #[tokio::test]
    async fn silence_just_after_the_return_of_the_api_server_says_nothing_of_them() {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let api = socket.local_addr().expect("bound");
        let members = |cluster: &Kubernetes| {
            let address = RedisAddress::parse("redis://localhost:6379").expect("an address");
            let server = Server::Redis(redis::Server::direct(&address)).inside(cluster, "kv-0");
            Members::new(vec![Instance { name: "kv-0".to_owned(), id: "redis/kv-0".to_owned(), server }])
        };
        let known = members(&Kubernetes::at(api));
        let error = known.check(0, &mut None).await.expect_err("nobody listens");
        assert!(Members::is_ours(&error), "{error}");
        let listener = socket.listen(16).expect("a listener");
        let names =
            ["gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"];
        let version = names.map(|name| (name, "")).into_iter().chain([("major", "1"), ("minor", "34")]);
        let version = json!(version.collect::<std::collections::BTreeMap<_, _>>());
        let routes = axum::Router::new().route("/version", get(move || async { Json(version) }));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        // Asked so much later that it is not in doubt for having been asked too early.
        let later = Instant::now() + std::time::Duration::from_secs(5);
        assert!(!known.way(later).await);
        assert!(members(&Kubernetes::at(api)).way(later).await, "whoever has not seen it away");
    }

    #[test]
    fn postgresql_says_its_role() {
        let table = [
            (["f", "off", "1", "0"], Some(Role::Primary { streaming: 1 })),
            (["t", "on", "0", "1"], Some(Role::Replica { connected: true })),
            (["t", "on", "0", "0"], Some(Role::Replica { connected: false })),
            (["f", "on", "0", "0"], Some(Role::ReadOnly)),
            (["?", "on", "0", "0"], None),
        ];
        for (fields, role) in table {
            assert_eq!(postgres_role(&row(fields)), role, "{fields:?}");
        }
        assert_eq!(postgres_role(&vec![]), None);
    }

    #[test]
    fn redis_says_its_role() {
        let master = words(&["master", "3129", "127.0.0.1", "9001", "3129", "127.0.0.1", "9002", "3129"]);
        assert_eq!(redis_role(&master), Some(Role::Primary { streaming: 2 }));
        assert_eq!(redis_role(&words(&["master", "0"])), Some(Role::Primary { streaming: 0 }));
        let slave = |state| words(&["slave", "127.0.0.1", "9000", state, "3167"]);
        assert_eq!(redis_role(&slave("connected")), Some(Role::Replica { connected: true }));
        assert_eq!(redis_role(&slave("sync")), Some(Role::Replica { connected: false }));
        assert_eq!(redis_role(&words(&["sentinel"])), None);
    }

    #[test]
    fn they_are_healthy_with_one_writer_that_streams_to_all_others() {
        let member = |name: &str, role| (name.to_owned(), role);
        let primary = |streaming| Role::Primary { streaming };
        let replica = |connected| Role::Replica { connected };
        let table = [
            (vec![primary(0)], Ok(())),
            (vec![primary(2), replica(true), replica(true)], Ok(())),
            (vec![replica(true), replica(true)], Err(Error::Writers(0))),
            (vec![primary(1), primary(0)], Err(Error::Writers(2))),
            (vec![primary(1), replica(false)], Err(Error::Detached("b".to_owned()))),
            (vec![primary(1), Role::ReadOnly], Err(Error::Detached("b".to_owned()))),
            (
                vec![primary(1), replica(true), replica(true)],
                Err(Error::Streaming { streaming: 1, others: 2 }),
            ),
        ];
        for (roles, expected) in table {
            let roles: Vec<_> =
                ["a", "b", "c"].into_iter().zip(roles).map(|(name, role)| member(name, role)).collect();
            assert_eq!(judge(&roles), expected, "{roles:?}");
        }
    }
}
