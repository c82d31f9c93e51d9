//! What a request sends: JSON or a form.

use serde_json::{Number, Value};

use super::model::{Body, JsonTemplate, Template};
use super::node::{Node, Text};
use super::reader::{Checked, Reader, all, unquoted};
use super::template::Scope;
use super::words::shown;

/// The body, if any.
pub(super) fn body(
    reader: &mut Reader<'_>,
    json: Option<&Node>,
    form: Option<&Node>,
    scope: &Scope,
) -> Checked<Option<Body>> {
    let json_body = json.map(|node| template(reader, node, scope));
    let form_body = form.map(|node| form_fields(reader, node, scope));
    if let (Some(_), Some(form)) = (json, form) {
        return Err(reader.fault(form.at(), "`form` beside `json`; expected one body"));
    }
    match (json_body, form_body) {
        (Some(json), _) => Ok(Some(Body::Json(json?))),
        (_, Some(form)) => Ok(Some(Body::Form(form?))),
        (None, None) => Ok(None),
    }
}

fn form_fields(reader: &mut Reader<'_>, node: &Node, scope: &Scope) -> Checked<Vec<(String, Template)>> {
    let entries = reader.entries(node, "form fields as a mapping")?;
    all(entries.iter().map(|(key, value)| {
        let text = reader.text(value, "a form field's value")?;
        Ok((key.text.clone(), reader.template(text, scope)?))
    }))
}

fn template(reader: &mut Reader<'_>, node: &Node, scope: &Scope) -> Checked<JsonTemplate> {
    match node {
        Node::Text(text) => match scalar(reader, text)? {
            Scalar::Plain(value) => Ok(JsonTemplate::Plain(value)),
            Scalar::Text => Ok(JsonTemplate::Text(reader.template(text, scope)?)),
        },
        Node::List(_, items) => {
            Ok(JsonTemplate::Array(all(items.iter().map(|item| template(reader, item, scope)))?))
        }
        Node::Map(map) => {
            if let Some(inner) = unquoted(map) {
                return Err(reader.unquoted(map.at, inner));
            }
            let entries = reader.entries(node, "a JSON object")?;
            let read =
                entries.iter().map(|(key, node)| Ok((key.text.clone(), template(reader, node, scope)?)));
            Ok(JsonTemplate::Object(all(read)?))
        }
    }
}

/// A JSON value in which strings stand for themselves.
pub(super) fn value(reader: &mut Reader<'_>, node: &Node) -> Checked<Value> {
    match node {
        Node::Text(text) => match scalar(reader, text)? {
            Scalar::Plain(value) => Ok(value),
            Scalar::Text => Ok(Value::String(text.text.clone())),
        },
        Node::List(_, items) => Ok(Value::Array(all(items.iter().map(|item| value(reader, item)))?)),
        Node::Map(_) => {
            let entries = reader.entries(node, "a JSON object")?;
            let read = entries.iter().map(|(key, node)| Ok((key.text.clone(), value(reader, node)?)));
            Ok(Value::Object(all(read)?.into_iter().collect()))
        }
    }
}

/// What a scalar is in JSON.
enum Scalar {
    /// null, a boolean or a number.
    Plain(Value),
    /// A string.
    Text,
}

fn scalar(reader: &mut Reader<'_>, text: &Text) -> Checked<Scalar> {
    if text.is_null() {
        return Ok(Scalar::Plain(Value::Null));
    }
    if !text.plain {
        return Ok(Scalar::Text);
    }
    if let Ok(flag) = text.text.parse() {
        return Ok(Scalar::Plain(Value::Bool(flag)));
    }
    if let Ok(number) = text.text.parse::<Number>() {
        return Ok(Scalar::Plain(Value::Number(number)));
    }
    if ambiguous(&text.text) {
        let found = shown(&text.text);
        let expected = "expected a JSON number, or quotes for a text";
        return Err(reader.fault(text.at, format!("{found} is a number to YAML but not to JSON; {expected}")));
    }
    Ok(Scalar::Text)
}

/// Whether YAML takes a text for a number that JSON writes differently: 007, +1, .5, 0x1F, .inf.
fn ambiguous(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let radix = |prefix: &str, radix: u32| {
        unsigned
            .strip_prefix(prefix)
            .is_some_and(|digits| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)))
    };
    let decimal =
        unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') && unsigned.parse::<f64>().is_ok();
    let special = matches!(unsigned.to_ascii_lowercase().as_str(), ".inf" | ".nan");
    decimal || radix("0x", 16) || radix("0o", 8) || special
}
