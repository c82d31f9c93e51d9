//! Opens the way to a Prometheus server: authentication, headers, certificate authority.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::redirect::Policy;

use super::Prometheus;
use crate::file;

/// How a server is reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    pub(crate) url: String,
    pub(crate) username: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) bearer_token_file: Option<PathBuf>,
    /// `NAME: VALUE`.
    pub(crate) headers: Vec<String>,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) timeout: Duration,
}

/// The access as given cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the address `{0}` is no http or https URL, expected one such as http://localhost:9090")]
    Url(String),
    #[error(
        "the address has a query or a fragment, which no request would carry and every report would show: give a token with --bearer-token-file, anything else with --header"
    )]
    Extra,
    #[error(transparent)]
    File(#[from] crate::file::Error),
    #[error("header {0} is not of the form `NAME: VALUE`")]
    Header(usize),
    #[error("the {0} holds characters that no header can carry")]
    Secret(&'static str),
    #[error("reading certificates from {path}")]
    Certificate { path: String, source: reqwest::Error },
    #[error("{0} holds no certificate")]
    NoCertificate(String),
    #[error("setting up the HTTP client")]
    Client { source: reqwest::Error },
}

impl Access {
    /// Prepares a client; nothing is sent yet.
    pub(crate) fn open(self) -> Result<Prometheus, Error> {
        // A second call finds the provider installed, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let wrong = || Error::Url(showable(&self.url));
        let mut url = url::Url::parse(&self.url).map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Error::Extra);
        }
        let headers = self.all_headers(&mut url)?;
        // Headers of the user's own would go along to wherever a redirect leads.
        let builder = reqwest::Client::builder().redirect(Policy::none());
        let mut builder = builder.default_headers(headers).timeout(self.timeout);
        if let Some(path) = &self.ca {
            let path_text = path.display().to_string();
            let pem = file::read(path)?;
            let certificates = reqwest::Certificate::from_pem_bundle(pem.as_bytes())
                .map_err(|source| Error::Certificate { path: path_text.clone(), source })?;
            if certificates.is_empty() {
                return Err(Error::NoCertificate(path_text));
            }
            builder = builder.tls_certs_only(certificates);
        }
        let client = builder.build().map_err(|source| Error::Client { source })?;
        let shown = url.as_str().trim_end_matches('/').to_owned();
        let client = prometheus_http_query::Client::from(client, &shown).map_err(|_| wrong())?;
        Ok(Prometheus { client, url: shown, timeout: self.timeout })
    }

    /// Takes credentials out of the URL too, so that no report shows them.
    fn all_headers(&self, url: &mut url::Url) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        for (index, header) in self.headers.iter().enumerate() {
            let (name, value) = header.split_once(':').ok_or(Error::Header(index + 1))?;
            let name = HeaderName::try_from(name.trim()).map_err(|_| Error::Header(index + 1))?;
            headers.append(name, sensitive(value.trim(), "header's value")?);
        }
        let mut user = self.username.clone();
        let mut password = self.password_file.as_deref().map(file::read).transpose()?;
        if user.is_none() && !url.username().is_empty() {
            // Of an address they are percent-encoded, as they must be to hold an `@`.
            let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            user = Some(plain(url.username()));
            password = url.password().map(plain);
        }
        // Neither fails: the URL has a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        if let Some(path) = &self.bearer_token_file {
            let token = file::read(path)?;
            headers.insert(AUTHORIZATION, sensitive(&format!("Bearer {}", token.trim()), "bearer token")?);
        } else if let Some(user) = user {
            let pair = format!("{user}:{}", password.as_deref().unwrap_or("").trim_end_matches(['\r', '\n']));
            headers
                .insert(AUTHORIZATION, sensitive(&format!("Basic {}", base64(pair.as_bytes())), "password")?);
        }
        Ok(headers)
    }
}

/// Where an answer sends its reader, without what may be secret of it: credentials, and tickets in the query.
pub(super) fn elsewhere(response: &reqwest::Response) -> Option<String> {
    let location = response.headers().get(LOCATION).filter(|_| response.status().is_redirection())?;
    let mut to = response.url().join(&String::from_utf8_lossy(location.as_bytes())).ok()?;
    // Fails only for addresses that can have none.
    let _ = to.set_username("");
    let _ = to.set_password(None);
    to.set_query(None);
    to.set_fragment(None);
    Some(to.into())
}

