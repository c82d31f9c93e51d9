//! Recovery: what was down for how long, and whether anything was lost (pure data).

use super::promises;
use crate::board::{Board, Column, Needs, Panel, Row, row};
use crate::limits;
use crate::look::{Colour, State, Steps, Unit};

/// Up and down.
const SERVES: [State; 2] = [
    State { code: 0, word: "down", colour: Colour::Red },
    State { code: 1, word: "up", colour: Colour::Green },
];

pub(super) fn board() -> Board {
    Board {
        uid: "ordeal-recovery",
        title: "Ordeal / Recovery",
        about: "What was down for how long after each fault, who took writes, and whether any were lost.",
        rows: vec![harm(), components(), recoveries(), ledger(), stores()],
    }
}

/// What would break a promise, so far.
fn harm() -> Row {
    row(4, [recovered(), stores_back(), rejoined(), unexplained(), lost(), point(), split_brain(), audits()])
}

fn recovered() -> Panel {
    Panel::stat("Recovered", 3)
        .about("Share of the trial's experiments from which all listed components have recovered.")
        .unit(Unit::Share)
        .decimals(0)
        .steps(Steps::whole())
        .empty("no experiments")
        .ask(
            r#"sum(last_over_time(ordeal_experiment_state{RUN, state="recovered"}[$__range]))
               / sum(last_over_time(ordeal_experiments{RUN}[$__range]))"#,
            "of the experiments",
        )
}

/// Stores are the components whose instances are asked for writes.
fn stores_back() -> Panel {
    Panel::stat("Stores back within", 3)
        .about(format!(
            "The slowest recovery of a store's clients since the injection, at most. The lab promises {}.",
            limits::time(limits::STORE_BACK)
        ))
        .unit(Unit::Seconds)
        .decimals(2)
        .steps(Steps::some_time())
        .empty("none yet")
        .ask(
            r#"max(last_over_time(ordeal_recovery_upper_seconds{RUN, since="injected"}[$__range])
               and on (job, instance, component) last_over_time(ordeal_writable_instances{RUN}[$__range]))"#,
            "at most",
        )
}

fn rejoined() -> Panel {
    Panel::stat("All back after revert", 3)
        .about(format!(
            "The slowest recovery of any component since a fault was put back, at most. The lab promises {} of a store's \
             members after a partition.",
            limits::time(limits::REJOINED)
        ))
        .unit(Unit::Seconds)
        .decimals(2)
        .steps(Steps::some_time())
        .empty("none yet")
        .ask(r#"max(last_over_time(ordeal_recovery_upper_seconds{RUN, since="reverted"}[$__range]))"#, "at most")
}

fn unexplained() -> Panel {
    Panel::stat("Unexplained outage", 3)
        .about(format!(
            "The longest outage that no experiment explains, at most. The lab allows {}.",
            limits::time(limits::UNEXPLAINED)
        ))
        .unit(Unit::Seconds)
        .decimals(2)
        .steps(Steps::better_none())
        .ask(
            // As in the verdict the highest: an end is known better, and so a little less long, once it has lasted.
            r#"max(max_over_time(ordeal_component_longest_outage_seconds{RUN, cause="none", bound="upper"}[$__range]))"#,
            "at most",
        )
}

fn lost() -> Panel {
    Panel::stat("Writes lost", 3)
        .about(
            "Acknowledged writes that are missing, by the worst of all audits so far. There should be none.",
        )
        .steps(Steps::no())
        .empty("no ledger")
        .ask(
            r#"max by (store) (last_over_time(ordeal_ledger_audit{RUN, class="lost"}[$__range]))"#,
            "{{store}}",
        )
}

fn point() -> Panel {
    Panel::stat("Span of lost writes", 3)
        .about(format!(
            "From the newest surviving write before the oldest lost one to the newest lost one. The lab allows {}.",
            limits::time(limits::RECOVERY_POINT)
        ))
        .unit(Unit::Seconds)
        .steps(Steps::better_none())
        .empty("none yet")
        .ask("max by (store) (last_over_time(ordeal_recovery_point_seconds{RUN}[$__range]))", "{{store}}")
}

fn split_brain() -> Panel {
    Panel::stat("Split brain", 3)
        .about("Time in which two instances of a store took writes. There should be none.")
        .unit(Unit::Seconds)
        .steps(Steps::no())
        .empty("not watched")
        .ask(
            "max by (component) (last_over_time(ordeal_split_brain_seconds_total{RUN}[$__range]))",
            "{{component}}",
        )
}

fn audits() -> Panel {
    Panel::stat("Audits", 3)
        .about("Audits of the ledgers that read everything back, and those that could not. Before the first, nothing lost means nothing.")
        .steps(Steps::none())
        .empty("no ledger")
        .colour("incomplete", Colour::Orange)
        .ask("sum by (result) (last_over_time(ordeal_ledger_audits_total{RUN}[$__range]))", "{{result}}")
}

fn components() -> Row {
    row(
        7,
        [Panel::timeline("Components", 24)
            .about("Whether each component serves: down from the first failed probe until health has lasted. Components of a store's members are its replication.")
            .states(SERVES)
            .ask("min by (component) (ordeal_component_up{RUN})", "{{component}}")],
    )
}

fn recoveries() -> Row {
    row(8, [recovery_times(), outages()])
}

fn recovery_times() -> Panel {
    let of = |family: &str| {
        format!("max by (experiment, component, since) (last_over_time({family}{{RUN}}[$__range]))")
    };
    let columns = [
        Column::label("experiment", "Experiment"),
        Column::label("component", "Component"),
        Column::label("since", "Since"),
        Column::value("Value #A", "At least", Unit::Seconds),
        Column::value("Value #B", "Estimate", Unit::Seconds),
        Column::value("Value #C", "At most", Unit::Seconds).bar(limits::DRAINED, Steps::some_time()),
        Column::label("limit", "Limit"),
        Column::value("Value #D", "Of it, at least", Unit::Share).bar(1.0, promises::steps()),
    ];
    Panel::table("Recovery times", 15, columns)
        .about(format!(
            "Time to lasting health after each fault, with its bounds; bars are full at {}. Endless, in red: not seen by the deadline. \
             Where Prometheus has the rules of your objectives, also their limit, and the part of it that had passed when \
             the component was last seen down.",
            limits::time(limits::DRAINED)
        ))
        .unit(Unit::Seconds)
        .decimals(2)
        .ask(of("ordeal_recovery_lower_seconds"), "")
        .ask(of("ordeal_recovery_seconds"), "")
        .ask(of("ordeal_recovery_upper_seconds"), "")
        .ask(LIMITS_SPENT, "")
}

/// Which moment a limit counts from is told by its words alone.
const LIMITS_SPENT: &str = r#"max by (experiment, component, since, limit) (label_replace(label_replace(
    max_over_time(ordeal:recovery_spent:ratio{RUN}[$__range]), "since", "injected", "", ""),
    "since", "reverted", "limit", ".* since the revert"))"#;

