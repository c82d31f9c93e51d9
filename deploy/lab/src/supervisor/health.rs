//! Is the lab as it should be: asked of the parts themselves, over the paths that clients use where it matters.

use std::time::Duration;

use serde_json::Value;

use super::{Lab, lock};
use crate::ask;
use crate::control::Check;
use crate::http;
use crate::layout::{Machine, on_host, port};

const WITHIN: Duration = Duration::from_secs(1);

/// Every check, made now.
pub(super) async fn checks(lab: &Lab) -> Vec<Check> {
    let (postgres, redis, sentinels, clients) =
        tokio::join!(postgres(lab), redis(), sentinels(), postgres_client(lab));
    let (prometheus, alertmanager) =
        tokio::join!(ready("prometheus", port::PROMETHEUS), ready("alertmanager", port::ALERTMANAGER));
    vec![postgres, clients, redis, sentinels, shop(lab), prometheus, alertmanager]
}

fn check(name: &str, ok: bool, detail: String) -> Check {
    Check { name: name.to_owned(), ok, detail }
}

async fn postgres(lab: &Lab) -> Check {
    let synchronous = !lab.options.asynchronous;
    for machine in Machine::WITH_POSTGRES {
        if let Some(answer) = http::get(machine.at(port::PATRONI), "/cluster", WITHIN).await
            && let Ok(cluster) = serde_json::from_str::<Value>(&answer.body)
        {
            let (ok, detail) = judge_cluster(&cluster, synchronous);
            return check("postgres members", ok, detail);
        }
    }
    check("postgres members", false, "Patroni does not answer".to_owned())
}

/// A primary that runs and a standby that streams from the same timeline, synchronous where it should be.
fn judge_cluster(cluster: &Value, synchronous: bool) -> (bool, String) {
    let members = cluster["members"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |member: &Value, key: &str| member[key].as_str().unwrap_or("?").to_owned();
    let standby = if synchronous { "sync_standby" } else { "replica" };
    let is = |member: &Value, role: &str| {
        text(member, "role") == role && matches!(text(member, "state").as_str(), "running" | "streaming")
    };
    let one = |role: &str| members.iter().filter(|member| is(member, role)).count() == 1;
    let same_timeline = members.windows(2).all(|pair| pair[0]["timeline"] == pair[1]["timeline"]);
    let describe = |member: &Value| {
        format!("{} {} {}", text(member, "name"), text(member, "role"), text(member, "state"))
    };
    let detail = members.iter().map(describe).collect::<Vec<_>>().join(", ");
    (members.len() == 2 && one("leader") && one(standby) && same_timeline, detail)
}

async fn postgres_client(lab: &Lab) -> Check {
    if !*lab.database_ready.borrow() {
        return check("postgres for clients", false, "the database is not made yet".to_owned());
    }
    let address = on_host(port::POSTGRES);
    let url = format!(
        "host={} port={} user={} dbname={} connect_timeout=1",
        address.ip(),
        address.port(),
        crate::layout::ROLE,
        crate::layout::DATABASE
    );
    let asking = async {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.ok()?;
        tokio::spawn(connection);
        client.query_one("SELECT NOT pg_is_in_recovery()", &[]).await.ok().map(|row| row.get::<_, bool>(0))
    };
    let writable = tokio::time::timeout(WITHIN, asking).await.ok().flatten() == Some(true);
    check(
        "postgres for clients",
        writable,
        format!("{address} {}", if writable { "writable" } else { "not writable" }),
    )
}

async fn redis() -> Check {
    let mut roles = Vec::new();
    for machine in Machine::ALL {
        roles.push((machine, ask::redis_role(machine).await));
    }
    let master = |role: &Option<ask::RedisRole>| role.as_ref().is_some_and(|role| role.master);
    let masters: Vec<_> = roles.iter().filter(|(_, role)| master(role)).collect();
    let whole = masters.len() == 1 && masters[0].1.as_ref().is_some_and(|role| role.replicas == 2);
    let describe = |(machine, role): &(Machine, Option<ask::RedisRole>)| match role {
        Some(role) if role.master => format!("{} master of {}", machine.redis(), role.replicas),
        Some(_) => format!("{} replica", machine.redis()),
        None => format!("{} silent", machine.redis()),
    };
    check("redis members", whole, roles.iter().map(describe).collect::<Vec<_>>().join(", "))
}

async fn sentinels() -> Check {
    let (master, complete) = tokio::join!(ask::sentinels_master(), ask::complete_sentinels());
    let named = master.map_or("no master".to_owned(), |machine| format!("master {}", machine.redis()));
    check("sentinels", master.is_some() && complete == 3, format!("{named}, {complete} of 3 know all"))
}

fn shop(lab: &Lab) -> Check {
    let balanced = *lock(&lab.balanced);
    let replicas = lab.replicas();
    let ready = replicas.all().values().filter(|replica| replica.ready).count();
    let desired = replicas.desired() as usize;
    let detail = format!("{desired} wanted, {ready} ready, {balanced} served through HAProxy");
    check("shop", ready >= desired && balanced >= desired, detail)
}

async fn ready(name: &str, port: u16) -> Check {
    let answer = http::get(on_host(port), "/-/ready", WITHIN).await;
    let ready = answer.is_some_and(|answer| answer.status == 200);
    check(name, ready, if ready { "ready" } else { "not ready" }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cluster_is_whole_with_a_primary_and_a_fitting_standby_on_one_timeline() {
        let member = |name: &str, role: &str, state: &str, timeline: u32| json!({"name": name, "role": role, "state": state, "timeline": timeline});
        let leader = member("pg1", "leader", "running", 2);
        let cases = [
            ("whole", vec![leader.clone(), member("pg2", "sync_standby", "streaming", 2)], true, true),
            (
                "running counts too",
                vec![leader.clone(), member("pg2", "sync_standby", "running", 2)],
                true,
                true,
            ),
            (
                "not synchronous yet",
                vec![leader.clone(), member("pg2", "replica", "streaming", 2)],
                true,
                false,
            ),
            (
                "asynchronous as asked",
                vec![leader.clone(), member("pg2", "replica", "streaming", 2)],
                false,
                true,
            ),
            (
                "behind a promotion",
                vec![leader.clone(), member("pg2", "sync_standby", "streaming", 1)],
                true,
                false,
            ),
            ("starting", vec![leader.clone(), member("pg2", "sync_standby", "starting", 2)], true, false),
            ("alone", vec![leader], true, false),
        ];
        for (name, members, synchronous, expected) in cases {
            assert_eq!(judge_cluster(&json!({"members": members}), synchronous).0, expected, "{name}");
        }
    }
}
