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

    /// The first so many. A watch that the API server closes, for it was read too slowly, is taken up where it was.
    pub async fn first(mut self, count: usize, limit: Duration) -> Vec<Binding> {
        let mut bindings = Vec::with_capacity(count);
        let all = async {
            while bindings.len() < count {
                self.watch(count, &mut bindings).await;
            }
        };
        let in_time = tokio::time::timeout(limit, all).await;
        assert!(in_time.is_ok(), "{} of {count} pods were bound", bindings.len());
        bindings
    }

    /// Watches until there are so many, or the watch ends.
    async fn watch(&mut self, count: usize, bindings: &mut Vec<Binding>) {
        let bound = WatchParams::default().fields("spec.nodeName!=").timeout(290);
        let events = self.pods.watch(&bound, &self.version).await;
        let mut events = pin!(events.expect("pods can be watched"));
        while bindings.len() < count {
            let pod = match events.try_next().await.expect("the watch goes on") {
                Some(WatchEvent::Added(pod)) => pod,
                Some(WatchEvent::Error(error)) => panic!("{error:?}"),
                Some(_) => continue,
                None => return,
            };
            let node = pod.spec.and_then(|spec| spec.node_name);
            self.version = pod.metadata.resource_version.expect("an object has a version");
            bindings.push(Binding {
                at: Instant::now(),
                node: node.expect("it was selected by its node"),
            });
        }
    }
}
