//! The objects of a cluster, and what requests make of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::asked::Asked;
use super::controllers;
use super::status::{self, Answer};

/// Where an object is: group and version, resource, namespace, name.
pub(crate) type Key = (String, String, String, String);

/// What became of an object, as watches tell it.
#[derive(Debug, Clone)]
struct Change {
    version: u64,
    kind: &'static str,
    key: Key,
    object: Value,
}

/// All objects, and the changes so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Objects {
    pub(crate) all: BTreeMap<Key, Value>,
    /// Pods in which the command `stop` was run, and `start` not since.
    pub(crate) stopped: BTreeSet<String>,
    version: u64,
    changes: Vec<Change>,
}

fn key_of(asked: &Asked) -> Key {
    (asked.api.clone(), asked.resource.clone(), asked.namespace.clone(), asked.name.clone())
}

impl Objects {
    /// An object that is there from the beginning, or made by somebody else.
    pub(crate) fn add(&mut self, resource: &str, mut object: Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let metadata = &object["metadata"];
        let key = (
            text(&object["apiVersion"]),
            resource.to_owned(),
            text(&metadata["namespace"]),
            text(&metadata["name"]),
        );
        self.version += 1;
        if metadata["uid"].is_null() {
            object["metadata"]["uid"] = json!(format!("u-{}-{}", key.3, self.version));
        }
        object["metadata"]["generation"] = json!(1);
        object["metadata"]["creationTimestamp"] = json!("2026-11-24T10:00:00Z");
        self.put("ADDED", key, object);
    }

    /// The object of this resource and name, wherever it is.
    pub(crate) fn find(&self, resource: &str, name: &str) -> Option<&Value> {
        self.all.iter().find(|(key, _)| key.1 == resource && key.3 == name).map(|(_, object)| object)
    }

    /// Somebody else changes the object of this resource and name.
    pub(crate) fn edit(&mut self, resource: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let found = self.all.iter().find(|(key, _)| key.1 == resource && key.3 == name);
        let (key, mut object) =
            found.map(|(key, object)| (key.clone(), object.clone())).expect("it is there");
        change(&mut object);
        self.put("MODIFIED", key, object);
    }

    /// Somebody else deletes the object of this resource and name, and nobody replaces it.
    pub(crate) fn remove(&mut self, resource: &str, name: &str) {
        let found = self.all.iter().find(|(key, _)| key.1 == resource && key.3 == name);
        let (key, object) = found.map(|(key, object)| (key.clone(), object.clone())).expect("it is there");
        self.put("DELETED", key, object);
    }

    /// Forgets all objects of a resource.
    pub(crate) fn forget(&mut self, resource: &str) {
        self.all.retain(|key, _| key.1 != resource);
    }

    fn put(&mut self, kind: &'static str, key: Key, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let change = Change { version: self.version, kind, key: key.clone(), object: object.clone() };
        self.changes.push(change);
        if kind == "DELETED" {
            self.all.remove(&key);
        } else {
            self.all.insert(key, object.clone());
        }
        object
    }

    /// Does what is asked for.
    pub(crate) fn answer(&mut self, asked: &Asked) -> Answer {
        let done = match (asked.verb, asked.resource.as_str(), asked.sub.as_deref()) {
            ("create", "selfsubjectaccessreviews", _) => {
                let mut review = asked.body.clone();
                review["status"] = json!({"allowed": true});
                Ok((201, review))
            }
            ("create", "pods", Some("eviction")) => {
                self.delete(asked, &asked.body["deleteOptions"]).map(|_| (201, status::success(201).body))
            }
            ("get", "pods", Some("exec")) => self.run(asked).map(|()| (101, status::success(200).body)),
            (_, _, Some(_)) => Err(status::not_found(asked)),
            ("list", ..) => Ok((200, self.list(asked))),
            ("get", ..) => self.get(asked).map(|object| (200, object)),
            ("create", ..) => self.create(asked).map(|object| (201, object)),
            ("update", ..) => self.update(asked).map(|object| (200, object)),
            ("patch", ..) => self.patch(asked).map(|object| (200, object)),
            ("delete", ..) => self.delete(asked, &asked.body).map(|object| (200, object)),
            _ => Err(status::not_found(asked)),
        };
        match done {
            Ok((code, body)) => Answer::with(code, shown(body, asked)),
            Err(refusal) => refusal,
        }
    }

    fn list(&self, asked: &Asked) -> Value {
        let wanted = |(key, object): &(&Key, &Value)| concerns(key, asked) && asked.wants(object);
        let items: Vec<Value> = self.all.iter().filter(wanted).map(|(_, object)| object.clone()).collect();
        let items: Vec<Value> = items.into_iter().map(|object| shown(object, asked)).collect();
        json!({"kind": "List", "apiVersion": asked.api, "items": items,
            "metadata": {"resourceVersion": self.version.to_string()}})
    }

