//! GET of a path of the target on a fresh connection, read to the end.

use ::http::{HeaderName, HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Bytes};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use uuid::Uuid;

use super::driven;
use crate::health::dial::dial;
use crate::health::prober::{Check, Tidy};
use crate::tls::{self, Tls};
use crate::trial::{HeaderText, Part, Target, Template};

/// What makes a probe of this kind impossible, or fail.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Certificates.
    #[error("prepare TLS for the target")]
    Tls(#[source] tls::Error),
    /// The component's path does not make a request together with the target.
    #[error("build the request for {0}")]
    Request(String, #[source] ::http::Error),
    /// The target has no host.
    #[error("find the host in the target's address")]
    Host,
    /// No connection.
    #[error("connect to {0}")]
    Connect(String, #[source] std::io::Error),
    /// No TLS session.
    #[error("agree on TLS with {0}")]
    Handshake(String, #[source] std::io::Error),
    /// No full answer.
    #[error("read the answer")]
    Answer(#[source] hyper::Error),
    /// Another status than the healthy one.
    #[error("answered with status {0}")]
    Status(StatusCode),
}

/// The probe of one path.
pub(in crate::health) struct Http {
    host: String,
    port: u16,
    tls: Option<Tls>,
    uri: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
    expect: Option<StatusCode>,
}

impl Http {
    pub(in crate::health) fn new(
        target: &Target,
        path: &str,
        expect: Option<StatusCode>,
    ) -> Result<Self, Error> {
        let url = &target.url;
        let host = url.host_str().ok_or(Error::Host)?.trim_matches(['[', ']']).to_owned();
        let tls = match url.scheme() {
            "https" => Some(Tls::new(target).map_err(Error::Tls)?),
            _ => None,
        };
        let path = format!("{}{path}", url.path().trim_end_matches('/'));
        let uri = path.parse::<Uri>().map_err(|error| Error::Request(path.clone(), error.into()))?;
        let authority = target.host.clone().unwrap_or_else(|| authority(target));
        let host_header =
            HeaderValue::from_str(&authority).map_err(|error| Error::Request(path, error.into()))?;
        let mut headers =
            vec![(header::HOST, host_header), (header::CONNECTION, HeaderValue::from_static("close"))];
        headers.extend(target.headers.iter().filter_map(|(name, text)| Some((name.clone(), filled(text)?))));
        let port = url.port_or_known_default().unwrap_or(80);
        Ok(Self { host, port, tls, uri, headers, expect })
    }

    async fn ask(&self) -> Result<(), Error> {
        let address = || format!("{}:{}", self.host, self.port);
        let stream = dial(&self.host, self.port).await.map_err(|error| Error::Connect(address(), error))?;
        let Some(tls) = &self.tls else { return self.exchange(stream).await };
        let stream = tls.connect(stream).await.map_err(|error| Error::Handshake(address(), error))?;
        self.exchange(stream).await
    }

    async fn exchange(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send) -> Result<(), Error> {
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(Error::Answer)?;
        driven(connection, async {
            let response = sender.send_request(self.request()?).await.map_err(Error::Answer)?;
            let status = response.status();
            drain(response.into_body()).await.map_err(Error::Answer)?;
            let healthy = self.expect.map_or(status.is_success(), |expected| status == expected);
            if healthy { Ok(()) } else { Err(Error::Status(status)) }
        })
        .await
    }

    fn request(&self) -> Result<Request<Empty<Bytes>>, Error> {
        let mut request = Request::get(self.uri.clone());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Empty::new()).map_err(|error| Error::Request(self.uri.to_string(), error))
    }
}

impl Check for Http {
    type Error = Error;

    async fn check(&self, _slot: u64, _tidy: &mut Option<Tidy>) -> Result<(), Error> {
        self.ask().await
    }
}

fn authority(target: &Target) -> String {
    let host = target.url.host_str().unwrap_or_default();
    target.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

async fn drain<B: Body<Data = Bytes> + Unpin>(mut body: B) -> Result<(), B::Error> {
    while let Some(frame) = body.frame().await {
        frame?;
    }
    Ok(())
}

/// The value that a probe sends; none where it would have to be extracted from an answer.
fn filled(text: &HeaderText) -> Option<HeaderValue> {
    match text {
        HeaderText::Fixed(value) => Some(value.clone()),
        HeaderText::Template(template) => HeaderValue::from_str(&render(template)?).ok(),
    }
}

fn render(template: &Template) -> Option<String> {
    let mut text = String::new();
    for part in &template.parts {
        match part {
            Part::Literal(literal) => text.push_str(literal),
            Part::Secret(secret) => text.push_str(secret.0.expose()),
            Part::Range(numbers) => text.push_str(&numbers.bounds().start().to_string()),
            Part::Choice(choices) => text.push_str(choices.first()?),
            Part::Uuid => text.push_str(&Uuid::new_v4().to_string()),
            Part::User => text.push('0'),
            Part::Extracted(_) => return None,
        }
    }
    Some(text)
}
