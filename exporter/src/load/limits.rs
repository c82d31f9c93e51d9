//! What the machine allows: descriptors and local ports, one of each per user.

use std::io;

use crate::count::count;

/// Descriptors kept for everything that is not a user: probes, ledgers, scrapes, journals.
const OTHER_DESCRIPTORS: u64 = 256;

const PORT_RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// What there is, and what users need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Descriptors that this process may have.
    pub descriptors: u64,
    /// Descriptors that it needs.
    pub descriptors_needed: u64,
    /// Local ports towards one address of the target; `None` where the system does not say.
    pub ports: Option<u64>,
    /// Ports that users need.
    pub ports_needed: u64,
}

impl Limits {
    /// One line for each limit that is too low, with what to do.
    pub fn shortfalls(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.descriptors < self.descriptors_needed {
            lines.push(format!(
                "{} file descriptors allowed, {} needed: raise the hard limit (ulimit -Hn)",
                self.descriptors, self.descriptors_needed
            ));
        }
        if let Some(ports) = self.ports.filter(|&ports| ports < self.ports_needed) {
            lines.push(format!(
                "{ports} local ports for {}: widen net.ipv4.ip_local_port_range",
                count(self.ports_needed, "user")
            ));
        }
        lines
    }
}

/// Raises the soft limit of descriptors to the hard one and returns it.
pub fn raise_descriptor_limit() -> io::Result<u64> {
    rlimit::increase_nofile_limit(u64::MAX)
}

/// What the machine allows for `users`.
pub fn limits_report(users: usize) -> io::Result<Limits> {
    let (descriptors, _) = rlimit::getrlimit(rlimit::Resource::NOFILE)?;
    let users = users as u64;
    Ok(Limits {
        descriptors,
        descriptors_needed: users + OTHER_DESCRIPTORS,
        ports: std::fs::read_to_string(PORT_RANGE).ok().as_deref().and_then(ports_in),
        ports_needed: users,
    })
}

/// The number of ports in a range written as `first last`.
fn ports_in(range: &str) -> Option<u64> {
    let mut ends = range.split_whitespace().map(str::parse::<u64>);
    let (first, last) = (ends.next()?.ok()?, ends.next()?.ok()?);
    Some((last + 1).saturating_sub(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_ports_is_counted_with_both_ends() {
        assert_eq!(ports_in("32768\t60999\n"), Some(28_232));
        assert_eq!((ports_in("7"), ports_in("a b"), ports_in("9 1")), (None, None, Some(0)));
    }

    #[test]
    fn what_is_too_low_is_named() {
        let enough =
            Limits { descriptors: 1256, descriptors_needed: 1256, ports: Some(1000), ports_needed: 1000 };
        assert_eq!(enough.shortfalls(), Vec::<String>::new());
        let short = Limits { descriptors: 1024, ports: Some(999), ..enough };
        assert_eq!(short.shortfalls().len(), 2);
        assert_eq!(Limits { ports: None, ..enough }.shortfalls().len(), 0);
    }

    #[test]
    fn this_machine_says_what_it_allows() {
        let raised = raise_descriptor_limit().expect("a limit");
        let limits = limits_report(10).expect("limits");
        assert_eq!((limits.descriptors, limits.descriptors_needed), (raised, 266));
    }
}
