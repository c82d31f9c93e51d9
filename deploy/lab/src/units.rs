//! What the lab runs besides the shop's replicas, and where.

use std::time::Duration;

use crate::configs::redis::sentinel_name;
use crate::layout::{HOST, Layout, MEMBER_COMEBACK, Machine, on_host, port};
use crate::program::{NICE_OBSERVER, NICE_STORE, Program};

/// A program that is kept running.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    pub(crate) program: Program,
    pub(crate) kind: Kind,
}

/// What must happen before a start, and how soon a dead one comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Patroni,
    /// Told at each start whom to follow.
    Redis(Machine),
    /// Starts when the master has both replicas: else a Sentinel learns of them only at its next poll, 10 s later.
    Sentinel,
}

impl Unit {
    /// The pause between death and return.
    pub(crate) fn comeback(&self) -> Duration {
        match self.kind {
            Kind::Patroni | Kind::Redis(_) => MEMBER_COMEBACK,
            Kind::Plain | Kind::Sentinel => Duration::from_secs(1),
        }
    }
}

/// Every unit, in the order of `status`.
pub(crate) fn all(layout: &Layout) -> Vec<Unit> {
    let mut units = vec![etcd(layout), haproxy(layout)];
    for machine in Machine::WITH_POSTGRES {
        units.push(patroni(layout, machine));
    }
    for machine in Machine::ALL {
        units.push(redis(layout, machine));
    }
    for machine in Machine::ALL {
        units.push(sentinel(layout, machine));
    }
    units.push(prometheus(layout));
    units.push(alertmanager(layout));
    units.push(node_exporter(layout));
    units.extend(Machine::WITH_POSTGRES.map(|machine| postgres_exporter(layout, machine)));
    units.extend(Machine::ALL.map(|machine| redis_exporter(layout, machine)));
    units
}

fn words(line: &[&str]) -> Vec<String> {
    line.iter().map(|word| (*word).to_owned()).collect()
}

fn etcd(layout: &Layout) -> Unit {
    let client = format!("http://{}", on_host(port::ETCD));
    let peer = format!("http://{}", on_host(port::ETCD_PEER));
    let data = layout.data("etcd");
    let line = [
        "etcd",
        "--name=lab",
        &format!("--data-dir={}", data.display()),
        &format!("--listen-client-urls={client}"),
        &format!("--advertise-client-urls={client}"),
        &format!("--listen-peer-urls={peer}"),
        &format!("--initial-advertise-peer-urls={peer}"),
        &format!("--initial-cluster=lab={peer}"),
        // Debian's etcd has no JSON gateway for v3, which Patroni would need.
        "--enable-v2=true",
        "--logger=zap",
        "--log-level=warn",
    ];
    plain("etcd", None, "etcd", NICE_STORE, words(&line), data)
}

fn haproxy(layout: &Layout) -> Unit {
    let file = layout.etc().join("haproxy.cfg");
    let line = ["haproxy", "-db", "-f", &file.display().to_string()];
    // As root, so that it may raise its descriptor limit; it gives root up itself.
    plain("haproxy", None, "root", NICE_STORE, words(&line), layout.dir().to_path_buf())
}

fn patroni(layout: &Layout, machine: Machine) -> Unit {
    let name = machine.postgres();
    let file = layout.etc().join(format!("{name}.yml"));
    let program = Program {
        words: words(&["patroni", &file.display().to_string()]),
        folder: layout.run().join(&name),
        name,
        machine: Some(machine),
        user: "postgres",
        nice: NICE_STORE,
        environment: Vec::new(),
    };
    Unit { program, kind: Kind::Patroni }
}

fn redis(layout: &Layout, machine: Machine) -> Unit {
    let name = machine.redis();
    let folder = layout.data(&name);
    let file = folder.join("redis.conf");
    let program = Program {
        words: words(&["redis-server", &file.display().to_string()]),
        folder,
        name,
        machine: Some(machine),
        user: "redis",
        nice: NICE_STORE,
        environment: Vec::new(),
    };
    Unit { program, kind: Kind::Redis(machine) }
}

