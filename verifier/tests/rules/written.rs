//! The files that `slo-verifier rules` writes.

/// One of them.
pub(crate) struct Written {
    pub(crate) file: &'static str,
    /// What `rules` is given.
    pub(crate) arguments: &'static [&'static str],
    /// What its rules are about.
    pub(crate) about: &'static str,
}

const WITH_EXPORTER: &str = "the promises in slos.yaml, and on the exporter";

/// Rules on a run's promises are kept to the runs of its trial: a Prometheus may have those of others, too. The overlay for
/// kube-prometheus-stack is any trial's, and so has none on promises.
pub(crate) const WRITTEN: [Written; 7] = [
    Written {
        file: "alerts/lab.yml",
        arguments: &["deploy/lab/slos.yaml", "--trial", "shop-under-fire"],
        about: "the lab's promises",
    },
    Written {
        file: "alerts/service.yml",
        arguments: &["deploy/examples/services.yaml"],
        about: "the example of a service's objective over 30 days",
    },
    Written {
        file: "alerts/tests/ways/rules.yaml",
        arguments: &["alerts/tests/ways/slos.yaml"],
        about: "promises that no shipped trial makes",
    },
    Written {
        file: "alerts/tests/other/rules.yaml",
        arguments: &["alerts/tests/other/slos.yaml", "--trial", "another"],
        about: "another trial's promises, under the names of the lab's",
    },
    Written {
        file: "deploy/kubernetes/demo/run/alerts.yml",
        arguments: &[
            "deploy/kubernetes/demo/run/slos.yaml",
            "--trial",
            "shop-under-fire",
            "--with",
            "alerts/exporter.yml",
        ],
        about: WITH_EXPORTER,
    },
    Written {
        file: "deploy/kubernetes/web/run/alerts.yml",
        arguments: &[
            "deploy/kubernetes/web/run/slos.yaml",
            "--trial",
            "web-loses-pods",
            "--with",
            "alerts/exporter.yml",
        ],
        about: WITH_EXPORTER,
    },
    Written {
        file: "deploy/kubernetes/kube-prometheus-stack/rules.yaml",
        arguments: &[
            "--with",
            "alerts/exporter.yml",
            "--format",
            "prometheus-rule",
            "--namespace",
            "ordeal",
            "--label",
            "release=kube-prometheus-stack",
        ],
        about: "the exporter and its experiments",
    },
];
