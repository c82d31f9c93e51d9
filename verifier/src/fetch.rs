//! Fetches what judging needs: each family once, all at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::evidence::{Fetched, Millis, Recorded, Rules, Signs, about, of_run, pin, window_of};
use crate::judge::Evidence;
use crate::judge::{Finding, Needs, agree};
use crate::run::{Found, Run};
use crate::slo::fill;
use crate::source::{Answer, Error, Prometheus, Server};

/// Other people's series are fetched from this long before the run until this long after, in milliseconds:
/// they are scraped less often than ours.
const PAD: i64 = 60_000;

/// Nobody awaits an alert for longer than a year, in milliseconds.
const LONGEST_WAIT: i64 = 366 * 86_400_000;

/// Evaluations of rules that failed or were left out, as a Prometheus counts them that scrapes itself.
const FAILURES: &str =
    "{__name__=~\"prometheus_rule_evaluation_failures_total|prometheus_rule_group_iterations_missed_total\"}";

/// Asks one question; that it was not answered is part of the evidence.
async fn ask(prometheus: Prometheus, query: String, at: Millis) -> Fetched {
    let answer = prometheus.query(&query, Some(at)).await;
    fetched(query, answer)
}

fn fetched(query: String, answer: Result<Answer, Error>) -> Fetched {
    match answer {
        Ok(answer) => {
            Fetched { query, outcome: Ok(answer.data), warnings: answer.warnings, infos: answer.infos }
        }
        Err(error) => {
            Fetched { query, outcome: Err(with_causes(&error)), warnings: Vec::new(), infos: Vec::new() }
        }
    }
}

fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The server's alerting rules; that they were not told is part of the evidence.
async fn rules(prometheus: &Prometheus, server: &Server) -> Rules {
    let loaded = server.loaded;
    match prometheus.rules().await {
        Ok((rules, warnings)) => Rules { outcome: Ok(rules), warnings, loaded },
        Err(error) => Rules { outcome: Err(with_causes(&error)), warnings: Vec::new(), loaded },
    }
}

/// Asks many questions at once.
async fn ask_all<K: Ord + Send + 'static>(
    prometheus: &Prometheus,
    questions: impl IntoIterator<Item = (K, String, Millis)>,
) -> BTreeMap<K, Fetched> {
    let mut tasks = JoinSet::new();
    for (key, query, at) in questions {
        let prometheus = prometheus.clone();
        tasks.spawn(async move { (key, ask(prometheus, query, at).await) });
    }
    tasks.join_all().await.into_iter().collect()
}

/// Fetches a run's evidence.
pub(crate) async fn evidence(
    prometheus: &Prometheus,
    server: &Server,
    found: &Found,
    needs: &Needs,
) -> Evidence {
    let (first, last) = found.span();
    let (from, to) = window_of(first, last);
    let pinned = pinned(found);
    let window = to.0 - from.0;
    let questions = needs.families.iter().map(|name| (*name, format!("{name}{{{pinned}}}[{window}ms]"), to));
    let longer = |selector: &str, wait: i64| {
        let (padded, at) = (window + 2 * PAD + wait, Millis(to.0 + PAD + wait));
        (selector.to_owned(), format!("{selector}[{padded}ms]"), at)
    };
    let others = needs.others.iter().map(|selector| longer(selector, 0));
    let wait =
        |wait: &Duration| i64::try_from(wait.as_millis()).map_or(LONGEST_WAIT, |it| it.min(LONGEST_WAIT));
    let alerts = needs.alerts.iter().map(|(selector, time)| longer(selector, wait(time)));
    let longest = needs.alerts.values().map(wait).max().unwrap_or(0);
    let (_, up, up_at) = longer(&format!("up{{{pinned}}}"), longest);
    let (_, failures, failures_at) = longer(FAILURES, longest);
    let alerts_until = Millis(to.0 + PAD);
    let until = |(selector, time): (&String, &Duration)| (selector.clone(), Millis(to.0 + PAD + wait(time)));
    let asked = needs.alerts.iter().map(until).collect();
    // Before anything else: what is fetched afterwards holds all samples of the evaluations that they tell of.
    let rules = rules(prometheus, server).await;
    let (families, others, fired, up, failures) = tokio::join!(
        ask_all(prometheus, questions),
        ask_all(prometheus, others.chain(alerts)),
        alerts_of(prometheus, found, window + PAD, alerts_until),
        ask(prometheus.clone(), up, up_at),
        ask(prometheus.clone(), failures, failures_at),
    );
    let (processes, flaws) = found.processes(&families);
    let signs = Signs::of(&processes, &up, &failures);
    let recorded = Recorded::lay(&processes, &families);
    let run = Run::read(found, processes, flaws, &recorded, server.started);
    let expressions = expressions(prometheus, &run, needs).await;
    Evidence { run, recorded, others, rules, signs, alerts: fired, alerts_until, asked, expressions }
}

/// Label matchers that hold for the run's processes only.
fn pinned(found: &Found) -> String {
    pin(found.members().map(|member| (member.job.as_str(), member.instance.as_str())))
}

/// The alerts about a run, in so many milliseconds before some time.
async fn alerts_of(prometheus: &Prometheus, found: &Found, window: i64, until: Millis) -> Fetched {
    let selectors = about(&found.id, &pinned(found));
    let questions = selectors.iter().enumerate();
    let questions = questions.map(|(at, selector)| (at, format!("{selector}[{window}ms]"), until));
    let others = format!("ordeal_run_info{{run!={:?}}}[{window}ms]", found.id);
    let (answers, others) =
        tokio::join!(ask_all(prometheus, questions), ask(prometheus.clone(), others, until));
    let ours: BTreeSet<(&str, &str)> =
        found.members().map(|member| (member.job.as_str(), member.instance.as_str())).collect();
    of_run(answers.into_values(), others, &ours)
}

/// The user's own expressions, evaluated at the end of the run.
async fn expressions(prometheus: &Prometheus, run: &Run, needs: &Needs) -> BTreeMap<String, Fetched> {
    let (start, end) = run.times();
    let window = format!("{}ms", (end.0 - start.0).max(1));
    let questions = needs
        .expressions
        .iter()
        .map(|expr| (expr.clone(), fill(expr, &start.to_string(), &end.to_string(), &window), end));
    ask_all(prometheus, questions).await
}

/// Asks for what only charts show, over a span and every `step`. That something was not answered is told beside the
/// chart and changes no finding.
pub(crate) async fn courses<K: Ord + Send + 'static>(
    prometheus: &Prometheus,
    questions: impl IntoIterator<Item = (K, String)>,
    span: (Millis, Millis),
    step: Duration,
) -> BTreeMap<K, Fetched> {
    let mut tasks = JoinSet::new();
    for (key, query) in questions {
        let prometheus = prometheus.clone();
        tasks.spawn(async move {
            let answer = prometheus.range(&query, span, step).await;
            (key, fetched(query, answer))
        });
    }
    tasks.join_all().await.into_iter().collect()
}

/// Puts the pasted queries to Prometheus and compares.
pub(crate) async fn cross_check(prometheus: &Prometheus, findings: &mut [Finding]) {
    let mut questions = Vec::new();
    for (at, finding) in findings.iter().enumerate() {
        for (number, paste) in finding.judged.pastes.iter().enumerate() {
            questions.push(((at, number), paste.query.clone(), paste.at));
        }
    }
    for ((at, number), answer) in ask_all(prometheus, questions).await {
        agree(&mut findings[at], number, &answer);
    }
}
