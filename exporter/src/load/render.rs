//! Fills templates: parameters drawn for this request, and what earlier answers left behind.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rand::RngExt as _;
use rand::rngs::StdRng;
use url::form_urlencoded;

use crate::trial::{JsonTemplate, Part, Template};

/// What a URI cannot carry. Reserved characters pass, so that a link taken from an answer works as a path.
const NOT_IN_URI: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A template names a value that no earlier answer of this user gave.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no earlier answer gave the value `{0}`")]
pub(super) struct Missing(pub(super) String);

/// What templates of one user are filled with.
#[derive(Debug)]
pub(super) struct Values {
    user: usize,
    kept: Vec<(String, String)>,
}

impl Values {
    /// Nothing kept yet.
    pub(super) fn new(user: usize) -> Self {
        Self { user, kept: Vec::new() }
    }

    /// Keeps `value` under `name`, in place of an earlier one.
    pub(super) fn keep(&mut self, name: &str, value: String) {
        match self.kept.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.kept.push((name.to_owned(), value)),
        }
    }

    /// The value kept under `name`.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.kept.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Whether every filling of `template` is the same.
pub(super) fn is_fixed(template: &Template) -> bool {
    template.parts.iter().all(|part| matches!(part, Part::Literal(_) | Part::Secret(_)))
}

/// Whether `template` holds a secret.
pub(super) fn is_secret(template: &Template) -> bool {
    template.parts.iter().any(|part| matches!(part, Part::Secret(_)))
}

/// `template` as the trial wrote it, without its secrets.
pub(super) fn unfilled(template: &Template) -> String {
    let written = |part: &Part| match part {
        Part::Literal(text) => text.replace('{', "{{").replace('}', "}}"),
        Part::Secret(_) => "[redacted]".to_owned(),
        Part::Range(numbers) => {
            let (low, high) = numbers.bounds().into_inner();
            format!("{{{low}..{high}}}")
        }
        Part::Choice(options) => format!("{{{}}}", options.join("|")),
        Part::Uuid => "{uuid}".to_owned(),
        Part::User => "{user}".to_owned(),
        Part::Extracted(name) => format!("{{{name}}}"),
    };
    template.parts.iter().map(written).collect()
}

/// Appends `template`, filled, to `out`.
pub(super) fn text(
    template: &Template,
    values: &Values,
    rng: &mut StdRng,
    out: &mut String,
) -> Result<(), Missing> {
    use std::fmt::Write as _;
    for part in &template.parts {
        match part {
            Part::Literal(text) => out.push_str(text),
            Part::Secret(secret) => out.push_str(secret.0.expose()),
            Part::Range(numbers) => {
                let _ = write!(out, "{}", rng.random_range(numbers.bounds()));
            }
            Part::Choice(options) => out.push_str(&options[rng.random_range(0..options.len())]),
            Part::Uuid => {
                // From the system's entropy, never from the seed: a second run of the trial must not send the
                // ids of the first, or a store that still holds them would answer without writing.
                let id = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
                out.push_str(id.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()));
            }
            Part::User => {
                let _ = write!(out, "{}", values.user);
            }
            Part::Extracted(name) => {
                out.push_str(values.get(name).ok_or_else(|| Missing(name.clone()))?);
            }
        }
    }
    Ok(())
}

/// `template`, filled, as path and query below `prefix`.
pub(super) fn path(
    prefix: &str,
    template: &Template,
    values: &Values,
    rng: &mut StdRng,
) -> Result<String, Missing> {
    let mut filled = String::with_capacity(64);
    text(template, values, rng, &mut filled)?;
    let mut path = String::with_capacity(prefix.len() + filled.len() + 8);
    path.push_str(prefix);
    if !filled.starts_with('/') {
        path.push('/');
    }
    path.extend(utf8_percent_encode(&filled, NOT_IN_URI));
    Ok(path)
}

/// `fields`, filled, as a form body.
pub(super) fn form(
    fields: &[(String, Template)],
    values: &Values,
    rng: &mut StdRng,
) -> Result<Vec<u8>, Missing> {
    let mut body = form_urlencoded::Serializer::new(String::with_capacity(128));
    let mut filled = String::new();
    for (name, template) in fields {
        filled.clear();
        text(template, values, rng, &mut filled)?;
        body.append_pair(name, &filled);
    }
    Ok(body.finish().into_bytes())
}

/// Appends `template`, filled, to `out` as JSON text.
pub(super) fn json(
    template: &JsonTemplate,
    values: &Values,
    rng: &mut StdRng,
    out: &mut Vec<u8>,
) -> Result<(), Missing> {
    match template {
        JsonTemplate::Plain(value) => out.extend_from_slice(value.to_string().as_bytes()),
        JsonTemplate::Text(template) => {
            let mut filled = String::new();
            text(template, values, rng, &mut filled)?;
            if matches!(template.parts[..], [Part::Range(..)]) {
                out.extend_from_slice(filled.as_bytes());
            } else {
                quote(&filled, out);
            }
        }
        JsonTemplate::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                json(item, values, rng, out)?;
            }
            out.push(b']');
        }
        JsonTemplate::Object(fields) => {
            out.push(b'{');
            for (index, (name, field)) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                quote(name, out);
                out.push(b':');
                json(field, values, rng, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

/// Whether every filling of `template` is the same.
pub(super) fn json_is_fixed(template: &JsonTemplate) -> bool {
    match template {
        JsonTemplate::Plain(_) => true,
        JsonTemplate::Text(template) => is_fixed(template),
        JsonTemplate::Array(items) => items.iter().all(json_is_fixed),
        JsonTemplate::Object(fields) => fields.iter().all(|(_, field)| json_is_fixed(field)),
    }
}

fn quote(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("text into memory cannot fail");
}

#[cfg(test)]
mod tests;
