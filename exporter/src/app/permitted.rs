//! Whether a run may do all that its trial needs on the cluster, before it does any of it.

use std::fmt;

use crate::cluster::kubernetes::Kubernetes;
use crate::cluster::kubernetes::rights::grant::{Grantee, roles};
use crate::cluster::kubernetes::rights::{AskError, Need, Scope, rules};

/// What is granted to whoever the API server does not name.
const UNNAMED: &str = "system:serviceaccount:ordeal:ordeal-conductor";

/// What is not permitted, for what it is needed, and what grants it.
#[derive(Debug)]
pub(super) struct Missing {
    user: String,
    namespace: String,
    needs: Vec<Need>,
}

impl std::error::Error for Missing {}

/// What came of the question.
pub(super) enum Permitted {
    /// All of it.
    All,
    /// Not all.
    Not(Missing),
    /// It may not even be asked.
    Unknown(AskError),
}

/// Asks whether all of `needs` is permitted, in the namespace of `cluster` or everywhere.
pub(super) async fn ask(needs: &[Need], cluster: &Kubernetes) -> Result<Permitted, AskError> {
    match cluster.not_permitted(needs).await {
        Ok(needs) if needs.is_empty() => Ok(Permitted::All),
        Ok(needs) => {
            let user = cluster.user().await.unwrap_or_else(|| UNNAMED.to_owned());
            Ok(Permitted::Not(Missing { user, namespace: cluster.namespace().to_owned(), needs }))
        }
        Err(error @ AskError::Forbidden { .. }) => Ok(Permitted::Unknown(error)),
        Err(error) => Err(error),
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} may not do on the cluster what the trial needs:", self.user)?;
        let places = [
            (Scope::Namespace, format!("in namespace {}", self.namespace)),
            (Scope::Cluster, "in the whole cluster".to_owned()),
        ];
        for (scope, place) in places {
            for rule in rules(&self.needs, scope) {
                writeln!(f, "  {rule} {place} ({})", rule.purposes.join("; "))?;
            }
        }
        writeln!(
            f,
            "Who uses run.sh writes all that the trial needs into its folder: `load-exporter manifests trial.yaml \
             --without-account >access.yaml`. What follows grants just what is missing (`kubectl apply -f -`), until \
             it is taken away by hand (`kubectl delete -f -`).\n"
        )?;
        f.write_str(&self.grant())
    }
}

impl Missing {
    /// The YAML that grants it. The roles' name is that of what they hold: another role of the account, or an
    /// earlier one of this kind, is not written over.
    fn grant(&self) -> String {
        let held: Vec<String> = [Scope::Namespace, Scope::Cluster]
            .into_iter()
            .flat_map(|scope| rules(&self.needs, scope))
            .map(|rule| rule.to_string())
            .collect();
        let name = format!("ordeal-more-{:08x}", crc32fast::hash(held.join("\n").as_bytes()));
        roles(&self.needs, &self.namespace, &name, &Grantee::of(&self.user)).join("---\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::kubernetes::rights::{needs, needs_of};

    fn missing(needs: Vec<Need>) -> Missing {
        let user = "system:serviceaccount:ordeal:ordeal-conductor".to_owned();
        Missing { user, namespace: "shop".to_owned(), needs }
    }

    #[test]
    fn what_is_missing_is_listed_with_what_it_is_for_and_what_grants_it() {
        let told = missing(
            [
                needs(Scope::Namespace, "", &["pods"], &["delete"], "to kill"),
                needs_of("ordeal", "coordination.k8s.io", "leases", &["get", "update"], "to be alone"),
                needs(Scope::Cluster, "", &["nodes"], &["list"], "to drain"),
            ]
            .concat(),
        )
        .to_string();
        let (list, yaml) = told.split_once("\n\n").expect("a blank line before the YAML");
        let expected = [
            "system:serviceaccount:ordeal:ordeal-conductor may not do on the cluster what the trial needs:",
            "  delete pods in namespace shop (to kill)",
            "  get, update leases of coordination.k8s.io (the one named ordeal) in namespace shop (to be alone)",
            "  list nodes in the whole cluster (to drain)",
        ];
        assert_eq!(list.lines().take(4).collect::<Vec<_>>(), expected);
        let ways = [
            "manifests trial.yaml --without-account >access.yaml`",
            "`kubectl apply -f -`",
            "`kubectl delete -f -`",
        ]
        .map(|way| list.find(way).unwrap_or_else(|| panic!("{way} in {list}")));
        assert!(ways.is_sorted(), "what `run.sh down` takes away comes first: {list}");
        let kinds: Vec<&str> = yaml.lines().filter(|line| line.starts_with("kind: ")).collect();
        assert_eq!(
            kinds,
            ["kind: Role", "kind: RoleBinding", "kind: ClusterRole", "kind: ClusterRoleBinding"]
        );
        assert!(
            yaml.contains("subjects: [{kind: ServiceAccount, name: ordeal-conductor, namespace: ordeal}]")
        );
    }

    #[test]
    fn what_grants_one_thing_does_not_take_another_away() {
        let names = |resource| {
            let yaml = missing(needs(Scope::Namespace, "", &[resource], &["get"], "x")).grant();
            yaml.lines().find(|line| line.starts_with("metadata: ")).expect("a name").to_owned()
        };
        assert_ne!(names("pods"), names("events"));
        assert_eq!(names("pods"), names("pods"));
    }
}
