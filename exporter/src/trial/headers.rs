//! Headers of requests.

use std::collections::HashMap;

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, PROXY_AUTHORIZATION, TRANSFER_ENCODING,
};
use http::{HeaderName, HeaderValue};

use super::model::{HeaderText, Part, SecretText, Template};
use super::node::{Node, Text};
use super::reader::{Checked, Reader, all};
use super::template::Scope;
use super::words::shown;

/// Values of these are not shown even where they stand in the file as they are.
const CONFIDENTIAL: [HeaderName; 3] = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE];
/// Set by the client itself.
const OWN: [HeaderName; 3] = [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING];

/// Headers with distinct names.
pub(super) fn headers(
    reader: &mut Reader<'_>,
    node: &Node,
    scope: &Scope,
) -> Checked<Vec<(HeaderName, HeaderText)>> {
    let entries = reader.entries(node, "headers as a mapping of names to values")?;
    let mut seen: HashMap<HeaderName, &str> = HashMap::new();
    all(entries.iter().map(|(key, value)| {
        let name = header_name(reader, key)?;
        // The same spelling twice is a repeated key already.
        let earlier = seen.insert(name.clone(), &key.text);
        if earlier.is_some_and(|earlier| earlier != key.text) {
            return Err(reader.fault(key.at, format!("header `{name}` again; expected each header once")));
        }
        let text = reader.text(value, "a header's value")?;
        let value = header_text(reader, key, &name, text, scope)?;
        Ok((name, value))
    }))
}

/// A header's name.
pub(super) fn header_name(reader: &mut Reader<'_>, text: &Text) -> Checked<HeaderName> {
    HeaderName::from_bytes(text.text.as_bytes()).map_err(|_| {
        let found = shown(&text.text);
        reader.fault(text.at, format!("{found} cannot be a header's name; expected one such as X-Tenant"))
    })
}

fn header_text(
    reader: &mut Reader<'_>,
    key: &Text,
    name: &HeaderName,
    text: &Text,
    scope: &Scope,
) -> Checked<HeaderText> {
    if OWN.contains(name) {
        let text = format!("header `{name}` is set by the client itself; expected no such header");
        return Err(reader.fault(key.at, text));
    }
    if *name == HOST {
        return Err(reader.fault(key.at, "header `host` among others; expected it as the target's `host`"));
    }
    let template = reader.template(text, scope)?;
    let fits = |text: &str| HeaderValue::from_str(text).is_ok();
    let sound = template.parts.iter().all(|part| match part {
        Part::Literal(text) => fits(text),
        Part::Secret(SecretText(secret)) => fits(secret.expose()),
        Part::Choice(choices) => choices.iter().all(|choice| fits(choice)),
        Part::Range(..) | Part::Uuid | Part::User | Part::Extracted(_) => true,
    });
    if !sound {
        let wrong = format!("the value of header `{name}` has characters that no header holds");
        return Err(reader.fault(text.at, format!("{wrong}; expected one line without control characters")));
    }
    Ok(fixed(name, &template).map_or(HeaderText::Template(template), HeaderText::Fixed))
}

fn fixed(name: &HeaderName, template: &Template) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&template.fixed()?).ok()?;
    value.set_sensitive(template.is_secret() || CONFIDENTIAL.contains(name));
    Some(value)
}
