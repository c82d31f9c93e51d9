//! Texts that several programs share: the keys of one ConfigMap, each written by one of them and watched by all.
//!
//! Whoever writes names the object that it means by UID, so that what was said in one run never gets into the
//! object of another that has taken its name.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::TryStreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions, WatchEvent, WatchParams};
use serde_json::json;
use tokio::sync::watch;

use super::{Kubernetes, MANAGER, in_time, is_absent, reason};

/// How long a watch goes on before it is asked for again.
const ROUND: u32 = 5;
/// A watch that says neither anything nor that it is over is dead this long after its time.
const DEAD: Duration = Duration::from_secs(8);
/// Begins with whatever the API server has at hand: to be asked for the very newest state it may first have to wait
/// for its own cache, and refuse after a while.
const AT_HAND: &str = "0";
/// Pause before a watch that failed is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// Why texts cannot be shared.
#[derive(Debug, thiserror::Error)]
pub enum SharedError {
    /// The API server said no, or nothing.
    #[error("{action} ConfigMap {name} in namespace {namespace}: {reason}")]
    Request {
        /// What was tried.
        action: &'static str,
        /// Its name.
        name: String,
        /// Where.
        namespace: String,
        /// What it said.
        reason: String,
    },
    /// The object that was meant is not there any more.
    #[error("write ConfigMap {name} in namespace {namespace}: it is gone, or another has its name")]
    Gone {
        /// Its name.
        name: String,
        /// Where.
        namespace: String,
    },
}

/// The texts at one time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Texts {
    /// The object that they are in.
    pub uid: String,
    /// The state of that object.
    pub version: String,
    /// By key.
    pub by_key: BTreeMap<String, String>,
}

impl From<ConfigMap> for Texts {
    fn from(object: ConfigMap) -> Self {
        Self {
            uid: object.metadata.uid.unwrap_or_default(),
            version: object.metadata.resource_version.unwrap_or_default(),
            by_key: object.data.unwrap_or_default(),
        }
    }
}

/// The ConfigMap of one name. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shared {
    cluster: Kubernetes,
    name: &'static str,
}

impl Shared {
    /// That of this name; nothing is asked of the API server yet.
    pub fn new(cluster: Kubernetes, name: &'static str) -> Self {
        Self { cluster, name }
    }

    /// The texts as they are now; `None`: there is no such object.
    pub async fn look(&self) -> Result<Option<Texts>, SharedError> {
        let found = in_time(self.cluster.here::<ConfigMap>().get_opt(self.name)).await;
        Ok(found.map_err(|error| self.failed("read", &error))?.map(Texts::from))
    }

    /// Makes the object with these texts and one label; `None`: there is one of that name already.
    pub async fn make(
        &self,
        label: (&str, &str),
        texts: BTreeMap<String, String>,
    ) -> Result<Option<Texts>, SharedError> {
        let labels = BTreeMap::from([
            ("app.kubernetes.io/managed-by".to_owned(), MANAGER.to_owned()),
            (label.0.to_owned(), label.1.to_owned()),
        ]);
        let metadata =
            ObjectMeta { name: Some(self.name.to_owned()), labels: Some(labels), ..ObjectMeta::default() };
        let object = ConfigMap { metadata, data: Some(texts), ..ConfigMap::default() };
        let by = PostParams { field_manager: Some(MANAGER.to_owned()), dry_run: false };
        match in_time(self.cluster.here::<ConfigMap>().create(&by, &object)).await {
            Ok(made) => Ok(Some(made.into())),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(None),
            Err(error) => Err(self.failed("make", &error)),
        }
    }

    /// Removes the object `uid`, on request only in this state. Says whether there is none of that UID any more.
    pub async fn remove(&self, uid: &str, version: Option<&str>) -> Result<bool, SharedError> {
        let preconditions =
            Preconditions { uid: Some(uid.to_owned()), resource_version: version.map(str::to_owned) };
        let how = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        match in_time(self.cluster.here::<ConfigMap>().delete(self.name, &how)).await {
            Ok(_) => Ok(true),
            Err(error) if is_absent(&error) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(self.failed("remove", &error)),
        }
    }

    /// Writes the text of `key` in the object `uid`.
    pub async fn write(&self, uid: &str, key: &str, text: &str) -> Result<(), SharedError> {
        let patch = json!({"metadata": {"uid": uid}, "data": {key: text}});
        let by = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let objects = self.cluster.here::<ConfigMap>();
        match in_time(objects.patch(self.name, &by, &Patch::Merge(patch))).await {
            Ok(_) => Ok(()),
            Err(error) if is_another(&error) => Err(SharedError::Gone {
                name: self.name.to_owned(),
                namespace: self.cluster.namespace().to_owned(),
            }),
            Err(error) => Err(self.failed("write", &error)),
        }
    }

    /// Tells `to` of every change, for ever; `None`: there is no such object. After a failure an older state may
    /// come again.
    pub async fn follow(self, to: watch::Sender<Option<Texts>>) {
        let mut version = AT_HAND.to_owned();
        loop {
            let round = self.round(&to, &mut version);
            let limit = Duration::from_secs(ROUND.into()) + DEAD;
            let failed = match tokio::time::timeout(limit, round).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(reason(&error)),
                Err(_) => Some("it went silent".to_owned()),
            };
            if let Some(reason) = failed {
                tracing::warn!(name = self.name, reason, "a watch of a ConfigMap failed; it is tried again");
                AT_HAND.clone_into(&mut version);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    async fn round(&self, to: &watch::Sender<Option<Texts>>, version: &mut String) -> kube::Result<()> {
        let only = format!("metadata.name={}", self.name);
        let how = WatchParams::default().fields(&only).timeout(ROUND).disable_bookmarks();
        let stream = self.cluster.here::<ConfigMap>().watch(&how, version).await?;
        let mut stream = std::pin::pin!(stream);
        while let Some(event) = stream.try_next().await? {
            match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    let texts = Texts::from(object);
                    version.clone_from(&texts.version);
                    to.send_replace(Some(texts));
                }
                WatchEvent::Deleted(object) => {
                    version.clone_from(&Texts::from(object).version);
                    to.send_replace(None);
                }
                WatchEvent::Bookmark(_) => {}
                WatchEvent::Error(status) => return Err(kube::Error::Api(status)),
            }
        }
        Ok(())
    }

    fn failed(&self, action: &'static str, error: &kube::Error) -> SharedError {
        let (name, namespace) = (self.name.to_owned(), self.cluster.namespace().to_owned());
        SharedError::Request { action, name, namespace, reason: reason(error) }
    }
}

/// Whether the API server says that there is no object of that UID: none at all, or one of another, which then cannot
/// be changed (422).
fn is_another(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) if status.code == 422 => status.message.contains("metadata.uid"),
        kube::Error::Api(status) => matches!(status.code, 404 | 409),
        _ => false,
    }
}
