//! The section `stores`: addresses of data stores and of their single servers.

use std::time::Duration;

use super::duration::Limits;
use super::fields::{Fields, distinct_names};
use super::model::{
    Access, AddressError, Endpoint, Failover, Instance, Manager, NonEmpty, PostgresAddress, RedisAddress,
    Secret, Store,
};
use super::node::Node;
use super::reader::{Checked, Reader};
use super::target::http_url;

const FAILOVER: Duration = Duration::from_secs(30);
const FAILOVER_LIMITS: Limits = Limits::secs(1, 3600);

/// Which store it is.
#[derive(Clone, Copy)]
enum Kind {
    Postgres,
    Redis,
}

/// The stores.
pub(super) fn stores(reader: &mut Reader<'_>, node: &Node, kubernetes: bool) -> Checked<Vec<Store>> {
    distinct_names(reader, node, "store");
    reader.list(node, 100, "a list of stores", |reader, item| store(reader, item, kubernetes))
}

fn store(reader: &mut Reader<'_>, node: &Node, kubernetes: bool) -> Checked<Store> {
    let mut fields = Fields::open(reader, node, "a store")?;
    let name = fields.require(reader, "name", "the store's name").and_then(|node| reader.name(node));
    let chosen = fields.one_of(reader, ["postgres", "redis"]);
    let kind = chosen.map(|(key, _)| if key == "postgres" { Kind::Postgres } else { Kind::Redis });
    let endpoint = chosen.and_then(|(_, node)| address(reader, node, kind?));
    let instances =
        fields.get("instances").map_or(Ok(Vec::new()), |node| instances(reader, node, kind, kubernetes));
    let failover = fields.get("failover").map(|node| failover(reader, node, kind)).transpose();
    fields.close(reader);
    Ok(Store { name: name?, endpoint: endpoint?, instances: instances?, failover: failover? })
}

/// What fails the store over; Patroni is PostgreSQL's, Sentinel is Redis'.
fn failover(reader: &mut Reader<'_>, node: &Node, kind: Checked<Kind>) -> Checked<Failover> {
    let mut fields = Fields::open(reader, node, "a failover")?;
    let chosen = fields.one_of(reader, ["patroni", "sentinel"]);
    let master = fields.get("master");
    let within = reader.duration_or(fields.get("within"), FAILOVER, FAILOVER_LIMITS);
    let manager = chosen.and_then(|(key, node)| match (key, kind?) {
        ("patroni", Kind::Postgres) => {
            if let Some(master) = master {
                reader.fault(master.at(), "`master` beside `patroni`; expected it beside `sentinel`");
            }
            Ok(Manager::Patroni(http_url(reader, node)?))
        }
        ("sentinel", Kind::Redis) => sentinel(reader, node, master),
        (key, Kind::Postgres) => {
            Err(reader.fault(node.at(), format!("`{key}` for PostgreSQL; expected `patroni`")))
        }
        (key, Kind::Redis) => Err(reader.fault(node.at(), format!("`{key}` for Redis; expected `sentinel`"))),
    });
    fields.close(reader);
    Ok(Failover { manager: manager?, within: within? })
}

fn sentinel(reader: &mut Reader<'_>, node: &Node, master: Option<&Node>) -> Checked<Manager> {
    const NAME: &str = "the name by which Sentinel knows the master";
    let master = match master {
        Some(master) => reader.filled(master, NAME).map(|text| text.text.clone()),
        None => Err(reader.fault(node.at(), format!("`sentinel` without `master`; expected {NAME}"))),
    };
    let address = redis(reader, node);
    Ok(Manager::Sentinel { address: address?, master: master? })
}

/// An address of the store's kind. It is not repeated in a fault, nor is the parser's reason: both may hold a
/// password.
fn address(reader: &mut Reader<'_>, node: &Node, kind: Kind) -> Checked<Endpoint> {
    match kind {
        Kind::Postgres => postgres(reader, node).map(Endpoint::Postgres),
        Kind::Redis => redis(reader, node).map(Endpoint::Redis),
    }
}

fn postgres(reader: &mut Reader<'_>, node: &Node) -> Checked<PostgresAddress> {
    const EXPECTED: &str = "a PostgreSQL connection string such as postgres://user@host:5432/database or \
                            \"host=/run/postgresql user=me\"";
    parsed(reader, node, EXPECTED, PostgresAddress::parse, PostgresAddress::password)
}

