//! A service's objective over 30 days: error ratios over several windows, and alerts on how fast they burn the budget.
//! Pure.
//!
//! Windows and factors are those of "Multiwindow, Multi-Burn-Rate Alerts" in Google's Site Reliability Workbook, chapter
//! 5, table 5-8 (<https://sre.google/workbook/alerting-on-slos/>): 2 % of a 30-day budget in an hour or 5 % in six page,
//! 10 % in a day or in three days open a ticket. Series, labels and groups are named as Sloth names them
//! (<https://sloth.dev>), so that dashboards made for it show them.
//!
//! The ratios of the windows are not Sloth's where there are no events or no errors yet: see `ratio_of`.

use super::promql::{literal, quoted};
use super::rule::{Alert, Group, Lasting, Rule, Severity};
use crate::slo::{ServiceObjective, metric};

/// Windows of error ratios; the shortest makes the ratio of the whole period.
const WINDOWS: [&str; 7] = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"];
const SHORTEST: &str = WINDOWS[0];
/// The period of the objective.
const PERIOD: &str = "30d";

const OBJECTIVE: &str = "slo:objective:ratio";
const BUDGET: &str = "slo:error_budget:ratio";
const DAYS: &str = "slo:time_period:days";
const BURNING: &str = "slo:current_burn_rate:ratio";
const BURNT: &str = "slo:period_burn_rate:ratio";
const REMAINING: &str = "slo:period_error_budget_remaining:ratio";
const INFO: &str = "sloth_slo_info";

/// Two pairs of a short and a long window, each with how many times too fast the budget burns.
struct Burn {
    severity: Severity,
    sloth_severity: &'static str,
    pairs: [(&'static str, &'static str, f64); 2],
}

const PAGE: Burn = Burn {
    severity: Severity::Critical,
    sloth_severity: "page",
    pairs: [("5m", "1h", 14.4), ("30m", "6h", 6.0)],
};
const TICKET: Burn = Burn {
    severity: Severity::Warning,
    sloth_severity: "ticket",
    pairs: [("2h", "1d", 3.0), ("6h", "3d", 1.0)],
};

/// The three groups of an objective, as Sloth has them.
pub(super) fn groups(service: &ServiceObjective) -> [Group; 3] {
    let id = service.id();
    let group = |kind: &str, rules| Group { name: format!("sloth-slo-{kind}-{id}"), interval: None, rules };
    [
        group("sli-recordings", ratios(service)),
        group("meta-recordings", meta(service)),
        group("alerts", vec![burns(service, &PAGE), burns(service, &TICKET), unmeasured(service)]),
    ]
}

