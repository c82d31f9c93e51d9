//! Policies that keep two groups of pods apart and nothing else. Pure.
//!
//! A policy only lets through, so one that forbids says whom it lets through: everybody but the other group, by labels
//! and, for networks that know addresses only, by blocks of addresses. Where policies already say what goes in or out
//! of a group, such a policy of ours would let more through than they did: then it is put on the other end of that
//! way.

use std::collections::BTreeMap;
use std::net::IpAddr;

use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
    NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::{Selector, SelectorExt};

use super::{Cut, SUFFIXES, about};
use crate::trial::Requirement;

/// The label by which the API server tells each namespace apart.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// One of the two groups.
#[derive(Debug, Clone)]
pub(in crate::chaos::faults) struct Side<'a> {
    /// Who belongs to it.
    pub(in crate::chaos::faults) whom: &'a Requirement,
    /// The labels of each pod of it.
    pub(in crate::chaos::faults) labels: Vec<BTreeMap<String, String>>,
    /// The addresses of its pods.
    pub(in crate::chaos::faults) addresses: Vec<IpAddr>,
}

/// A way through a pod's edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

/// What keeps `one` and `other` apart, both ways, in `namespace`; else the names of the policies because of which
/// neither end of a way is free.
pub(in crate::chaos::faults) fn apart(
    namespace: &str,
    one: &Side<'_>,
    other: &Side<'_>,
    policies: &[NetworkPolicy],
) -> Result<Vec<Cut>, Vec<String>> {
    let mut ways: [Vec<Way>; 2] = [Vec::new(), Vec::new()];
    for (from, to) in [(0, 1), (1, 0)] {
        let side = |index| if index == 0 { one } else { other };
        let (leaving, entering) = (said(policies, side(from), Way::Out), said(policies, side(to), Way::In));
        if leaving.is_empty() {
            ways[from].push(Way::Out);
        } else if entering.is_empty() {
            ways[to].push(Way::In);
        } else {
            return Err([leaving, entering].concat());
        }
    }
    let [of_one, of_other] = ways;
    let [_, whom, from] = SUFFIXES;
    let cuts = [(whom, of_one, one, other), (from, of_other, other, one)];
    let cuts = cuts.into_iter().filter(|(_, ways, ..)| !ways.is_empty());
    Ok(cuts
        .map(|(suffix, ways, whom, but)| Cut {
            suffix,
            spec: spec(whom.whom, &ways, all_but(namespace, but)),
        })
        .collect())
}

/// The policies that already say what goes this way through the edge of some pod of `side`.
fn said(policies: &[NetworkPolicy], side: &Side<'_>, way: Way) -> Vec<String> {
    let says = |policy: &&NetworkPolicy| {
        let Some(spec) = &policy.spec else { return false };
        let kind = if way == Way::In { "Ingress" } else { "Egress" };
        // Without a list, every policy is about what comes in, and one with rules for it about what goes out.
        let about_way = match &spec.policy_types {
            Some(types) => types.iter().any(|it| it == kind),
            None => way == Way::In || spec.egress.iter().flatten().next().is_some(),
        };
        let selector = Selector::try_from(spec.pod_selector.clone().unwrap_or_default());
        about_way && selector.is_ok_and(|selector| side.labels.iter().any(|labels| selector.matches(labels)))
    };
    policies.iter().filter(says).filter_map(|policy| policy.metadata.name.clone()).collect()
}

fn spec(whom: &Requirement, ways: &[Way], peers: Vec<NetworkPolicyPeer>) -> NetworkPolicySpec {
    let ingress = ways
        .contains(&Way::In)
        .then(|| vec![NetworkPolicyIngressRule { from: Some(peers.clone()), ports: None }]);
    let egress =
        ways.contains(&Way::Out).then(|| vec![NetworkPolicyEgressRule { to: Some(peers), ports: None }]);
    let types = [ingress.as_ref().map(|_| "Ingress"), egress.as_ref().map(|_| "Egress")];
    let policy_types = Some(types.into_iter().flatten().map(str::to_owned).collect());
    NetworkPolicySpec { pod_selector: Some(about(whom)), policy_types, ingress, egress }
}

