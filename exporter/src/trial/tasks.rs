//! Tasks and their journeys.

use std::num::NonZeroU32;
use std::time::Duration;

use http::Method;

use super::fields::{Fields, distinct_names};
use super::load;
use super::model::{NonEmpty, Step, Task};
use super::node::{Node, Text};
use super::reader::{Checked, Reader};
use super::step;
use super::template::Scope;
use super::words::{listed, near, shown};

/// What a journey is, for faults.
pub(super) const JOURNEY: &str = "a list of at least one request such as GET /path";

/// Weights beyond this are a slip.
const MOST_WEIGHT: NonZeroU32 = NonZeroU32::new(1_000_000).expect("a million is not zero");

const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// What tasks inherit.
#[derive(Clone, Copy)]
pub(super) struct Inherited<'l> {
    /// The values that the login extracts.
    pub(super) login: &'l Scope,
    /// The load's patience.
    pub(super) patience: Duration,
    /// The time-out, which patience is not beyond.
    pub(super) timeout: Duration,
}

/// The tasks: each is a label value, so they are not many.
pub(super) fn tasks(
    reader: &mut Reader<'_>,
    node: &Node,
    inherited: Inherited<'_>,
) -> Checked<NonEmpty<Task>> {
    distinct_names(reader, node, "task");
    reader.filled_list(node, 200, "a list of at least one task", |reader, item| task(reader, item, inherited))
}

fn task(reader: &mut Reader<'_>, node: &Node, inherited: Inherited<'_>) -> Checked<Task> {
    let mut fields = Fields::open(reader, node, "a task")?;
    let name = fields.require(reader, "name", "the task's name").and_then(|node| reader.name(node));
    let weight = fields
        .get("weight")
        .map_or(Ok(NonZeroU32::MIN), |node| reader.whole(node, NonZeroU32::MIN, MOST_WEIGHT));
    let patience = fields
        .get("patience")
        .map_or(Ok(inherited.patience), |node| load::patience(reader, node, inherited.timeout));
    let journey = fields
        .require(reader, "journey", JOURNEY)
        .and_then(|node| journey(reader, node, &mut inherited.login.clone()));
    fields.close(reader);
    Ok(Task { name: name?, weight: weight?, patience: patience?, journey: journey? })
}

/// The steps of a journey; what they extract is added to `scope`.
pub(super) fn journey(reader: &mut Reader<'_>, node: &Node, scope: &mut Scope) -> Checked<NonEmpty<Step>> {
    reader.filled_list(node, 200, JOURNEY, |reader, item| request(reader, item, scope))
}

/// `GET /path`, or a mapping from that to what is sent and expected.
fn request(reader: &mut Reader<'_>, node: &Node, scope: &mut Scope) -> Checked<Step> {
    const REQUEST: &str = "a request such as GET /path";
    let Node::Map(map) = node else {
        let line = reader.filled(node, REQUEST)?;
        return step::step(reader, line, None, scope);
    };
    match reader.entries(node, REQUEST)? {
        [] => Err(reader.fault(map.at, format!("an empty step; expected {REQUEST}"))),
        [(line, details)] => step::step(reader, line, Some(details).filter(|node| !node.is_null()), scope),
        [_, (second, _), ..] => {
            let found = shown(&second.text);
            let expected = "expected one key such as `POST /path`, with everything else indented below it";
            Err(reader.fault(second.at, format!("{found} beside a request; {expected}")))
        }
    }
}

/// Splits `GET /path` into its method and its path.
pub(super) fn request_line(reader: &mut Reader<'_>, line: &Text) -> Checked<(Method, Text)> {
    let Some((word, rest)) = line.text.split_once(' ') else {
        let found = shown(&line.text);
        let expected = "expected a method and a path such as GET /path";
        return Err(reader.fault(line.at, format!("{found} is no request; {expected}")));
    };
    let Some(method) = METHODS.into_iter().find(|method| method.as_str() == word) else {
        let known: Vec<_> = METHODS.iter().map(Method::as_str).collect();
        let (found, hint) = (shown(word), near(word, &known));
        let text = format!("unknown method {found}{hint}; expected {}", listed(&known));
        return Err(reader.fault(line.place(0), text));
    };
    Ok((method, line.tail(line.text.len() - rest.trim_start().len())))
}
