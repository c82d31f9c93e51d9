//! What a partition rests on: pods, the policies about them, and what follows for the cut.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::api::ListParams;

use super::pods_of;
use super::proof::Standing;
use crate::chaos::faults::api::Asked;
use crate::chaos::faults::policies::{Cut, Narrowed, Side, apart, cut_off, letting_through, narrowed};
use crate::chaos::faults::quorum::{Servers, concerned, kept};
use crate::chaos::guard::{Obstacle, Refusal};
use crate::cluster::Target;
use crate::cluster::kubernetes::{Kubernetes, is_ready};
use crate::trial::Requirement;

/// What is to be found.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// The pods that are cut off.
    pub(super) whom: Requirement,
    /// From whom; `None`: from everybody.
    pub(super) from: Option<Requirement>,
    /// Whether others' policies may be made narrower.
    pub(super) replace_policies: bool,
    /// The servers of which a majority must be left.
    pub(super) servers: Vec<Servers>,
    /// Where the pods listen; `None`: at the first port that each declares.
    pub(super) port: Option<u16>,
}

/// All of it, at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// The pods that are cut off.
    pub(super) targets: Vec<Target>,
    /// Those from which they are, if not from everybody.
    pub(super) others: Vec<Target>,
    pub(super) cuts: Vec<Cut>,
    pub(super) narrowed: Vec<Narrowed>,
    /// Where the canaries go; none where the pods are cut off from some only.
    pub(super) addresses: Vec<SocketAddr>,
}

impl Wanted {
    /// Finds the pods, how they can be cut off, and how they stand. Reads only.
    pub(super) async fn find(
        &self,
        cluster: &Kubernetes,
        asked: Asked,
    ) -> Result<(Found, Option<Standing>), Refusal> {
        let Self { whom, from, .. } = self;
        let pods = meeting(cluster, asked, whom).await?;
        let others = match from {
            Some(from) => meeting(cluster, asked, from).await?,
            None => Vec::new(),
        };
        let policies = cluster.here::<NetworkPolicy>();
        let all = ListParams::default();
        let policies = asked.of("list the network policies", policies.list(&all)).await?.items;
        let (cuts, narrowed, addresses) = if let Some(from) = from {
            let cuts = apart(cluster.namespace(), &side(whom, &pods), &side(from, &others), &policies);
            let told = |policies| Obstacle::Said { pods: format!("{whom} or {from}"), policies };
            (cuts.map_err(|policies| Refusal::Obstacle(told(policies)))?, Vec::new(), Vec::new())
        } else {
            self.leave_a_majority(cluster, asked, &pods).await?;
            let narrowed = self.narrowed(policies, &pods).map_err(Refusal::Obstacle)?;
            let addresses: Result<Vec<_>, Obstacle> =
                pods.iter().map(|pod| address(pod, self.port)).collect();
            (vec![cut_off(whom)], narrowed, addresses.map_err(Refusal::Obstacle)?)
        };
        let targets_of = |pods: &[Pod]| targets(pods).ok_or_else(|| none(whom));
        let (targets, others) = (targets_of(&pods)?, targets_of(&others)?);
        Ok((Found { targets, others, cuts, narrowed, addresses }, Standing::of(&pods)))
    }

    /// The policies that would let traffic of `pods` through, made narrower.
    fn narrowed(&self, policies: Vec<NetworkPolicy>, pods: &[Pod]) -> Result<Vec<Narrowed>, Obstacle> {
        let open = letting_through(policies, &side(&self.whom, pods).labels);
        if !open.is_empty() && !self.replace_policies {
            let policies = open.iter().filter_map(|policy| policy.metadata.name.clone()).collect();
            return Err(Obstacle::LetThrough { pods: pods_of(&self.whom), policies });
        }
        Ok(open.iter().filter_map(|policy| narrowed(policy, &self.whom)).collect())
    }

    /// Servers that are cut off from everybody do not see each other either.
    async fn leave_a_majority(
        &self,
        cluster: &Kubernetes,
        asked: Asked,
        pods: &[Pod],
    ) -> Result<(), Refusal> {
        let gone: Vec<&str> = names(pods).collect();
        if concerned(&self.servers, &gone).is_empty() {
            return Ok(());
        }
        let all = asked.of("list the pods", cluster.here::<Pod>().list(&ListParams::default())).await?.items;
        let living: Vec<Pod> = all.into_iter().filter(is_ready).collect();
        let living: Vec<&str> = names(&living).collect();
        kept(&self.servers, &gone, &living).map_err(Refusal::Obstacle)
    }
}

/// The pods that meet `requirement`; there must be some.
pub(super) async fn meeting(
    cluster: &Kubernetes,
    asked: Asked,
    requirement: &Requirement,
) -> Result<Vec<Pod>, Refusal> {
    let chosen = ListParams::default().labels(&requirement.to_string());
    let pods = asked.of("list the pods", cluster.here::<Pod>().list(&chosen)).await?.items;
    if pods.is_empty() { Err(none(requirement)) } else { Ok(pods) }
}

