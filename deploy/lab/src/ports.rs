//! Are the lab's addresses and ports free, and who holds them if not.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Deserialize;

use crate::exec;
use crate::layout::{BRIDGE, HOST, NETWORK, port};
use crate::procs;

/// A socket that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listener {
    address: IpAddr,
    port: u16,
    inode: u64,
}

/// Everything that is in the lab's way, one line each; empty when nothing is.
pub(crate) fn conflicts() -> Result<Vec<String>, exec::Error> {
    let mut found = taken_addresses(&exec::run("ip", &["-json", "address", "show"])?);
    let tables =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|file| std::fs::read_to_string(file).unwrap_or_default());
    let listeners: Vec<Listener> = tables.iter().flat_map(|table| parse_listeners(table)).collect();
    let blocking: Vec<(&Listener, &str)> = blocking(&listeners);
    if !blocking.is_empty() {
        let holders = holders();
        found.extend(blocking.iter().map(|(listener, wanted_by)| {
            let holder = holders.get(&listener.inode).map_or("an unknown process", String::as_str);
            format!(
                "port {} on {} is held by {holder}; {wanted_by} needs it",
                listener.port, listener.address
            )
        }));
    }
    Ok(found)
}

// A socket on every address takes the port on the lab's address too.
fn blocking(listeners: &[Listener]) -> Vec<(&Listener, &'static str)> {
    let in_the_way =
        |listener: &&Listener| listener.address.is_unspecified() || listener.address == IpAddr::V4(HOST);
    let wanted = |listener: &Listener| {
        port::ON_HOST.iter().find(|(port, _)| *port == listener.port).map(|(_, wanted_by)| *wanted_by)
    };
    listeners.iter().filter(in_the_way).filter_map(|listener| Some((listener, wanted(listener)?))).collect()
}

fn parse_listeners(table: &str) -> Vec<Listener> {
    const LISTEN: &str = "0A";
    let parse = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (address, port) = fields.get(1)?.split_once(':')?;
        (*fields.get(3)? == LISTEN).then_some(())?;
        Some(Listener {
            address: parse_address(address)?,
            port: u16::from_str_radix(port, 16).ok()?,
            inode: fields.get(9)?.parse().ok()?,
        })
    };
    table.lines().skip(1).filter_map(parse).collect()
}

// The kernel prints each 32-bit word of an address in the machine's byte order.
fn parse_address(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    match hex.len() {
        8 => Some(IpAddr::V4(Ipv4Addr::from(word(0)?))),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?].concat();
            let bytes: [u8; 16] = words.try_into().ok()?;
            let address = Ipv6Addr::from(bytes);
            Some(address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4))
        }
        _ => None,
    }
}

// Socket inode to "name (process number)".
fn holders() -> HashMap<u64, String> {
    let mut holders = HashMap::new();
    for pid in procs::all() {
        let Ok(descriptors) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
        for target in descriptors.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok()) {
            let target = target.to_string_lossy();
            let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']')?.parse().ok());
            if let (Some(inode), Some(stat)) = (inode, procs::stat(pid)) {
                holders.insert(inode, format!("{} (process {pid})", stat.name));
            }
        }
    }
    holders
}

#[derive(Deserialize)]
struct Interface {
    ifname: String,
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    local: String,
}

fn taken_addresses(interfaces: &str) -> Vec<String> {
    let interfaces: Vec<Interface> = serde_json::from_str(interfaces).unwrap_or_default();
    let prefix = HOST.octets();
    let ours = |address: &Address| {
        address.local.parse::<Ipv4Addr>().is_ok_and(|local| local.octets()[..3] == prefix[..3])
    };
    let others = interfaces.iter().filter(|interface| interface.ifname != BRIDGE);
    others
        .flat_map(|interface| {
            interface.addr_info.iter().filter(|address| ours(address)).map(move |a| (interface, a))
        })
        .map(|(interface, address)| {
            format!(
                "address {} is on interface {}; the lab's network is {NETWORK}",
                address.local, interface.ifname
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 111 1
   1: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1
   2: 00000000:1F90 0A0A0A0A:1234 01 00000000:00000000 00:00000000 00000000     0        0 333 1
";

    #[test]
    fn a_listener_on_all_addresses_blocks_and_one_on_loopback_does_not() {
        let listeners = parse_listeners(TABLE);
        assert_eq!(listeners.len(), 2);
        let blocking = blocking(&listeners);
        assert_eq!(blocking.len(), 1);
        assert_eq!(
            (blocking[0].0.port, blocking[0].0.inode, blocking[0].1),
            (5432, 111, "haproxy (postgres)")
        );
    }

    #[test]
    fn addresses_of_both_families_are_read() {
        assert_eq!(parse_address("0100007F"), Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let unspecified = parse_address(&"0".repeat(32));
        assert!(unspecified.is_some_and(|address| address.is_unspecified()));
        let mapped = parse_address("0000000000000000FFFF00000100007F");
        assert_eq!(mapped, Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    }

    #[test]
    fn an_address_of_the_labs_network_elsewhere_is_named() {
        let json = r#"[{"ifname":"eth7","addr_info":[{"local":"198.18.79.1"},{"local":"fe80::1"}]},
                       {"ifname":"ordeal-lab0","addr_info":[{"local":"198.18.79.1"}]}]"#;
        let found = taken_addresses(json);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("eth7"), "{found:?}");
    }
}