/// As much of an address that cannot be used as may be shown: nothing that stands where credentials or tokens do.
fn showable(address: &str) -> String {
    const TOKENS: [char; 2] = ['?', '#'];
    let place = |text: &str| match text.find(TOKENS) {
        Some(end) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    match address.rsplit_once('@') {
        // Whether a password holds the one or a token the other is not known.
        Some((hidden, _)) if hidden.contains(TOKENS) => "…".to_owned(),
        Some((_, rest)) => format!("…@{}", place(rest)),
        None => place(address),
    }
}

fn sensitive(text: &str, what: &'static str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(text).map_err(|_| Error::Secret(what))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Base64 with padding (RFC 4648), for basic authentication.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let sextet = (word >> (18 - 6 * place)) & 63;
            let used = place <= chunk.len();
            text.push(if used { char::from(ALPHABET[sextet as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(url: &str) -> Access {
        Access { url: url.to_owned(), timeout: Duration::from_secs(1), ..Access::default() }
    }

    #[test]
    fn base64_follows_the_examples_of_rfc_4648() {
        let table = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (plain, coded) in table {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn credentials_of_the_address_are_sent_but_never_shown() {
        let mut url = url::Url::parse("http://me:secret@127.0.0.1:9090/prom/").unwrap();
        let headers = access("").all_headers(&mut url).unwrap();
        assert_eq!(headers[AUTHORIZATION], "Basic bWU6c2VjcmV0");
        assert!(headers[AUTHORIZATION].is_sensitive());
        let prometheus = access("http://me:secret@127.0.0.1:9090/prom/").open().ok().unwrap();
        assert_eq!(prometheus.url(), "http://127.0.0.1:9090/prom");
    }

    #[test]
    fn credentials_of_the_address_are_sent_as_they_were_before_they_were_encoded() {
        let table = [
            ("http://admin:p%40ss@127.0.0.1", "admin:p@ss"),
            ("http://me%3Ayou:p@127.0.0.1", "me:you:p"),
            ("http://admin:50%25@127.0.0.1", "admin:50%"),
        ];
        for (address, sent) in table {
            let headers = access("").all_headers(&mut url::Url::parse(address).unwrap()).unwrap();
            assert_eq!(headers[AUTHORIZATION], format!("Basic {}", base64(sent.as_bytes())), "{address}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in ["", "127.0.0.1:9090", "ftp://x", "unix:/x"] {
            assert!(access(url).open().is_err(), "{url}");
        }
        for url in ["http://x?", "http://x/?token=s3cr3t", "https://x/prom#s3cr3t"] {
            assert!(matches!(access(url).open(), Err(Error::Extra)), "{url}");
        }
        let mut with_header = access("http://x");
        with_header.headers = vec!["X-Scope-OrgID acme".to_owned()];
        assert!(matches!(with_header.open(), Err(Error::Header(1))));
    }

    #[test]
    fn of_an_address_that_is_refused_no_secret_is_shown() {
        let table = [
            ("127.0.0.1:9090", "127.0.0.1:9090"),
            ("admin:hunter2@prom:9090", "…@prom:9090"),
            ("ftp://admin:hunter2@prom/x", "…@prom/x"),
            ("http://admin:hunter2@prom:99999", "…@prom:99999"),
            ("http://admin:hun@ter2@prom:x", "…@prom:x"),
            ("prom:9090/?token=hunter2", "prom:9090/…"),
            ("admin@prom:9090#hunter2", "…@prom:9090…"),
            ("admin:hun?ter2@prom:9090", "…"),
            ("prom:9090/?user=me@here&token=hunter2", "…"),
        ];
        for (url, shown) in table {
            let told = access(url).open().err().map(|error| error.to_string()).unwrap_or_default();
            assert!(told.starts_with(&format!("the address `{shown}` is no ")), "{url}: {told}");
        }
    }
}
