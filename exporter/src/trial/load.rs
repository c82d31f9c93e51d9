//! The section `load`: how many users, how they behave.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::duration::{self, Limits, Written};
use super::fields::Fields;
use super::limit;
use super::model::{Buckets, Load, NonEmpty, Rate, Redirects, Stage, Step, Think};
use super::node::Node;
use super::reader::{Checked, Reader};
use super::tasks;
use super::template::Scope;
use super::words::shown;
use crate::count::count;

const TIMEOUT: Duration = Duration::from_secs(15);
const PATIENCE: Duration = Duration::from_secs(2);
const THINK: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3);
/// Hops followed where `redirects` is just `true`.
const HOPS: NonZeroU32 = NonZeroU32::new(10).expect("10 is not zero");

const MOST_USERS: usize = 1_000_000;
const MOST_SPAWN_RATE: f64 = 1e6;
/// A month: longer is a slip.
const LASTING: Limits = Limits::secs(1, 31 * 24 * 3600);
const WAITING: Limits = Limits::millis(1, 600_000);
const THINKING: Limits = Limits::secs(0, 3600);

/// The load.
pub(super) fn load(reader: &mut Reader<'_>, node: &Node) -> Checked<Load> {
    let mut fields = Fields::open(reader, node, "the load")?;
    let spawn_rate = fields
        .require(reader, "spawn_rate", "how many users start a second")
        .and_then(|node| reader.rate(node, MOST_SPAWN_RATE));
    let stages = stages(reader, &mut fields, spawn_rate);
    let think = fields.get("think").map_or_else(|| Ok(uniform(THINK)), |node| think(reader, node));
    let seed = fields.get("seed").map_or(Ok(0), |node| reader.whole(node, 0, u64::MAX));
    let timeout = reader.duration_or(fields.get("timeout"), TIMEOUT, WAITING);
    let longest = timeout.unwrap_or(Duration::MAX);
    let patience =
        fields.get("patience").map_or(Ok(PATIENCE.min(longest)), |node| patience(reader, node, longest));
    let redirects = fields.get("redirects").map_or(Ok(Redirects::Answer), |node| redirects(reader, node));
    let buckets = fields.get("buckets").map_or_else(|| Ok(Buckets::default()), |node| buckets(reader, node));
    let abort_when = fields.get("abort_when").map(|node| limit::limit(reader, node)).transpose();
    let mut scope = Scope::default();
    let login = fields.get("login").map(|node| login(reader, node, &mut scope)).transpose();
    let inherited =
        tasks::Inherited { login: &scope, patience: patience.unwrap_or(PATIENCE), timeout: longest };
    let tasks = fields
        .require(reader, "tasks", "a list of at least one task")
        .and_then(|node| tasks::tasks(reader, node, inherited));
    fields.close(reader);
    Ok(Load {
        stages: stages?,
        spawn_rate: spawn_rate?,
        think: think?,
        seed: seed?,
        timeout: timeout?,
        patience: patience?,
        redirects: redirects?,
        buckets: buckets?,
        abort_when: abort_when?,
        login: login?,
        tasks: tasks?,
    })
}

/// `users` with `duration`, or `stages`.
fn stages(
    reader: &mut Reader<'_>,
    fields: &mut Fields<'_>,
    spawn_rate: Checked<Rate>,
) -> Checked<NonEmpty<Stage>> {
    if let Some(list) = fields.get("stages") {
        for key in ["users", "duration"] {
            if let Some(node) = fields.get(key) {
                reader.fault(node.at(), format!("`{key}` beside `stages`; expected it in each stage"));
            }
        }
        return staircase(reader, list);
    }
    let instead = &["stages"];
    let users_node = fields.require_unless(reader, "users", instead, "how many users visit (or `stages`)");
    let users = users_node.and_then(|node| reader.whole(node, 1, MOST_USERS));
    let lasts = fields
        .require_unless(reader, "duration", instead, "how long they visit (or `stages`)")
        .and_then(|node| reader.duration(node, LASTING));
    let stage = of_time(users?, lasts?);
    let ramp = stage.users as f64 / spawn_rate?.per_second();
    if ramp > stage.lasts().as_secs_f64() {
        let text = format!(
            "to start {} takes {ramp:.0} s, but the load ends after {}; \
             expected fewer users, a higher spawn_rate or a longer duration",
            count(stage.users, "user"),
            Written(stage.lasts())
        );
        return Err(reader.fault(users_node?.at(), text));
    }
    Ok(NonEmpty::one(stage))
}

