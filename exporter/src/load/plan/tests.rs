use rand::SeedableRng as _;

use super::*;
use crate::trial::{Part, Secret, SecretText};

fn target(url: &str) -> Target {
    Target {
        url: url.parse().expect("a URL"),
        ca: None,
        client_identity: None,
        host: None,
        headers: Vec::new(),
    }
}

fn step(path: Vec<Part>) -> Step {
    Step {
        method: Method::GET,
        path: Template { parts: path },
        headers: Vec::new(),
        body: None,
        expect: Vec::new(),
        asserts: Vec::new(),
        extracts: Vec::new(),
    }
}

fn literal(text: &str) -> Vec<Part> {
    vec![Part::Literal(text.into())]
}

fn request(target: &Target, step: &Step) -> Request<Bytes> {
    let origin = Origin::new(target).expect("a target");
    let plan = StepPlan::new(&origin, &target.headers, step).expect("a request");
    plan.request(&Values::new(4), &mut StdRng::seed_from_u64(0)).expect("nothing is missing")
}

#[test]
fn the_host_header_names_the_port_only_where_it_is_not_the_usual_one() {
    for (url, host, port, https) in [
        ("http://shop.example", "shop.example", 80, false),
        ("http://shop.example:8080/app", "shop.example:8080", 8080, false),
        ("https://shop.example", "shop.example", 443, true),
        ("https://shop.example:80", "shop.example:80", 80, true),
        ("http://[::1]:81", "[::1]:81", 81, false),
    ] {
        let origin = Origin::new(&target(url)).expect("a target");
        assert_eq!((origin.port, origin.https), (port, https), "{url}");
        assert_eq!(request(&target(url), &step(literal("/"))).headers()[HOST], host);
    }
}

#[test]
fn another_host_is_used_for_header_and_redirects_not_for_connecting() {
    let mut target = target("https://192.0.2.1:8443");
    target.host = Some("shop.example".into());
    let origin = Origin::new(&target).expect("a target");
    assert_eq!(origin.host.to_string(), "192.0.2.1");
    let owns = |url: &str| origin.owns(&url.parse().expect("a URL"));
    assert_eq!(
        [
            "https://shop.example/x",
            "https://192.0.2.1:8443/",
            "http://shop.example/",
            "https://shop.example:1/"
        ]
        .map(owns),
        [true, true, false, false]
    );
}

#[test]
fn paths_are_below_the_targets() {
    for (base, path, due) in
        [("http://h", "/", "/"), ("http://h/app/", "/x?y=1", "/app/x?y=1"), ("http://h/app", "x", "/app/x")]
    {
        assert_eq!(request(&target(base), &step(literal(path))).uri(), due);
    }
    let filled = vec![Part::Literal("/u/".into()), Part::User];
    assert_eq!(request(&target("http://h/app"), &step(filled)).uri(), "/app/u/4");
}

#[test]
fn bodies_have_their_type_and_the_trials_headers_the_last_word() {
    let mut with_body = step(literal("/"));
    with_body.body = Some(Body::Form(vec![("a".into(), Template { parts: vec![Part::User] })]));
    let sent = request(&target("http://h"), &with_body);
    assert_eq!(sent.headers()[CONTENT_TYPE], "application/x-www-form-urlencoded");
    assert_eq!(sent.body(), "a=4");
    let kind = HeaderText::Fixed(HeaderValue::from_static("text/plain"));
    with_body.headers = vec![(CONTENT_TYPE, kind)];
    assert_eq!(request(&target("http://h"), &with_body).headers()[CONTENT_TYPE], "text/plain");
}

#[test]
fn secrets_in_headers_are_marked_and_those_in_paths_not_shown() {
    let secret = || Part::Secret(SecretText(Secret::new("hush hush".into())));
    let mut with_secret = step(literal("/"));
    let template = Template { parts: vec![Part::Literal("Bearer ".into()), secret()] };
    with_secret.headers = vec![(http::header::AUTHORIZATION, HeaderText::Template(template))];
    let sent = request(&target("http://h"), &with_secret);
    assert!(sent.headers()[http::header::AUTHORIZATION].is_sensitive());
    assert!(!format!("{sent:?}").contains("hush"));

    let long = Part::Literal("x".repeat(70_000));
    let broken = PathPlan::new("", &Template { parts: vec![secret(), long] });
    let broken = broken.err().expect("too long for a URI");
    assert!(!format!("{broken} {broken:?}").contains("hush"));
}

#[test]
fn a_body_is_read_only_where_somebody_looks_at_it() {
    let needs = |step: &Step| {
        let origin = Origin::new(&target("http://h")).expect("a target");
        StepPlan::new(&origin, &[], step).expect("a request").needs_body
    };
    let mut looked_at = step(literal("/"));
    assert!(!needs(&looked_at));
    looked_at.extracts = vec![Extract { name: "c".into(), from: ExtractFrom::Cookie("c".into()) }];
    assert!(!needs(&looked_at));
    looked_at.extracts[0].from = ExtractFrom::Json("/x".into());
    assert!(needs(&looked_at));
    looked_at.extracts.clear();
    looked_at.asserts = vec![Assertion::Contains("x".into())];
    assert!(needs(&looked_at));
}
