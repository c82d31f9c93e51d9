//! No secret reaches a fault or a log.

use super::super::*;
use super::*;

/// A secret in every place that may hold one, from variables and from a file.
const SECRETS: &str = r#"target:
  url: http://a/${URL_PATH}
  headers: {Authorization: "Bearer ${TOKEN}", X-Key: file:key.txt, X-Mixed: "${TOKEN}-{uuid}", Cookie: "k=plain-cookie"}
load:
  users: 1
  spawn_rate: 1
  duration: 1m
  login: {journey: [{POST /login: {form: {user: me, password: "${TOKEN}"}}}]}
  tasks:
    - name: a
      journey:
        - POST /a?key=${TOKEN}:
            json: {password: "${file:key.txt}", list: ["x${TOKEN}", "{1..3}"]}
            headers: {X-Token: "${TOKEN}"}
status: http://status/${URL_PATH}?key=${TOKEN}
stores:
  - name: pg
    postgres: postgres://me:${TOKEN}@db/shop
    instances: [{name: i, at: "host=i password=${TOKEN}"}, {name: j, at: "host=j password=plain-password"}]
  - {name: kv, redis: "redis://:${TOKEN}@kv"}
"#;

fn vault() -> Made {
    let mut made = Made::new();
    made.variables.insert("TOKEN", "hunter2");
    made.variables.insert("URL_PATH", "secret-path-77");
    made.files.insert("key.txt", "key-in-a-file\n");
    made
}

const PLANTED: [&str; 5] = ["hunter2", "secret-path-77", "key-in-a-file", "plain-cookie", "plain-password"];

fn assert_silent(text: &str) {
    for secret in PLANTED {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn secrets_arrive_but_are_not_shown() {
    let trial = parse(SECRETS, Path::new("t.yaml"), &vault()).unwrap_or_else(|faults| panic!("{faults}"));
    assert_silent(&format!("{trial:?}"));
    assert_silent(&format!("{trial:#?}"));

    assert_eq!(trial.target.url.as_str(), "http://a/secret-path-77");
    let HeaderText::Fixed(value) = &trial.target.headers[0].1 else { panic!("a fixed header") };
    assert_eq!(value.as_bytes(), b"Bearer hunter2");
    let HeaderText::Fixed(value) = &trial.target.headers[1].1 else { panic!("a fixed header") };
    assert_eq!(value.as_bytes(), b"key-in-a-file");
    assert!(matches!(&trial.target.headers[2].1, HeaderText::Template(_)));
    let Endpoint::Postgres(address) = &trial.stores[0].endpoint else { panic!("PostgreSQL") };
    assert_eq!(address.config("ordeal").get_password(), Some(b"hunter2".as_slice()));
}

#[test]
fn faults_around_a_secret_do_not_show_it() {
    // Each line of the file in turn is broken in several ways; whatever is said never holds a secret.
    let breaks: [fn(&str) -> String; 5] = [
        |line| line.replace("://", ":/"),
        |line| line.replace(": ", ": ["),
        |line| line.replace('"', ""),
        |line| line.replacen("postgres:", "redis:", 1),
        |line| line.replace("${", "${UN"),
    ];
    let mut faulty = 0;
    for index in 0..SECRETS.lines().count() {
        for change in breaks {
            let lines: Vec<_> = SECRETS
                .lines()
                .enumerate()
                .map(|(at, line)| if at == index { change(line) } else { line.to_owned() })
                .collect();
            if let Err(faults) = parse(&lines.join("\n"), Path::new("t.yaml"), &vault()) {
                faulty += 1;
                assert_silent(&faults.to_string());
                assert_silent(&format!("{faults:?}"));
            }
        }
    }
    assert!(faulty > 20, "{faulty}");
}

#[test]
fn secrets_that_do_not_fit_are_reported_without_their_value() {
    let mut made = vault();
    made.variables.insert("TOKEN", "hunter2\nhunter2");
    let faults = parse(SECRETS, Path::new("t.yaml"), &made).expect_err("a line break in a header");
    let text = faults.to_string();
    assert_silent(&text);
    assert!(text.contains("t.yaml:19:31: an address that cannot be used"), "{text}");
    for name in ["authorization", "x-mixed", "x-token"] {
        assert!(text.contains(&format!("the value of header `{name}`")), "{text}");
    }
}

#[test]
fn every_secret_is_known_to_those_who_hide_it() {
    let mut made = vault();
    made.files.insert("pg.txt", "host=db user=me password='it\\'s one'\n");
    made.files.insert("kv.txt", "redis://:in%40a-file@kv");
    let more = "  - {name: pg2, postgres: \"file:pg.txt\"}\n  - {name: pg3, postgres: \"postgres://me:h%2Fash@a:1,b:2/shop\"}\n  \
                - {name: kv2, redis: \"file:kv.txt\", failover: {sentinel: \"redis://u:of-sentinel@s\", master: m}}\n";
    let text = format!("{SECRETS}{more}");
    let trial = parse(&text, Path::new("t.yaml"), &made).unwrap_or_else(|faults| panic!("{faults}"));
    let hidden = [
        "hunter2",
        "secret-path-77",
        "key-in-a-file",
        "plain-password",
        "host=db user=me password='it\\'s one'",
        "it's one",
        "redis://:in%40a-file@kv",
        "in%40a-file",
        "in@a-file",
        "h%2Fash",
        "h/ash",
        "of-sentinel",
    ];
    for secret in hidden {
        let said = trial.secrets.hide(format!("<{secret}>").as_bytes());
        assert_eq!(String::from_utf8_lossy(&said), "<[redacted]>", "{secret}");
    }
    assert_silent(&format!("{:?}", trial.secrets));
}

#[test]
fn a_secret_file_is_found_from_the_trial_files_folder() {
    let mut made = Made::new();
    made.files.insert("conf/key.txt", "k");
    let text = format!("target: {{url: http://a, headers: {{X-Key: file:key.txt}}}}\n{AFTER_LOAD}");
    assert!(parse(&text, Path::new("conf/t.yaml"), &made).is_ok());
    assert!(parse(&text, Path::new("t.yaml"), &made).is_err());
}

#[test]
fn dollars_that_name_nothing_are_just_dollars() {
    let trial = parse_good(&format!(
        "{STEPS}        - POST /a: {{json: {{a: \"5$ $HOME $5\", b: \"$${{{{x}}}}\", c: \"$${{1..2}}\"}}}}\n"
    ));
    let Some(Body::Json(JsonTemplate::Object(body))) = &trial.load.tasks[0].journey[0].body else {
        panic!("an object")
    };
    let texts: Vec<_> = body
        .iter()
        .map(|(_, value)| match value {
            JsonTemplate::Text(text) => text.parts.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(texts[0], [Part::Literal("5$ $HOME $5".to_owned())]);
    assert_eq!(texts[1], [Part::Literal("${x}".to_owned())]);
    assert_eq!(texts[2], [Part::Literal("$".to_owned()), Part::range(1, 2).expect("a range")]);
}
