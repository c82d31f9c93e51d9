use serde_json::json;

use super::*;

fn object(uid: &str, entries: &[(&str, &str, Option<&str>)]) -> ObjectMeta {
    let entries: Vec<_> = entries
        .iter()
        .map(|(manager, time, part)| {
            json!({"manager": manager, "operation": "Update", "subresource": part, "time": time})
        })
        .collect();
    serde_json::from_value(json!({"uid": uid, "managedFields": entries})).expect("metadata")
}

fn managers(changes: Vec<Change>) -> Vec<String> {
    changes.into_iter().map(|change| change.manager).collect()
}

const CONTROLLER: &str = "kube-controller-manager";
const EARLY: &str = "2026-11-24T10:00:00Z";
const LATE: &str = "2026-11-24T10:05:00Z";
const BEGUN: Moment = Moment(Duration::ZERO);
/// Long after that.
const SEEN: Moment = Moment(Duration::from_mins(5));

type Entries = &'static [(&'static str, &'static str, Option<&'static str>)];

#[test]
fn whoever_changed_something_since_and_may_not_is_named() {
    let allowed = Allowed::with(&["Patroni".to_owned()]);
    let before: Entries = &[("kubectl-client-side-apply", EARLY, None), ("kubelet", EARLY, Some("status"))];
    let table: [(Entries, &[&str]); 7] = [
        (before, &[]),
        (&[("kubectl-client-side-apply", EARLY, None), ("kubelet", LATE, Some("status"))], &[]),
        (&[("kubectl-client-side-apply", LATE, None)], &["kubectl-client-side-apply"]),
        (&[("kubectl-edit", LATE, None), ("Patroni", LATE, None)], &["kubectl-edit"]),
        // The same hand, another part of the object.
        (&[("kubectl-client-side-apply", EARLY, Some("scale"))], &["kubectl-client-side-apply"]),
        // A manager whose fields another took over.
        (&[("kube-controller-manager", LATE, Some("scale"))], &[]),
        // All of Kubernetes in one program.
        (&[("k3s", LATE, None), ("k3s", LATE, Some("status")), ("kubelite", LATE, None)], &[]),
    ];
    for (after, expected) in table {
        let mut known = Known::default();
        known.begin(&object("u", before), BEGUN);
        let mut see = || managers(known.see(&object("u", after), &allowed, SEEN));
        assert_eq!(see(), expected, "{after:?}");
        assert_eq!(see(), [""; 0], "seen once: {after:?}");
    }
}

#[test]
fn whoever_makes_an_object_is_named_too() {
    let mut known = Known::default();
    let allowed = Allowed::with(&[]);
    let see = |known: &mut Known, uid, manager| {
        managers(known.see(&object(uid, &[(manager, LATE, None)]), &allowed, SEEN))
    };
    assert_eq!(see(&mut known, "u", "helm"), ["helm"]);
    assert_eq!(see(&mut known, "v", "kube-controller-manager"), [""; 0]);
    known.forget(&object("u", &[]));
    assert_eq!(see(&mut known, "u", "helm"), ["helm"]);
}

#[test]
fn a_change_says_how_it_was_made_and_of_which_part() {
    let (mut known, allowed) = (Known::default(), Allowed::with(&[]));
    let changes = known.see(&object("u", &[("kubectl", LATE, Some("scale"))]), &allowed, SEEN);
    let (manager, operation) = ("kubectl".to_owned(), "Update".to_owned());
    assert_eq!(changes, [Change { manager, operation, subresource: Some("scale".to_owned()) }]);
}

#[test]
fn whoever_scales_again_shows_by_the_generation_alone() {
    let scaled = |manager: &str, generation: i64| -> ObjectMeta {
        let scale = json!({"manager": manager, "operation": "Update", "subresource": "scale"});
        let made = json!({"manager": "helm", "operation": "Update", "time": EARLY});
        let entries = json!([scale, made]);
        serde_json::from_value(json!({"uid": "u", "generation": generation, "managedFields": entries}))
            .expect("metadata")
    };
    let table: [(&str, i64, &[&str]); 6] = [
        ("kubectl", 2, &["kubectl"]),
        ("kubectl", 2, &[]),
        ("kube-controller-manager", 3, &[]),
        ("kube-controller-manager", 4, &[]),
        ("kubectl", 5, &["kubectl"]),
        ("kubectl", 5, &[]),
    ];
    let (mut known, allowed) = (Known::default(), Allowed::with(&[]));
    known.begin(&scaled("kubectl", 1), BEGUN);
    for (manager, generation, expected) in table {
        let changes = managers(known.see(&scaled(manager, generation), &allowed, SEEN));
        assert_eq!(changes, expected, "{manager} {generation}");
    }
}

