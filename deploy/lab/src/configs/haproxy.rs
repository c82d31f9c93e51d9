//! `HAProxy`: the addresses that clients use.

use std::fmt::Write;

use crate::layout::{HOST, Layout, Machine, SHOP_SLOTS, port};

/// Backend of the shop.
pub(crate) const SHOP_BACKEND: &str = "shop";

/// The configuration.
///
/// The shop's replicas come and go: the backend has a number of places, disabled until the supervisor puts a
/// replica's address in. A request whose replica dies or disappears before it answers is sent to another one;
/// the shop's writes carry ids made by the client, so a repeat is harmless. A machine that is cut off answers
/// nothing, not even with a reset: unacknowledged data and unanswered keep-alives give its connections up after
/// 2 s, whereas one that only computes is waited for (marking it down would close its clients' connections
/// instead of asking another). Redis' master is the one with
/// replicas: after a partition the old one still says `master` until a Sentinel corrects it.
pub(crate) fn configuration(layout: &Layout) -> String {
    let socket = layout.haproxy_socket();
    let socket = socket.display();
    let (metrics, shop, postgres, redis) = (port::HAPROXY_METRICS, port::SHOP, port::POSTGRES, port::REDIS);
    let (patroni, unused) = (port::PATRONI, port::REPLICA_BASE);
    let placeholder = Machine::N1.address();
    let mut postgres_servers = String::new();
    for machine in Machine::WITH_POSTGRES {
        let (name, address) = (machine.postgres(), machine.address());
        let _ = writeln!(postgres_servers, "  server {name} {address}:{postgres} check port {patroni}");
    }
    let mut redis_servers = String::new();
    for machine in Machine::ALL {
        let _ = writeln!(redis_servers, "  server {} {}:{redis} check", machine.redis(), machine.address());
    }
    // Not `server-template`, nor `default-server`: neither hands the TCP time-out on to its servers.
    let mut shop_servers = String::new();
    for place in 1..=SHOP_SLOTS {
        let _ =
            writeln!(shop_servers, "  server slot{place} {placeholder}:{unused} check disabled tcp-ut 2s");
    }
    format!(
        r#"global
  maxconn 8000
  no strict-limits
  user haproxy
  group haproxy
  stats socket "{socket}" mode 600 level admin
  nbthread 1

defaults
  mode tcp
  timeout connect 1s
  timeout client 1h
  timeout server 1h
  timeout check 1s
  option clitcpka
  option srvtcpka
  option redispatch 1
  retries 3

frontend metrics
  bind {HOST}:{metrics}
  mode http
  timeout client 30s
  http-request use-service prometheus-exporter if {{ path /metrics }}
  stats enable
  stats uri /

listen postgres
  bind {HOST}:{postgres}
  option httpchk
  http-check send meth OPTIONS uri /primary
  http-check expect status 200
  default-server inter 500ms fastinter 250ms downinter 250ms fall 2 rise 1 on-marked-down shutdown-sessions
{postgres_servers}
listen redis
  bind {HOST}:{redis}
  option tcp-check
  tcp-check connect
  tcp-check send info\ replication\r\n
  tcp-check expect rstring role:master[[:space:]]+connected_slaves:[1-9]
  default-server inter 500ms fastinter 250ms downinter 250ms fall 2 rise 1 on-marked-down shutdown-sessions
{redis_servers}
listen {SHOP_BACKEND}
  bind {HOST}:{shop}
  mode http
  balance roundrobin
  timeout client 75s
  timeout http-keep-alive 75s
  timeout server 20s
  timeout queue 5s
  retries 4
  retry-on conn-failure empty-response
  option srvtcpka
  srvtcpka-idle 1s
  srvtcpka-intvl 1s
  srvtcpka-cnt 2
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host shop
  http-check expect status 200
  default-server inter 500ms fastinter 200ms downinter 250ms fall 2 rise 1
{shop_servers}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_is_a_server_and_the_shop_has_places() {
        let text = configuration(&Layout::new("/tmp/lab".into()));
        for server in
            ["server pg1 198.18.79.11:5432", "server pg2 198.18.79.12:5432", "server redis3 198.18.79.13"]
        {
            assert!(text.contains(server), "{server}");
        }
        assert_eq!(text.matches("check disabled tcp-ut").count(), SHOP_SLOTS);
    }
}
