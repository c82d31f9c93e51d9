//! Patroni and `PostgreSQL`, one member a machine.

use crate::layout::{HOST, Layout, Machine, NETWORK, port};

/// Where Debian has the server's programs.
pub(crate) const SERVER_PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// A member's `patroni.yml`.
///
/// The short lease bounds the time to a new primary (measured: 5 to 6 s after a kill). `master_start_timeout: 0`
/// fails over instead of waiting for a crashed primary. The lag limit is wide so that an asynchronous standby
/// held back for a second may still be promoted: that loss is what the losing trial is about.
pub(crate) fn member(layout: &Layout, machine: Machine, synchronous: bool) -> String {
    let name = machine.postgres();
    let address = machine.address();
    let data = layout.postgres_data(machine);
    let (data, etc) = (data.display(), layout.etc());
    let sockets = machine.postgres_socket_dir();
    let archiver = etc.join("archive-wal");
    let archiver = archiver.display();
    let (rest, postgres, etcd) = (port::PATRONI, port::POSTGRES, port::ETCD);
    let pgpass = layout.run().join(&name).join("pgpass");
    let pgpass = pgpass.display();
    format!(
        r#"scope: lab
namespace: /ordeal/
name: {name}
restapi:
  listen: {address}:{rest}
  connect_address: {address}:{rest}
etcd:
  host: {HOST}:{etcd}
bootstrap:
  dcs:
    ttl: 5
    loop_wait: 1
    retry_timeout: 1
    maximum_lag_on_failover: 67108864
    master_start_timeout: 0
    synchronous_mode: {synchronous}
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters:
        wal_level: replica
        hot_standby: "on"
        max_connections: 300
        max_wal_senders: 10
        max_replication_slots: 10
        wal_log_hints: "on"
        wal_keep_size: 256MB
        max_wal_size: 512MB
        wal_sender_timeout: 3s
        wal_receiver_timeout: 3s
        wal_receiver_status_interval: 1s
        wal_retrieve_retry_interval: 500ms
        track_commit_timestamp: "on"
        archive_mode: "on"
        archive_timeout: 30s
        archive_command: '"{archiver}" "%p" "%f"'
  initdb:
    - encoding: UTF8
    - locale: C.UTF-8
    - wal-segsize: '4'
    - auth-host: trust
    - auth-local: trust
postgresql:
  listen: {address}:{postgres}
  connect_address: {address}:{postgres}
  data_dir: "{data}"
  bin_dir: {SERVER_PROGRAMS}
  pgpass: "{pgpass}"
  remove_data_directory_on_rewind_failure: true
  remove_data_directory_on_diverged_timelines: true
  basebackup:
    - checkpoint: fast
  pg_hba:
    - local all all trust
    - local replication all trust
    - host all all {NETWORK} trust
    - host replication all {NETWORK} trust
  authentication:
    superuser: {{username: postgres}}
    replication: {{username: replicator}}
    rewind: {{username: rewinder}}
  parameters:
    unix_socket_directories: {sockets}
    shared_buffers: 64MB
    dynamic_shared_memory_type: mmap
    max_parallel_workers_per_gather: 0
    jit: "off"
    tcp_keepalives_idle: 5
    tcp_keepalives_interval: 1
    tcp_keepalives_count: 3
    log_line_prefix: "%m [%p] "
watchdog: {{mode: "off", safety_margin: 1}}
"#
    )
}

/// The archive command: succeeds for a segment that is archived already with the same content (a new primary
/// may archive it again), fails for one with other content, and is only done when the copy is on disk.
pub(crate) fn archive_command(layout: &Layout) -> String {
    let archive = layout.archive();
    let archive = archive.display();
    format!(
        r#"#!/bin/sh
# usage: archive-wal PATH NAME
set -eu
kept="{archive}/$2"
if [ -e "$kept" ]; then
    exec cmp -s "$1" "$kept"
fi
copy="{archive}/.$2.$$"
trap 'rm -f "$copy"' EXIT
cp "$1" "$copy"
sync "$copy"
mv "$copy" "$kept"
sync "{archive}"
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replication_is_as_asked_and_bound_to_the_machine() {
        let layout = Layout::new("/tmp/lab".into());
        let text = member(&layout, Machine::N2, false);
        assert!(text.contains("synchronous_mode: false"));
        assert!(text.contains("listen: 198.18.79.12:5432"));
        assert!(text.contains("unix_socket_directories: /run/ordeal-lab/pg2"));
        assert!(member(&layout, Machine::N1, true).contains("synchronous_mode: true"));
    }
}
