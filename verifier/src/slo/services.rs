//! The objectives of a service over days, which no run is judged by. Pure.

use super::fields::{Fault, Fields};
use super::model::ServiceObjective;
use super::node::{Node, Value};
use super::selector;

/// Reads the entries of `services`.
pub(super) fn services(node: &Node) -> (Vec<ServiceObjective>, Vec<Fault>) {
    let (mut services, mut faults): (Vec<ServiceObjective>, Vec<Fault>) = (Vec::new(), Vec::new());
    let Value::List(nodes) = &node.value else {
        let message = format!("`services` is {}, expected a list of maps", node.value.name());
        return (services, vec![Fault { at: node.at, message }]);
    };
    for node in nodes {
        let mut fields = Fields::new(node, "the service's objective");
        let found = service(&mut fields);
        if let Some(found) = &found
            && let Some(other) = services.iter().find(|other| other.id() == found.id())
        {
            fields.fault(fields.at(), format!("{}, expected unique names", clash(found, other)));
        }
        faults.append(&mut fields.finish());
        services.extend(found);
    }
    (services, faults)
}

/// Why two objectives cannot stand in one file of rules, whose groups are named by them.
fn clash(one: &ServiceObjective, other: &ServiceObjective) -> String {
    let (service, name) = (&one.service, &one.name);
    if *service == other.service {
        return format!("`{service}` has an objective `{name}` already");
    }
    let (other_service, other_name) = (&other.service, &other.name);
    format!(
        "`{name}` of `{service}` and `{other_name}` of `{other_service}` are both `{}` where the two are joined",
        one.id()
    )
}

fn service(fields: &mut Fields<'_>) -> Option<ServiceObjective> {
    let name = word(fields, "name");
    let service = word(fields, "service");
    let at_least = fields.share("at_least");
    // The windows and factors of the alerts are made for this period.
    let over = fields.word("over", &["30d"], Some("30d"));
    let total = counter(fields, "total");
    let errors = counter(fields, "errors");
    over?;
    Some(ServiceObjective {
        name: name?,
        service: service?,
        at_least: at_least?,
        total: total?,
        errors: errors?,
    })
}

/// A name that may stand in the names of groups.
fn word(fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
    let expected = "a name of letters, digits, `-`, `_` and `.`";
    let node = fields.required(key, expected)?;
    let text = fields.as_text(node, key, expected)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !text.chars().all(allowed) {
        fields.fault(node.at, format!("`{key}` is `{text}`, expected {expected}"));
        return None;
    }
    Some(text)
}

/// A selector of counters.
fn counter(fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
    let expected = "a selector of counters such as http_requests_total{job=\"shop\"}";
    let node = fields.required(key, expected)?;
    selector::read(fields, node, key, expected, selector::series)
}
