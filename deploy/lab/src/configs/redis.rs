//! Redis and its Sentinels, one of each a machine.

use crate::layout::{Layout, Machine, REDIS_MASTER, port};

/// A member's `redis.conf`; `master` is the machine to follow, the member's own when it is to be master.
///
/// Without `min-replicas-to-write` an isolated master goes on acknowledging writes that are lost when it rejoins.
/// What is written to the append-only file survives the server's death; waiting for the disk as well would only
/// guard against the death of the whole computer, and a busy disk would look like a dead master.
pub(crate) fn member(layout: &Layout, machine: Machine, master: Machine) -> String {
    let address = machine.address();
    let (port, socket) = (port::REDIS, machine.redis_socket());
    let data = layout.data(&machine.redis());
    let data = data.display();
    let follow =
        if machine == master { String::new() } else { format!("replicaof {} {port}\n", master.address()) };
    format!(
        r#"bind {address}
port {port}
unixsocket {socket}
unixsocketperm 777
dir "{data}"
daemonize no
protected-mode no
appendonly yes
appendfsync no
save ""
repl-diskless-sync yes
repl-diskless-sync-delay 0
repl-timeout 5
repl-ping-replica-period 1
replica-announce-ip {address}
replica-announce-port {port}
min-replicas-to-write 1
min-replicas-max-lag 1
{follow}"#
    )
}

/// A Sentinel's first configuration; it rewrites the file with what it learns.
pub(crate) fn sentinel(layout: &Layout, machine: Machine) -> String {
    let address = machine.address();
    let master = Machine::N1.address();
    let (redis, port) = (port::REDIS, port::SENTINEL);
    let data = layout.data(&sentinel_name(machine));
    let data = data.display();
    format!(
        r#"bind {address}
port {port}
dir "{data}"
daemonize no
protected-mode no
sentinel announce-ip {address}
sentinel announce-port {port}
sentinel monitor {REDIS_MASTER} {master} {redis} 2
sentinel down-after-milliseconds {REDIS_MASTER} 2000
sentinel failover-timeout {REDIS_MASTER} 6000
sentinel parallel-syncs {REDIS_MASTER} 2
"#
    )
}

/// Name of the machine's Sentinel.
pub(crate) fn sentinel_name(machine: Machine) -> String {
    format!("sentinel{}", machine.number())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_follower_follows() {
        let layout = Layout::new("/tmp/lab".into());
        assert!(!member(&layout, Machine::N1, Machine::N1).contains("replicaof"));
        assert!(member(&layout, Machine::N1, Machine::N3).contains("replicaof 198.18.79.13 6379"));
    }
}