/// A Deployment whose number of replicas these sign.
fn sized(by: &[&str], generation: i64) -> ObjectMeta {
    let number = json!({"f:spec": {"f:replicas": {}}});
    let signed = by.iter().map(|by| json!({"manager": by, "time": EARLY, "fieldsV1": number}));
    let made = json!({"manager": CONTROLLER, "operation": "Update", "time": EARLY});
    let entries: Vec<_> = signed.chain([made]).collect();
    serde_json::from_value(json!({"uid": "u", "generation": generation, "managedFields": entries}))
        .expect("metadata")
}

/// `object`, of which this is noted besides.
fn also(object: ObjectMeta, manager: &str, part: Option<&str>) -> ObjectMeta {
    let entry = json!({"manager": manager, "operation": "Apply", "subresource": part, "time": LATE});
    let entry: ManagedFieldsEntry = serde_json::from_value(entry).expect("an entry");
    let entries = object.managed_fields.into_iter().flatten().chain([entry]).collect();
    ObjectMeta { managed_fields: Some(entries), ..object }
}

/// `object`, which somebody has begun to delete.
fn leaving(object: ObjectMeta) -> ObjectMeta {
    let deletion_timestamp = serde_json::from_value(json!(LATE)).expect("a time");
    ObjectMeta { deletion_timestamp, ..object }
}

#[test]
fn whoever_scales_to_zero_signs_nothing_and_is_told_once() {
    let (mut known, allowed) = (Known::of("Deployment"), Allowed::with(&[]));
    let by_nobody = || {
        let (operation, subresource) = ("Update".to_owned(), Some("scale".to_owned()));
        Change { manager: String::new(), operation, subresource }
    };
    known.begin(&sized(&[CONTROLLER], 1), BEGUN);
    // The number is given up, but stays what it was.
    assert_eq!(known.see(&sized(&[], 1), &allowed, SEEN), []);
    known.begin(&sized(&[CONTROLLER], 1), BEGUN);
    assert_eq!(known.see(&sized(&[], 2), &allowed, SEEN), [by_nobody()]);
    assert_eq!(known.see(&sized(&[], 2), &allowed, SEEN), []);
    assert_eq!(known.see(&sized(&[CONTROLLER], 3), &allowed, SEEN), []);
    // Nobody had signed the number that there was.
    known.complete(SEEN);
    known.begin(&sized(&[], 1), BEGUN);
    assert_eq!(known.see(&sized(&[], 2), &allowed, SEEN), [by_nobody()]);
    assert_eq!(known.see(&sized(&[], 2), &allowed, SEEN), []);
}

#[test]
fn a_new_generation_that_nobody_signs_is_a_scale_only_where_nothing_else_may_be_why() {
    let bare = |generation| sized(&[], generation);
    let by_hand = |generation| also(bare(generation), "kubectl-edit", None);
    let table: [(&str, ObjectMeta, ObjectMeta, &[&str]); 11] = [
        ("StatefulSet", bare(1), bare(2), &[""]),
        ("ReplicaSet", bare(1), bare(2), &[""]),
        // It has no replicas.
        ("NetworkPolicy", bare(1), bare(2), &[]),
        // An autoscaler scales it for the first time.
        ("Deployment", bare(1), sized(&[CONTROLLER], 2), &[]),
        // A controller's status beside it, as after a gap.
        ("Deployment", bare(1), also(bare(2), CONTROLLER, Some("status")), &[""]),
        ("Deployment", sized(&["helm"], 1), also(bare(2), CONTROLLER, Some("status")), &[""]),
        // One that may applies it without the number.
        ("Deployment", sized(&["helm"], 1), also(bare(2), "flux", None), &[]),
        ("Deployment", bare(1), also(bare(2), "flux", None), &[]),
        // A field is taken away that somebody had signed.
        ("Deployment", by_hand(1), bare(2), &[]),
        // It is to go, which is told as a deletion.
        ("Deployment", bare(1), leaving(bare(2)), &[]),
        ("Deployment", leaving(bare(2)), leaving(bare(3)), &[""]),
    ];
    let allowed = Allowed::with(&["flux".to_owned()]);
    for (kind, before, after, expected) in table {
        let mut known = Known::of(kind);
        known.begin(&before, BEGUN);
        known.complete(SEEN);
        assert_eq!(managers(known.see(&after, &allowed, SEEN)), expected, "{kind} {before:?} {after:?}");
    }
}

