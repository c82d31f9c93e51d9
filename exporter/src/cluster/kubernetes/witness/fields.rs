//! Who set a field of an object, by what the API server notes of each. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};
use serde_json::Value;

/// Entries of those who gave the field of the specification its value. A field that is taken away is nobody's.
pub(super) fn setters<'a>(object: &'a ObjectMeta, field: &str) -> Vec<&'a ManagedFieldsEntry> {
    let name = format!("f:{field}");
    let set = |fields: &Value| fields.get("f:spec").and_then(|spec| spec.get(name.as_str())).is_some();
    let sets = |entry: &&ManagedFieldsEntry| entry.fields_v1.as_ref().is_some_and(|fields| set(&fields.0));
    object.managed_fields.iter().flatten().filter(sets).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whoever_set_a_field_is_told_from_those_who_set_others() {
        let entry = |manager: &str, fields: Value| json!({"manager": manager, "fieldsV1": fields});
        let object: ObjectMeta = serde_json::from_value(json!({"managedFields": [
            entry("a", json!({"f:spec": {"f:taints": {}, "f:podCIDR": {}}})),
            entry("b", json!({"f:spec": {"f:unschedulable": {}}})),
            entry("c", json!({"f:status": {"f:taints": {}}})),
            entry("d", json!({"f:spec": {"f:taints": {}}})),
            {"manager": "e"},
        ]}))
        .expect("metadata");
        let table: [(&str, &[&str]); 3] =
            [("taints", &["a", "d"]), ("unschedulable", &["b"]), ("replicas", &[])];
        for (field, expected) in table {
            let found: Vec<_> =
                setters(&object, field).into_iter().filter_map(|entry| entry.manager.as_deref()).collect();
            assert_eq!(found, expected, "{field}");
        }
    }
}
