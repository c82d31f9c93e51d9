//! What an answer must hold, and what is taken from it.

use regex::Regex;

use super::body;
use super::fields::Fields;
use super::headers::header_name;
use super::model::{Assertion, Extract, ExtractFrom};
use super::node::{Node, Text};
use super::reader::{Checked, Reader, all};
use super::template::{Scope, is_identifier};
use super::words::shown;

const ASSERTIONS: &str = "a list of conditions such as {contains: text}";
const SOURCES: &str = "a mapping of names to where their values are, such as {id: {json: /id}}";

/// Conditions on the body.
pub(super) fn assertions(reader: &mut Reader<'_>, node: &Node) -> Checked<Vec<Assertion>> {
    Ok(reader.filled_list(node, 50, ASSERTIONS, assertion)?.to_vec())
}

fn assertion(reader: &mut Reader<'_>, node: &Node) -> Checked<Assertion> {
    let mut fields = Fields::open(reader, node, "a condition")?;
    let chosen = fields.one_of(reader, ["contains", "matches", "json"]);
    let equals = fields.get_even_null("equals");
    fields.close(reader);
    match (chosen?, equals) {
        (("json", node), Some(equals)) => {
            let (pointer, value) = (pointer(reader, node), body::value(reader, equals));
            Ok(Assertion::JsonEquals(pointer?, value?))
        }
        (("json", node), None) => Ok(Assertion::JsonPresent(pointer(reader, node)?)),
        ((kind, _), Some(equals)) => {
            Err(reader.fault(equals.at(), format!("`equals` beside `{kind}`; expected it beside `json`")))
        }
        (("matches", node), None) => Ok(Assertion::Matches(regex(reader, node)?)),
        ((_, node), None) => Ok(Assertion::Contains(reader.filled(node, "a text in the body")?.text.clone())),
    }
}

/// Values taken from the answer. Their names are known from here on, even where the place is wrong.
pub(super) fn extracts(reader: &mut Reader<'_>, node: &Node, scope: &mut Scope) -> Checked<Vec<Extract>> {
    const MOST: usize = 50;
    let entries = reader.entries(node, SOURCES)?;
    if entries.len() > MOST {
        let count = entries.len();
        return Err(reader.fault(node.at(), format!("{count} extracted values; expected at most {MOST}")));
    }
    all(entries.iter().map(|(key, node)| {
        let name = extract_name(reader, key);
        let from = source(reader, node);
        let name = name?;
        scope.add(&name);
        Ok(Extract { name, from: from? })
    }))
}

fn extract_name(reader: &mut Reader<'_>, key: &Text) -> Checked<String> {
    let found = shown(&key.text);
    if matches!(key.text.as_str(), "uuid" | "user") {
        return Err(reader.fault(key.at, format!("{found} is a parameter of its own; expected another name")));
    }
    if !is_identifier(&key.text) {
        let expected = "expected letters, digits and `_`, beginning with a letter";
        return Err(reader.fault(key.at, format!("{found} cannot name an extracted value; {expected}")));
    }
    Ok(key.text.clone())
}

fn source(reader: &mut Reader<'_>, node: &Node) -> Checked<ExtractFrom> {
    let mut fields = Fields::open(reader, node, "an extracted value")?;
    let chosen = fields.one_of(reader, ["json", "header", "cookie", "regex"]);
    fields.close(reader);
    let (kind, node) = chosen?;
    Ok(match kind {
        "json" => ExtractFrom::Json(pointer(reader, node)?),
        "header" => {
            let text = reader.filled(node, "a header's name")?;
            ExtractFrom::Header(header_name(reader, text)?)
        }
        "cookie" => ExtractFrom::Cookie(reader.filled(node, "a cookie's name")?.text.clone()),
        _ => ExtractFrom::Regex(regex(reader, node)?),
    })
}

/// A JSON pointer: empty (the whole document), or `/` before each name, with `~0` and `~1` for `~` and `/`.
fn pointer(reader: &mut Reader<'_>, node: &Node) -> Checked<String> {
    let text = reader.text(node, "a JSON pointer such as /items/0/id")?;
    let pointer = &text.text;
    let begins = pointer.is_empty() || pointer.starts_with('/');
    let escaped = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if !begins || !escaped {
        let found = shown(pointer);
        let expected = "expected one such as /items/0/id (`~0` is `~`, `~1` is `/`)";
        return Err(reader.fault(text.at, format!("{found} is no JSON pointer; {expected}")));
    }
    Ok(pointer.clone())
}

fn regex(reader: &mut Reader<'_>, node: &Node) -> Checked<Regex> {
    let text = reader.filled(node, "a regular expression")?;
    Regex::new(&text.text).map_err(|error| {
        // The first lines repeat the expression; the last says what is wrong with it.
        let error = error.to_string();
        let why = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
        reader.fault(text.at, format!("not a regular expression: {why}; expected one that compiles"))
    })
}
