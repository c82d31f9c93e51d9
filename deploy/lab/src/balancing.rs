//! Which replica has which place in `HAProxy`, and the commands that make it so. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddrV4;

use crate::configs::haproxy::SHOP_BACKEND;
use crate::layout::SHOP_SLOTS;
use crate::replicas::Id;

/// Whether a place gets requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// New requests.
    Ready,
    /// None but those it has.
    Drain,
    /// Empty.
    Off,
}

/// A place as `HAProxy` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) mode: Mode,
}

/// Who sits where.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    taken: BTreeMap<Id, usize>,
}

impl Places {
    /// Frees the places of those gone, gives one to each newcomer.
    pub(crate) fn seat(&mut self, wanted: &BTreeSet<Id>) {
        self.taken.retain(|id, _| wanted.contains(id));
        for id in wanted {
            let free = (1..=SHOP_SLOTS).find(|place| !self.taken.values().any(|taken| taken == place));
            if let (false, Some(place)) = (self.taken.contains_key(id), free) {
                self.taken.insert(*id, place);
            }
        }
    }

    /// The replica in a slot.
    pub(crate) fn in_slot(&self, name: &str) -> Option<Id> {
        self.taken.iter().find(|(_, place)| slot_name(**place) == name).map(|(id, _)| *id)
    }
}

fn slot_name(place: usize) -> String {
    format!("slot{place}")
}

/// The commands from what is to what should be; none when they are the same.
pub(crate) fn commands(
    places: &Places,
    wanted: &BTreeMap<Id, (SocketAddrV4, Mode)>,
    slots: &[Slot],
) -> Vec<String> {
    let mut commands = Vec::new();
    for slot in slots {
        let server = format!("{SHOP_BACKEND}/{}", slot.name);
        match places.in_slot(&slot.name).and_then(|id| wanted.get(&id)) {
            None if slot.mode == Mode::Off => {}
            None => commands.push(format!("set server {server} state maint")),
            Some((address, mode)) => {
                if slot.address != address.to_string() {
                    commands.push(format!(
                        "set server {server} addr {} port {}",
                        address.ip(),
                        address.port()
                    ));
                }
                if slot.mode != *mode {
                    let state = if *mode == Mode::Ready { "ready" } else { "drain" };
                    commands.push(format!("set server {server} state {state}"));
                }
            }
        }
    }
    commands
}

/// Reads `show servers state shop`.
pub(crate) fn parse_slots(text: &str) -> Vec<Slot> {
    const FORCED_MAINTENANCE: u32 = 0x01;
    const FORCED_DRAIN: u32 = 0x08;
    let mut header: Vec<&str> = Vec::new();
    let mut slots = Vec::new();
    for line in text.lines() {
        if let Some(names) = line.strip_prefix("# ") {
            header = names.split_whitespace().collect();
            continue;
        }
        let values: Vec<&str> = line.split_whitespace().collect();
        let value = |name: &str| values.get(header.iter().position(|field| *field == name)?).copied();
        let slot = || {
            let admin: u32 = value("srv_admin_state")?.parse().ok()?;
            let mode = match admin {
                bits if bits & FORCED_MAINTENANCE != 0 => Mode::Off,
                bits if bits & FORCED_DRAIN != 0 => Mode::Drain,
                _ => Mode::Ready,
            };
            let address = format!("{}:{}", value("srv_addr")?, value("srv_port")?);
            Some(Slot { name: value("srv_name")?.to_owned(), address, mode })
        };
        slots.extend(slot());
    }
    slots
}

/// What `show stat` says of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) name: String,
    pub(crate) up: bool,
    pub(crate) in_flight: u32,
}

/// Reads `show stat shop 4 -1`.
pub(crate) fn parse_loads(text: &str) -> Vec<Load> {
    let mut lines = text.lines();
    let Some(header) = lines.find_map(|line| line.strip_prefix("# ")) else { return Vec::new() };
    let header: Vec<&str> = header.split(',').collect();
    let load = |line: &str| {
        let values: Vec<&str> = line.split(',').collect();
        let value = |name: &str| values.get(header.iter().position(|field| *field == name)?).copied();
        Some(Load {
            name: value("svname")?.to_owned(),
            up: value("status")?.starts_with("UP"),
            in_flight: value("scur")?.parse().ok()?,
        })
    };
    lines.filter_map(load).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Machine;

    const STATE: &str = "1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_fqdn srv_port
5 shop 1 slot1 198.18.79.11 2 0 - 18001
5 shop 2 slot2 198.18.79.11 0 5 - 18000
5 shop 3 slot3 198.18.79.12 2 8 - 18003
";

    fn wanted(list: &[(Id, Machine, Mode)]) -> BTreeMap<Id, (SocketAddrV4, Mode)> {
        let port = |id: Id| 18000 + u16::try_from(id).expect("small");
        list.iter().map(|(id, machine, mode)| (*id, (machine.at(port(*id)), *mode))).collect()
    }

    fn seated(ids: &[Id]) -> Places {
        let mut places = Places::default();
        for id in ids {
            let so_far = ids.iter().copied().filter(|other| other <= id).collect();
            places.seat(&so_far);
        }
        places
    }

    #[test]
    fn what_is_right_already_needs_no_command() {
        let wanted = wanted(&[(1, Machine::N1, Mode::Ready)]);
        let slots = parse_slots(STATE);
        assert_eq!(commands(&seated(&[1]), &wanted, &slots[..2]), Vec::<String>::new());
    }

    #[test]
    fn a_newcomer_gets_address_then_requests_and_the_gone_are_switched_off() {
        let wanted = wanted(&[(1, Machine::N1, Mode::Drain), (2, Machine::N2, Mode::Ready)]);
        let expected = [
            "set server shop/slot1 state drain",
            "set server shop/slot2 addr 198.18.79.12 port 18002",
            "set server shop/slot2 state ready",
            "set server shop/slot3 state maint",
        ];
        assert_eq!(commands(&seated(&[1, 2]), &wanted, &parse_slots(STATE)), expected);
    }

    #[test]
    fn a_place_is_kept_while_others_come_and_go() {
        let mut places = seated(&[1, 2, 3]);
        places.seat(&BTreeSet::from([1, 3, 4, 5]));
        let sitting: Vec<_> = (1..=5).map(|place| places.in_slot(&slot_name(place))).collect();
        assert_eq!(sitting, [Some(1), Some(4), Some(3), Some(5), None]);
    }

    #[test]
    fn loads_are_read_by_column_name() {
        let text = "# pxname,svname,scur,status,\nshop,slot1,3,UP,\nshop,slot2,0,MAINT,\n";
        let expected = [
            Load { name: "slot1".to_owned(), up: true, in_flight: 3 },
            Load { name: "slot2".to_owned(), up: false, in_flight: 0 },
        ];
        assert_eq!(parse_loads(text), expected);
    }
}
