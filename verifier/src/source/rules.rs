//! Decodes what the rules API answers, warnings included.

use serde::Deserialize;

use super::{Error, answer};
use crate::evidence::{Millis, Rule};

#[derive(Deserialize)]
struct Envelope {
    status: String,
    data: Option<Groups>,
    #[serde(rename = "errorType", default)]
    error_type: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    name: String,
    #[serde(default)]
    file: String,
    /// In seconds.
    #[serde(default)]
    interval: f64,
    rules: Vec<RawRule>,
    #[serde(rename = "lastEvaluation", default)]
    evaluated: String,
}

#[derive(Deserialize)]
struct RawRule {
    #[serde(rename = "type", default)]
    kind: String,
    name: String,
    #[serde(default)]
    query: String,
    #[serde(default)]
    health: String,
}

/// A moment as this API writes it.
pub(super) fn time(text: &str) -> Option<Millis> {
    let time = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    Some(Millis(time.timestamp_millis()))
}

/// Decodes a body; a refusal is an error, whatever its status code. A group that was never evaluated, or does not
/// tell when, was last evaluated in 1970.
pub(super) fn decode(url: &str, status: u16, body: &[u8]) -> Result<(Vec<Rule>, Vec<String>), Error> {
    let envelope: Envelope = answer::read(url, status, body)?;
    let (true, Some(data)) = (envelope.status == "success", envelope.data) else {
        return Err(Error::Refused { kind: envelope.error_type, message: envelope.error });
    };
    let of_group = |group: Group| {
        let evaluated = time(&group.evaluated).unwrap_or(Millis(0));
        let alerting = group.rules.into_iter().filter(|rule| rule.kind == "alerting");
        let key = format!("{};{}", group.file, group.name);
        alerting.map(move |rule| Rule {
            alert: rule.name,
            query: rule.query,
            group: key.clone(),
            interval: group.interval,
            health: rule.health,
            evaluated,
        })
    };
    Ok((data.groups.into_iter().flat_map(of_group).collect(), envelope.warnings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerting_rules_come_with_their_groups_interval_and_last_evaluation() {
        let body = br#"{"status":"success","warnings":["a ruler did not answer"],"data":{"groups":[
            {"name":"g","file":"f","interval":5,"limit":0,"evaluationTime":0.001,
             "lastEvaluation":"2023-11-14T22:13:20.5Z","rules":[
                {"type":"alerting","name":"ShopDown","health":"ok","query":"up == 0","alerts":[]},
                {"type":"recording","name":"a:b","health":"ok","query":"up"}]},
            {"name":"new","file":"f","interval":60,"lastEvaluation":"0001-01-01T00:00:00Z","rules":[
                {"type":"alerting","name":"Late","health":"unknown"}]}]}}"#;
        let (rules, warnings) = decode("u", 200, body).unwrap();
        assert_eq!(warnings, ["a ruler did not answer"]);
        let told: Vec<_> =
            rules.iter().map(|rule| (rule.alert.as_str(), rule.interval, rule.health.as_str())).collect();
        assert_eq!(told, [("ShopDown", 5.0, "ok"), ("Late", 60.0, "unknown")]);
        assert_eq!(rules.iter().map(|rule| rule.group.as_str()).collect::<Vec<_>>(), ["f;g", "f;new"]);
        assert_eq!(rules.iter().map(|rule| rule.query.as_str()).collect::<Vec<_>>(), ["up == 0", ""]);
        assert_eq!(rules[0].evaluated, Millis(1_700_000_000_500));
        assert!(rules[1].evaluated.0 <= 0, "{}", rules[1].evaluated);
    }

    #[test]
    fn a_refusal_and_what_is_no_answer_are_errors() {
        let refused = br#"{"status":"error","errorType":"bad_data","error":"not supported type"}"#;
        assert!(matches!(decode("u", 400, refused), Err(Error::Refused { .. })));
        assert!(matches!(decode("u", 405, b"no"), Err(Error::Status { status: 405, .. })));
        assert!(matches!(decode("u", 200, b"<html>"), Err(Error::Decode { .. })));
    }
}
