//! Requests in, answers out.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;

use super::asked::Asked;
use super::exec;
use super::rules::Fate;
use super::status::Answer;
use super::{Shared, When, World};

/// No object of the tests is larger.
const LARGEST: usize = 1 << 20;

pub(super) async fn serve(shared: Arc<Shared>, listener: tokio::net::TcpListener) {
    let routes = Router::new().fallback(respond).with_state(shared);
    axum::serve(listener, routes).await.expect("it serves");
}

async fn respond(State(shared): State<Arc<Shared>>, mut request: Request) -> Response {
    let connection = hyper::upgrade::on(&mut request);
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST).await.unwrap_or_default();
    let Some(asked) = Asked::of(&parts, &body) else {
        return response(404, None, "404 page not found\n".to_owned());
    };
    if asked.verb == "watch" {
        return watched(&shared, &asked).await;
    }
    let taken = shared.lock().take(&asked);
    shared.changed.notify_waiters();
    match taken {
        Taken::Answered(Answer { code: 101, body, .. }) => exec::told(&parts.headers, connection, &body),
        Taken::Answered(Answer { code, retry_after, body }) => response(code, retry_after, body.to_string()),
        Taken::Lost => std::future::pending().await,
        Taken::Caught => {
            shared.caught.notify_one();
            std::future::pending().await
        }
    }
}

fn response(code: u16, retry_after: Option<u32>, body: String) -> Response {
    let mut builder = Response::builder().status(code).header("content-type", "application/json");
    if let Some(seconds) = retry_after {
        builder = builder.header("retry-after", seconds);
    }
    builder.body(Body::from(body)).expect("a response")
}

/// The first news since the version that is asked for, or none by the time that is asked for.
async fn watched(shared: &Shared, asked: &Asked) -> Response {
    let refused = shared.lock().refusal(asked);
    if let Some(Answer { code, retry_after, body }) = refused {
        return response(code, retry_after, body.to_string());
    }
    let seconds = asked.query.get("timeoutSeconds").and_then(|text| text.parse().ok()).unwrap_or(1);
    let news = async {
        loop {
            let changed = shared.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            let news = shared.lock().objects.news(asked);
            if !news.is_empty() {
                return news;
            }
            changed.await;
        }
    };
    let news = tokio::time::timeout(Duration::from_secs(seconds), news).await;
    response(200, None, news.unwrap_or_default())
}

/// What becomes of a request.
enum Taken {
    Answered(Answer),
    /// Whoever asked hears nothing.
    Lost,
    /// Whoever asked is to be killed now.
    Caught,
}

impl World {
    fn take(&mut self, asked: &Asked) -> Taken {
        self.asked.push(asked.clone());
        let caught = self.catch_at(asked);
        if caught == Some(When::Before) {
            return Taken::Caught;
        }
        let rule = self.rules.iter_mut().find(|rule| rule.concerns(asked));
        let Some(rule) = rule else { return told(self.objects.answer(asked), caught) };
        rule.times -= 1;
        match &mut rule.fate {
            Fate::Refused(answer) => told(answer(asked), caught),
            Fate::Lost => {
                self.objects.answer(asked);
                Taken::Lost
            }
            Fate::Before(hand) => {
                hand(&mut self.objects);
                told(self.objects.answer(asked), caught)
            }
            Fate::After(hand) => {
                let answer = self.objects.answer(asked);
                hand(&mut self.objects);
                told(answer, caught)
            }
        }
    }

    /// Whether whoever asks is to be caught at this request.
    fn catch_at(&mut self, asked: &Asked) -> Option<When> {
        let (left, when) = self.stop.as_mut().filter(|_| asked.is_change())?;
        if *left > 0 {
            *left -= 1;
            return None;
        }
        let when = *when;
        self.stop = None;
        Some(when)
    }

    fn refusal(&self, asked: &Asked) -> Option<Answer> {
        let rule = self.rules.iter().find(|rule| rule.concerns(asked))?;
        match &rule.fate {
            Fate::Refused(answer) => Some(answer(asked)),
            _ => None,
        }
    }
}

fn told(answer: Answer, caught: Option<When>) -> Taken {
    if caught == Some(When::After) { Taken::Caught } else { Taken::Answered(answer) }
}
