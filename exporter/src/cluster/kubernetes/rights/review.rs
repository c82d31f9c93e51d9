//! Asks the API server what this program may do there.

use std::sync::Arc;

use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Need, Scope};
use crate::cluster::kubernetes::{Kubernetes, in_time, reason};

/// Questions that are under way at once.
const AT_ONCE: usize = 8;

/// Why it is not known what is allowed.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Not even the question is allowed.
    #[error("ask the API server what is permitted (SelfSubjectAccessReview): {reason}")]
    Forbidden {
        /// What it said.
        reason: String,
    },
    /// There was no answer.
    #[error("ask the API server what is permitted: {reason}")]
    Request {
        /// What it said, or why it said nothing.
        reason: String,
    },
}

impl Kubernetes {
    /// Those of `needs` that are not allowed, in their order.
    pub async fn not_permitted(&self, needs: &[Need]) -> Result<Vec<Need>, AskError> {
        let limit = Arc::new(Semaphore::new(AT_ONCE));
        let mut answers = JoinSet::new();
        for need in questions(needs) {
            let (cluster, limit) = (self.clone(), Arc::clone(&limit));
            answers.spawn(async move {
                // Nobody closes it.
                let _turn = limit.acquire().await;
                cluster.is_permitted(&need).await.map(|permitted| (need, permitted))
            });
        }
        let mut refused = Vec::new();
        for answer in answers.join_all().await {
            let (need, permitted) = answer?;
            if !permitted {
                refused.push(need);
            }
        }
        let is_refused = |need: &&Need| refused.iter().any(|it| it.is_question_of(need));
        Ok(needs.iter().filter(is_refused).cloned().collect())
    }

    /// The name by which the API server knows this program; `None`: it does not say.
    pub async fn user(&self) -> Option<String> {
        let asked = self.everywhere::<SelfSubjectReview>();
        let by = PostParams::default();
        let answer = in_time(asked.create(&by, &SelfSubjectReview::default())).await.ok()?;
        answer.status?.user_info?.username
    }

    async fn is_permitted(&self, need: &Need) -> Result<bool, AskError> {
        let asked = self.everywhere::<SelfSubjectAccessReview>();
        let question = question(need, self.namespace());
        let answer = in_time(asked.create(&PostParams::default(), &question)).await;
        let answer = answer.map_err(|error| match &error {
            kube::Error::Api(status) if status.code == 403 => AskError::Forbidden { reason: reason(&error) },
            _ => AskError::Request { reason: reason(&error) },
        })?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }
}

/// One of `needs` for each question that is to be asked.
fn questions(needs: &[Need]) -> Vec<Need> {
    let mut questions: Vec<Need> = Vec::new();
    for need in needs {
        if !questions.iter().any(|asked| asked.is_question_of(need)) {
            questions.push(need.clone());
        }
    }
    questions
}

/// `namespace` is the service's.
fn question(need: &Need, namespace: &str) -> SelfSubjectAccessReview {
    let (resource, subresource) = match need.resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
        None => (need.resource.as_str(), None),
    };
    let attributes = ResourceAttributes {
        group: Some(need.group.clone()),
        resource: Some(resource.to_owned()),
        subresource,
        verb: Some(need.verb.to_owned()),
        name: need.name.map(str::to_owned),
        namespace: (need.scope == Scope::Namespace).then(|| namespace.to_owned()),
        ..ResourceAttributes::default()
    };
    let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..Default::default() };
    SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() }
}

#[cfg(test)]
mod tests {
    use super::super::{needs, needs_of};
    use super::*;

    #[test]
    fn what_two_need_is_asked_once() {
        let needs = [
            needs(Scope::Namespace, "", &["pods"], &["get", "list"], "x"),
            needs(Scope::Namespace, "", &["pods"], &["get"], "y"),
            needs(Scope::Cluster, "", &["pods"], &["get"], "y"),
        ]
        .concat();
        let asked = questions(&needs);
        assert_eq!(asked, [needs[0].clone(), needs[1].clone(), needs[3].clone()]);
    }

    #[test]
    fn a_question_is_about_one_verb_in_one_place() {
        let asked = |need: &[Need]| {
            let attributes = question(&need[0], "shop").spec.resource_attributes.expect("about a resource");
            let parts = [
                attributes.verb,
                attributes.group,
                attributes.resource,
                attributes.subresource,
                attributes.name,
                attributes.namespace,
            ];
            parts.map(|part| part.unwrap_or_else(|| "-".to_owned())).join(" ")
        };
        let table = [
            (
                needs(Scope::Namespace, "", &["pods/eviction"], &["create"], "x"),
                "create  pods eviction - shop",
            ),
            (needs(Scope::Cluster, "", &["nodes"], &["patch"], "x"), "patch  nodes - - -"),
            (needs_of("one", "g", "leases", &["get"], "x"), "get g leases - one shop"),
            (needs_of("one", "g", "leases", &["create"], "x"), "create g leases - - shop"),
        ];
        for (need, expected) in table {
            assert_eq!(asked(&need), expected);
        }
    }
}
