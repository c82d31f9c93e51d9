//! Roles and bindings that grant what is needed, as YAML to be read by whoever applies it. Pure.

use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde_json::{Map, Value};
use serde_saphyr::{FlowMap, FlowSeq};

use super::{Need, Rule, Scope, rules};

/// The API group of roles.
const RBAC: &str = "rbac.authorization.k8s.io";
/// How the API server spells the name of an account before namespace and name.
const ACCOUNT: &str = "system:serviceaccount:";

/// Who is granted something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grantee {
    /// An account of pods.
    Account {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Anybody else.
    User(String),
}

impl Grantee {
    /// Whom the API server calls `user`.
    pub fn of(user: &str) -> Self {
        let account = user.strip_prefix(ACCOUNT).and_then(|rest| rest.split_once(':'));
        match account {
            Some((namespace, name)) => {
                Self::Account { namespace: namespace.to_owned(), name: name.to_owned() }
            }
            None => Self::User(user.to_owned()),
        }
    }

    /// Its object as YAML, where it is an account.
    pub fn yaml(&self) -> Option<String> {
        let Self::Account { namespace, name } = self else { return None };
        let account = ServiceAccount { metadata: within(namespace, name), ..ServiceAccount::default() };
        Some(yaml(&account, &[]))
    }

    fn subject(&self) -> Subject {
        match self {
            Self::Account { namespace, name } => Subject {
                kind: "ServiceAccount".to_owned(),
                name: name.clone(),
                namespace: Some(namespace.clone()),
                api_group: None,
            },
            Self::User(name) => Subject {
                kind: "User".to_owned(),
                name: name.clone(),
                namespace: None,
                api_group: Some(RBAC.to_owned()),
            },
        }
    }
}

/// The roles that grant `needs` to `grantee`, each with its binding, as YAML. Those of `namespace`, the service's,
/// are called `name`; those of the cluster by its name besides, for they belong to no namespace.
pub fn roles(needs: &[Need], namespace: &str, name: &str, grantee: &Grantee) -> Vec<String> {
    let mut documents = Vec::new();
    let here = rules(needs, Scope::Namespace);
    if !here.is_empty() {
        let role = Role { metadata: within(namespace, name), rules: Some(policies(&here)) };
        let binding = RoleBinding {
            metadata: within(namespace, name),
            role_ref: role_ref("Role", name),
            subjects: Some(vec![grantee.subject()]),
        };
        documents.extend([yaml(&role, &here), yaml(&binding, &[])]);
    }
    let everywhere = rules(needs, Scope::Cluster);
    if !everywhere.is_empty() {
        let name = &format!("{name}-{namespace}");
        let metadata = ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() };
        let role = ClusterRole {
            metadata: metadata.clone(),
            rules: Some(policies(&everywhere)),
            ..ClusterRole::default()
        };
        let binding = ClusterRoleBinding {
            metadata,
            role_ref: role_ref("ClusterRole", name),
            subjects: Some(vec![grantee.subject()]),
        };
        documents.extend([yaml(&role, &everywhere), yaml(&binding, &[])]);
    }
    documents
}

fn within(namespace: &str, name: &str) -> ObjectMeta {
    ObjectMeta { namespace: Some(namespace.to_owned()), name: Some(name.to_owned()), ..ObjectMeta::default() }
}

fn role_ref(kind: &str, name: &str) -> RoleRef {
    RoleRef { api_group: RBAC.to_owned(), kind: kind.to_owned(), name: name.to_owned() }
}

fn policies(rules: &[Rule]) -> Vec<PolicyRule> {
    rules.iter().map(policy).collect()
}

fn policy(rule: &Rule) -> PolicyRule {
    PolicyRule {
        api_groups: Some(vec![rule.group.clone()]),
        resources: Some(rule.resources.clone()),
        resource_names: rule.name.map(|name| vec![name.to_owned()]),
        verbs: rule.verbs.iter().map(|&verb| verb.to_owned()).collect(),
        ..PolicyRule::default()
    }
}

/// `object` with a line for each field; its `rules`, if it has any, with one for each, below what it is for.
fn yaml(object: &impl Serialize, rules: &[Rule]) -> String {
    let lines = |(key, value): (String, Value)| match key.as_str() {
        "rules" => format!("rules:\n{}", rules.iter().map(line).collect::<Vec<_>>().concat()),
        _ => format!("{key}: {}", flow(value)),
    };
    fields(object).into_iter().map(lines).collect::<Vec<_>>().concat()
}

fn line(rule: &Rule) -> String {
    let purposes = rule.purposes.join("\n  # ");
    format!("  # {purposes}\n  - {}", flow(Value::Object(fields(&policy(rule)))))
}

fn fields(object: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(object) {
        Ok(Value::Object(fields)) => fields,
        _ => unreachable!("objects of the API have fields"),
    }
}

/// A value in one line.
fn flow(value: Value) -> String {
    let text = match value {
        Value::Object(_) => serde_saphyr::to_string(&FlowMap(value)),
        Value::Array(_) => serde_saphyr::to_string(&FlowSeq(value)),
        plain => serde_saphyr::to_string(&plain),
    };
    text.expect("names and lists of them can be written as YAML")
}

#[cfg(test)]
mod tests {
    use super::super::{needs, needs_of};
    use super::*;

    #[test]
    fn roles_are_readable_and_say_what_each_rule_is_for() {
        let asked = [
            needs(Scope::Namespace, "", &["pods"], &["list"], "to look"),
            needs_of("ordeal", "coordination.k8s.io", "leases", &["get"], "to be alone"),
            needs(Scope::Cluster, "", &["nodes"], &["get", "patch"], "to drain"),
        ]
        .concat();
        let account = Grantee::of("system:serviceaccount:ordeal:conductor");
        let expected = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: conductor, namespace: shop}
rules:
  # to look
  - {apiGroups: [\"\"], resources: [pods], verbs: [list]}
  # to be alone
  - {apiGroups: [coordination.k8s.io], resourceNames: [ordeal], resources: [leases], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: conductor, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: conductor}
subjects: [{kind: ServiceAccount, name: conductor, namespace: ordeal}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: conductor-shop}
rules:
  # to drain
  - {apiGroups: [\"\"], resources: [nodes], verbs: [get, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: conductor-shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: conductor-shop}
subjects: [{kind: ServiceAccount, name: conductor, namespace: ordeal}]
";
        assert_eq!(roles(&asked, "shop", "conductor", &account).join("---\n"), expected);
        assert_eq!(roles(&[], "shop", "conductor", &account), [""; 0]);
    }

    #[test]
    fn whoever_is_no_account_of_pods_is_a_user() {
        let table = [
            (
                "system:serviceaccount:ordeal:conductor",
                "{kind: ServiceAccount, name: conductor, namespace: ordeal}",
            ),
            ("kubernetes-admin", "{apiGroup: rbac.authorization.k8s.io, kind: User, name: kubernetes-admin}"),
            (
                "system:serviceaccount:odd",
                "{apiGroup: rbac.authorization.k8s.io, kind: User, name: system:serviceaccount:odd}",
            ),
        ];
        for (user, expected) in table {
            let subject = Value::Object(fields(&Grantee::of(user).subject()));
            assert_eq!(flow(subject).trim_end(), expected);
        }
        let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: c, namespace: ordeal}\n";
        assert_eq!(Grantee::of("system:serviceaccount:ordeal:c").yaml().as_deref(), Some(account));
        assert_eq!(Grantee::of("me").yaml(), None);
    }
}
