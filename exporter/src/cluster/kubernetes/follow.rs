//! Follows the objects of one kind from state to state.
//!
//! They are listed once and then watched from that state on. A watch is asked for a second at a time: its end
//! says that nothing is outstanding until then. What fails is tried again from the same state, and misses nothing, but
//! a time in which nothing was heard for long is told. A state that the API server has forgotten (410) is a gap, which
//! ends with a new list.

use std::fmt::Debug;
use std::time::Duration;

use futures_util::TryStreamExt;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};

use super::reason;
use crate::clock::Moment;
use crate::cluster::Chronicle;

/// How long a watch goes on before it is asked for again, in seconds: by so much what is known to be watched is behind.
const ROUND: u32 = 1;
/// A watch that has not ended by itself after this long has lost its connection.
const ROUND_LIMIT: Duration = Duration::from_secs(5);
/// Where no watch has come to its end for this long, that is told.
const SILENT: Duration = Duration::from_secs(5);
/// A list takes this long at most.
const LIST_LIMIT: Duration = Duration::from_secs(30);
/// Pause before what failed is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// Who learns of the objects.
pub(super) trait Follower<K> {
    /// All of them as they are at `at`: at the beginning, and after each gap.
    fn listed(&mut self, objects: Vec<K>, at: Moment);

    /// One is new, or in a new state.
    fn changed(&mut self, object: K);

    /// One is gone; this was its last state.
    fn deleted(&mut self, object: K);

    /// Nothing was missed until `at`.
    fn complete(&mut self, _at: Moment) {}
}

/// Tells `follower` of the objects for ever; `what` they are called where there is a gap.
pub(super) async fn follow<K>(
    objects: Api<K>,
    what: String,
    chronicle: Chronicle,
    mut follower: impl Follower<K>,
) where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let mut whole = chronicle.now();
    loop {
        let error = from_list(&objects, &what, &chronicle, &mut follower, &mut whole).await;
        if chronicle.gap(&what, whole, &error) {
            tracing::warn!(what, error, "a watch has a gap");
        }
        sleep(PAUSE).await;
    }
}

/// Lists and watches until the API server has forgotten where we were, or cannot list; says which. `whole` is until
/// when nothing was missed.
async fn from_list<K>(
    objects: &Api<K>,
    what: &str,
    chronicle: &Chronicle,
    follower: &mut impl Follower<K>,
    whole: &mut Moment,
) -> String
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let listed = match timeout(LIST_LIMIT, objects.list(&ListParams::default())).await {
        Ok(Ok(listed)) => listed,
        Ok(Err(error)) => {
            if told_of(code(&error), Duration::ZERO) == Told::NotAllowed {
                chronicle.unseen(format!("{what}: {}", reason(&error)));
            }
            return reason(&error);
        }
        Err(_elapsed) => return format!("no list within {LIST_LIMIT:?}"),
    };
    let mut version = listed.metadata.resource_version.unwrap_or_default();
    chronicle.mend(what);
    follower.listed(listed.items, chronicle.now());
    loop {
        let failed = match timeout(ROUND_LIMIT, round(objects, &mut version, follower)).await {
            Ok(Ok(())) => {
                *whole = chronicle.now();
                chronicle.mend(what);
                follower.complete(*whole);
                continue;
            }
            Ok(Err(error)) if is_forgotten(&error) => return reason(&error),
            Ok(Err(error)) => (code(&error), reason(&error)),
            Err(_elapsed) => (None, format!("no end within {ROUND_LIMIT:?}")),
        };
        // The next round goes on from the same state: then nothing is missed.
        failing(what, chronicle, *whole, failed);
        sleep(PAUSE).await;
    }
}

/// Tells of a watch that fails with such a code for such a reason, where that is worth it.
fn failing(what: &str, chronicle: &Chronicle, whole: Moment, (code, reason): (Option<u16>, String)) {
    let told = told_of(code, chronicle.now().since(whole));
    if told == Told::NotAllowed {
        chronicle.unseen(format!("{what}: {reason}"));
    }
    if told != Told::Nothing && chronicle.gap(what, whole, &format!("not watched since: {reason}")) {
        tracing::warn!(what, reason, "nothing is heard of a watch");
    }
}

/// What is told of a watch that fails.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    /// It is tried again.
    Nothing,
    /// Something may be missed since it was whole.
    Gap,
    /// That, and why it will not get better.
    NotAllowed,
}

/// What is told of a watch that fails with such a code, and was whole so long ago.
fn told_of(code: Option<u16>, silent: Duration) -> Told {
    match code {
        Some(403) => Told::NotAllowed,
        _ if silent >= SILENT => Told::Gap,
        _ => Told::Nothing,
    }
}

/// The code of an answer that is a refusal.
fn code(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

async fn round<K>(objects: &Api<K>, version: &mut String, follower: &mut impl Follower<K>) -> kube::Result<()>
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let state = |object: &K| object.meta().resource_version.clone().unwrap_or_default();
    let stream = objects.watch(&WatchParams::default().timeout(ROUND), version).await?;
    let mut stream = std::pin::pin!(stream);
    while let Some(event) = stream.try_next().await? {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                *version = state(&object);
                follower.changed(object);
            }
            WatchEvent::Deleted(object) => {
                *version = state(&object);
                follower.deleted(object);
            }
            WatchEvent::Bookmark(bookmark) => version.clone_from(&bookmark.metadata.resource_version),
            WatchEvent::Error(status) => return Err(kube::Error::Api(status)),
        }
    }
    Ok(())
}

/// 410: the state is too old to go on from.
fn is_forgotten(error: &kube::Error) -> bool {
    code(error) == Some(410)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn a_watch_that_fails_for_long_or_for_good_is_told() {
        let table = [
            (None, 0, Told::Nothing),
            (None, 4, Told::Nothing),
            (None, 5, Told::Gap),
            (Some(401), 4, Told::Nothing),
            (Some(401), 5, Told::Gap),
            (Some(503), 60, Told::Gap),
            (Some(403), 0, Told::NotAllowed),
            (Some(403), 60, Told::NotAllowed),
        ];
        for (code, seconds, expected) in table {
            assert_eq!(told_of(code, Duration::from_secs(seconds)), expected, "{code:?} after {seconds} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_watched_is_a_gap_from_when_it_was_whole_until_it_goes_on() {
        let chronicle = Chronicle::begin(Clock::start());
        let whole = chronicle.now();
        let fails = |code| failing("pods", &chronicle, whole, (code, "no".to_owned()));
        fails(Some(401));
        assert_eq!(chronicle.seen().gaps.told, []);
        sleep(SILENT).await;
        fails(Some(401));
        fails(Some(403));
        let seen = chronicle.seen();
        assert_eq!(seen.unseen.into_iter().collect::<Vec<_>>(), ["pods: no"]);
        let told: Vec<_> =
            seen.gaps.told.iter().map(|gap| (gap.from, gap.until, gap.reason.as_str())).collect();
        assert_eq!(told, [(whole, None, "not watched since: no")]);
        chronicle.mend("pods");
        assert_eq!(chronicle.seen().gaps.told[0].until, Some(chronicle.now()));
    }
}