fn none(whom: &Requirement) -> Refusal {
    Refusal::Obstacle(Obstacle::NoneMeet { selector: whom.to_string() })
}

pub(super) fn targets(pods: &[Pod]) -> Option<Vec<Target>> {
    let target = |pod: &Pod| {
        let (name, uid) = (pod.metadata.name.clone()?, pod.metadata.uid.clone()?);
        Some(Target::Pod { name, uid })
    };
    pods.iter().map(target).collect()
}

fn names(pods: &[Pod]) -> impl Iterator<Item = &str> {
    pods.iter().filter_map(|pod| pod.metadata.name.as_deref())
}

fn side<'a>(whom: &'a Requirement, pods: &[Pod]) -> Side<'a> {
    let labels = pods.iter().map(|pod| pod.metadata.labels.clone().unwrap_or_default());
    let labels: Vec<BTreeMap<String, String>> = labels.collect();
    Side { whom, labels, addresses: pods.iter().flat_map(ips).collect() }
}

/// All addresses of a pod: where networks speak IPv4 and IPv6, it has one of each.
fn ips(pod: &Pod) -> Vec<IpAddr> {
    let Some(status) = &pod.status else { return Vec::new() };
    let others = status.pod_ips.iter().flatten().map(|it| it.ip.as_str());
    let texts = status.pod_ip.as_deref().into_iter().chain(others);
    let mut ips: Vec<IpAddr> = texts.filter_map(|text| text.parse().ok()).collect();
    ips.dedup();
    ips
}

/// Where a pod listens: at `port`, else at the first that it declares, which it need not do.
fn address(pod: &Pod, port: Option<u16>) -> Result<SocketAddr, Obstacle> {
    let name = || pod.metadata.name.clone().unwrap_or_default();
    let ip = ips(pod).first().copied().ok_or_else(|| Obstacle::NoAddress { pod: name() })?;
    let port = port.or_else(|| declared(pod)).ok_or_else(|| Obstacle::NoPort { pod: name() })?;
    Ok(SocketAddr::new(ip, port))
}

/// The first TCP port that a pod declares.
fn declared(pod: &Pod) -> Option<u16> {
    let ports = pod.spec.as_ref()?.containers.iter().flat_map(|container| container.ports.iter().flatten());
    let tcp = ports.into_iter().find(|port| port.protocol.as_deref().unwrap_or("TCP") == "TCP")?;
    u16::try_from(tcp.container_port).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(status: &Value) -> Pod {
        pod_with(&json!([{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 6379}]), status)
    }

    fn pod_with(ports: &Value, status: &Value) -> Pod {
        let value = json!({"metadata": {"name": "kv-0", "uid": "u-1"}, "status": status,
            "spec": {"containers": [{"name": "kv", "ports": ports}]}});
        serde_json::from_value(value).expect("a pod")
    }

    #[test]
    fn a_pod_is_at_all_its_addresses_and_listens_at_the_first() {
        let (four, six) = ("10.0.0.1", "fd00::1");
        let table = [
            (json!({"podIP": four}), vec![four]),
            (json!({"podIP": four, "podIPs": [{"ip": four}]}), vec![four]),
            (json!({"podIP": six, "podIPs": [{"ip": six}, {"ip": four}]}), vec![six, four]),
            (json!({}), vec![]),
        ];
        for (status, expected) in table {
            let expected: Vec<IpAddr> = expected.iter().map(|it| it.parse().expect("an address")).collect();
            assert_eq!(ips(&pod(&status)), expected, "{status}");
            let at = expected.first().map(|ip| SocketAddr::new(*ip, 6379));
            let none = Obstacle::NoAddress { pod: "kv-0".to_owned() };
            assert_eq!(address(&pod(&status), None), at.ok_or(none), "{status}");
        }
    }

    #[test]
    fn the_port_is_the_one_that_is_given_else_the_first_that_is_declared() {
        let (both, udp) = (
            json!([{"containerPort": 1, "protocol": "TCP"}, {"containerPort": 2}]),
            json!([{"containerPort": 53, "protocol": "UDP"}]),
        );
        let none = || Err(Obstacle::NoPort { pod: "kv-0".to_owned() });
        let table = [
            (both.clone(), None, Ok(1)),
            (both, Some(9), Ok(9)),
            (udp.clone(), None, none()),
            (udp, Some(9), Ok(9)),
            (json!([]), None, none()),
            (json!(null), None, none()),
            (json!(null), Some(9), Ok(9)),
        ];
        for (ports, given, expected) in table {
            let at = address(&pod_with(&ports, &json!({"podIP": "10.0.0.1"})), given);
            assert_eq!(at.map(|at| at.port()), expected, "{ports}");
        }
    }
}