fn sentinel(layout: &Layout, machine: Machine) -> Unit {
    let name = sentinel_name(machine);
    let folder = layout.data(&name);
    let file = folder.join("sentinel.conf");
    let program = Program {
        words: words(&["redis-sentinel", &file.display().to_string()]),
        folder,
        name,
        machine: Some(machine),
        user: "redis",
        nice: NICE_STORE,
        environment: Vec::new(),
    };
    Unit { program, kind: Kind::Sentinel }
}

fn prometheus(layout: &Layout) -> Unit {
    let data = layout.data("prometheus");
    let line = [
        "prometheus",
        &format!("--config.file={}", layout.etc().join("prometheus.yml").display()),
        &format!("--storage.tsdb.path={}", data.display()),
        "--storage.tsdb.retention.time=24h",
        &format!("--web.listen-address={}", on_host(port::PROMETHEUS)),
    ];
    plain("prometheus", None, "prometheus", NICE_OBSERVER, words(&line), data)
}

fn alertmanager(layout: &Layout) -> Unit {
    let data = layout.data("alertmanager");
    let line = [
        "prometheus-alertmanager",
        &format!("--config.file={}", layout.etc().join("alertmanager.yml").display()),
        &format!("--storage.path={}", data.display()),
        &format!("--web.listen-address={}", on_host(port::ALERTMANAGER)),
        // Alone: it looks for no others.
        "--cluster.listen-address=",
    ];
    plain("alertmanager", None, "prometheus", NICE_OBSERVER, words(&line), data)
}

fn node_exporter(layout: &Layout) -> Unit {
    let listen = format!("--web.listen-address={}", on_host(port::NODE_EXPORTER));
    observer(layout, "node-exporter", None, words(&["prometheus-node-exporter", &listen]))
}

fn postgres_exporter(layout: &Layout, machine: Machine) -> Unit {
    let listen = format!("--web.listen-address={}", machine.at(port::POSTGRES_EXPORTER));
    let queries = format!("--extend.query-path={}", layout.etc().join("postgres-queries.yml").display());
    let name = format!("postgres-exporter{}", machine.number());
    let mut unit =
        observer(layout, &name, Some(machine), words(&["prometheus-postgres-exporter", &listen, &queries]));
    let source = format!("host={} user=postgres dbname=postgres", machine.postgres_socket_dir());
    unit.program.environment.push(("DATA_SOURCE_NAME", source));
    unit
}

fn redis_exporter(layout: &Layout, machine: Machine) -> Unit {
    let listen = format!("--web.listen-address={}", machine.at(port::REDIS_EXPORTER));
    let redis = format!("--redis.addr=unix://{}", machine.redis_socket());
    let name = format!("redis-exporter{}", machine.number());
    observer(layout, &name, Some(machine), words(&["prometheus-redis-exporter", &redis, &listen]))
}

fn observer(layout: &Layout, name: &str, machine: Option<Machine>, words: Vec<String>) -> Unit {
    plain(name, machine, "prometheus", NICE_OBSERVER, words, layout.dir().to_path_buf())
}

fn plain(
    name: &str,
    machine: Option<Machine>,
    user: &'static str,
    nice: i32,
    words: Vec<String>,
    folder: std::path::PathBuf,
) -> Unit {
    let program =
        Program { name: name.to_owned(), machine, user, nice, words, environment: Vec::new(), folder };
    Unit { program, kind: Kind::Plain }
}

/// Addresses for people, printed when the lab is up.
pub(crate) fn addresses() -> Vec<(&'static str, String)> {
    let (shop, prometheus, alertmanager) = (port::SHOP, port::PROMETHEUS, port::ALERTMANAGER);
    let (haproxy, status) = (port::HAPROXY_METRICS, port::STATUS);
    vec![
        ("shop", format!("http://{HOST}:{shop}")),
        (
            "postgres",
            format!(
                "postgres://{}@{HOST}:{}/{}",
                crate::layout::ROLE,
                port::POSTGRES,
                crate::layout::DATABASE
            ),
        ),
        ("redis", format!("redis://{HOST}:{}", port::REDIS)),
        ("prometheus", format!("http://{HOST}:{prometheus}")),
        ("alertmanager", format!("http://{HOST}:{alertmanager}")),
        ("status", format!("http://{HOST}:{status}/status")),
        ("haproxy", format!("http://{HOST}:{haproxy}/")),
    ]
}
