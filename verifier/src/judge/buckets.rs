//! Buckets of a histogram (pure): all of them there, and none of them with more than a larger one has.

use std::collections::{BTreeMap, BTreeSet};

use crate::evidence::{Labels, Lack, Laid, Shortfall};

/// The buckets of one process, task and outcome, by their label.
type Buckets<'a> = BTreeMap<&'a str, &'a Laid>;

/// Whether every process has the same bounds for every task and outcome, and its counts go with them.
pub(super) fn check(family: &str, series: &[&Laid]) -> Result<(), Shortfall> {
    let mut all: BTreeMap<(usize, Labels), Buckets> = BTreeMap::new();
    for &laid in series {
        let mut labels = laid.labels.clone();
        labels.remove("le");
        let le = laid.labels.get("le").map_or("", String::as_str);
        if le.parse::<f64>().is_err() {
            return Err(Shortfall::new(Lack::NotFinite, format!("le={le:?}")));
        }
        all.entry((laid.process, labels)).or_default().insert(le, laid);
    }
    let bounds: BTreeSet<Vec<&str>> = all.values().map(|own| own.keys().copied().collect()).collect();
    if bounds.len() > 1 {
        let detail = format!("{family} has other bounds for some load processes, tasks or outcomes");
        return Err(Shortfall::new(Lack::BucketsDiffer, detail));
    }
    match all.values().find_map(falls) {
        Some(what) => Err(Shortfall::new(Lack::Disagreement, format!("{family}: {what}"))),
        None => Ok(()),
    }
}

/// The first scrape in which a bucket has more than the next larger one.
fn falls(own: &Buckets) -> Option<String> {
    let mut ordered: Vec<(f64, &str, &Laid)> =
        own.iter().filter_map(|(le, laid)| Some((le.parse().ok()?, *le, *laid))).collect();
    ordered.sort_by(|a, b| a.0.total_cmp(&b.0));
    ordered.windows(2).find_map(|pair| {
        let larger: BTreeMap<usize, f64> = pair[1].2.values.iter().copied().collect();
        let less = |(scrape, count): &&(usize, f64)| larger.get(scrape).is_some_and(|more| more < count);
        let (scrape, count) = pair[0].2.values.iter().find(less)?;
        let (small, large) = (pair[0].1, pair[1].1);
        Some(format!("{count} within {small} s, but {} within {large} s", larger[scrape]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(process: usize, task: &str, le: &str, counts: &[f64]) -> Laid {
        let pairs = [("task", task), ("outcome", "ok"), ("le", le)];
        let labels = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Laid { process, labels, values: counts.iter().copied().enumerate().collect() }
    }

    #[test]
    fn bounds_are_the_same_everywhere_and_counts_rise_with_them() {
        let whole = |process, task| {
            [bucket(process, task, "2", &[0.0, 5.0]), bucket(process, task, "+Inf", &[0.0, 6.0])]
        };
        let one = [whole(0, "browse"), whole(0, "sale"), whole(1, "sale")].concat();
        let dropped = one[1..].to_vec();
        let falling = [bucket(0, "a", "10", &[0.0, 5.0]), bucket(0, "a", "9", &[0.0, 6.0])].to_vec();
        let earlier = [bucket(0, "a", "9", &[1.0, 6.0]), bucket(0, "a", "+Inf", &[0.0, 7.0])].to_vec();
        let hole = Laid { values: vec![(1, 7.0)], ..bucket(0, "a", "+Inf", &[]) };
        let unseen = [bucket(0, "a", "9", &[1.0, 6.0]), hole].to_vec();
        let table = [
            (one, None),
            (dropped, Some(Lack::BucketsDiffer)),
            (falling, Some(Lack::Disagreement)),
            (earlier, Some(Lack::Disagreement)),
            (unseen, None),
        ];
        for (series, due) in table {
            let told = check("f", &series.iter().collect::<Vec<_>>());
            assert_eq!(told.err().map(|shortfall| shortfall.lack), due, "{series:?}");
        }
    }
}
