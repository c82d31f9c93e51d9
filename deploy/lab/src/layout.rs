//! Names, addresses, ports and paths of the lab: everything that two places must agree on.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The lab's own address outside the machines, on the bridge.
pub(crate) const HOST: Ipv4Addr = Ipv4Addr::new(198, 18, 79, 1);
/// The lab's network.
pub(crate) const NETWORK: &str = "198.18.79.0/24";
/// The bridge that joins the machines.
pub(crate) const BRIDGE: &str = "ordeal-lab0";
/// Short fixed path to the running lab's `run` folder: a trial can name sockets whatever the state folder is,
/// and the paths stay below the 107 bytes that a unix socket's address may have.
pub(crate) const RUN_LINK: &str = "/run/ordeal-lab";
/// Database that the shop uses.
pub(crate) const DATABASE: &str = "shop";
/// Role that owns the database and that probes and ledgers use.
pub(crate) const ROLE: &str = "ordeal";
/// Name of the master in the Sentinels' configuration.
pub(crate) const REDIS_MASTER: &str = "lab";
/// A killed store member comes back after three times Patroni's leader lease, so that the failover is over.
pub(crate) const MEMBER_COMEBACK: Duration = Duration::from_secs(15);
/// Places in `HAProxy` for the shop's replicas: the autoscaler's maximum, and as many again for a drain's surge.
pub(crate) const SHOP_SLOTS: usize = 20;

/// Ports. Those of services outside the machines are on [`HOST`].
pub(crate) mod port {
    pub(crate) const SHOP: u16 = 8080;
    pub(crate) const POSTGRES: u16 = 5432;
    pub(crate) const REDIS: u16 = 6379;
    pub(crate) const SENTINEL: u16 = 26379;
    pub(crate) const PATRONI: u16 = 8008;
    pub(crate) const HAPROXY_METRICS: u16 = 8404;
    pub(crate) const STATUS: u16 = 8500;
    pub(crate) const ETCD: u16 = 2379;
    pub(crate) const ETCD_PEER: u16 = 2380;
    pub(crate) const PROMETHEUS: u16 = 9090;
    pub(crate) const ALERTMANAGER: u16 = 9093;
    pub(crate) const NODE_EXPORTER: u16 = 9100;
    pub(crate) const REDIS_EXPORTER: u16 = 9121;
    pub(crate) const POSTGRES_EXPORTER: u16 = 9187;
    /// Replica n listens on this + n mod 10000: no id is reused, and it stays below the ephemeral ports.
    pub(crate) const REPLICA_BASE: u16 = 18000;
    /// What must be free on the host before the lab starts, and for whom.
    pub(crate) const ON_HOST: [(u16, &str); 10] = [
        (SHOP, "haproxy (shop)"),
        (POSTGRES, "haproxy (postgres)"),
        (REDIS, "haproxy (redis)"),
        (HAPROXY_METRICS, "haproxy (metrics)"),
        (STATUS, "status document"),
        (ETCD, "etcd"),
        (ETCD_PEER, "etcd (peers)"),
        (PROMETHEUS, "prometheus"),
        (ALERTMANAGER, "alertmanager"),
        (NODE_EXPORTER, "node exporter"),
    ];
}

/// A service's address outside the machines.
pub(crate) fn on_host(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(HOST, port)
}

/// One of the lab's machines: a network namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Machine {
    N1,
    N2,
    N3,
}

impl Machine {
    pub(crate) const ALL: [Machine; 3] = [Machine::N1, Machine::N2, Machine::N3];
    /// Machines that have a `PostgreSQL` member.
    pub(crate) const WITH_POSTGRES: [Machine; 2] = [Machine::N1, Machine::N2];