fn outages() -> Panel {
    Panel::bars("Time down", 9)
        .about("Seconds without service that each component has gathered, by whether an experiment explains them.")
        .unit(Unit::Seconds)
        .decimals(1)
        .ask(
            "sum by (component, cause) (last_over_time(ordeal_component_outage_seconds_total{RUN}[$__range]))",
            "{{component}}, cause: {{cause}}",
        )
}

fn ledger() -> Row {
    let columns = [
        Column::label("store", "Store"),
        Column::label("class", "Class"),
        Column::value("Value", "Writes", Unit::Number),
    ];
    row(
        7,
        [
            Panel::lines("Ledger's writes", 8)
                .about("Writes that ended, each second: acknowledged, refused, or with an end that nobody knows.")
                .unit(Unit::Writes)
                .ask("sum by (store, outcome) (rate(ordeal_ledger_writes_total{RUN}[$__rate_interval]))", "{{store}} {{outcome}}"),
            Panel::table("Audit", 8, columns)
                .about("Writes by what became of them, by the worst of all audits. Present and recovered are fine, nothing else is.")
                .ask("max by (store, class) (last_over_time(ordeal_ledger_audit{RUN}[$__range]))", ""),
            Panel::lines("Instances that take writes", 8)
                .about("How many instances of each store took a write just now, asked one by one on a path that a partition does not cut. One is right; two are a split brain unless one only takes over.")
                .ask("max by (component) (ordeal_writable_instances{RUN})", "{{component}}"),
        ],
    )
}

/// Of other people's exporters: they have jobs of their own, so that no variable picks them.
fn stores() -> Row {
    row(
        7,
        [
            Panel::lines("Age of the archive", 8)
                .about(format!(
                    "Age of the newest write-ahead log that any server of a job archived: one line for each job that scrapes a PostgreSQL. The lab promises {} of each primary.",
                    limits::time(limits::RECOVERY_POINT)
                ))
                .unit(Unit::Seconds)
                .ask("min by (job) (pg_stat_archiver_last_archive_age)", "{{job}}")
                .ask("min by (job) (cnpg_pg_stat_archiver_seconds_since_last_archival)", "{{job}} (CloudNativePG)"),
            Panel::lines("Logs archived and failed", 8)
                .about("Write-ahead logs that were archived in the last minute, and attempts that failed, of all servers. A minute, since these exporters are scraped less often than Ordeal's.")
                .colour("failed", Colour::Red)
                .ask("sum(increase(pg_stat_archiver_archived_count[1m]))", "archived")
                .ask("sum(increase(pg_stat_archiver_failed_count[1m]))", "failed"),
            Panel::lines("Primaries and linked replicas", 8)
                .about("Primaries as Patroni tells them, of each cluster, and Redis replicas that are linked to their master, of each job.")
                .ask("sum by (scope) (patroni_primary or patroni_master)", "PostgreSQL primaries of {{scope}}")
                .ask("sum by (job) (redis_master_link_up)", "Redis replicas linked, {{job}}"),
        ],
    )
    .needing(Needs::Stores)
}