#[test]
fn a_second_change_within_the_second_that_is_noted_is_no_scale_to_zero() {
    // Who changes it twice, and until how many seconds after the first was heard of nothing is known to be missed.
    let table: [(&str, f64, &[&str]); 4] = [
        ("flux", 1.9, &[]),
        ("kubectl", 1.9, &["kubectl"]),
        // By then whoever signs has another time.
        ("flux", 2.0, &[""]),
        ("kubectl", 60.0, &["kubectl", ""]),
    ];
    let allowed = Allowed::with(&["flux".to_owned()]);
    let after = |seconds| SEEN.later_by(Duration::from_secs_f64(seconds));
    for (manager, whole, expected) in table {
        let changed = |generation| also(sized(&[], generation), manager, None);
        let with_status = |generation| also(changed(generation), CONTROLLER, Some("status"));
        let mut known = Known::of("Deployment");
        known.begin(&sized(&[], 1), BEGUN);
        let mut told = managers(known.see(&changed(2), &allowed, SEEN));
        told.extend(managers(known.see(&with_status(2), &allowed, after(1.0))));
        known.complete(after(whole));
        // It may be late to be heard of.
        told.extend(managers(known.see(&with_status(3), &allowed, after(90.0))));
        assert_eq!(told, expected, "{manager} {whole}");
    }
}

#[test]
fn a_scale_to_zero_counts_as_that_of_the_trials_manager_that_sized_it_last() {
    let (keda, hand): (&[&str], &[&str]) = (&["keda"], &["kubectl"]);
    let table: [(&[&[&str]], &[&str]); 6] = [
        (&[keda, &[]], &[]),
        // An autoscaler takes over from it, and it takes the last one.
        (&[keda, &[CONTROLLER], &[]], &[]),
        (&[keda, &[], keda, &[CONTROLLER], &[]], &[]),
        (&[keda, hand, &[CONTROLLER], &[]], &["kubectl", ""]),
        (&[hand, &[CONTROLLER], &[]], &[""]),
        (&[&[CONTROLLER], &[]], &[""]),
    ];
    let allowed = Allowed::with(&["keda".to_owned()]);
    for (states, expected) in table {
        let mut known = Known::of("Deployment");
        let states: Vec<_> = (1..).zip(states).map(|(generation, by)| sized(by, generation)).collect();
        known.begin(&states[0], BEGUN);
        let told: Vec<_> =
            states[1..].iter().flat_map(|state| managers(known.see(state, &allowed, SEEN))).collect();
        assert_eq!(told, expected, "{states:?}");
    }
}

#[test]
fn whoever_scaled_before_has_not_done_so_again_where_a_deletion_raises_the_generation() {
    let object = |generation: i64| -> ObjectMeta {
        let entries = json!([{"manager": "kubectl", "operation": "Update", "subresource": "scale"}]);
        serde_json::from_value(json!({"uid": "u", "generation": generation, "managedFields": entries}))
            .expect("metadata")
    };
    let (mut known, allowed) = (Known::of("Deployment"), Allowed::with(&[]));
    known.begin(&object(1), BEGUN);
    assert_eq!(managers(known.see(&leaving(object(2)), &allowed, SEEN)), [""; 0]);
    assert_eq!(managers(known.see(&leaving(object(3)), &allowed, SEEN)), ["kubectl"]);
}

#[test]
fn what_is_not_there_any_more_after_a_gap_is_named_once() {
    let mut known = Known::default();
    for uid in ["u", "v", "w"] {
        let name = Some(format!("name of {uid}"));
        let owned = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": "u-rs"}]);
        let owner_references = serde_json::from_value(owned).expect("an owner");
        let seen = object(uid, &[("kubelet", EARLY, None)]);
        known.begin(&ObjectMeta { name, owner_references, ..seen }, BEGUN);
    }
    let mut missing = |here: &[&str]| {
        let here: Vec<ObjectMeta> = here.iter().map(|uid| object(uid, &[])).collect();
        known.missing(here.iter())
    };
    assert_eq!(missing(&["u", "v", "w", "x"]), []);
    let gone = missing(&["v", "w"]);
    let told = |it: &ObjectMeta| (it.uid.clone(), it.name.clone(), controller(it));
    let text = |it: &str| Some(it.to_owned());
    let expected = [(text("u"), text("name of u"), None)];
    assert_eq!(gone.iter().map(told).collect::<Vec<_>>(), expected, "an owner that controls it not");
    assert_eq!(missing(&["v", "w"]), []);
    assert_eq!(missing(&[]).len(), 2);
}

#[test]
fn of_several_owners_one_is_the_controller() {
    let one = |uid: &str, is_it| json!({"apiVersion": "v1", "kind": "K", "name": "n", "uid": uid, "controller": is_it});
    let value = json!({"ownerReferences": [one("a", false), one("b", true)]});
    let object: ObjectMeta = serde_json::from_value(value).expect("metadata");
    assert_eq!(controller(&object).as_deref(), Some("b"));
    assert_eq!(controller(&ObjectMeta::default()), None);
}