fn redis(reader: &mut Reader<'_>, node: &Node) -> Checked<RedisAddress> {
    const EXPECTED: &str = "a Redis URL such as redis://host:6379 or redis+unix:///run/redis.sock";
    parsed(reader, node, EXPECTED, RedisAddress::parse, RedisAddress::password)
}

fn parsed<T>(
    reader: &mut Reader<'_>,
    node: &Node,
    expected: &str,
    parse: impl Fn(&str) -> Result<T, AddressError>,
    password: impl Fn(&T) -> Option<Secret>,
) -> Checked<T> {
    let text = reader.filled(node, expected)?;
    let (written, _) = reader.with_secrets(text)?;
    let address =
        parse(&written).map_err(|error| reader.fault(text.at, format!("{error}; expected {expected}")))?;
    reader.secrets.extend(password(&address));
    reader.secrets.extend(encoded_password(&written).map(|password| Secret::new(password.to_owned())));
    Ok(address)
}

/// The password of a URL as it is written there, which is not always as it is meant: `%40` is `@`.
fn encoded_password(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let (user, _) = rest.split(['/', '?']).next()?.rsplit_once('@')?;
    user.split_once(':').map(|(_, password)| password)
}

fn instances(
    reader: &mut Reader<'_>,
    node: &Node,
    kind: Checked<Kind>,
    kubernetes: bool,
) -> Checked<Vec<Instance>> {
    distinct_names(reader, node, "instance");
    let instances = reader
        .list(node, 100, "a list of instances", |reader, item| instance(reader, item, kind, kubernetes))?;
    if let [_] = instances.as_slice() {
        return Err(reader.fault(
            node.at(),
            "a single instance; expected every server of the store, or no `instances`: a split needs two",
        ));
    }
    for (index, instance) in instances.iter().enumerate() {
        let same = |other: &&Instance| is_same(&other.access, &instance.access);
        if let Some(first) = instances.iter().take(index).find(same) {
            let (first, second) = (&first.name, &instance.name);
            return Err(reader.fault(
                node.at(),
                format!(
                    "instances {first} and {second} are reached in the same way; expected each server once"
                ),
            ));
        }
    }
    Ok(instances)
}

fn is_same(one: &Access, other: &Access) -> bool {
    match (one, other) {
        (Access::Direct(one), Access::Direct(other)) => one == other,
        // Each inside a pod of its own.
        (Access::Command(one), Access::Command(other)) => one.iter().eq(other.iter()),
        _ => false,
    }
}

fn instance(
    reader: &mut Reader<'_>,
    node: &Node,
    kind: Checked<Kind>,
    kubernetes: bool,
) -> Checked<Instance> {
    let mut fields = Fields::open(reader, node, "an instance")?;
    let name = fields.require(reader, "name", "the instance's name").and_then(|node| reader.name(node));
    let access = fields.one_of(reader, ["at", "command", "inside"]).and_then(|(key, node)| match key {
        "at" => Ok(Access::Direct(address(reader, node, kind?)?)),
        "inside" => inside(reader, node, kind?, kubernetes),
        _ => Ok(Access::Command(command(reader, node)?)),
    });
    fields.close(reader);
    Ok(Instance { name: name?, access: access? })
}

/// An address within the pod that is named as the instance is.
fn inside(reader: &mut Reader<'_>, node: &Node, kind: Kind, kubernetes: bool) -> Checked<Access> {
    let endpoint = address(reader, node, kind)?;
    if !kubernetes {
        let text = "`inside` in a trial without `kubernetes`; expected the service's namespace there";
        return Err(reader.fault(node.at(), text));
    }
    if endpoint.is_socket() {
        let text = "a unix socket, which cannot be reached from outside the pod; expected a TCP address";
        return Err(reader.fault(node.at(), text));
    }
    Ok(Access::Inside(endpoint))
}

/// A program and its arguments, as they are: no shell and no secrets.
fn command(reader: &mut Reader<'_>, node: &Node) -> Checked<NonEmpty<String>> {
    const WORDS: &str = "a command as a list of words, such as [ssh, db1, psql]";
    reader.filled_list(node, 100, WORDS, |reader, item| Ok(reader.filled(item, "a word")?.text.clone()))
}
