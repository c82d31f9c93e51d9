use http::HeaderValue;
use http::header::SET_COOKIE;
use regex::Regex;

use super::*;
use crate::load::plan::Plan;
use crate::trial::{Extract, NonEmpty, Part, Step, Task, Template, smallest};

fn plan(step: Step) -> Plan {
    let mut trial = smallest();
    trial.target.url = "http://shop.example:8080/app".parse().expect("a URL");
    trial.load.tasks = NonEmpty::one(Task { journey: NonEmpty::one(step), ..trial.load.tasks[0].clone() });
    Plan::new(&trial).expect("a plan")
}

fn step(expect: &[u16], asserts: Vec<Assertion>, extracts: Vec<(&str, ExtractFrom)>) -> Step {
    Step {
        method: Method::GET,
        path: Template { parts: vec![Part::Literal("/".into())] },
        headers: Vec::new(),
        body: None,
        expect: expect.iter().map(|&status| StatusCode::from_u16(status).expect("a status")).collect(),
        asserts,
        extracts: extracts.into_iter().map(|(name, from)| Extract { name: name.into(), from }).collect(),
    }
}

fn answer(status: u16, headers: &[(http::HeaderName, &'static str)], body: &'static str) -> Answer {
    let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
    Answer {
        status: StatusCode::from_u16(status).expect("a status"),
        headers: headers.collect(),
        body: Bytes::from_static(body.as_bytes()),
    }
}

fn judged(step: Step, follows: bool, answer: &Answer) -> (Result<(), Reason>, Values) {
    let plan = plan(step);
    let (mut jar, mut values) = (Jar::default(), Values::new(0));
    jar.keep(&plan.origin.visible, "/", &answer.headers);
    let verdict = judge(&plan.tasks[0].steps[0], follows, answer, &jar, &mut values);
    (verdict.map_err(|failed| failed.reason), values)
}

#[test]
fn what_was_not_as_it_should_be_is_known() {
    let asserts = || ["new", "old"].map(|text| Assertion::Contains(text.into())).to_vec();
    let taken = || vec![("a", ExtractFrom::Json("/a".into())), ("b", ExtractFrom::Json("/b".into()))];
    for (status, body, reason, detail) in [
        (404, "", Reason::Http4xx, Detail::Status(StatusCode::NOT_FOUND)),
        (200, "new", Reason::Assertion, Detail::Condition(1)),
        (200, r#"{"a": "new and old"}"#, Reason::Assertion, Detail::Value(1)),
    ] {
        let plan = plan(step(&[], asserts(), taken()));
        let given = answer(status, &[], body);
        let verdict = judge(&plan.tasks[0].steps[0], false, &given, &Jar::default(), &mut Values::new(0));
        assert_eq!(verdict, Err(Failed::with(reason, detail)), "{status} {body}");
    }
}

#[test]
fn statuses_are_accepted_as_the_trial_says() {
    for (expect, status, follows, due) in [
        (&[][..], 204, false, Ok(())),
        (&[], 302, false, Ok(())),
        (&[], 302, true, Err(Reason::Redirect)),
        (&[], 404, false, Err(Reason::Http4xx)),
        (&[], 503, true, Err(Reason::Http5xx)),
        (&[404], 404, false, Ok(())),
        (&[201, 409], 409, false, Ok(())),
        (&[201], 200, false, Err(Reason::Assertion)),
        (&[302], 302, true, Ok(())),
    ] {
        let (verdict, _) = judged(step(expect, vec![], vec![]), follows, &answer(status, &[], ""));
        assert_eq!(verdict, due, "{status} where {expect:?} is expected");
    }
}

#[test]
fn bodies_are_held_to_their_assertions() {
    let body = r#"{"id": 7, "price": 1.0, "tags": ["new"], "none": null}"#;
    let regex = |text| Assertion::Matches(Regex::new(text).expect("a pattern"));
    for (assertion, holds) in [
        (Assertion::Contains("new".into()), true),
        (Assertion::Contains("old".into()), false),
        (regex(r#""id": \d"#), true),
        (regex("^id"), false),
        (Assertion::JsonEquals("/id".into(), 7.into()), true),
        (Assertion::JsonEquals("/id".into(), "7".into()), false),
        (Assertion::JsonEquals("/price".into(), 1.into()), true),
        (Assertion::JsonEquals("/tags/0".into(), "new".into()), true),
        (Assertion::JsonPresent("/none".into()), true),
        (Assertion::JsonPresent("/tags/1".into()), false),
    ] {
        let shown = format!("{assertion:?}");
        let (verdict, _) = judged(step(&[], vec![assertion], vec![]), false, &answer(200, &[], body));
        assert_eq!(verdict.is_ok(), holds, "{shown}");
    }
}

#[test]
fn values_are_taken_from_all_places_and_a_missing_one_fails() {
    let taken = vec![
        ("number", ExtractFrom::Json("/id".into())),
        ("text", ExtractFrom::Json("/name".into())),
        ("header", ExtractFrom::Header("x-token".parse().expect("a name"))),
        ("cookie", ExtractFrom::Cookie("sid".into())),
        ("group", ExtractFrom::Regex(Regex::new(r#""name": "(\w+)""#).expect("a pattern"))),
        ("whole", ExtractFrom::Regex(Regex::new("gold").expect("a pattern"))),
    ];
    let headers = [("x-token".parse().expect("a name"), "abc"), (SET_COOKIE, "sid=s1; Path=/")];
    let given = answer(200, &headers, r#"{"id": 7, "name": "gold"}"#);
    let (verdict, values) = judged(step(&[], vec![], taken), false, &given);
    assert_eq!(verdict, Ok(()));
    let kept = ["number", "text", "header", "cookie", "group", "whole"].map(|name| values.get(name));
    assert_eq!(kept, ["7", "gold", "abc", "s1", "gold", "gold"].map(Some));
    for from in [
        ExtractFrom::Json("/none".into()),
        ExtractFrom::Header("x-none".parse().expect("a name")),
        ExtractFrom::Cookie("none".into()),
        ExtractFrom::Regex(Regex::new("none").expect("a pattern")),
    ] {
        let (verdict, _) = judged(step(&[], vec![], vec![("x", from)]), false, &answer(200, &[], "{}"));
        assert_eq!(verdict, Err(Reason::Assertion));
    }
}

#[test]
fn hops_lead_within_the_target() {
    let path = |path: &str, keeps_body| Ok(Some(Hop { path: path.into(), keeps_body }));
    for (method, status, location, due) in [
        (Method::GET, 200, "/x", Ok(None)),
        (Method::GET, 304, "/x", Ok(None)),
        (Method::GET, 302, "/x?y=1#z", path("/x?y=1", true)),
        (Method::GET, 301, "next", path("/app/next", true)),
        (Method::GET, 302, "http://shop.example:8080/x", path("/x", true)),
        (Method::POST, 301, "/x", path("/x", false)),
        (Method::POST, 302, "/x", path("/x", false)),
        (Method::PUT, 302, "/x", path("/x", true)),
        (Method::POST, 303, "/x", path("/x", false)),
        (Method::HEAD, 303, "/x", path("/x", true)),
        (Method::POST, 307, "/x", path("/x", true)),
        (Method::POST, 308, "/x", path("/x", true)),
        (Method::GET, 302, "http://shop.example/x", Err(Reason::Redirect)),
        (Method::GET, 302, "https://shop.example:8080/x", Err(Reason::Redirect)),
        (Method::GET, 302, "//elsewhere.example/x", Err(Reason::Redirect)),
    ] {
        let plan = plan(step(&[], vec![], vec![]));
        let given = answer(status, &[(LOCATION, location)], "");
        let seen = hop(&plan.origin, &plan.tasks[0].steps[0], &method, "/app/list", &given);
        assert_eq!(seen, due, "{method} {status} {location}");
    }
    let plan = plan(step(&[], vec![], vec![]));
    let nowhere = hop(&plan.origin, &plan.tasks[0].steps[0], &Method::GET, "/", &answer(302, &[], ""));
    assert_eq!(nowhere, Err(Reason::Redirect));
}
