//! The faults of the trials, and what each may touch.

/// A fault, put back at once.
pub(crate) struct Fault {
    /// Its part of the trial.
    pub(crate) text: &'static str,
    /// Pods that may go.
    pub(crate) may_go: &'static [&'static str],
    /// Beginnings of the changes that it may ask for.
    pub(crate) touches: &'static [&'static str],
}

pub(crate) const KILL_BY_SELECTOR: Fault = Fault {
    text: "    pod_kill: {selector: app=shop, seed: 1, timeout: 3s}\n",
    may_go: &["shop-a", "shop-b", "shop-c"],
    touches: &["delete pods shop-"],
};

pub(crate) const KILL_PRIMARY: Fault = Fault {
    text: "    pod_kill: {primary_of: kv, timeout: 3s}\n",
    may_go: &["kv-0"],
    touches: &["delete pods kv-0"],
};

pub(crate) const KILL_BY_EVICTION: Fault = Fault {
    text: "    pod_kill: {primary_of: kv, by: evict, timeout: 3s}\n",
    may_go: &["kv-0"],
    touches: &["create pods/eviction kv-0"],
};

pub(crate) const DRAIN: Fault = Fault {
    text: "    node_drain: {holding: app=shop, others: refuse, timeout: 5s}\n",
    may_go: &["shop-a", "shop-b"],
    touches: &["patch nodes n1", "create pods/eviction shop-a", "create pods/eviction shop-b"],
};

pub(crate) const PARTITION: Fault = Fault {
    text: "    network_partition: {primary_of: kv, replace_policies: true, timeout: 5s}\n",
    may_go: &[],
    touches: &[
        "create networkpolicies ordeal-",
        "delete networkpolicies ordeal-",
        "patch networkpolicies kv",
        "patch networkpolicies metrics",
    ],
};

/// No policy says what leaves either group: each way is cut where it begins, by a policy of its own.
pub(crate) const APART: Fault = Fault {
    text: "    network_partition: {selector: app=shop, from: app=kv, timeout: 5s}\n",
    may_go: &[],
    touches: &["create networkpolicies ordeal-", "delete networkpolicies ordeal-"],
};

pub(crate) const COMMANDS: Fault = Fault {
    text: "    pod_exec: {pod: kv-0, inject: [stop], bit: [look], revert: [start], timeout: 3s}\n",
    may_go: &[],
    touches: &["get pods/exec kv-0 "],
};

/// `fault`, held until somebody ends that.
pub(crate) fn held(fault: &Fault) -> String {
    format!("    hold: 1h\n{}", fault.text)
}
