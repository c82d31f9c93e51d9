//! One request of a journey: its path, what it sends and what its answer must be.

use http::StatusCode;
use http::uri::PathAndQuery;

use super::answer;
use super::body;
use super::fields::Fields;
use super::headers::headers;
use super::model::{Part, Step, Template};
use super::node::{Node, Text};
use super::reader::{Checked, Reader};
use super::tasks::request_line;
use super::template::Scope;

/// A request from its line (`GET /path`) and its details; what it extracts is added to `scope`.
pub(super) fn step(
    reader: &mut Reader<'_>,
    line: &Text,
    details: Option<&Node>,
    scope: &mut Scope,
) -> Checked<Step> {
    let request =
        request_line(reader, line).and_then(|(method, text)| Ok((method, path(reader, &text, scope)?)));
    let plain = |(method, path)| Step {
        method,
        path,
        headers: Vec::new(),
        body: None,
        expect: Vec::new(),
        asserts: Vec::new(),
        extracts: Vec::new(),
    };
    let Some(details) = details else { return request.map(plain) };
    let mut fields = Fields::open(reader, details, "a request")?;
    let headers = fields.get("headers").map_or(Ok(Vec::new()), |node| headers(reader, node, scope));
    let (json, form) = (fields.get_even_null("json"), fields.get("form"));
    let body = body::body(reader, json, form, scope);
    let expect = fields.get("expect").map_or(Ok(Vec::new()), |node| statuses(reader, node));
    let asserts = fields.get("assert").map_or(Ok(Vec::new()), |node| answer::assertions(reader, node));
    let extracts = fields.get("extract").map_or(Ok(Vec::new()), |node| answer::extracts(reader, node, scope));
    fields.close(reader);
    Ok(Step {
        headers: headers?,
        body: body?,
        expect: expect?,
        asserts: asserts?,
        extracts: extracts?,
        ..plain(request?)
    })
}

fn path(reader: &mut Reader<'_>, text: &Text, scope: &Scope) -> Checked<Template> {
    if !text.text.starts_with('/') {
        let expected = "expected one such as /items/{1..9}";
        return Err(reader.fault(text.at, format!("a path that does not begin with `/`; {expected}")));
    }
    let template = reader.template(text, scope)?;
    // Parameters are encoded when they are filled in; the rest is sent as it is.
    let fits = template.parts.iter().all(|part| match part {
        Part::Literal(text) => is_path(&format!("/{text}")),
        _ => true,
    });
    if !fits {
        let expected = "expected it percent-encoded (a space is %20) and without a fragment";
        return Err(
            reader.fault(text.at, format!("a path with characters that a URL cannot hold; {expected}"))
        );
    }
    Ok(template)
}

/// Whether a text can be the path and query of a request.
pub(super) fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
        && text.parse::<PathAndQuery>().is_ok()
}

fn statuses(reader: &mut Reader<'_>, node: &Node) -> Checked<Vec<StatusCode>> {
    match node {
        Node::List(..) => reader.filled_list(node, 100, "status codes", status).map(|all| all.to_vec()),
        _ => Ok(vec![status(reader, node)?]),
    }
}

/// A status code.
pub(super) fn status(reader: &mut Reader<'_>, node: &Node) -> Checked<StatusCode> {
    let number = reader.whole(node, 100_u16, 599)?;
    Ok(StatusCode::from_u16(number).expect("100 to 599 are status codes"))
}
