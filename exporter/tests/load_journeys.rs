//! Journeys of users with a session: a service that works as Django does, and choices that repeat.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod load_support;

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get as on_get, post as on_post};
use exporter::trial::{
    Assertion, Body, Extract, ExtractFrom, HeaderText, JsonTemplate, NonEmpty, Part, Redirects, Step, Task,
    Template, Trial,
};
use http::{HeaderName, Method};
use load_support::{
    Rig, a_minute_of, expecting, extracted, form, get, header, server, step, task, text, trial,
};

/// What the service remembers.
#[derive(Default)]
struct Django {
    tokens: HashSet<String>,
    sessions: HashSet<String>,
    sales: Vec<String>,
    logins: usize,
    next: usize,
}

type Shared = Arc<Mutex<Django>>;

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(COOKIE)?.to_str().ok()?;
    text.split("; ").find_map(|pair| pair.strip_prefix(&format!("{name}="))).map(str::to_owned)
}

fn field(body: &str, name: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(body.as_bytes());
    pairs.into_owned().find(|(known, _)| known == name).map(|(_, value)| value)
}

/// The form, with a new token in a cookie and in a hidden field that differs from it, as Django masks it.
async fn login_form(State(shared): State<Shared>) -> Response {
    let mut django = shared.lock().unwrap();
    django.next += 1;
    let token = format!("t&{}", django.next);
    django.tokens.insert(token.clone());
    let page = format!(r#"<form><input name="csrfmiddlewaretoken" value="masked {token}"></form>"#);
    ([(SET_COOKIE, format!("csrftoken={token}; Path=/; SameSite=Lax"))], page).into_response()
}

/// 403 without token, the form again with bad credentials, else a session and a redirect.
async fn log_in(State(shared): State<Shared>, headers: HeaderMap, body: String) -> Response {
    let mut django = shared.lock().unwrap();
    let token = cookie(&headers, "csrftoken").unwrap_or_default();
    let sent = field(&body, "csrfmiddlewaretoken").unwrap_or_default();
    let form = headers[CONTENT_TYPE] == "application/x-www-form-urlencoded";
    if !form || !django.tokens.contains(&token) || sent != format!("masked {token}") {
        return StatusCode::FORBIDDEN.into_response();
    }
    if field(&body, "username").as_deref() != Some("anna")
        || field(&body, "password").as_deref() != Some("p&q")
    {
        return (StatusCode::OK, "try again").into_response();
    }
    django.logins += 1;
    let session = format!("s{}", django.logins);
    django.sessions.insert(session.clone());
    let cookies = [(SET_COOKIE, format!("sessionid={session}; HttpOnly; Path=/"))];
    (StatusCode::FOUND, cookies, [(LOCATION, "/home?from=login")]).into_response()
}

/// The page behind the login, or a redirect to the form.
async fn home(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let session = cookie(&headers, "sessionid").unwrap_or_default();
    if shared.lock().unwrap().sessions.contains(&session) {
        format!("Welcome {session}").into_response()
    } else {
        (StatusCode::FOUND, [(LOCATION, "/login")]).into_response()
    }
}

/// A sale, with the token in a header as single-page applications send it.
async fn sell(State(shared): State<Shared>, headers: HeaderMap, body: String) -> Response {
    let mut django = shared.lock().unwrap();
    let session = cookie(&headers, "sessionid").unwrap_or_default();
    let token = headers.get("x-csrftoken").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !django.sessions.contains(&session) || !django.tokens.contains(token) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let sale: serde_json::Value = serde_json::from_str(&body).unwrap();
    let complete = sale["sku"].as_str().is_some_and(|sku| sku.starts_with("S-")) && sale["quantity"].is_u64();
    if !complete {
        return StatusCode::BAD_REQUEST.into_response();
    }
    django.sales.push(sale["id"].as_str().unwrap().to_owned());
    let number = django.sales.len();
    (StatusCode::CREATED, axum::Json(serde_json::json!({"id": number, "open": true}))).into_response()
}

async fn sale(State(shared): State<Shared>, path: axum::extract::Path<usize>) -> Response {
    match shared.lock().unwrap().sales.get(path.0 - 1) {
        Some(id) => axum::Json(serde_json::json!({"sale": id})).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn django() -> (String, Shared) {
    let shared = Shared::default();
    let router = Router::new()
        .route("/app/login", on_get(login_form).post(log_in))
        .route("/home", on_get(home))
        .route("/login", on_get(|| async { (StatusCode::FOUND, [(LOCATION, "/app/login")]) }))
        .route("/app/home", on_get(home))
        .route("/app/sales", on_post(sell))
        .route("/app/sales/{number}", on_get(sale))
        .with_state(Arc::clone(&shared));
    (server(router).await + "/app/", shared)
}

fn take(name: &str, from: ExtractFrom) -> Extract {
    Extract { name: name.into(), from }
}

fn regex(text: &str) -> regex::Regex {
    regex::Regex::new(text).unwrap()
}

fn password_login(password: &str) -> NonEmpty<Step> {
    let token = regex(r#"name="csrfmiddlewaretoken" value="([^"]+)""#);
    let open = Step {
        extracts: vec![
            take("form_token", ExtractFrom::Regex(token)),
            take("csrf", ExtractFrom::Cookie("csrftoken".into())),
        ],
        ..get("/login")
    };
    let fields = [
        ("csrfmiddlewaretoken", extracted("form_token")),
        ("username", text("anna")),
        ("password", text(password)),
    ];
    let send = Step { asserts: vec![Assertion::Contains("Welcome".into())], ..form("/login", &fields) };
    NonEmpty::new(vec![open, send]).unwrap()
}

fn selling() -> Vec<Step> {
    let object = JsonTemplate::Object(vec![
        ("id".into(), JsonTemplate::Text(Template { parts: vec![Part::Uuid] })),
        (
            "sku".into(),
            JsonTemplate::Text(Template {
                parts: vec![Part::Literal("S-".into()), Part::range(1, 500).unwrap()],
            }),
        ),
        ("quantity".into(), JsonTemplate::Text(Template { parts: vec![Part::range(1, 3).unwrap()] })),
    ]);
    let create = Step {
        body: Some(Body::Json(object)),
        headers: vec![(HeaderName::from_static("x-csrftoken"), HeaderText::Template(extracted("csrf")))],
        asserts: vec![Assertion::JsonEquals("/open".into(), true.into())],
        extracts: vec![take("number", ExtractFrom::Json("/id".into()))],
        ..expecting(201, step(Method::POST, "/sales"))
    };
    let path = Template { parts: vec![Part::Literal("/sales/".into()), Part::Extracted("number".into())] };
    let look = Step { path, asserts: vec![Assertion::JsonPresent("/sale".into())], ..get("/") };
    vec![create, look, Step { asserts: vec![Assertion::Matches(regex("^Welcome s"))], ..get("/home") }]
}

fn follow(trial: Trial) -> Trial {
    let mut trial = trial;
    trial.load.redirects = Redirects::Follow(NonZeroU32::new(10).unwrap());
    trial
}

#[tokio::test]
async fn users_log_in_once_with_a_csrf_token_and_keep_their_session() {
    let (url, shared) = django().await;
    let mut trial = follow(trial(&url, selling()));
    trial.load.login = Some(password_login("p&q"));
    trial.load.stages = NonEmpty::one(a_minute_of(4));
    let rig = Rig::start(trial).await;
    rig.until("requests", |rig| rig.ok() >= 60.0).await;
    let report = rig.handle.finish().await;
    let django = shared.lock().unwrap();
    assert_eq!(report.requests.error, 0, "{report:?}");
    assert_eq!(django.logins, 4);
    let distinct: HashSet<_> = django.sales.iter().collect();
    assert_eq!(distinct.len(), django.sales.len());
    // Neither log-ins nor hops are requests: each sale stands for three at most.
    assert!(report.requests.ok <= 3 * django.sales.len() as u64, "{report:?}");
}

#[tokio::test]
async fn a_wrong_password_is_an_error_of_the_session() {
    let (url, _) = django().await;
    let mut trial = follow(trial(&url, vec![get("/home")]));
    trial.load.login = Some(password_login("wrong"));
    Rig::start(trial).await.expect_only("session").await;
}

#[tokio::test]
async fn a_failed_request_ends_its_journey() {
    let (url, shared) = django().await;
    // No login: the sale is forbidden, so nobody looks for it.
    let mut journey = selling();
    journey[0].headers.clear();
    let rig = Rig::start(follow(trial(&url, journey))).await;
    rig.expect_only("http_4xx").await;
    assert!(shared.lock().unwrap().sales.is_empty());
}

#[tokio::test]
async fn the_targets_headers_go_along_and_a_step_has_the_last_word() {
    let router = Router::new().route(
        "/",
        on_get(|headers: HeaderMap| async move {
            let seen = |name| headers.get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
            [seen("host"), seen("x-tenant"), seen("x-kind"), seen("user-agent")].join(" ")
        }),
    );
    let due = concat!("shop.example:81 acme step ordeal/", env!("CARGO_PKG_VERSION"));
    let step = Step {
        headers: vec![header("x-kind", "step")],
        asserts: vec![Assertion::Contains(due.into())],
        ..get("/")
    };
    let mut trial = trial(&server(router).await, vec![step]);
    trial.target.headers = vec![header("x-tenant", "acme"), header("x-kind", "target")];
    trial.target.host = Some("shop.example:81".into());
    let rig = Rig::start(trial).await;
    rig.until("answers", |rig| rig.ok() + rig.failed() >= 2.0).await;
    assert_eq!(rig.handle.finish().await.requests.error, 0);
}

/// The first `count` tasks of one user, as the server saw them.
async fn first_tasks(number: u64, failing: bool, count: usize) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let router = Router::new().fallback(move |uri: axum::http::Uri| async move {
        noted.lock().unwrap().push(uri.path().to_owned());
        if failing { StatusCode::BAD_GATEWAY } else { StatusCode::OK }
    });
    let mut trial = trial(&server(router).await, vec![get("/")]);
    let tasks: Vec<Task> = ["a", "b", "c"].map(|name| task(name, 1, vec![get(name)])).into();
    trial.load.tasks = NonEmpty::new(tasks).unwrap();
    trial.load.seed = number;
    let rig = Rig::start(trial).await;
    rig.until("requests", |_| seen.lock().unwrap().len() >= count).await;
    let report = rig.handle.finish().await;
    let chosen: u64 = report.tasks.iter().map(|task| task.chosen).sum();
    assert!(report.tasks.iter().all(|task| (task.share - task.chosen as f64 / chosen as f64).abs() < 1e-9));
    let mut seen = seen.lock().unwrap().clone();
    seen.truncate(count);
    seen
}

#[tokio::test]
async fn a_seed_repeats_its_choices_whatever_the_target_answers() {
    let first = first_tasks(7, false, 20).await;
    assert_eq!(first_tasks(7, true, 20).await, first);
    assert_ne!(first_tasks(8, false, 20).await, first);
}