/// Everybody but that side: other pods of the namespace, pods of other namespaces, and every other address.
fn all_but(namespace: &str, side: &Side<'_>) -> Vec<NetworkPolicyPeer> {
    let elsewhere = Requirement::equals(NAMESPACE_NAME, namespace).negated();
    let pods = |pod: Option<LabelSelector>, namespace: Option<LabelSelector>| NetworkPolicyPeer {
        pod_selector: pod,
        namespace_selector: namespace,
        ip_block: None,
    };
    let mut peers = vec![pods(Some(about(&side.whom.negated())), None), pods(None, Some(about(&elsewhere)))];
    let blocks = blocks_without(&side.addresses);
    peers.extend(blocks.into_iter().map(|cidr| NetworkPolicyPeer {
        ip_block: Some(IPBlock { cidr, except: None }),
        ..NetworkPolicyPeer::default()
    }));
    peers
}

/// All addresses but these, as blocks, of the families that these are of: others are spoken by no pod, and a network
/// that knows one family only may refuse a policy with the other. Without exceptions in blocks, which not every
/// network understands.
fn blocks_without(addresses: &[IpAddr]) -> Vec<String> {
    let mut blocks = Vec::new();
    let spoken = |bits: &u32| addresses.is_empty() || addresses.iter().any(|it| number(*it, *bits).is_some());
    for bits in [32, 128].into_iter().filter(spoken) {
        let mut taken: Vec<u128> = addresses.iter().filter_map(|address| number(*address, bits)).collect();
        taken.sort_unstable();
        split(0, 0, bits, &taken, &mut blocks);
    }
    blocks
}

/// Adds the blocks of the block of that address and length in which no address is `taken`.
fn split(start: u128, length: u32, bits: u32, taken: &[u128], blocks: &mut Vec<String>) {
    let host = bits - length;
    let last = if host == 128 { u128::MAX } else { start + ((1 << host) - 1) };
    if !taken.iter().any(|address| (start..=last).contains(address)) {
        blocks.push(format!("{}/{length}", shown(start, bits)));
    } else if host > 0 {
        split(start, length + 1, bits, taken, blocks);
        split(start + (1 << (host - 1)), length + 1, bits, taken, blocks);
    }
}

fn number(address: IpAddr, bits: u32) -> Option<u128> {
    match (address, bits) {
        (IpAddr::V4(address), 32) => Some(u32::from(address).into()),
        (IpAddr::V6(address), 128) => Some(address.into()),
        _ => None,
    }
}

