//! One user's connection, on hyper's own terms: no pool, no resend that nobody hears of.
//!
//! The connection is driven by the task of the user that owns it, so a request costs no switch between
//! tasks, and the bytes that came back are known exactly: a kept connection that broke before the first of
//! them is told apart from one that broke later.

mod deadline;
mod dial;
mod wire;

use std::cell::Cell;
use std::error::Error as _;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::Request;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

pub(super) use self::deadline::Deadline;
pub(super) use self::dial::Dialer;
use self::wire::Wire;
use super::answer::Answer;
use super::outcome::{At, Cause, Failure};

/// The most of a body that is kept for looking at.
const LARGEST_BODY: usize = 8 << 20;

/// An open connection.
pub(super) struct Connection {
    sender: http1::SendRequest<Payload>,
    driver: Pin<Box<http1::Connection<TokioIo<Wire>, Payload>>>,
    open: bool,
    used: bool,
    read: Rc<Cell<u64>>,
}

/// Why an exchange brought no answer.
pub(super) enum Broken {
    /// The connection had closed before a byte was sent; here is the request.
    Unsent(Box<Request<Bytes>>),
    /// The request failed.
    Failed(Failure),
}

impl Connection {
    /// Begins HTTP on `wire`.
    pub(super) async fn new(wire: Wire) -> Result<Self, Failure> {
        let read = wire.read_counter();
        let handshake = http1::Builder::new().handshake(TokioIo::new(wire)).await;
        let (sender, driver) = handshake.map_err(|error| Failure {
            at: At::Connect,
            cause: cause(&error),
            reused: false,
            answered: false,
        })?;
        Ok(Self { sender, driver: Box::pin(driver), open: true, used: false, read })
    }

    /// Whether a request can be sent: the peer has not closed, as far as is known here.
    pub(super) async fn is_open(&mut self) -> bool {
        poll_fn(|cx| {
            self.drive(cx);
            let ready = self.sender.poll_ready(cx);
            Poll::Ready(self.open && matches!(ready, Poll::Ready(Ok(()))))
        })
        .await
    }

    /// Sends `request` and reads its answer; the body is kept if `keep_body`.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Bytes>,
        keep_body: bool,
        deadline: &mut Deadline,
    ) -> Result<Answer, Broken> {
        let reused = std::mem::replace(&mut self.used, true);
        let read_before = self.read.get();
        let read = Rc::clone(&self.read);
        let failed = move |at, cause| {
            Broken::Failed(Failure { at, cause, reused, answered: read.get() > read_before })
        };

        let sent = self.sender.try_send_request(request.map(|bytes| Payload(Some(bytes))));
        let mut sent = pin!(sent);
        let (driver, open) = (&mut self.driver, &mut self.open);
        let head = poll_fn(|cx| {
            drive(driver, open, cx);
            match sent.as_mut().poll(cx) {
                Poll::Ready(head) => Poll::Ready(Some(head)),
                Poll::Pending => deadline.poll(cx).map(|()| None),
            }
        });
        let response = match head.await {
            None => return Err(failed(At::Head, Cause::TimedOut)),
            Some(Ok(response)) => response,
            Some(Err(mut error)) => {
                return Err(match error.take_message() {
                    Some(request) if reused => Broken::Unsent(Box::new(request.map(Payload::into_bytes))),
                    _ => failed(At::Head, cause(error.error())),
                });
            }
        };
        let (head, body) = response.into_parts();
        let body = self.body(body, keep_body, deadline).await.map_err(|cause| failed(At::Body, cause))?;
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    async fn body(
        &mut self,
        mut body: Incoming,
        keep: bool,
        deadline: &mut Deadline,
    ) -> Result<Bytes, Cause> {
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while !body.is_end_stream() {
            let frame = poll_fn(|cx| {
                self.drive(cx);
                match Pin::new(&mut body).poll_frame(cx) {
                    Poll::Ready(frame) => Poll::Ready(Ok(frame)),
                    Poll::Pending => deadline.poll(cx).map(|()| Err(Cause::TimedOut)),
                }
            });
            let Some(frame) = frame.await? else { break };
            let Ok(data) = frame.map_err(|error| cause(&error))?.into_data() else { continue };
            if !keep || data.is_empty() {
                continue;
            }
            if first.is_empty() {
                first = data;
                continue;
            }
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
            if rest.len() > LARGEST_BODY {
                return Err(Cause::Protocol);
            }
        }
        Ok(if rest.is_empty() { first } else { rest.freeze() })
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        drive(&mut self.driver, &mut self.open, cx);
    }
}

/// Lets the connection read and write. What ends it with an error also ends the request that it carries.
fn drive(
    driver: &mut Pin<Box<http1::Connection<TokioIo<Wire>, Payload>>>,
    open: &mut bool,
    cx: &mut Context<'_>,
) {
    if *open && driver.as_mut().poll(cx).is_ready() {
        *open = false;
    }
}

/// A request's body, which can be had back from a request that was not sent.
struct Payload(Option<Bytes>);

impl Payload {
    fn into_bytes(self) -> Bytes {
        self.0.unwrap_or_default()
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.take().filter(|bytes| !bytes.is_empty()).map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

/// What a hyper error was about.
fn cause(error: &hyper::Error) -> Cause {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return io_cause(io);
        }
        source = inner.source();
    }
    if error.is_parse() || error.is_parse_too_large() { Cause::Protocol } else { Cause::Closed }
}

/// What an I/O error was about, TLS being carried inside of one.
fn io_cause(error: &io::Error) -> Cause {
    if error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some() {
        return Cause::Tls;
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Cause::Closed,
        kind => Cause::Io { kind, os: error.raw_os_error() },
    }
}
