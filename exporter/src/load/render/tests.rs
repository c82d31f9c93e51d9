use rand::SeedableRng as _;

use super::*;
use crate::trial::{NonEmpty, ProcessEnvironment, Secret, SecretText};

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

fn template(parts: Vec<Part>) -> Template {
    Template { parts }
}

fn range(low: i64, high: i64) -> Part {
    Part::range(low, high).expect("a range")
}

fn literal(text: &str) -> Part {
    Part::Literal(text.into())
}

fn filled(parts: Vec<Part>, values: &Values) -> Result<String, Missing> {
    let mut out = String::new();
    text(&template(parts), values, &mut rng(), &mut out).map(|()| out)
}

#[test]
fn an_unfilled_template_reads_as_it_was_written_but_for_its_secrets() {
    for text in ["/", "/items/{1..500}?p={-9..9}", "/{gold|silver}/{uuid}/{user}/{sale}", "/{{a}}"] {
        let template = Template::parse(text, &ProcessEnvironment).expect("a template");
        assert_eq!(unfilled(&template), text);
    }
    let secret = Part::Secret(SecretText(Secret::new("hunter2".into())));
    assert_eq!(unfilled(&template(vec![literal("/a?key="), secret])), "/a?key=[redacted]");
}

#[test]
fn parts_are_joined_and_values_come_from_the_user() {
    let mut values = Values::new(17);
    values.keep("sale", "a".into());
    values.keep("sale", "b".into());
    let parts = vec![literal("/u/"), Part::User, literal("/s/"), Part::Extracted("sale".into())];
    assert_eq!(filled(parts, &values).as_deref(), Ok("/u/17/s/b"));
    let missing = vec![Part::Extracted("nothing".into())];
    assert_eq!(filled(missing, &values), Err(Missing("nothing".into())));
}

#[test]
fn ranges_and_lists_are_used_from_end_to_end() {
    let mut rng = rng();
    let values = Values::new(0);
    let parts = template(vec![
        range(-1, 2),
        literal(" "),
        Part::Choice(NonEmpty::new(vec!["x".into(), "y".into()]).expect("choices")),
    ]);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..500 {
        let mut out = String::new();
        text(&parts, &values, &mut rng, &mut out).expect("nothing is missing");
        seen.insert(out);
    }
    let due = ["-1 x", "-1 y", "0 x", "0 y", "1 x", "1 y", "2 x", "2 y"];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), due);
}

#[test]
fn ids_are_new_even_for_the_same_seed() {
    let values = Values::new(0);
    let ids = [0; 2].map(|_| filled(vec![Part::Uuid], &values).expect("nothing is missing"));
    assert_ne!(ids[0], ids[1]);
    assert_eq!(uuid::Uuid::parse_str(&ids[0]).expect("an id").get_version_num(), 4);
}

#[test]
fn paths_carry_links_and_what_a_uri_cannot_hold_is_encoded() {
    let mut values = Values::new(0);
    values.keep("next", "/sales/5?page=2&q=a b".into());
    values.keep("name", "caf\u{e9} \"1\"".into());
    let next = template(vec![Part::Extracted("next".into())]);
    assert_eq!(path("/app", &next, &values, &mut rng()).as_deref(), Ok("/app/sales/5?page=2&q=a%20b"));
    let named = template(vec![literal("items/"), Part::Extracted("name".into())]);
    assert_eq!(path("", &named, &values, &mut rng()).as_deref(), Ok("/items/caf%C3%A9%20%221%22"));
}

#[test]
fn forms_are_encoded() {
    let fields = [
        ("user name".to_owned(), template(vec![literal("a&b=c")])),
        ("n".to_owned(), template(vec![range(7, 7)])),
    ];
    let body = form(&fields, &Values::new(0), &mut rng()).expect("nothing is missing");
    assert_eq!(String::from_utf8_lossy(&body), "user+name=a%26b%3Dc&n=7");
}

#[test]
fn json_keeps_its_order_and_a_lone_range_is_a_number() {
    let range = || range(3, 3);
    let object = JsonTemplate::Object(vec![
        ("z\"".into(), JsonTemplate::Text(template(vec![literal("say \"hi\"\n")]))),
        ("n".into(), JsonTemplate::Text(template(vec![range()]))),
        ("s".into(), JsonTemplate::Text(template(vec![literal("S-"), range()]))),
        (
            "a".into(),
            JsonTemplate::Array(vec![JsonTemplate::Plain(1.5.into()), JsonTemplate::Plain(().into())]),
        ),
        ("o".into(), JsonTemplate::Object(vec![])),
    ]);
    let mut out = Vec::new();
    json(&object, &Values::new(0), &mut rng(), &mut out).expect("nothing is missing");
    let due = r#"{"z\"":"say \"hi\"\n","n":3,"s":"S-3","a":[1.5,null],"o":{}}"#;
    assert_eq!(String::from_utf8_lossy(&out), due);
    assert!(!json_is_fixed(&object));
    assert!(json_is_fixed(&JsonTemplate::Array(vec![JsonTemplate::Text(template(vec![literal("x")]))])));
}