fn shown(number: u128, bits: u32) -> IpAddr {
    match u32::try_from(number) {
        Ok(short) if bits == 32 => IpAddr::V4(short.into()),
        _ => IpAddr::V6(number.into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn requirement(app: &str) -> Requirement {
        Requirement::equals("app", app)
    }

    fn side<'a>(whom: &'a Requirement, app: &str, address: &str) -> Side<'a> {
        let labels = vec![BTreeMap::from([("app".to_owned(), app.to_owned())])];
        Side { whom, labels, addresses: vec![address.parse().expect("an address")] }
    }

    /// For each cut: whom it is about, and which ways.
    fn cuts(policies: &[Value]) -> Result<Vec<(String, Vec<String>)>, Vec<String>> {
        let policies: Vec<NetworkPolicy> = policies
            .iter()
            .enumerate()
            .map(|(index, spec)| {
                let value = json!({"metadata": {"name": format!("p{index}")}, "spec": spec});
                serde_json::from_value(value).expect("a policy")
            })
            .collect();
        let (redis, shop) = (requirement("redis"), requirement("shop"));
        let (one, other) = (side(&redis, "redis", "10.0.0.1"), side(&shop, "shop", "10.0.0.2"));
        let cuts = apart("shop", &one, &other, &policies)?;
        Ok(cuts
            .into_iter()
            .map(|cut| {
                let about = json!(cut.spec.pod_selector)["matchExpressions"][0]["values"][0].clone();
                (about.as_str().expect("a value").to_owned(), cut.spec.policy_types.expect("types"))
            })
            .collect())
    }

    #[test]
    fn each_way_is_cut_at_an_end_about_which_no_policy_says_anything() {
        let of = |app: &str, types: &[&str]| json!({"podSelector": {"matchLabels": {"app": app}}, "policyTypes": types});
        let at = |app: &str, types: &[&str]| {
            (app.to_owned(), types.iter().map(|&it| it.to_owned()).collect::<Vec<_>>())
        };
        let table = [
            (vec![], Ok(vec![at("redis", &["Egress"]), at("shop", &["Egress"])])),
            (vec![of("redis", &["Ingress"])], Ok(vec![at("redis", &["Egress"]), at("shop", &["Egress"])])),
            (vec![of("redis", &["Egress"])], Ok(vec![at("shop", &["Ingress", "Egress"])])),
            (vec![of("shop", &["Egress"])], Ok(vec![at("redis", &["Ingress", "Egress"])])),
            (
                vec![of("web", &["Ingress", "Egress"])],
                Ok(vec![at("redis", &["Egress"]), at("shop", &["Egress"])]),
            ),
            (
                vec![of("redis", &["Ingress"]), of("shop", &["Egress"])],
                Err(vec!["p1".to_owned(), "p0".to_owned()]),
            ),
        ];
        for (policies, expected) in table {
            assert_eq!(cuts(&policies), expected, "{policies:?}");
        }
    }

    #[test]
    fn all_but_a_side_are_others_by_label_by_namespace_and_by_address() {
        let shop = requirement("shop");
        let peers = all_but("demo", &side(&shop, "shop", "10.0.0.2"));
        let not = |key: &str, value: &str| json!({"matchExpressions": [{"key": key, "operator": "NotIn", "values": [value]}]});
        assert_eq!(json!(peers[0]), json!({"podSelector": not("app", "shop")}));
        assert_eq!(json!(peers[1]), json!({"namespaceSelector": not("kubernetes.io/metadata.name", "demo")}));
        assert_eq!(json!(peers[2]), json!({"ipBlock": {"cidr": "0.0.0.0/5"}}));
        assert!(!json!(peers).to_string().contains("::"), "no pod speaks IPv6: {}", json!(peers));
    }

    #[test]
    fn blocks_cover_every_address_but_those_left_out() {
        assert_eq!(blocks_without(&[]), ["0.0.0.0/0", "::/0"]);
        let left_out = ["10.0.0.2", "10.0.0.3", "255.255.255.255", "fd00::1"];
        let left_out = left_out.map(|address| address.parse::<IpAddr>().expect("an address"));
        let blocks = blocks_without(&left_out);
        let within = |text: &str| {
            let address: IpAddr = text.parse().expect("an address");
            let hits = blocks.iter().filter(|block| {
                let (start, length) = block.split_once('/').expect("a block");
                let (start, length): (IpAddr, u32) =
                    (start.parse().expect("an address"), length.parse().expect("a length"));
                let bits = if start.is_ipv4() { 32 } else { 128 };
                match (number(address, bits), number(start, bits)) {
                    (Some(address), Some(start)) => {
                        address.checked_shr(bits - length) == start.checked_shr(bits - length) || length == 0
                    }
                    _ => false,
                }
            });
            hits.count()
        };
        for text in ["10.0.0.1", "10.0.0.4", "0.0.0.0", "255.255.255.254", "fd00::", "fd00::2", "::"] {
            assert_eq!(within(text), 1, "{text}");
        }
        for address in left_out {
            assert_eq!(within(&address.to_string()), 0, "{address}");
        }
    }
}
