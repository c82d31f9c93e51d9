//! Follows the objects of one kind from state to state.
//!
//! They are listed once and then watched from that state on. A watch is asked for a second at a time: its end
//! says that nothing is outstanding until then. What fails is tried again from the same state, and misses nothing. A
//! state that the API server has forgotten (410) is a gap, which ends with a new list.

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
const ROUND_LIMIT: Duration = Duration::from_secs(10);
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
        Ok(Err(error)) => return reason(&error),
        Err(_elapsed) => return format!("no list within {LIST_LIMIT:?}"),
    };
    let mut version = listed.metadata.resource_version.unwrap_or_default();
    chronicle.mend(what);
    follower.listed(listed.items, chronicle.now());
    loop {
        match timeout(ROUND_LIMIT, round(objects, &mut version, follower)).await {
            Ok(Ok(())) => {
                *whole = chronicle.now();
                follower.complete(*whole);
            }
            Ok(Err(error)) if is_forgotten(&error) => return reason(&error),
            // The next round goes on from the same state: nothing is missed.
            Ok(Err(_)) | Err(_) => sleep(PAUSE).await,
        }
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
    matches!(error, kube::Error::Api(status) if status.code == 410)
}
