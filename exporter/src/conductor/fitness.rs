//! What of the cluster speaks against a run's claims: pure.

use crate::cluster::Document;

/// The autoscalers that do not see the load, each with why.
pub(super) fn blind(document: &Document) -> Vec<String> {
    let autoscalers = document.autoscalers.iter();
    let blind = autoscalers.filter_map(|it| Some(format!("{} ({})", it.name, it.blind.as_ref()?)));
    blind.collect()
}

/// A warning of each workload whose pods do not say when they serve.
pub(super) fn unprobed(document: &Document) -> Vec<String> {
    let workloads = document.workloads.iter().filter(|workload| !workload.unprobed.is_empty());
    let warning = |workload: &crate::cluster::Workload| {
        format!(
            "no readiness probe: container {} of workload {} counts as ready as soon as it runs, whether it serves \
             or not",
            workload.unprobed.join(" and "),
            workload.name
        )
    };
    workloads.map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let text = r#"{"workloads": [{"name": "shop", "desired": 1, "instances": []},
                {"name": "mail", "desired": 1, "instances": []}],
            "autoscalers": [{"name": "shop", "workload": "shop", "min": 1, "max": 2, "current": 1, "desired": 1}]}"#;
        serde_json::from_str(text).expect("a document")
    }

    #[test]
    fn nothing_is_said_where_nothing_is_amiss() {
        assert_eq!((blind(&document()), unprobed(&document())), (Vec::new(), Vec::new()));
    }

    #[test]
    fn what_is_amiss_is_named() {
        let mut document = document();
        document.autoscalers[0].blind = Some("it has read no metric yet".to_owned());
        document.workloads[1].unprobed = vec!["mail".to_owned(), "proxy".to_owned()];
        assert_eq!(blind(&document), ["shop (it has read no metric yet)"]);
        let expected = "no readiness probe: container mail and proxy of workload mail counts as ready as soon as it \
                        runs, whether it serves or not";
        assert_eq!(unprobed(&document), [expected]);
    }
}
