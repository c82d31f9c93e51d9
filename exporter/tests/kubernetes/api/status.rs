//! Answers of the API server, word for word those of Kubernetes 1.34.

use serde_json::{Value, json};

use super::asked::Asked;

/// What k3s says until a node has opened its tunnel.
const NO_TUNNEL: &str =
    "proxy error from 127.0.0.1:6443 while dialing 10.0.0.3:10250, code 502: 502 Bad Gateway";

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) retry_after: Option<u32>,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn with(code: u16, body: Value) -> Self {
        Self { code, retry_after: None, body }
    }

    fn failure(code: u16, reason: &str, message: &str, details: Option<Value>) -> Self {
        let mut body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code});
        if let Some(details) = details {
            body["details"] = details;
        }
        Self::with(code, body)
    }
}

fn about(asked: &Asked) -> Value {
    json!({"name": asked.name, "kind": asked.resource})
}

pub(crate) fn success(code: u16) -> Answer {
    let body =
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": code});
    Answer::with(code, body)
}

pub(crate) fn not_found(asked: &Asked) -> Answer {
    let message = format!("{} {:?} not found", asked.resource, asked.name);
    Answer::failure(404, "NotFound", &message, Some(about(asked)))
}

pub(crate) fn exists(asked: &Asked) -> Answer {
    let message = format!("{} {:?} already exists", asked.resource, asked.name);
    Answer::failure(409, "AlreadyExists", &message, Some(about(asked)))
}

/// The object is in another state by now.
pub(crate) fn conflict(asked: &Asked) -> Answer {
    let message = format!(
        "Operation cannot be fulfilled on {} {:?}: the object has been modified; please apply your changes to the \
         latest version and try again",
        asked.resource, asked.name
    );
    Answer::failure(409, "Conflict", &message, Some(about(asked)))
}

/// It is another object by now.
pub(crate) fn other_uid(asked: &Asked, kind: &str, wanted: &str, found: &str) -> Answer {
    let message = format!(
        "Operation cannot be fulfilled on {kind} {:?}: the UID in the precondition ({wanted}) does not match the UID \
         in record ({found}). The object might have been deleted and then recreated",
        asked.name
    );
    Answer::failure(409, "Conflict", &message, Some(json!({"name": asked.name, "kind": kind})))
}

/// A patch would give it another UID.
pub(crate) fn immutable_uid(asked: &Asked, kind: &str, wanted: &str) -> Answer {
    let why = format!("Invalid value: {wanted:?}: field is immutable");
    let cause = json!({"reason": "FieldValueInvalid", "message": why, "field": "metadata.uid"});
    let details = json!({"name": asked.name, "kind": kind, "causes": [cause]});
    let message = format!("{kind} {:?} is invalid: metadata.uid: {why}", asked.name);
    Answer::failure(422, "Invalid", &message, Some(details))
}

/// The token is unknown or has expired.
pub(crate) fn unauthorized(_: &Asked) -> Answer {
    Answer::failure(401, "Unauthorized", "Unauthorized", None)
}

/// No role allows it.
pub(crate) fn forbidden(asked: &Asked) -> Answer {
    let (group, scope) = (asked.api.split_once('/').map_or("", |(group, _)| group), &asked.namespace);
    let scope = if scope.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace {scope:?}")
    };
    let message = format!(
        "{} {:?} is forbidden: User \"conductor\" cannot {} resource {:?} in API group {group:?} {scope}",
        asked.resource,
        asked.name,
        asked.verb,
        asked.full_resource()
    );
    Answer::failure(403, "Forbidden", &message, Some(about(asked)))
}

/// A `ValidatingAdmissionPolicy` denies it, and its author has chosen no reason.
pub(crate) fn denied_by_policy(asked: &Asked) -> Answer {
    let message = format!(
        "{} {:?} is forbidden: ValidatingAdmissionPolicy 'hands-off' with binding 'hands-off' denied request: failed \
         expression: false",
        asked.resource, asked.name
    );
    Answer::failure(422, "Invalid", &message, Some(about(asked)))
}

/// An admission webhook denies it, and gives no code.
pub(crate) fn denied_by_webhook(_: &Asked) -> Answer {
    let message = "admission webhook \"hands-off.example.org\" denied the request without explanation";
    Answer::failure(400, "", message, None)
}

/// It does not reach the node, the tunnel to which is not there yet.
pub(crate) fn not_dialed(_: &Asked) -> Answer {
    Answer::failure(500, "", &format!("error dialing backend: {NO_TUNNEL}"), None)
}

/// The same, of an API server that has handed the connection over before.
pub(crate) fn not_sent(_: &Asked) -> Answer {
    let why =
        format!("error sending request: Post \"https://10.0.0.3:10250/exec/shop/kv-0/kv\": {NO_TUNNEL}");
    let details = Some(json!({"causes": [{"message": why}]}));
    let answer = Answer::failure(500, "InternalError", &format!("Internal error occurred: {why}"), details);
    Answer { code: 101, ..answer }
}

/// A budget allows no eviction at this moment.
pub(crate) fn over_budget(asked: &Asked) -> Answer {
    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
    let cause = json!({"reason": "DisruptionBudget",
        "message": format!("The disruption budget {} needs 3 healthy pods and has 3 currently", asked.name)});
    Answer::failure(429, "TooManyRequests", message, Some(json!({"causes": [cause]})))
}

/// A budget that is not counted yet, or a server that is busy: to be asked again after so many seconds.
pub(crate) fn busy(seconds: u32) -> impl Fn(&Asked) -> Answer + Send {
    move |_| {
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        let details = Some(json!({"retryAfterSeconds": seconds}));
        let answer = Answer::failure(429, "TooManyRequests", message, details);
        Answer { retry_after: Some(seconds), ..answer }
    }
}