type Labels = Vec<(&'static str, String)>;

fn labels(service: &ServiceObjective, more: Labels) -> Labels {
    let own = [
        ("sloth_id", service.id()),
        ("sloth_service", service.service.clone()),
        ("sloth_slo", service.name.clone()),
    ];
    own.into_iter().chain(more).collect()
}

/// The matchers of the objective's own series.
fn own(service: &ServiceObjective) -> String {
    let matchers: Vec<_> = labels(service, Vec::new())
        .iter()
        .map(|(label, value)| format!("{label}={}", quoted(value)))
        .collect();
    format!("{{{}}}", matchers.join(","))
}

fn ratio(window: &str) -> String {
    format!("slo:sli_error:ratio_rate{window}")
}

/// The share of errors among the events of a window.
///
/// Sloth divides the bare sums. Then an hour without events records 0/0, and as nothing that has been added to a NaN is a
/// number again, the budget is none for the whole period. And of a service whose series of errors is born with its first
/// error, only the time since then counts. So a window without events has no ratio here, and one with events but without a
/// series of errors has the ratio 0.
fn ratio_of(service: &ServiceObjective, window: &str) -> String {
    let (errors, total) = (&service.errors, &service.total);
    format!("(sum(rate({errors}[{window}])) or vector(0)) / (sum(rate({total}[{window}])) > 0)")
}

fn ratios(service: &ServiceObjective) -> Vec<Rule> {
    let record = |window: &str, expr: String| {
        Rule::record(&ratio(window), &expr, labels(service, vec![("sloth_window", window.to_owned())]))
    };
    // The mean of the short ratios that there are: a month of raw samples would be too much to read every minute.
    let short = format!("{}{}[{PERIOD}]", ratio(SHORTEST), own(service));
    let whole = format!("sum_over_time({short}) / ignoring (sloth_window) count_over_time({short})");
    let windows = WINDOWS.iter().map(|window| record(window, ratio_of(service, window)));
    windows.chain([record(PERIOD, whole)]).collect()
}

fn meta(service: &ServiceObjective) -> Vec<Rule> {
    let own = own(service);
    let burnt = |window: &str| {
        format!(
            "{}{own} / on (sloth_id, sloth_slo, sloth_service) group_left () {BUDGET}{own}",
            ratio(window)
        )
    };
    let record = |name: &str, expr: &str| Rule::record(name, expr, labels(service, Vec::new()));
    let about = vec![
        ("sloth_mode", "slo-verifier".to_owned()),
        ("sloth_objective", service.at_least.percent()),
        ("sloth_spec", "ordeal/services".to_owned()),
        ("sloth_version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    vec![
        record(OBJECTIVE, &format!("vector({})", service.at_least.as_f64())),
        record(BUDGET, &format!("vector(1 - {})", service.at_least.as_f64())),
        record(DAYS, "vector(30)"),
        record(BURNING, &burnt(SHORTEST)),
        record(BURNT, &burnt(PERIOD)),
        record(REMAINING, &format!("1 - {BURNT}{own}")),
        Rule::record(INFO, "vector(1)", labels(service, about)),
    ]
}

fn burns(service: &ServiceObjective, burn: &Burn) -> Rule {
    let own = own(service);
    let allowed = service.at_least.allowed_bad();
    let over = |window: &str, factor: f64| {
        format!("max without (sloth_window) ({}{own} > ({factor} * {allowed}))", ratio(window))
    };
    let pair = |(short, long, factor): (&str, &str, f64)| {
        format!("({} and {})", over(short, factor), over(long, factor))
    };
    let [quick, slow] = burn.pairs.map(pair);
    Alert {
        name: "ServiceBudgetBurn",
        severity: burn.severity,
        expr: format!("{quick} or {slow}"),
        // The long window is the wait, and the short one ends it, by good events or by none; at their edge it is still one
        // alert.
        lasting: Lasting { hold: "0s", keep: "5m" },
        labels: vec![("sloth_severity", burn.sloth_severity.to_owned())],
        summary: "{{ $labels.sloth_service }} burns the error budget of {{ $labels.sloth_slo }} too fast".to_owned(),
        description: format!(
            "{{{{ $value | humanizePercentage }}}} of the latest events of {{{{ $labels.sloth_service }}}} were errors; \
             {{{{ $labels.sloth_slo }}}} promises {} of them to be good over {PERIOD}.",
            service.at_least
        ),
    }
    .rule()
}

/// Without samples there is no ratio, and no other alert could fire. A service that is idle has samples, and is measured.
///
/// Errors that no series counts are none, so that a wrong name would leave a full budget for ever. No label need have been
/// seen yet, but where the bad events are a counter of their own, there must be series of it.
fn unmeasured(service: &ServiceObjective) -> Rule {
    let own = metric(&service.errors).filter(|errors| metric(&service.total).as_ref() != Some(errors));
    let or_own = own.as_ref().map(|errors| format!(" or on () absent({errors})")).unwrap_or_default();
    let told = own.map(|errors| format!(", or none of {}, which counts the bad ones,", literal(&errors)));
    Alert {
        name: "ServiceUnmeasured",
        severity: Severity::Warning,
        expr: format!("absent({}){or_own}", service.total),
        // Long enough for a restart of the service or of Prometheus.
        lasting: Lasting { hold: "10m", keep: "0s" },
        labels: labels(service, Vec::new())
            .into_iter()
            .map(|(label, value)| (label, literal(&value)))
            .collect(),
        summary: "{{ $labels.sloth_service }} is not measured".to_owned(),
        description: format!(
            "There has been no sample of the events that {{{{ $labels.sloth_slo }}}} is about{} for 10 minutes, so nothing is \
             known of its error budget.",
            told.unwrap_or_default()
        ),
    }
    .rule()
}
