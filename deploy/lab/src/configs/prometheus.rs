//! Prometheus: what is scraped, where alerts go, and the changing list of the shop's replicas.

use std::net::SocketAddrV4;
use std::path::Path;

use serde::Serialize;

use crate::layout::{Layout, Machine, on_host, port};

/// A replica to be scraped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) instance: String,
    pub(crate) machine: Machine,
    pub(crate) address: SocketAddrV4,
}

/// `prometheus.yml`: the load exporter and the shop every second, the rest every 5 s.
pub(crate) fn configuration(layout: &Layout, exporter: &str, rules: &[String]) -> String {
    let shop = replicas_file(layout);
    let shop = shop.display();
    let alertmanager = on_host(port::ALERTMANAGER);
    let rule_files = rules.iter().map(|file| format!("  - \"{file}\"\n")).collect::<Vec<_>>().concat();
    let member_job = |name: &str, port: u16, members: &[(String, Machine)]| {
        let one = |(member, machine): &(String, Machine)| {
            format!("      - {{targets: ['{}'], labels: {{member: {member}}}}}\n", machine.at(port))
        };
        let targets: String = members.iter().map(one).collect();
        format!("  - job_name: {name}\n    static_configs:\n{targets}")
    };
    let postgres = Machine::WITH_POSTGRES.map(|machine| (machine.postgres(), machine));
    let redis = Machine::ALL.map(|machine| (machine.redis(), machine));
    let own_job = |name: &str, port: u16| {
        format!("  - {{job_name: {name}, static_configs: [{{targets: ['{}']}}]}}\n", on_host(port))
    };
    [
        "global: {scrape_interval: 5s, scrape_timeout: 4s, evaluation_interval: 5s}\nrule_files:\n"
            .to_owned(),
        rule_files,
        format!("alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}\n"),
        format!(
            "scrape_configs:
  - job_name: load-exporter
    scrape_interval: 1s
    scrape_timeout: 900ms
    static_configs: [{{targets: ['{exporter}']}}]
  - job_name: shop
    scrape_interval: 1s
    scrape_timeout: 900ms
    file_sd_configs: [{{files: [\"{shop}\"], refresh_interval: 5s}}]
"
        ),
        member_job("postgres", port::POSTGRES_EXPORTER, &postgres),
        member_job("patroni", port::PATRONI, &postgres),
        member_job("redis", port::REDIS_EXPORTER, &redis),
        own_job("haproxy", port::HAPROXY_METRICS),
        own_job("etcd", port::ETCD),
        own_job("node", port::NODE_EXPORTER),
        own_job("prometheus", port::PROMETHEUS),
        own_job("alertmanager", port::ALERTMANAGER),
    ]
    .concat()
}

/// What the `PostgreSQL` exporter asks besides its own: Debian's is older than its question whether a server is a
/// replica, by which the archive of the present primary is told from the old one's. Named as newer ones name it.
pub(crate) const POSTGRES_QUERIES: &str = r#"pg_replication:
  query: "SELECT pg_is_in_recovery()::int AS is_replica"
  metrics:
    - is_replica: {usage: GAUGE, description: "Indicates if the server is a replica"}
"#;

/// The file that Prometheus reads the shop's replicas from.
pub(crate) fn replicas_file(layout: &Layout) -> std::path::PathBuf {
    layout.etc().join("shop-replicas.json")
}

#[derive(Serialize)]
struct Group<'a> {
    targets: [String; 1],
    labels: Labels<'a>,
}

#[derive(Serialize)]
struct Labels<'a> {
    replica: &'a str,
    node: String,
}

/// The list of replicas in the form of file service discovery.
pub(crate) fn replicas(targets: &[Target]) -> String {
    let group = |target: &Target| {
        let labels = Labels { replica: &target.instance, node: target.machine.name() };
        serde_json::json!(Group { targets: [target.address.to_string()], labels })
    };
    serde_json::Value::Array(targets.iter().map(group).collect()).to_string()
}

/// Replaces a file in one step, so that no reader sees half of it.
pub(crate) fn replace(file: &Path, content: &str) -> std::io::Result<()> {
    let new = file.with_extension("new");
    std::fs::write(&new, content)?;
    std::fs::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exporter_rules_and_replicas_are_in() {
        let layout = Layout::new("/tmp/lab".into());
        let text = configuration(&layout, "198.18.79.1:10042", &["/tmp/lab/etc/rules/a.yml".to_owned()]);
        assert!(text.contains("targets: ['198.18.79.1:10042']"));
        assert!(text.contains("  - \"/tmp/lab/etc/rules/a.yml\"\n"));
        assert!(text.contains("alertmanagers: [{static_configs: [{targets: ['198.18.79.1:9093']}]}]"));
        let target =
            Target { instance: "shop-4".to_owned(), machine: Machine::N2, address: Machine::N2.at(18004) };
        assert_eq!(
            replicas(&[target]),
            r#"[{"labels":{"node":"n2","replica":"shop-4"},"targets":["198.18.79.12:18004"]}]"#
        );
    }
}
