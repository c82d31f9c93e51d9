//! Bytes to a port of a pod through the API server and the pod's node, as `kubectl port-forward` sends them. No
//! network policy is in that way: the node reaches into the pod's own network.

use std::io;

use k8s_openapi::api::core::v1::Pod;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Kubernetes, is_absent, reason};

impl Kubernetes {
    /// A connection to `port` of `pod`. That nobody listens there shows only as its end. A pod that is not there is
    /// a refused connection.
    pub async fn forward(
        &self,
        pod: &str,
        port: u16,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<>> {
        let mut forwarder = self.here::<Pod>().portforward(pod, &[port]).await.map_err(|error| {
            let refused = is_absent(&error);
            let kind = if refused { io::ErrorKind::ConnectionRefused } else { io::ErrorKind::NotConnected };
            io::Error::new(kind, reason(&error))
        })?;
        forwarder.take_stream(port).ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected))
    }
}
