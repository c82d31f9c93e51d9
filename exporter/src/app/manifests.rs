//! `load-exporter manifests`: the roles that a trial needs, to be applied before it is run.

use super::rights;
use crate::cluster::kubernetes::rights::grant::{Grantee, roles};
use crate::trial::{Namespace, Trial};

/// Whose rights are printed.
#[derive(Debug, Clone)]
pub struct Account {
    /// The namespace in which Ordeal runs.
    pub namespace: Namespace,
    /// The name of the account, and of its roles.
    pub name: Namespace,
    /// Whether somebody else makes the account.
    pub is_there: bool,
}

/// The account that runs `trial` with all that it has to be allowed, and nothing else, as YAML.
pub fn manifests(trial: &Trial, account: &Account) -> String {
    let grantee =
        Grantee::Account { namespace: account.namespace.to_string(), name: account.name.to_string() };
    let needs = rights::needs(trial);
    let head = match trial.kubernetes() {
        Some(_) => {
            format!("# All that {} has to be allowed to run the trial {}", account.name, trial.name)
        }
        None => format!("# Nothing has to be allowed to run the trial {}: it names no cluster", trial.name),
    };
    let mut documents = Vec::new();
    if !account.is_there {
        documents.extend(grantee.yaml());
    }
    if let Some(place) = trial.kubernetes() {
        documents.extend(roles(&needs, place.namespace.as_str(), account.name.as_str(), &grantee));
    }
    format!("{head} (load-exporter manifests).\n{}", documents.join("---\n"))
}
