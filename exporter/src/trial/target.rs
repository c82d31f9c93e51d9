//! The section `target`, and every other URL of the file.

use std::path::PathBuf;

use http::uri::Authority;
use url::Url;

use super::fields::Fields;
use super::headers::headers;
use super::model::{ClientIdentity, Target};
use super::node::Node;
use super::reader::{Checked, Reader};
use super::template::Scope;
use super::words::shown;

const EXPECTED: &str = "a URL such as http://shop.example:8080";

/// The target: a URL, or a mapping with one.
pub(super) fn target(reader: &mut Reader<'_>, node: &Node) -> Checked<Target> {
    if !matches!(node, Node::Map(_)) {
        let url = target_url(reader, node)?;
        return Ok(Target { url, ca: None, client_identity: None, host: None, headers: Vec::new() });
    }
    let mut fields = Fields::open(reader, node, "the target")?;
    let url = fields.require(reader, "url", EXPECTED).and_then(|node| target_url(reader, node));
    let ca_node = fields.get("ca");
    let ca = ca_node.map(|node| file(reader, node)).transpose();
    let (certificate, key) = (fields.get("client_certificate"), fields.get("client_key"));
    let client_identity = identity(reader, certificate, key);
    let host = fields.get("host").map(|node| host(reader, node)).transpose();
    // Target headers go with every request, the first of the login included: nothing is extracted yet.
    let nothing = Scope::default();
    let headers = fields.get("headers").map_or(Ok(Vec::new()), |node| headers(reader, node, &nothing));
    if url.as_ref().is_ok_and(|url| url.scheme() == "http") {
        for (key, node) in [("ca", ca_node), ("client_certificate", certificate)] {
            if let Some(node) = node {
                reader.fault(node.at(), format!("`{key}` for a target without TLS; expected an https URL"));
            }
        }
    }
    fields.close(reader);
    Ok(Target { url: url?, ca: ca?, client_identity: client_identity?, host: host?, headers: headers? })
}

/// An http or https URL. Its text is never repeated in a fault: it may hold a secret.
pub(super) fn http_url(reader: &mut Reader<'_>, node: &Node) -> Checked<Url> {
    let text = reader.filled(node, EXPECTED)?;
    let (url, _) = reader.with_secrets(text)?;
    let wrong = match Url::parse(&url) {
        Err(error) => format!("not a URL ({error}); expected {EXPECTED}"),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            format!("not an http or https URL; expected {EXPECTED}")
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "a URL with credentials; expected none (a target may have a header Authorization)".to_owned()
        }
        Ok(url) => return Ok(url),
    };
    Err(reader.fault(text.at, wrong))
}

fn target_url(reader: &mut Reader<'_>, node: &Node) -> Checked<Url> {
    let url = http_url(reader, node)?;
    if url.query().is_some() || url.fragment().is_some() {
        let text = "a target with a query or a fragment; expected a query in the paths of journeys";
        return Err(reader.fault(node.at(), text));
    }
    Ok(url)
}

/// A file that can be read, its path from the trial file's folder.
fn file(reader: &mut Reader<'_>, node: &Node) -> Checked<PathBuf> {
    let text = reader.filled(node, "the path of a PEM file")?;
    let path = reader.folder.join(&text.text);
    match reader.environment.file(&path) {
        Ok(_) => Ok(path),
        Err(error) => {
            let found = shown(&text.text);
            Err(reader.fault(text.at, format!("cannot read {found}: {error}; expected a PEM file")))
        }
    }
}

fn identity(
    reader: &mut Reader<'_>,
    certificate: Option<&Node>,
    key: Option<&Node>,
) -> Checked<Option<ClientIdentity>> {
    match (certificate, key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            let (certificate, key) = (file(reader, certificate), file(reader, key));
            Ok(Some(ClientIdentity { certificate: certificate?, key: key? }))
        }
        (Some(node), None) => {
            Err(reader.fault(node.at(), "`client_certificate` without `client_key`; expected both"))
        }
        (None, Some(node)) => {
            Err(reader.fault(node.at(), "`client_key` without `client_certificate`; expected both"))
        }
    }
}

fn host(reader: &mut Reader<'_>, node: &Node) -> Checked<String> {
    const HOST: &str = "a host name such as shop.example or shop.example:8443";
    let text = reader.filled(node, HOST)?;
    match text.text.parse::<Authority>() {
        Ok(host) if !host.as_str().contains('@') => Ok(text.text.clone()),
        _ => Err(reader.fault(text.at, format!("{}; expected {HOST}", shown(&text.text)))),
    }
}