    /// What has changed since the version that a watch goes on from, one a line.
    pub(crate) fn news(&self, asked: &Asked) -> String {
        let since = asked.query.get("resourceVersion").and_then(|text| text.parse().ok()).unwrap_or(0);
        let new = |it: &&Change| it.version > since && concerns(&it.key, asked) && asked.wants(&it.object);
        let line = |it: &Change| {
            let mut line = json!({"type": it.kind, "object": shown(it.object.clone(), asked)}).to_string();
            line.push('\n');
            line
        };
        self.changes.iter().filter(new).map(line).collect()
    }

    fn get(&self, asked: &Asked) -> Result<Value, Answer> {
        self.all.get(&key_of(asked)).cloned().ok_or_else(|| status::not_found(asked))
    }

    /// Every command succeeds, and two of them leave something behind.
    fn run(&mut self, asked: &Asked) -> Result<(), Answer> {
        self.get(asked)?;
        let is = |word: &str| asked.query.get("command").is_some_and(|command| command == word);
        if is("stop") {
            self.stopped.insert(asked.name.clone());
        } else if is("start") {
            self.stopped.remove(&asked.name);
        }
        Ok(())
    }

    fn create(&mut self, asked: &Asked) -> Result<Value, Answer> {
        if self.all.contains_key(&key_of(asked)) {
            return Err(status::exists(asked));
        }
        let mut object = asked.body.clone();
        object["apiVersion"] = json!(asked.api);
        object["metadata"]["namespace"] = json!(asked.namespace);
        manage(&mut object, asked);
        self.add(&asked.resource, object);
        self.get(asked)
    }

    fn update(&mut self, asked: &Asked) -> Result<Value, Answer> {
        let found = self.get(asked)?;
        let mut object = asked.body.clone();
        let version = &object["metadata"]["resourceVersion"];
        if !version.is_null() && *version != found["metadata"]["resourceVersion"] {
            return Err(status::conflict(asked));
        }
        for kept in ["uid", "namespace", "creationTimestamp", "generation", "managedFields"] {
            object["metadata"][kept] = found["metadata"][kept].clone();
        }
        manage(&mut object, asked);
        Ok(self.put("MODIFIED", key_of(asked), object))
    }

    /// A merge patch (RFC 7386).
    fn patch(&mut self, asked: &Asked) -> Result<Value, Answer> {
        let found = self.get(asked)?;
        let mut object = found.clone();
        merge(&mut object, &asked.body);
        let (before, after) = (&found["metadata"], &object["metadata"]);
        if after["resourceVersion"] != before["resourceVersion"] {
            return Err(status::conflict(asked));
        }
        if after["uid"] != before["uid"] {
            let wanted = after["uid"].as_str().unwrap_or_default();
            return Err(status::immutable_uid(asked, found["kind"].as_str().unwrap_or_default(), wanted));
        }
        manage(&mut object, asked);
        Ok(self.put("MODIFIED", key_of(asked), object))
    }

    /// A kubelet ends its pods at once; what has a finalizer only begins to go.
    fn delete(&mut self, asked: &Asked, options: &Value) -> Result<Value, Answer> {
        let mut found = self.get(asked)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (wanted, uid) = (&options["preconditions"]["uid"], &found["metadata"]["uid"]);
        if !wanted.is_null() && wanted != uid {
            return Err(status::other_uid(asked, &text(&found["kind"]), &text(wanted), &text(uid)));
        }
        if found["metadata"]["finalizers"].is_array() {
            found["metadata"]["deletionTimestamp"] = json!("2026-11-24T11:00:00Z");
            return Ok(self.put("MODIFIED", key_of(asked), found));
        }
        let gone = self.put("DELETED", key_of(asked), found);
        if let Some(other) = controllers::another(&gone, self) {
            self.add("pods", other);
        }
        Ok(gone)
    }
}

fn concerns(key: &Key, asked: &Asked) -> bool {
    let here = asked.namespace.is_empty() || key.2 == asked.namespace;
    key.0 == asked.api && key.1 == asked.resource && here
}

/// An object as much of it as is asked for.
fn shown(object: Value, asked: &Asked) -> Value {
    if !asked.metadata_only || !object["items"].is_null() || object["kind"] == "Status" {
        return object;
    }
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

/// Notes who changed `object`.
fn manage(object: &mut Value, asked: &Asked) {
    let manager = asked.query.get("fieldManager").map_or("unknown", String::as_str);
    let entry = json!({"manager": manager, "operation": "Update", "time": "2026-11-24T10:00:00Z"});
    let others = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let others = others.into_iter().filter(|other| other["manager"] != manager);
    object["metadata"]["managedFields"] = others.chain([entry]).collect();
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            target.as_object_mut().expect("an object").remove(key);
        } else {
            merge(&mut target[key], value);
        }
    }
}
