//! Whether what is to be replaced is there at all. Pure.

use crate::chaos::guard::Refusal;
use crate::chaos::plan::Plan;
use crate::cluster::{Document, Target};

/// The refusal for the first target of `plan` that is neither an instance nor a node of one of `workloads`.
pub(super) fn stranger(plan: &Plan, workloads: &[&str], document: &Document) -> Option<Refusal> {
    let workloads_found = || workloads.iter().filter_map(|name| document.workload(name));
    let known = |target: &Target| {
        workloads_found().flat_map(|workload| &workload.instances).any(|instance| target.hits(instance))
    };
    let mut targets = plan.targets.iter().zip(&plan.shown);
    let (_, shown) = targets.find(|(target, _)| !known(target))?;
    Some(Refusal::NoReplica { target: shown.clone(), workloads: workloads.join(" or ") })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::chaos::faults::Action;
    use crate::chaos::faults::commands::Commands;
    use crate::trial::{ComponentIndex, ExecFault, Experiment, Fault, Name, NonEmpty, Secrets};

    fn plan(targets: &[&str]) -> Plan {
        let fault = ExecFault {
            target: "who".into(),
            inject: "kill".into(),
            bit: None,
            revert: None,
            timeout: Duration::from_secs(30),
        };
        let action = Action::Exec(Commands::of(&fault));
        let experiment = Experiment {
            name: Name::new("kill").expect("a name"),
            fault: Fault::Exec(fault),
            components: NonEmpty::one(ComponentIndex::new(0, 1).expect("one component")),
            deadline: Duration::from_mins(1),
            hold: Duration::ZERO,
            replaced: true,
        };
        let targets = targets.iter().map(|&target| Target::named(target)).collect();
        Plan::new(&experiment, &[], targets, action, &Secrets::default())
    }

    #[test]
    fn every_target_that_is_to_be_replaced_is_an_instance_or_a_node_of_a_workload() {
        let document: Document = serde_json::from_str(
            r#"{"workloads":[
                {"name":"shop","desired":2,"instances":[{"id":"shop-1","node":"n1","ready":true},
                    {"id":"shop-2","node":"n2","ready":false}]},
                {"name":"mail","desired":1,"instances":[{"id":"mail-1","node":"n3","ready":true}]}]}"#,
        )
        .expect("a document");
        let of_shop = |target: &str| {
            Some(format!("target {target} is neither an instance nor a node of workload shop"))
        };
        let table: [(&[&str], &[&str], Option<String>); 8] = [
            (&["shop-1"], &["shop"], None),
            (&["shop-1", "shop-2"], &["shop"], None),
            (&["n2"], &["shop"], None),
            (&["pod/shop-1"], &["shop"], of_shop("pod/shop-1")),
            (&["shop-1", "shop-3"], &["shop"], of_shop("shop-3")),
            (&["mail-1"], &["shop"], of_shop("mail-1")),
            (&["mail-1", "n1"], &["shop", "mail"], None),
            (
                &["shop"],
                &["shop", "gone"],
                Some("target shop is neither an instance nor a node of workload shop or gone".to_owned()),
            ),
        ];
        for (targets, workloads, expected) in table {
            let said = stranger(&plan(targets), workloads, &document).map(|refusal| refusal.to_string());
            assert_eq!(said, expected, "{targets:?}");
        }
    }
}
