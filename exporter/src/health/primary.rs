//! Who of a store's instances takes writes at this moment, each asked for itself: labels lag, and lie.

use std::time::Duration;

use tokio::task::JoinSet;

use super::instances::Instance;
use super::instances_of;
use super::members::{Role, ask};
use crate::cluster::kubernetes::Kubernetes;
use crate::errors::chain;
use crate::trial::{Name, Store};

/// An instance that has not answered by then says nothing.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// Why nobody can be named.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrimaryError {
    /// None says so, and why some say nothing.
    #[error("no instance of {store} says that it takes writes{}", unanswered(silent))]
    None {
        /// The store.
        store: Name,
        /// Those that did not answer, each with why.
        silent: Vec<String>,
    },
    /// More than one says so.
    #[error("several instances of {store} say that they take writes: {}", writers.join(", "))]
    Several {
        /// The store.
        store: Name,
        /// Their names.
        writers: Vec<String>,
    },
}

fn unanswered(silent: &[String]) -> String {
    if silent.is_empty() { String::new() } else { format!("; without an answer: {}", silent.join("; ")) }
}

/// The instance of `store` that takes writes.
pub async fn primary(store: &Store, cluster: Option<&Kubernetes>) -> Result<Name, PrimaryError> {
    let mut asked = JoinSet::new();
    for instance in instances_of(store, cluster) {
        asked.spawn(role(instance));
    }
    let mut answers = asked.join_all().await;
    answers.sort_by(|(one, _), (other, _)| one.cmp(other));
    let writer = judge(&store.name, answers)?;
    let found = store.instances.iter().find(|instance| instance.name.as_str() == writer);
    found
        .map(|instance| instance.name.clone())
        .ok_or_else(|| PrimaryError::None { store: store.name.clone(), silent: Vec::new() })
}

async fn role(instance: Instance) -> (String, Result<Role, String>) {
    let answer = match tokio::time::timeout(ANSWER_WITHIN, ask(&instance)).await {
        Ok(Ok((_, role))) => Ok(role),
        Ok(Err(error)) => Err(chain(&error)),
        Err(_) => Err(format!("{} does not answer", instance.name)),
    };
    (instance.name, answer)
}

/// The only writer.
fn judge(store: &Name, answers: Vec<(String, Result<Role, String>)>) -> Result<String, PrimaryError> {
    let (mut writers, mut silent) = (Vec::new(), Vec::new());
    for (name, answer) in answers {
        match answer {
            Ok(Role::Primary { .. }) => writers.push(name),
            Ok(Role::Replica { .. } | Role::ReadOnly) => {}
            Err(reason) => silent.push(reason),
        }
    }
    match (writers.len(), writers.pop()) {
        (1, Some(writer)) => Ok(writer),
        (_, None) => Err(PrimaryError::None { store: store.clone(), silent }),
        (_, Some(last)) => {
            writers.push(last);
            Err(PrimaryError::Several { store: store.clone(), writers })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Answers = Vec<Result<Role, String>>;

    #[test]
    fn the_only_writer_is_the_primary() {
        let primary = || Ok(Role::Primary { streaming: 1 });
        let replica = || Ok(Role::Replica { connected: true });
        let silent = |reason: &str| Err(reason.to_owned());
        let table: [(Answers, Result<&str, &str>); 5] = [
            (vec![replica(), primary()], Ok("pg2")),
            // Whoever does not answer may be down, as a replica often is.
            (vec![silent("ask pg1: down"), primary()], Ok("pg2")),
            (
                vec![silent("ask pg1: down"), replica()],
                Err("no instance of postgres says that it takes writes; without an answer: ask pg1: down"),
            ),
            (vec![Ok(Role::ReadOnly), replica()], Err("no instance of postgres says that it takes writes")),
            (
                vec![primary(), primary()],
                Err("several instances of postgres say that they take writes: pg1, pg2"),
            ),
        ];
        let store = Name::new("postgres").expect("a name");
        for (answers, expected) in table {
            let named = ["pg1", "pg2"].map(str::to_owned).into_iter().zip(answers).collect();
            let judged = judge(&store, named).map_err(|error| error.to_string());
            assert_eq!(judged.as_deref(), expected.map_err(str::to_owned).as_deref());
        }
    }
}
