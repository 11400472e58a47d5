//! Bindings in the order in which the API server shows them.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{ListParams, WatchEvent, WatchParams};

/// A pod got a node.
pub struct Binding {
    /// When that was seen.
    pub at: Instant,
    pub node: String,
}

/// Bindings of pods from a moment on.
pub struct Bindings {
    pods: Api<Pod>,
    version: String,
}

impl Bindings {
    pub async fn from_now(pods: Api<Pod>) -> Self {
        let now = pods.list(&ListParams::default().limit(1)).await;
        let version = now.expect("pods can be read").metadata.resource_version;
        let version = version.expect("a list has a version");
        Self { pods, version }
    }

    /// The first so many.
    pub async fn first(&self, count: usize, limit: Duration) -> Vec<Binding> {
        let bound = WatchParams::default().fields("spec.nodeName!=").timeout(290);
        let events = self.pods.watch(&bound, &self.version).await;
        let mut events = pin!(events.expect("pods can be watched"));
        let mut bindings = Vec::with_capacity(count);
        let all = async {
            while bindings.len() < count {
                match events.try_next().await.expect("the watch goes on") {
                    Some(WatchEvent::Added(pod)) => {
                        let node = pod.spec.and_then(|spec| spec.node_name);
                        bindings.push(Binding {
                            at: Instant::now(),
                            node: node.expect("it was selected by its node"),
                        });
                    }
                    Some(WatchEvent::Error(error)) => panic!("{error:?}"),
                    Some(_) => {}
                    None => panic!("the watch ended after {} bindings", bindings.len()),
                }
            }
        };
        let in_time = tokio::time::timeout(limit, all).await;
        assert!(in_time.is_ok(), "{} of {count} pods were bound", bindings.len());
        bindings
    }
}
