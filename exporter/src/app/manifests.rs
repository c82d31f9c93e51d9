//! `load-exporter manifests`: the roles that a trial needs, to be applied before it is run.

use super::rights;
use crate::cluster::kubernetes::rights::grant::{Grantee, roles};
use crate::cluster::kubernetes::rights::own;
use crate::load::FLEET_CONFIG_MAP;
use crate::trial::{Namespace, Trial};

/// The account of load processes, and the name of its roles.
const LOAD: &str = "ordeal-load";

/// Whose rights are printed.
#[derive(Debug, Clone)]
pub struct Account {
    /// The namespace in which Ordeal runs.
    pub namespace: Namespace,
    /// The name of the account, and of its roles.
    pub name: Namespace,
    /// Whether somebody else makes the account.
    pub is_there: bool,
    /// Whether the users are in load processes of their own, which have an account of their own.
    pub leads: bool,
}

/// The account that runs `trial` with all that it has to be allowed, and nothing else, as YAML.
pub fn manifests(trial: &Trial, account: &Account) -> String {
    let grantee = of(account, account.name.as_str());
    let mut documents = Vec::new();
    if !account.is_there {
        documents.extend(grantee.yaml());
    }
    if let Some(place) = trial.kubernetes() {
        let needs = rights::needs(trial);
        documents.extend(roles(&needs, place.namespace.as_str(), account.name.as_str(), &grantee));
    }
    if account.leads {
        documents.extend(fleet(account, &grantee));
    }
    format!("{} (load-exporter manifests).\n{}", head(trial, account), documents.join("---\n"))
}

fn of(account: &Account, name: &str) -> Grantee {
    Grantee::Account { namespace: account.namespace.to_string(), name: name.to_owned() }
}

/// What conductor and load processes have to be allowed where they are, to agree.
fn fleet(account: &Account, conductor: &Grantee) -> Vec<String> {
    let (namespace, follower) = (account.namespace.as_str(), of(account, LOAD));
    let name = format!("{}-fleet", account.name);
    let lead = roles(&own::to_lead(FLEET_CONFIG_MAP), namespace, &name, conductor);
    let follow = roles(&own::to_follow(FLEET_CONFIG_MAP), namespace, LOAD, &follower);
    [lead, follower.yaml().into_iter().collect(), follow].concat()
}

fn head(trial: &Trial, account: &Account) -> String {
    let (name, run) = (&account.name, &trial.name);
    match (trial.kubernetes(), account.leads) {
        (None, false) => "# Nothing has to be allowed, for the trial names no cluster".to_owned(),
        (Some(_), false) => format!("# What {name} has to be allowed for a run of {run}, and no more"),
        (_, true) => format!(
            "# What {name} and {LOAD} have to be allowed for a run of {run} with load processes, and no more"
        ),
    }
}