fn staircase(reader: &mut Reader<'_>, node: &Node) -> Checked<NonEmpty<Stage>> {
    let stages = reader.filled_list(node, 1000, "a list of stages such as {users: 100, for: 1m}", stage)?;
    if stages.iter().all(|stage| stage.users == 0) {
        return Err(reader.fault(node.at(), "stages without a user; expected at least one with users"));
    }
    Ok(stages)
}

fn stage(reader: &mut Reader<'_>, node: &Node) -> Checked<Stage> {
    let mut fields = Fields::open(reader, node, "a stage")?;
    let users = fields
        .require(reader, "users", "how many users visit")
        .and_then(|node| reader.whole(node, 0, MOST_USERS));
    let lasts = fields
        .require(reader, "for", "how long the stage lasts")
        .and_then(|node| reader.duration(node, LASTING));
    fields.close(reader);
    Ok(of_time(users?, lasts?))
}

fn of_time(users: usize, lasts: Duration) -> Stage {
    Stage::new(users, lasts).expect("the shortest stage that is read lasts a second")
}

fn uniform(bounds: RangeInclusive<Duration>) -> Think {
    Think::uniform(*bounds.start(), *bounds.end()).expect("1 s is less than 3 s")
}

fn think(reader: &mut Reader<'_>, node: &Node) -> Checked<Think> {
    let text = reader.text(node, "a pause such as 2s, or a range such as 1s..3s")?;
    let mut pause = |part: &str| duration::parse(part, THINKING).map_err(|why| reader.fault(text.at, why));
    let Some((low, high)) = text.text.split_once("..") else {
        return Ok(Think::constant(pause(&text.text)?));
    };
    let (low, high) = (pause(low), pause(high));
    let (low, high) = (low?, high?);
    Think::uniform(low, high).map_err(|_| {
        let found = shown(&text.text);
        reader.fault(text.at, format!("{found} ends before it begins; expected the shorter pause first"))
    })
}

/// Patience, which beyond the time-out would never run out.
pub(super) fn patience(reader: &mut Reader<'_>, node: &Node, timeout: Duration) -> Checked<Duration> {
    let patience = reader.duration(node, WAITING)?;
    if patience > timeout {
        let (patience, timeout) = (Written(patience), Written(timeout));
        let text =
            format!("a patience of {patience} never runs out; expected at most the time-out of {timeout}");
        return Err(reader.fault(node.at(), text));
    }
    Ok(patience)
}

fn redirects(reader: &mut Reader<'_>, node: &Node) -> Checked<Redirects> {
    const EXPECTED: &str = "true, false or a number of hops from 1 to 100";
    let text = reader.text(node, EXPECTED)?;
    match text.text.as_str() {
        "true" => Ok(Redirects::Follow(HOPS)),
        "false" => Ok(Redirects::Answer),
        hops => match hops.parse::<NonZeroU32>() {
            Ok(hops) if hops.get() <= 100 => Ok(Redirects::Follow(hops)),
            _ => Err(reader.fault(text.at, format!("{}; expected {EXPECTED}", shown(hops)))),
        },
    }
}

fn buckets(reader: &mut Reader<'_>, node: &Node) -> Checked<Buckets> {
    let mut last = 0.0;
    let bounds = reader.filled_list(node, 64, "bucket bounds in seconds", |reader, item| {
        let bound = reader.positive(item, 3600.0)?;
        if bound <= last {
            let text = format!("{bound} after {last}; expected bounds that increase");
            return Err(reader.fault(item.at(), text));
        }
        last = bound;
        Ok(bound)
    })?;
    Ok(Buckets::new(bounds.to_vec()).expect("each bound is above the one before, and the first above 0"))
}

fn login(reader: &mut Reader<'_>, node: &Node, scope: &mut Scope) -> Checked<NonEmpty<Step>> {
    let mut fields = Fields::open(reader, node, "the login")?;
    let journey = fields
        .require(reader, "journey", tasks::JOURNEY)
        .and_then(|node| tasks::journey(reader, node, scope));
    fields.close(reader);
    journey
}