    /// 1, 2 or 3.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::N1 => 1,
            Self::N2 => 2,
            Self::N3 => 3,
        }
    }

    pub(crate) fn name(self) -> String {
        format!("n{}", self.number())
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|machine| machine.name() == name)
    }

    /// The machine of a store member, such as `pg1` or `redis3`.
    pub(crate) fn of_member(prefix: &str, member: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|machine| member == format!("{prefix}{}", machine.number()))
    }

    pub(crate) fn with_address(address: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|machine| machine.address().to_string() == address)
    }

    pub(crate) fn namespace(self) -> String {
        format!("ordeal-lab-n{}", self.number())
    }

    pub(crate) fn namespace_path(self) -> String {
        format!("/run/netns/{}", self.namespace())
    }

    pub(crate) fn address(self) -> Ipv4Addr {
        Ipv4Addr::new(198, 18, 79, 10 + self.number())
    }

    pub(crate) fn at(self, port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(self.address(), port)
    }

    /// Name of the machine's `PostgreSQL` member.
    pub(crate) fn postgres(self) -> String {
        format!("pg{}", self.number())
    }

    /// Name of the machine's Redis member.
    pub(crate) fn redis(self) -> String {
        format!("redis{}", self.number())
    }

    /// Folder of the member's `PostgreSQL` socket.
    pub(crate) fn postgres_socket_dir(self) -> String {
        format!("{RUN_LINK}/{}", self.postgres())
    }

    /// The member's Redis socket.
    pub(crate) fn redis_socket(self) -> String {
        format!("{RUN_LINK}/{}/redis.sock", self.redis())
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())
    }
}

/// The state folder and what lies where in it.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    dir: PathBuf,
}

impl Layout {
    /// `dir` must be absolute: programs of other users and folders are told about it.
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The lab that runs now, wherever its folder is.
    pub(crate) fn running() -> Option<Self> {
        let run = std::fs::read_link(RUN_LINK).ok()?;
        run.parent().map(|dir| Self::new(dir.to_path_buf()))
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Marks the folder as a lab's, so that `down` never removes anything else; holds the options of `up`.
    pub(crate) fn marker(&self) -> PathBuf {
        self.dir.join("lab.json")
    }

    pub(crate) fn bin(&self) -> PathBuf {
        self.dir.join("bin")
    }

    pub(crate) fn etc(&self) -> PathBuf {
        self.dir.join("etc")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    pub(crate) fn run(&self) -> PathBuf {
        self.dir.join("run")
    }

    pub(crate) fn pids(&self) -> PathBuf {
        self.dir.join("pid")
    }

    /// Records of the faults injected, for `bit` and `revert`.
    pub(crate) fn faults(&self) -> PathBuf {
        self.dir.join("faults")
    }

    /// A store's data, or Prometheus'.
    pub(crate) fn data(&self, name: &str) -> PathBuf {
        self.dir.join("data").join(name)
    }

    /// A member's data directory, inside a folder of its user's: Patroni moves or replaces it as a whole.
    pub(crate) fn postgres_data(&self, machine: Machine) -> PathBuf {
        self.data(&machine.postgres()).join("main")
    }

    /// WAL archive shared by the `PostgreSQL` members.
    pub(crate) fn archive(&self) -> PathBuf {
        self.dir.join("archive")
    }

    /// Data directory of a killed primary, copied aside.
    pub(crate) fn dead(&self) -> PathBuf {
        self.dir.join("dead")
    }

    pub(crate) fn control_socket(&self) -> PathBuf {
        self.run().join("lab.sock")
    }

    pub(crate) fn haproxy_socket(&self) -> PathBuf {
        self.run().join("haproxy.sock")
    }

    pub(crate) fn log_file(&self, name: &str) -> PathBuf {
        self.log().join(format!("{name}.log"))
    }

    pub(crate) fn pid_file(&self, name: &str) -> PathBuf {
        self.pids().join(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_name_and_address() {
        assert_eq!(Machine::of_member("pg", "pg2"), Some(Machine::N2));
        assert_eq!(Machine::of_member("pg", "redis2"), None);
        assert_eq!(Machine::with_address("198.18.79.13"), Some(Machine::N3));
        assert_eq!(Machine::named("n4"), None);
    }
}
