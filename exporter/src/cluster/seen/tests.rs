use super::*;

fn at(seconds: f64) -> Moment {
    Moment::from_secs_f64(seconds)
}

fn object(name: &str) -> Object {
    Object { kind: "Pod".to_owned(), name: name.to_owned(), uid: format!("u-{name}") }
}

fn probe(pod: &str, what: &str, said: &str) -> Incident {
    Incident {
        kind: IncidentKind::FailedProbe,
        object: object(pod),
        container: Some("shop".to_owned()),
        what: what.to_owned(),
        said: said.to_owned(),
    }
}

#[test]
fn what_comes_again_is_one_incident_of_its_experiment_with_first_last_and_count() {
    let mut seen = Seen::default();
    seen.incident(probe("a", "readiness", "503"), 1, at(1.0));
    seen.during(Some("kill"), at(2.0));
    seen.incident(probe("a", "readiness", "503"), 2, at(2.0));
    seen.incident(probe("a", "liveness", "refused"), 1, at(3.0));
    seen.incident(probe("b", "readiness", "503"), 0, at(4.0));
    seen.incident(probe("a", "readiness", "refused"), 497, at(5.0));
    seen.during(None, at(6.0));
    seen.incident(probe("a", "readiness", "503"), 1, at(6.0));
    let told = |tally: &Tally| {
        let Tally { incident, first, last, count, during } = tally;
        let (what, said) = (&incident.what, &incident.said);
        let times = (first.as_secs_f64(), last.as_secs_f64());
        format!("{} {what} {said} {times:?} x{count} {during:?}", incident.object.name)
    };
    let told: Vec<String> = seen.incidents.told.iter().map(told).collect();
    assert_eq!(
        told,
        [
            "a readiness 503 (1.0, 6.0) x2 None",
            "a readiness refused (2.0, 5.0) x499 Some(\"kill\")",
            "a liveness refused (3.0, 3.0) x1 Some(\"kill\")",
            "b readiness 503 (4.0, 4.0) x0 Some(\"kill\")",
        ]
    );
}

#[test]
fn beyond_the_cap_they_are_counted_and_known_ones_go_on() {
    let mut seen = Seen::default();
    for pod in 0..CAP + 7 {
        seen.incident(probe(&pod.to_string(), "readiness", ""), 2, at(1.0));
    }
    seen.incident(probe("0", "readiness", ""), 3, at(2.0));
    assert_eq!((seen.incidents.told.len(), seen.incidents.left_out), (CAP, 14));
    assert_eq!(seen.incidents.told[0].count, 5);
}

#[test]
fn what_is_said_is_cut_where_it_is_too_long() {
    let mut seen = Seen::default();
    seen.incident(probe("a", "readiness", &"ä".repeat(SAID + 1)), 1, at(1.0));
    assert_eq!(seen.incidents.told[0].incident.said, "ä".repeat(SAID) + "…");
    assert_eq!(shortened(&"ä".repeat(SAID)), "ä".repeat(SAID));
}

#[test]
fn a_gap_lasts_from_the_first_word_of_it_until_it_is_mended() {
    let mut seen = Seen::default();
    let told = [
        seen.gap("pods", at(10.0), "away"),
        seen.gap("pods", at(10.0), "still away"),
        seen.gap("events", at(11.0), "gone"),
    ];
    assert_eq!(told, [true, false, true]);
    seen.mend("pods", at(15.0));
    seen.mend("pods", at(16.0));
    assert!(seen.gap("pods", at(20.0), "away again"));
    let gaps: Vec<_> = seen.gaps.told.iter().map(|gap| (gap.of.as_str(), gap.from, gap.until)).collect();
    let expected = [("pods", at(10.0), Some(at(15.0))), ("events", at(11.0), None), ("pods", at(20.0), None)];
    assert_eq!(gaps, expected);
}

#[test]
fn a_change_by_somebody_else_is_told_in_one_line() {
    let change = Intervention {
        at: at(1.0),
        kind: "change",
        object: Object { kind: "Deployment".to_owned(), ..object("shop") },
        manager: Some("kubectl".to_owned()),
        operation: "Update".to_owned(),
        subresource: Some("scale".to_owned()),
        during: Some("stale".to_owned()),
    };
    let deletion = |pod: &str, seconds| Intervention {
        at: at(seconds),
        object: object(pod),
        manager: None,
        operation: "Delete".to_owned(),
        subresource: None,
        ..change.clone()
    };
    let mut seen = Seen::default();
    let (early, between, late) = (deletion("a", 2.0), deletion("b", 9.0), deletion("c", 10.0));
    seen.intervention(change);
    seen.during(Some("kill"), at(3.0));
    // It was made before, and is told now.
    seen.intervention(early);
    seen.during(None, at(10.0));
    seen.intervention(between);
    seen.intervention(late);
    let told: Vec<String> = seen.interventions.told.iter().map(ToString::to_string).collect();
    let expected = [
        "Deployment shop Update of scale by kubectl",
        "Pod a Delete",
        "Pod b Delete during kill",
        "Pod c Delete",
    ];
    assert_eq!(told, expected);
}
