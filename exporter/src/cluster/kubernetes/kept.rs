//! A text that outlives this program and its machine: a key of a ConfigMap, changed only by whoever knows its state.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DeleteParams, PostParams, Preconditions};

use super::{Kubernetes, MANAGER, in_time, is_absent, is_away, reason};

/// Why a text could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
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
        /// Whether nobody has decided upon it.
        away: bool,
    },
    /// Somebody else has written it meanwhile.
    #[error("write ConfigMap {name} in namespace {namespace}: somebody else has changed it meanwhile")]
    Changed {
        /// Its name.
        name: String,
        /// Where.
        namespace: String,
    },
}

impl KeptError {
    /// Whether the API server is away or busy, so that it may be possible later.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Request { away: true, .. })
    }
}

/// One text, and its state as it was last seen.
#[derive(Debug)]
pub struct Kept {
    cluster: Kubernetes,
    name: String,
    key: String,
    /// `None`: there is no such object.
    version: Option<String>,
}

impl Kept {
    /// The text under `key` of the ConfigMap `name`, and what stands there; `None`: nothing yet.
    pub async fn open(
        cluster: Kubernetes,
        name: &str,
        key: &str,
    ) -> Result<(Self, Option<String>), KeptError> {
        let (name, key) = (name.to_owned(), key.to_owned());
        let mut kept = Self { cluster, name, key, version: None };
        let text = kept.read().await?;
        Ok((kept, text))
    }

    /// Where it is.
    pub fn namespace(&self) -> &str {
        self.cluster.namespace()
    }

    async fn read(&mut self) -> Result<Option<String>, KeptError> {
        let found = in_time(self.cluster.here::<ConfigMap>().get_opt(&self.name)).await;
        let Some(found) = found.map_err(|error| self.failed("read", &error))? else {
            self.version = None;
            return Ok(None);
        };
        self.version = found.metadata.resource_version;
        Ok(found.data.and_then(|mut data| data.remove(&self.key)))
    }

    /// Removes it as it was last seen; in another state it stays.
    pub async fn remove(self) -> Result<(), KeptError> {
        let Some(version) = self.version.clone() else { return Ok(()) };
        // The state is one of one object: another one of this name has never been in it.
        let only = Preconditions { uid: None, resource_version: Some(version) };
        let how = DeleteParams { preconditions: Some(only), ..DeleteParams::default() };
        match in_time(self.cluster.here::<ConfigMap>().delete(&self.name, &how)).await {
            Ok(_) => Ok(()),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) if is_conflict(&error) => Err(self.changed()),
            Err(error) => Err(self.failed("remove", &error)),
        }
    }

    /// Writes `text`, which continues what was written last, and `beside` it what another key tells people. An answer
    /// that was lost does no harm.
    pub async fn write(&mut self, text: &str, beside: (&str, &str)) -> Result<(), KeptError> {
        match self.put(text, beside).await {
            Ok(()) => Ok(()),
            Err(error) if is_conflict(&error) => {
                let there = self.read().await?.unwrap_or_default();
                if !text.starts_with(&there) {
                    return Err(self.changed());
                }
                self.put(text, beside).await.map_err(|error| self.failed("write", &error))
            }
            Err(error) => Err(self.failed("write", &error)),
        }
    }

    async fn put(&mut self, text: &str, beside: (&str, &str)) -> kube::Result<()> {
        let objects = self.cluster.here::<ConfigMap>();
        let labels = BTreeMap::from([("app.kubernetes.io/managed-by".to_owned(), MANAGER.to_owned())]);
        let data = [(self.key.as_str(), text), beside].map(|(key, text)| (key.to_owned(), text.to_owned()));
        let data = BTreeMap::from(data);
        let object = ConfigMap {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                labels: Some(labels),
                resource_version: self.version.clone(),
                ..ObjectMeta::default()
            },
            data: Some(data),
            ..ConfigMap::default()
        };
        let by = PostParams { field_manager: Some(MANAGER.to_owned()), dry_run: false };
        let written = match self.version {
            Some(_) => in_time(objects.replace(&self.name, &by, &object)).await?,
            None => in_time(objects.create(&by, &object)).await?,
        };
        self.version = written.metadata.resource_version;
        Ok(())
    }

    fn changed(&self) -> KeptError {
        let (name, namespace) = (self.name.clone(), self.cluster.namespace().to_owned());
        KeptError::Changed { name, namespace }
    }

    fn failed(&self, action: &'static str, error: &kube::Error) -> KeptError {
        let (name, namespace) = (self.name.clone(), self.cluster.namespace().to_owned());
        KeptError::Request { action, name, namespace, reason: reason(error), away: is_away(error) }
    }
}

/// 409: it exists already, or is in another state by now; 404: it is gone.
fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 404 | 409))
}
